//! Findings by cause: one story for each thing that is wrong, however many checks see it.
//!
//! A missing numpy is one cause though seven packages miss it; ten NVIDIA pins of one torch are one; what metadata and symbols
//! say of one pair of packages is one. In come the findings with the plan, out come [`Cause`]s in the order of their first
//! finding. [`group`] says which findings belong together, [`title`] names the whole, [`todo`] says what to do.

mod advice;
mod group;
mod title;
mod todo;

use serde::Serialize;

use crate::check::registry;
use crate::facts::Facts;
use crate::finding::{Finding, Id, Kind, Plan, Severity};

pub use advice::Told;
pub use todo::{Item, Role, to_do};

/// One thing that is wrong, and what it shows itself in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// One line: subject, need, observation.
    pub title: String,
    /// What it means for the user, in one sentence with its full stop; empty where the title says it.
    pub meaning: String,
    /// That of its worst finding.
    pub severity: Severity,
    /// Ids of its findings, in their order; the first one leads.
    pub findings: Vec<Id>,
    /// The distributions involved, sorted.
    pub packages: Vec<String>,
    /// Whether the plan ends it whole.
    pub ended: bool,
    /// Why the plan leaves it, one sentence without full stop; none where the plan ends it, or where there is no plan.
    pub left: Option<String>,
}

/// Groups findings by cause. Notes are none.
#[must_use]
pub fn causes(facts: &Facts, findings: &[Finding], plan: Option<&Plan>) -> Vec<Cause> {
    let serious: Vec<&Finding> = findings.iter().filter(|finding| finding.severity != Severity::Info).collect();
    group::groups(facts, &serious).into_iter().map(|group| cause(facts, &group, plan)).collect()
}

/// Findings of one cause as that cause.
fn cause(facts: &Facts, group: &[&Finding], plan: Option<&Plan>) -> Cause {
    let ends = |plan: &Plan| group.iter().all(|finding| advice::mends(plan, finding));
    let mut packages: Vec<String> = group.iter().flat_map(|finding| finding.packages.iter().cloned()).collect();
    packages.sort();
    packages.dedup();
    let (title, mut meaning) = (title::title(facts, group), title::meaning(group));
    let declared = |finding: &&Finding| finding.kind == Kind::Requirement && finding.id.is(&registry::UNMET);
    if title::repeats(&title, &meaning) || group.iter().all(declared) && !meaning.contains("import") {
        meaning.clear();
    }
    Cause {
        title,
        meaning,
        severity: group.iter().map(|finding| finding.severity).min().unwrap_or(Severity::Info),
        findings: group.iter().map(|finding| finding.id.clone()).collect(),
        packages,
        ended: plan.is_some_and(ends),
        left: plan.filter(|plan| !ends(plan)).map(|plan| advice::reason(group, plan)),
    }
}

#[cfg(test)]
mod tests;
