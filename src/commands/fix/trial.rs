//! `gpudoc fix --try`.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::apply::{run_all, spinner, tell_left};
use super::installing::Ended;
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
use crate::report::fix::outcome;
use crate::rules::{self, Workload};
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

pub(super) fn run(args: &Args, before: &Judged, plan: &Plan, workload: &Workload) -> anyhow::Result<Exit> {
    let site = Site::of(&before.facts)?;
    let (calls, left) = take_apart(plan, &before.facts, &site.prefix);
    tell_left(&left);
    if calls.is_empty() {
        note("nothing in this plan is for gpudoc to try");
        return Ok(Exit::Failed);
    }
    let signals = Signals::listen()?;
    let folder = Throwaway { path: throwaway()?, keep: args.keep };
    let bar = spinner(&format!("copying `{}` to `{}`", site.prefix.display(), folder.path.display()));
    let copied = replicate(&site.prefix, site.sort, &folder.path, &|| signals.asked().is_some());
    bar.finish_and_clear();
    match (copied, signals.asked()) {
        (Err(JournalError::Stopped), Some(exit)) => return Ok(exit),
        (copied, _) => copied.context("the environment could not be copied; TMPDIR says where to")?,
    }
    let copy = Site { prefix: folder.path.clone(), sort: site.sort };
    let moved = |call: &Call| Call { argv: moved(&call.argv, &site.prefix, &copy.prefix), ..call.clone() };
    let calls: Vec<Call> = calls.iter().map(moved).collect();
    let lock = Lock::take(&copy.prefix)?.context("the folder is somebody else's")?;
    match run_all(&calls, &copy, &lock, &signals, &mut |_| Ok(()))? {
        Ended::Well(_) => {}
        Ended::Stopped => return Ok(signals.asked().unwrap_or(Exit::Failed)),
        Ended::Badly(..) => {
            note("the environment itself was not touched");
            return Ok(Exit::Failed);
        }
    }
    let host =
        HostArgs { python: Some(folder.path.clone()), root: None, deep: args.host.deep, imports: args.host.imports };
    let after = of_host(&host, rules::embedded(), workload)?;
    let done = Outcome::of(before, &after, plan, &calls);
    print(&outcome(&done.judgement, &done.told, "tried, and the environment itself was not touched"))?;
    if args.keep {
        note(&format!("left in `{}`", folder.path.display()));
    }
    Ok(Exit::ok_if(done.sound))
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
