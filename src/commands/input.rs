//! What `--from` names: a file with a snapshot, or with a text that somebody pasted.

use std::path::Path;

use anyhow::Context;

use super::{file, note};
use crate::facts::{self, Facts};
use crate::rules::RuleDb;
use crate::session::paste::{self, Input};

/// Reads a snapshot or a pasted text, `-` for standard input.
///
/// # Errors
///
/// When the file cannot be read, or is a damaged snapshot.
pub fn read<'db>(path: &Path, db: &'db RuleDb) -> anyhow::Result<Input<'db>> {
    let input = paste::read(&file::read(path)?, db).with_context(|| no_snapshot(path))?;
    if let Some(remark) = paste::remark(&input.facts, db) {
        note(&remark);
    }
    Ok(input)
}

/// Reads a snapshot and nothing else, with what the rules say of its GPUs.
///
/// # Errors
///
/// When the file cannot be read, or is none.
pub fn snapshot_only(path: &Path, db: &RuleDb) -> anyhow::Result<Facts> {
    paste::of_snapshot(&file::read(path)?, db).with_context(|| no_snapshot(path))
}

fn no_snapshot(path: &Path) -> String {
    format!("{} is not a snapshot of `gpudoc probe` ({})", named(path), facts::SCHEMA)
}

/// A file in a sentence; `-` is standard input.
pub(super) fn named(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { format!("`{}`", path.display()) }
}
