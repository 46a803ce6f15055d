//! The environment that is changed.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::facts::Facts;
use crate::fix::place::{Marks, refusal};
use crate::journal::lock::Lock;
use crate::journal::{Sort, listing};

/// An environment that gpudoc may change.
pub(super) struct Site {
    /// Its folder, e.g. `/workspace/venv`.
    pub prefix: PathBuf,
    /// What made it.
    pub sort: Sort,
}

impl Site {
    /// The environment of these facts.
    ///
    /// # Errors
    ///
    /// When it is not gpudoc's to change: the error says why, and what to do instead.
    pub fn of(facts: &Facts) -> anyhow::Result<Self> {
        let prefix = facts.python.value().map(|python| PathBuf::from(&python.prefix)).unwrap_or_default();
        let marks = marks(&prefix);
        if let Some(why) = refusal(facts, marks) {
            bail!("{why}");
        }
        let sort = if marks.conda { Sort::Conda } else { listing::venv(&prefix)? };
        Ok(Self { prefix, sort })
    }
}

/// Takes the lock of an environment.
///
/// # Errors
///
/// When somebody else has it, or it cannot be written.
pub(super) fn lock(prefix: &Path) -> anyhow::Result<Lock> {
    let taken = Lock::take(prefix).with_context(|| format!("`{}` cannot be changed", prefix.display()))?;
    taken.with_context(|| {
        format!(
            "another `gpudoc fix` changes `{}`, or an installer that it started still runs: wait for it",
            prefix.display()
        )
    })
}

fn marks(prefix: &Path) -> Marks {
    Marks { venv: prefix.join("pyvenv.cfg").is_file(), conda: prefix.join("conda-meta").is_dir() }
}
