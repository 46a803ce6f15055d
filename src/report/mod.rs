//! One [`Report`] value, and how it is written: text for people, JSON for programs. No decisions are made here.

pub mod ci;
pub mod diff;
pub mod explain;
mod finding;
pub mod fix;
mod full;
mod header;
pub mod impact;
mod json;
mod lines;
pub mod lint;
mod look;
mod markdown;
pub mod rules;
pub mod scan;
pub mod symptom;
mod text;
pub mod xid;

use crate::cause::{Cause, Item, causes, to_do};
use crate::check::{self, Checked, GPU_CHECKS, Verdict};
use crate::facts::Facts;
use crate::finding::{Finding, Outcome, Plan};
use crate::rules::age::Age;
use crate::rules::schema::ScreenTable;

pub use full::full;
pub use json::{json, no_report};
pub use lines::unified_diff;
pub use look::Look;
pub use markdown::markdown;
pub use text::{quiet, text};

/// What somebody insists on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demanded {
    /// A GPU that was seen, and the checks of it: `--require gpu`.
    pub gpu: bool,
    /// Rules that are not older than so many days: `--max-rules-age`.
    pub max_rules_age: Option<u64>,
}

/// What `gpudoc check` found out.
pub struct Report<'a> {
    /// The observations.
    pub facts: &'a Facts,
    /// Each check and what it came to.
    pub checks: Vec<Checked>,
    /// All findings, the worst first.
    pub findings: Vec<Finding>,
    /// The failures and warnings by cause.
    pub causes: Vec<Cause>,
    /// What to do, in order.
    pub to_do: Vec<Item>,
    /// What mends it, where anything that can be installed or set does.
    pub plan: Option<Plan>,
    /// What it all comes to.
    pub verdict: Verdict,
    /// Why the verdict is worse than the findings are: `--require gpu` on a machine without one, rules older than
    /// `--max-rules-age`.
    pub demands: Vec<String>,
    /// How old the rules are.
    pub rules: Age,
    /// What the line `env` names, and the commands that are asked for.
    pub screen: &'a ScreenTable,
}

impl<'a> Report<'a> {
    /// Makes the report of some checks.
    #[must_use]
    pub fn new(
        facts: &'a Facts,
        checks: Vec<Checked>,
        (findings, plan): (Vec<Finding>, Option<Plan>),
        demanded: Demanded,
        rules: Age,
        screen: &'a ScreenTable,
    ) -> Self {
        let mut verdict = check::verdict(facts, &checks, &findings);
        let mut demands: Vec<String> = demanded.max_rules_age.and_then(|days| rules.beyond(days)).into_iter().collect();
        if demanded.gpu {
            if facts.gpus.value().is_none_or(Vec::is_empty) {
                demands.push("`--require gpu`: no NVIDIA GPU was seen".to_owned());
            } else {
                for checked in checks.iter().filter(|checked| GPU_CHECKS.contains(&checked.id)) {
                    if let Outcome::Skipped(missing) = &checked.outcome {
                        demands.push(format!("`--require gpu`: {} was not checked, for lack of {missing}", checked.id));
                    }
                }
            }
        }
        if !demands.is_empty() {
            verdict = Verdict::Fail;
        }
        let causes = causes(facts, &findings, plan.as_ref());
        let to_do = to_do(facts, &findings, &causes, plan.as_ref());
        Self { facts, checks, findings, causes, to_do, plan, verdict, demands, rules, screen }
    }

    /// What was not checked, a sentence each without full stop.
    fn unchecked(&self) -> Vec<String> {
        let of = |checked: &Checked| {
            let skipped = match &checked.outcome {
                Outcome::Skipped(missing) => Some(format!("not checked: {}, for lack of {missing}", checked.id)),
                _ => None,
            };
            let partly = (!checked.missing.is_empty()).then(|| {
                format!("not checked in full: {}, for lack of {}", checked.id, crate::text::list(&checked.missing))
            });
            skipped.into_iter().chain(partly).collect::<Vec<_>>()
        };
        self.checks.iter().flat_map(of).collect()
    }
}
