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
use crate::journal::{FOLDER, Journal, Stage};
use crate::text;

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let prefix = prefix(args)?;
    if !prefix.join(FOLDER).is_dir() {
        note(&format!("nothing to undo in `{}`: `gpudoc fix --apply` never ran there", prefix.display()));
        return Ok(Exit::Ok);
    }
    let _lock = lock(&prefix)?;
    let Some(mut journal) = Journal::last(&prefix)? else {
        note(&format!("nothing to undo in `{}`: nothing was changed", prefix.display()));
        return Ok(Exit::Ok);
    };
    if journal.stage() == Stage::Restored {
        journal.forget()?;
        note(&format!("nothing to undo in `{}`: the last one was taken back already", prefix.display()));
        return Ok(Exit::Ok);
    }
    let since = journal.changed_since()?;
    if !since.is_empty() {
        note(&format!("changed since, and taken back too: {}", text::list(&since)));
        if !ask(
            &format!("Take `{}` back to what it was before `{}`?", prefix.display(), journal.about().summary),
            args,
        )? {
            return Ok(Exit::Failed);
        }
    }
    // ^C would only mean to do the rest later.
    let _signals = Signals::listen()?;
    let restored = journal.restore().context("what is not back yet comes back with `gpudoc fix --undo`")?;
    count_restored(&restored)?;
    print(&format!("restored  {}, as it was before: {}\n", prefix.display(), journal.about().summary))?;
    Ok(Exit::Ok)
}

/// The environment whose journal is meant: also one whose Python an installer took away before it was stopped.
fn prefix(args: &Args) -> anyhow::Result<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a command reads the environment")]
    let variables = || ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    let named: Vec<PathBuf> = match &args.host.python {
        Some(path) => vec![path.clone(), path.join("../..")],
        None => variables().collect(),
    };
    let has_journal = |path: &&PathBuf| path.join(FOLDER).is_dir();
    if let Some(found) = named.iter().find(has_journal) {
        return Path::new(found).canonicalize().with_context(|| format!("failed to find `{}`", found.display()));
    }
    let facts = probe_without_libraries(&args.host)?;
    let Some(python) = facts.python.value() else { bail!("no Python environment was found") };
    Ok(PathBuf::from(&python.prefix))
}
