//! What the commands that judge an environment share: the clock, the declared workload, and the refusal of an empty text.

use std::path::Path;

use anyhow::bail;

use super::input::named;
use super::note;
use super::targets::config;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::probe::clock::Clock;
use crate::rules::Workload;
use crate::session::check::{Timer, tells_anything};

impl Timer for Clock {
    fn time<T>(&self, part: &'static str, work: impl FnOnce() -> T) -> T {
        Clock::time(self, part, work)
    }
}

/// What the project does: by argument, and by `[workload]` of the nearest gpudoc.toml.
pub(super) fn workload(uses: &[String]) -> Workload {
    let declared = match config(None) {
        Ok(declared) => declared.map(|(_, config)| config.workload.workload()).unwrap_or_default(),
        Err(error) => {
            note(&format!("note: {error:#}; its workload is left out"));
            Workload::default()
        }
    };
    Workload { uses: [uses.to_vec(), declared.uses.clone()].concat(), ..declared }
}

/// Whether a text told anything, or something was found in it.
///
/// # Errors
///
/// When nothing was.
pub(super) fn expect_recognised(from: Option<&Path>, facts: &Facts, findings: &[Finding]) -> anyhow::Result<()> {
    if let Some(path) = from.filter(|_| findings.is_empty() && !tells_anything(facts)) {
        bail!(
            "nothing was recognised in {}: no part of a report, and no error message that the rules know; add what \
             `python -m torch.utils.collect_env` prints, and the whole traceback",
            named(path)
        );
    }
    Ok(())
}
