//! `gpudoc fix --try`.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::apply::{run_one, spinner, tell_left};
use super::signals::Signals;
use super::site::Site;
use super::{Args, of_host};
use crate::commands::host::HostArgs;
use crate::commands::{note, print};
use crate::exit::Exit;
use crate::finding::Plan;
use crate::fix::aim::moved;
use crate::fix::calls::{Call, take_apart};
use crate::journal::JournalError;
use crate::journal::lock::Lock;
use crate::journal::replica::replicate;
use crate::report::fix::outcome as shown;
use crate::rules::{self, Workload};
use crate::session::fix::carry_out::{Ended, Place, Ran, Why, carry_out};
use crate::session::fix::{Judged, Outcome};

/// A folder that is removed when it is dropped.
struct Throwaway {
    path: PathBuf,
    keep: bool,
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// A copy of an environment, to try a plan on.
struct Copy<'a> {
    args: &'a Args,
    original: &'a Site,
    copy: Site,
    steps: usize,
    workload: &'a Workload,
    lock: Option<Lock>,
    signals: Signals,
}

impl Place for Copy<'_> {
    fn begin(&mut self) -> anyhow::Result<bool> {
        Ok(true)
    }

    fn prepare(&mut self) -> anyhow::Result<bool> {
        let (from, to) = (&self.original.prefix, &self.copy.prefix);
        let bar = spinner(&format!("copying `{}` to `{}`", from.display(), to.display()));
        let stops = || self.signals.asked().is_some();
        let copied = replicate(from, self.original.sort, to, &stops);
        bar.finish_and_clear();
        if matches!(copied, Err(JournalError::Stopped)) && stops() {
            return Ok(false);
        }
        copied.context("the environment could not be copied; TMPDIR says where to")?;
        self.lock = Some(Lock::take(to)?.context("the folder is somebody else's")?);
        Ok(true)
    }

    fn run(&mut self, at: usize, call: &Call) -> anyhow::Result<Ran> {
        let lock = self.lock.as_ref().context("nobody holds the lock")?;
        run_one(call, at, self.steps, &self.copy, lock, &self.signals)
    }

    fn check(&mut self) -> anyhow::Result<Judged> {
        let host = HostArgs {
            python: Some(self.copy.prefix.clone()),
            root: None,
            deep: self.args.host.deep,
            imports: self.args.host.imports,
        };
        of_host(&host, rules::embedded(), self.workload)
    }

    fn tell(&mut self, outcome: &Outcome, _: bool) -> anyhow::Result<()> {
        print(&shown(&outcome.judgement, &outcome.told, "tried, and the environment itself was not touched"))
    }

    fn take_back(&mut self, why: Why) -> anyhow::Result<()> {
        match why {
            Why::Failed => note("the environment itself was not touched"),
            Why::NoBetter => return self.keep(),
            Why::Stopped | Why::Error => {}
        }
        Ok(())
    }

    fn keep(&mut self) -> anyhow::Result<()> {
        if self.args.keep {
            note(&format!("left in `{}`", self.copy.prefix.display()));
        }
        Ok(())
    }

    fn stop(&self) -> Option<Exit> {
        self.signals.asked()
    }
}

pub(super) fn run(args: &Args, before: &Judged, plan: &Plan, workload: &Workload) -> anyhow::Result<Exit> {
    let original = Site::of(&before.facts)?;
    let (calls, left) = take_apart(plan, &before.facts, &original.prefix);
    tell_left(&left);
    if calls.is_empty() {
        note("nothing in this plan is for gpudoc to try");
        return Ok(Ended::Nothing.exit());
    }
    let signals = Signals::listen()?;
    let folder = Throwaway { path: throwaway()?, keep: args.keep };
    let copy = Site { prefix: folder.path.clone(), sort: original.sort };
    let moved = |call: &Call| Call { argv: moved(&call.argv, &original.prefix, &copy.prefix), ..call.clone() };
    let calls: Vec<Call> = calls.iter().map(moved).collect();
    let mut place = Copy { args, original: &original, copy, steps: calls.len(), workload, lock: None, signals };
    Ok(carry_out(before, plan, &calls, &mut place)?.exit())
}

/// A new folder that only we can read.
fn throwaway() -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let above = std::env::temp_dir();
    let above = above.canonicalize().unwrap_or(above);
    for number in 0..100 {
        let path = above.join(format!("gpudoc-try-{}-{number}", std::process::id()));
        match std::fs::DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| path.clone()).with_context(|| failed(&path)),
        }
    }
    anyhow::bail!(failed(&above))
}

fn failed(path: &Path) -> String {
    format!("failed to create `{}`", path.display())
}
