//! Where newer rules lie on this machine, and reading them at a start.

use std::path::PathBuf;

use super::note;
use crate::rules;
use crate::rules::overlay::Overlay;

/// Names another folder for what `gpudoc rules update` writes.
pub const VARIABLE: &str = "GPUDOC_DATA";
/// The file in it.
pub const FILE: &str = "rules.bin";
/// An overlay above this size is not read.
const LIMIT: u64 = 64 << 20;

/// The folder for data of this user: `GPUDOC_DATA`, else `gpudoc` in `XDG_DATA_HOME` or `~/.local/share`.
#[expect(clippy::disallowed_methods, reason = "a command may ask the environment where its data lies")]
#[must_use]
pub fn folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named(VARIABLE)
        .or_else(|| named("XDG_DATA_HOME").map(|folder| folder.join("gpudoc")))
        .or_else(|| named("HOME").map(|folder| folder.join(".local/share/gpudoc")))
}

/// Puts newer rules over the program's own, if there are any; says so where they cannot be used.
pub fn load() {
    let Some(path) = folder().map(|folder| folder.join(FILE)) else { return };
    let Ok(metadata) = std::fs::metadata(&path) else { return };
    let ignored = |why: &dyn std::fmt::Display| {
        note(&format!("warning: ignored `{}`: {why}; `gpudoc rules update` writes it anew", path.display()));
    };
    if metadata.len() > LIMIT {
        return ignored(&"it is too big");
    }
    #[expect(clippy::disallowed_methods, reason = "a command reads its own data file")]
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => return ignored(&error),
    };
    match Overlay::decode(&bytes, rules::embedded_day()) {
        Ok(overlay) => rules::install(overlay),
        Err(error) => ignored(&error),
    }
}
