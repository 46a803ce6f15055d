//! The one way from facts to findings and a plan, for every command that judges an environment.

use std::path::Path;

use anyhow::bail;

use super::note;
use super::targets::config;
use crate::check::{self, Checked, Told, Verdict};
use crate::facts::{Facts, Reading};
use crate::finding::{Finding, Plan};
use crate::impact;
use crate::probe::clock::Clock;
use crate::rules::symptom::Heard;
use crate::rules::{RuleDb, Workload};

/// What the checks made of an environment.
pub(super) struct Examined {
    /// Each check and what it came to.
    pub checks: Vec<Checked>,
    /// All findings, the worst first.
    pub findings: Vec<Finding>,
    /// What mends it.
    pub plan: Option<Plan>,
}

impl Examined {
    /// Judges facts, beside what a text tells where they come from one.
    pub fn of(facts: &Facts, db: &RuleDb, workload: &Workload, told: Option<&Told<'_>>, clock: &Clock) -> Self {
        let nothing = Heard::default();
        let heard = told.map_or(&nothing, |told| &told.heard);
        let checks = clock.time("checks", || check::run_with(facts, db, workload, heard));
        let findings = check::findings(&checks);
        let findings = match told {
            Some(told) => clock.time("ranking", || check::explain(facts, db, workload, told, findings)),
            None => findings,
        };
        let (findings, plan) = clock.time("remedies", || impact::with_remedies(facts, db, workload, findings));
        Self { checks, findings: check::fit(facts, db, findings), plan }
    }

    /// What it all comes to.
    pub fn verdict(&self, facts: &Facts) -> Verdict {
        check::verdict(facts, &self.checks, &self.findings)
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
        let name = if path.as_os_str() == "-" { "standard input".to_owned() } else { format!("`{}`", path.display()) };
        bail!("nothing was recognised in {name}: no part of a report, and no error message that the rules know");
    }
    Ok(())
}

/// Whether anything at all was read in a text; a snapshot always tells something.
fn tells_anything(facts: &Facts) -> bool {
    let Some(pasted) = &facts.pasted else { return true };
    // That torch is spoken of is nothing to go by.
    let told = Facts { pasted: None, spoken_of: Reading::Unknown, ..facts.clone() };
    !(pasted.recognised.is_empty() && pasted.contradictions.is_empty() && told == Facts::unknown(facts.origin))
}
