//! One [`Report`] value, and how it is written: text for people, JSON for programs. No decisions are made here.

pub mod ci;
mod command;
pub mod diff;
pub mod explain;
pub mod impact;
mod json;
mod lines;
pub mod lint;
mod markdown;
pub mod rules;
pub mod scan;
pub mod symptom;
mod text;
pub mod xid;

use crate::check::{self, Checked, GPU_CHECKS, Verdict};
use crate::facts::Facts;
use crate::finding::{Finding, Outcome, Plan, Severity};

pub use json::json;
pub use lines::unified_diff;
pub use markdown::markdown;
pub use text::text;

/// What `gpudoc check` found out.
pub struct Report<'a> {
    /// The observations.
    pub facts: &'a Facts,
    /// Each check and what it came to.
    pub checks: Vec<Checked>,
    /// All findings, the worst first.
    pub findings: Vec<Finding>,
    /// What mends it, where anything that can be installed or set does.
    pub plan: Option<Plan>,
    /// What it all comes to.
    pub verdict: Verdict,
    /// Why the verdict is worse than the findings are: `--require gpu` on a machine without one.
    pub demands: Vec<String>,
    /// The day of the newest row of the rules.
    pub rules_day: String,
}

impl<'a> Report<'a> {
    /// Makes the report of some checks. `require_gpu` makes a missing GPU, and GPU checks that were skipped, a failure.
    #[must_use]
    pub fn new(
        facts: &'a Facts,
        checks: Vec<Checked>,
        (findings, plan): (Vec<Finding>, Option<Plan>),
        require_gpu: bool,
        rules_day: &str,
    ) -> Self {
        let mut verdict = check::verdict(&checks, &findings);
        let mut demands = Vec::new();
        if require_gpu {
            if facts.gpus.value().is_none_or(Vec::is_empty) {
                demands.push("`--require gpu`: no NVIDIA GPU was seen".to_owned());
            } else {
                for checked in checks.iter().filter(|checked| GPU_CHECKS.contains(&checked.id)) {
                    if let Outcome::Skipped(missing) = &checked.outcome {
                        demands.push(format!("`--require gpu`: {} was not checked, for lack of {missing}", checked.id));
                    }
                }
            }
            if !demands.is_empty() {
                verdict = Verdict::Fail;
            }
        }
        Self { facts, checks, findings, plan, verdict, demands, rules_day: rules_day.to_owned() }
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}
