//! Which findings are consequences of another, and are told with it?

use crate::check::{advisory, gpu_visibility, system};
use crate::finding::{Evidence, Finding, Kind, Severity};
use crate::rules::role::{is_hub, is_runtime_wheel};

/// Consequences go to their cause: that no GPU is visible to what keeps the driver from answering, and one unmet pin of torch's
/// CUDA libraries to the other.
pub fn attach(findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        match kept.iter_mut().find(|cause| is_consequence(&finding, cause)) {
            Some(cause) => cause.evidence.push(Evidence::rule(format!("consequence [{}]", finding.id), finding.title)),
            None => kept.push(finding),
        }
    }
    kept
}

fn is_consequence(finding: &Finding, cause: &Finding) -> bool {
    let pin = |finding: &Finding| {
        finding.kind == Kind::Requirement
            && matches!(finding.id.subjects().collect::<Vec<_>>()[..], [hub, other] if is_hub(hub) && is_runtime_wheel(other))
    };
    let unanswered = matches!(cause.kind, Kind::DriverMismatch | Kind::Driver) && cause.severity == Severity::Fail;
    // Two advisories on one package are two stories.
    let by_hand = |finding: &Finding| finding.id.is(&advisory::by_hand::ADVISORY);
    let told_twice =
        by_hand(finding) && !by_hand(cause) && finding.kind == cause.kind && finding.packages == cause.packages;
    let blind = finding.id.is(&gpu_visibility::none::NONE) && (unanswered || cause.id.is(&system::jetson::JETSON));
    blind || told_twice || pin(finding) && pin(cause)
}
