//! How a plan that is only printed ends.

use crate::exit::Exit;
use crate::finding::{Finding, Plan};

/// With 1 where the plan leaves something that fails.
#[must_use]
pub fn exit(plan: &Plan, findings: &[Finding]) -> Exit {
    let left = findings.iter().filter(|finding| plan.leaves.contains(&finding.id));
    Exit::judged(left.map(|finding| finding.severity).min(), false, false)
}
