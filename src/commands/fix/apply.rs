//! `gpudoc fix --apply`.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::ProgressBar;

use super::installing;
use super::signals::Signals;
use super::site::{Site, lock};
use super::{Args, of_host};
use crate::commands::host::{HostArgs, probe_without_libraries};
use crate::commands::{note, print, today};
use crate::exit::Exit;
use crate::finding::Plan;
use crate::fix::aim::Installer;
use crate::fix::calls::{Call, Left, take_apart};
use crate::journal::lock::Lock;
use crate::journal::{About, FOLDER, Journal, JournalError, Restored, Stage, Writes};
use crate::report::fix::outcome as shown;
use crate::rules::{self, Workload};
use crate::session::fix::carry_out::{Ended, Place, Ran, Why, carry_out};
use crate::session::fix::undo::may_begin;
use crate::session::fix::{Judged, Outcome, writes_in_place};
use crate::text;

/// The lock of an environment in which this command ran before; none where it never did.
///
/// # Errors
///
/// When somebody else has it, or the last one was cut short.
pub(super) fn held(host: &HostArgs) -> anyhow::Result<Option<Lock>> {
    let facts = probe_without_libraries(host)?;
    let Some(prefix) = facts.python.value().map(|python| Path::new(&python.prefix)) else { return Ok(None) };
    if !prefix.join(FOLDER).is_dir() {
        return Ok(None);
    }
    let lock = lock(prefix)?;
    may_begin(Journal::last(prefix)?.is_some_and(|journal| matches!(journal.stage(), Stage::Running(_))))?;
    Ok(Some(lock))
}

/// An environment whose files are put aside before they are changed.
struct Environment<'a> {
    args: &'a Args,
    site: Site,
    plan: &'a Plan,
    calls: &'a [Call],
    workload: &'a Workload,
    lock: Option<Lock>,
    signals: Signals,
    journal: Option<Journal>,
}

impl Place for Environment<'_> {
    fn begin(&mut self) -> anyhow::Result<bool> {
        if self.lock.is_none() {
            self.lock = Some(lock(&self.site.prefix)?);
        }
        for call in self.calls {
            note(&format!("  {}", call.shown()));
        }
        let agreed = ask(&format!("{} in `{}`?", self.plan.summary, self.site.prefix.display()), self.args)?;
        // Until here ^C just ends it.
        self.signals = Signals::listen()?;
        Ok(agreed)
    }

    fn prepare(&mut self) -> anyhow::Result<bool> {
        let bar = spinner("putting the environment's files aside");
        let links = || installing::uv_links(&self.site.prefix, &self.signals);
        let writes = if writes_in_place(self.calls, links) { Writes::InPlace } else { Writes::NewFiles };
        let about = About {
            summary: self.plan.summary.clone(),
            commands: self.calls.iter().map(|call| call.argv.clone()).collect(),
            day: today(),
        };
        let stops = || self.signals.asked().is_some();
        let prepared = Journal::prepare(&self.site.prefix, self.site.sort, writes, about, &stops);
        bar.finish_and_clear();
        if matches!(prepared, Err(JournalError::Stopped)) && stops() {
            return Ok(false);
        }
        self.journal = Some(prepared.context("nothing was changed: the files could not be put aside")?);
        Ok(true)
    }

    fn run(&mut self, at: usize, call: &Call) -> anyhow::Result<Ran> {
        self.journal()?.reach(Stage::Running(at))?;
        let lock = self.lock.as_ref().context("nobody holds the lock")?;
        run_one(call, at, self.calls.len(), &self.site, lock, &self.signals)
    }

    fn check(&mut self) -> anyhow::Result<Judged> {
        of_host(&self.args.host, rules::embedded(), self.workload)
            .context("the environment could not be checked any more")
    }

    fn tell(&mut self, outcome: &Outcome, kept: bool) -> anyhow::Result<()> {
        print(&shown(&outcome.judgement, &outcome.told, if kept { "kept" } else { "restored" }))
    }

    fn take_back(&mut self, why: Why) -> anyhow::Result<()> {
        if why == Why::Stopped {
            note("stopped");
        }
        let bar = spinner("putting the files back");
        let restored = self.journal()?.restore().context("not all files are back: `gpudoc fix --undo` goes on");
        bar.finish_and_clear();
        count_restored(&restored?)
    }

    fn keep(&mut self) -> anyhow::Result<()> {
        let journal = self.journal()?;
        journal.finish()?;
        let copies = journal.folder();
        note(&format!("`gpudoc fix --undo` takes it back; the copies for that are in `{}`", copies.display()));
        Ok(())
    }

    fn stop(&self) -> Option<Exit> {
        self.signals.asked()
    }
}

impl Environment<'_> {
    fn journal(&mut self) -> anyhow::Result<&mut Journal> {
        self.journal.as_mut().context("nothing was put aside")
    }
}

pub(super) fn run(
    args: &Args,
    before: &Judged,
    plan: &Plan,
    workload: &Workload,
    lock: Option<Lock>,
) -> anyhow::Result<Exit> {
    let site = Site::of(&before.facts)?;
    let (calls, left) = take_apart(plan, &before.facts, &site.prefix);
    tell_left(&left);
    let (signals, journal) = (Signals::default(), None);
    let mut place = Environment { args, site, plan, calls: &calls, workload, lock, signals, journal };
    let ended = carry_out(before, plan, &calls, &mut place)?;
    if ended == Ended::Nothing {
        note("nothing in this plan is for gpudoc to run");
    }
    Ok(ended.exit())
}

/// Says what somebody else has to do.
pub(super) fn tell_left(left: &[Left]) {
    for Left { command, who, why } in left {
        note(&format!("for {who}, since {why}:\n  {command}"));
    }
}

/// Asks on the terminal; true without a question where `--yes` was given.
///
/// # Errors
///
/// Where there is no terminal to ask on.
pub(super) fn ask(question: &str, args: &Args) -> anyhow::Result<bool> {
    if args.yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        bail!("there is no terminal to ask on: add `--yes` to go ahead");
    }
    let mut terminal = std::io::stderr();
    write!(terminal, "{question} [y/N] ").and_then(|()| terminal.flush())?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Runs a command of so many on an environment, with a sign of life, and says where it fails.
///
/// # Errors
///
/// When a program cannot be started.
pub(super) fn run_one(
    call: &Call,
    at: usize,
    of: usize,
    site: &Site,
    lock: &Lock,
    signals: &Signals,
) -> anyhow::Result<Ran> {
    note(&format!("step {} of {of}: {}", at + 1, call.shown()));
    let bar = spinner("");
    let variables = variables(call);
    let running = installing::Call { argv: &call.argv, variables: &variables, prefix: &site.prefix, sort: site.sort };
    let ended = installing::run(&running, lock.stdin()?, signals, &|line| bar.set_message(line.to_owned()));
    bar.finish_and_clear();
    match ended.with_context(|| format!("failed to start `{}`", call.argv.first().map_or("", String::as_str)))? {
        installing::Ended::Well(_) => Ok(Ran::Well),
        installing::Ended::Badly(how, lines) => {
            note(&format!("step {} of {of} failed ({how}); its last lines:", at + 1));
            lines.iter().for_each(|line| note(&format!("  {line}")));
            Ok(Ran::Badly)
        }
        installing::Ended::Stopped => Ok(Ran::Stopped),
    }
}

/// uv is told to link, which it does anyway unless somebody configured it to write into files.
fn variables(call: &Call) -> Vec<(String, String)> {
    let link = (call.installer == Installer::Uv).then(|| ("UV_LINK_MODE".to_owned(), "hardlink".to_owned()));
    call.variables.iter().cloned().chain(link).collect()
}

/// Says what was put back.
///
/// # Errors
///
/// When something could not be.
pub(super) fn count_restored(restored: &Restored) -> anyhow::Result<()> {
    let Restored { removed, put_back, lost } = restored;
    if !lost.is_empty() {
        let shown: Vec<_> = lost.iter().take(5).map(|path| format!("`{}`", path.display())).collect();
        let more = lost.len().saturating_sub(shown.len());
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        bail!("not as they were: {}{rest}; install what they belong to again", shown.join(", "));
    }
    note(&format!(
        "restored: {} put back, {} removed",
        text::count(*put_back, "file", "files"),
        text::count(*removed, "file", "files")
    ));
    Ok(())
}

/// A sign of life on a terminal.
pub(super) fn spinner(message: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.set_message(message.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
