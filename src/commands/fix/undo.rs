//! `gpudoc fix --undo`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::Args;
use super::apply::{ask, count_restored};
use super::signals::Signals;
use super::site::lock;
use crate::commands::host::probe_without_libraries;
use crate::commands::{note, print};
use crate::exit::Exit;
use crate::journal::lock::Lock;
use crate::journal::{FOLDER, Journal, Stage};
use crate::session::fix::undo::{Last, Memory, Undone, remembered, undo};
use crate::text;

/// The journal of an environment.
struct InJournal<'a> {
    args: &'a Args,
    prefix: &'a Path,
    lock: Option<Lock>,
    journal: Option<Journal>,
}

impl Memory for InJournal<'_> {
    fn exists(&self) -> bool {
        has_journal(self.prefix)
    }

    fn last(&mut self) -> anyhow::Result<Last> {
        self.lock = Some(lock(self.prefix)?);
        self.journal = Journal::last(self.prefix)?;
        Ok(match self.journal.as_ref().map(Journal::stage) {
            None => Last::Nothing,
            Some(Stage::Restored) => Last::TakenBack,
            Some(_) => Last::Applied,
        })
    }

    fn forget(&mut self) -> anyhow::Result<()> {
        Ok(self.journal()?.forget()?)
    }

    fn changed_since(&mut self) -> anyhow::Result<Vec<String>> {
        Ok(self.journal()?.changed_since()?)
    }

    fn agrees(&mut self, since: &[String]) -> anyhow::Result<bool> {
        note(&format!("changed since, and taken back too: {}", text::list(since)));
        let (prefix, args) = (self.prefix, self.args);
        let summary = self.summary();
        ask(&format!("Take `{}` back to what it was before `{summary}`?", prefix.display()), args)
    }

    fn restore(&mut self) -> anyhow::Result<()> {
        // ^C would only mean to do the rest later.
        let _signals = Signals::listen()?;
        let restored = self.journal()?.restore().context("what is not back yet comes back with `gpudoc fix --undo`")?;
        count_restored(&restored)
    }
}

impl InJournal<'_> {
    fn journal(&mut self) -> anyhow::Result<&mut Journal> {
        self.journal.as_mut().context("nothing is remembered")
    }

    /// What was done, e.g. `Install torch==2.7.1`.
    fn summary(&self) -> &str {
        self.journal.as_ref().map_or("", |journal| journal.about().summary.as_str())
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let prefix = prefix(args)?;
    let mut memory = InJournal { args, prefix: &prefix, lock: None, journal: None };
    let undone = undo(&mut memory)?;
    let nothing = |why: &str| note(&format!("nothing to undo in `{}`: {why}", prefix.display()));
    match undone {
        Undone::Never => nothing("`gpudoc fix --apply` never ran there"),
        Undone::Nothing => nothing("nothing was changed"),
        Undone::Already => nothing("the last one was taken back already"),
        Undone::Declined => {}
        Undone::Restored => {
            print(&format!("restored  {}, as it was before: {}\n", prefix.display(), memory.summary()))?;
        }
    }
    Ok(undone.exit())
}

fn has_journal(prefix: &Path) -> bool {
    prefix.join(FOLDER).is_dir()
}

/// The environment whose journal is meant: also one whose Python an installer took away before it was stopped.
fn prefix(args: &Args) -> anyhow::Result<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a command reads the environment")]
    let active = ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    if let Some(found) = remembered(args.host.python.as_deref(), active, has_journal) {
        return found.canonicalize().with_context(|| format!("failed to find `{}`", found.display()));
    }
    let facts = probe_without_libraries(&args.host)?;
    let Some(python) = facts.python.value() else { bail!("no Python environment was found") };
    Ok(PathBuf::from(&python.prefix))
}
