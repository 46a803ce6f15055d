//! `gpudoc fix --apply`.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::ProgressBar;

use super::installing::{self, Ended};
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
use crate::report::fix::outcome;
use crate::rules::{self, Workload};
use crate::session::fix::{Judged, Outcome};
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
    if let Some(journal) = Journal::last(prefix)?
        && matches!(journal.stage(), Stage::Running(_))
    {
        bail!("the last `gpudoc fix --apply` was cut short: take it back first with `gpudoc fix --undo`");
    }
    Ok(Some(lock))
}

pub(super) fn run(
    args: &Args,
    before: &Judged,
    plan: &Plan,
    workload: &Workload,
    held: Option<Lock>,
) -> anyhow::Result<Exit> {
    let site = Site::of(&before.facts)?;
    let (calls, left) = take_apart(plan, &before.facts, &site.prefix);
    tell_left(&left);
    if calls.is_empty() {
        note("nothing in this plan is for gpudoc to run");
        return Ok(Exit::Failed);
    }
    let lock = held.map_or_else(|| lock(&site.prefix), Ok)?;
    for call in &calls {
        note(&format!("  {}", call.shown()));
    }
    if !ask(&format!("{} in `{}`?", plan.summary, site.prefix.display()), args)? {
        return Ok(Exit::Failed);
    }
    // Until here ^C just ends it.
    let signals = Signals::listen()?;
    let mut journal = match prepared(&site, plan, &calls, &signals) {
        Ok(journal) => journal,
        Err(error) => {
            return match (error.downcast_ref(), signals.asked()) {
                (Some(JournalError::Stopped), Some(exit)) => Ok(exit),
                _ => Err(error.context("nothing was changed: the files could not be put aside")),
            };
        }
    };
    let ran = run_all(&calls, &site, &lock, &signals, &mut |step| journal.reach(Stage::Running(step)));
    match ran {
        Ok(Ended::Well(_)) => {}
        Ok(Ended::Stopped) => {
            note("stopped");
            put_back(&mut journal)?;
            return Ok(signals.asked().unwrap_or(Exit::Failed));
        }
        Ok(Ended::Badly(..)) => {
            put_back(&mut journal)?;
            return Ok(Exit::Failed);
        }
        Err(error) => {
            put_back(&mut journal)?;
            return Err(error);
        }
    }
    let after = match of_host(&args.host, rules::embedded(), workload) {
        Ok(after) => after,
        Err(error) => {
            put_back(&mut journal)?;
            return Err(error.context("the environment could not be checked any more"));
        }
    };
    let done = Outcome::of(before, &after, plan, &calls);
    let kept = done.better && signals.asked().is_none();
    print(&outcome(&done.judgement, &done.told, if kept { "kept" } else { "restored" }))?;
    if !kept {
        put_back(&mut journal)?;
        return Ok(signals.asked().unwrap_or(Exit::Failed));
    }
    journal.finish()?;
    let copies = journal.folder();
    note(&format!("`gpudoc fix --undo` takes it back; the copies for that are in `{}`", copies.display()));
    Ok(Exit::ok_if(done.sound))
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

fn prepared(site: &Site, plan: &Plan, calls: &[Call], signals: &Signals) -> anyhow::Result<Journal> {
    let bar = spinner("putting the environment's files aside");
    let by_uv = calls.iter().any(|call| call.installer == Installer::Uv);
    let writes = if !by_uv || installing::uv_links(&site.prefix, signals) { Writes::NewFiles } else { Writes::InPlace };
    let about = About {
        summary: plan.summary.clone(),
        commands: calls.iter().map(|call| call.argv.clone()).collect(),
        day: today(),
    };
    let journal = Journal::prepare(&site.prefix, site.sort, writes, about, &|| signals.asked().is_some());
    bar.finish_and_clear();
    Ok(journal?)
}

/// Runs commands one after the other; `begin` is told the number of each before it.
///
/// # Errors
///
/// When a program cannot be started, or the journal not be written.
pub(super) fn run_all(
    calls: &[Call],
    site: &Site,
    lock: &Lock,
    signals: &Signals,
    begin: &mut dyn FnMut(usize) -> Result<(), JournalError>,
) -> anyhow::Result<Ended> {
    let mut last = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        begin(at)?;
        let name = format!("step {} of {}: {}", at + 1, calls.len(), call.shown());
        note(&name);
        let bar = spinner("");
        let variables = variables(call);
        let running =
            installing::Call { argv: &call.argv, variables: &variables, prefix: &site.prefix, sort: site.sort };
        let ended = installing::run(&running, lock.stdin()?, signals, &|line| bar.set_message(line.to_owned()));
        bar.finish_and_clear();
        match ended.with_context(|| format!("failed to start `{}`", call.argv.first().map_or("", String::as_str)))? {
            Ended::Well(lines) => last = lines,
            Ended::Badly(how, lines) => {
                note(&format!("step {} of {} failed ({how}); its last lines:", at + 1, calls.len()));
                lines.iter().for_each(|line| note(&format!("  {line}")));
                return Ok(Ended::Badly(how, lines));
            }
            Ended::Stopped => return Ok(Ended::Stopped),
        }
    }
    Ok(Ended::Well(last))
}

/// uv is told to link, which it does anyway unless somebody configured it to write into files.
fn variables(call: &Call) -> Vec<(String, String)> {
    let link = (call.installer == Installer::Uv).then(|| ("UV_LINK_MODE".to_owned(), "hardlink".to_owned()));
    call.variables.iter().cloned().chain(link).collect()
}

fn put_back(journal: &mut Journal) -> anyhow::Result<()> {
    let bar = spinner("putting the files back");
    let restored = journal.restore().context("not all files are back: `gpudoc fix --undo` goes on");
    bar.finish_and_clear();
    count_restored(&restored?)
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
