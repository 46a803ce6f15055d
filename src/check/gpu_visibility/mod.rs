//! Can CUDA see a GPU at all, and does something hide one?

modules!(check::gpu_visibility);

use super::{Context, looked};
use crate::facts::{Origin, Reading};
use crate::finding::{Finding, Outcome};

/// Looks for GPUs without a driver, for what hides them, and at CUDA's own answer where it was asked.
pub fn check(context: &Context<'_>) -> Outcome {
    let outcome = seen_by_driver(context);
    let Some(answer) = cuda_init::check(context) else { return outcome };
    let mut findings = match outcome {
        Outcome::Findings(findings) => findings,
        _ => Vec::new(),
    };
    findings.push(answer);
    Outcome::Findings(findings)
}

fn seen_by_driver(context: &Context<'_>) -> Outcome {
    let facts = context.facts;
    let gpus = match &facts.gpus {
        Reading::Known { value, .. } if !value.is_empty() => value,
        Reading::Known { .. } | Reading::Absent { .. } if none::is_blind(context) => {
            return looked(vec![none::found(context)]);
        }
        Reading::Known { .. } | Reading::Absent { .. } => {
            if let Some(finding) = container::check(context) {
                return looked(vec![finding]);
            }
            return Outcome::NotApplicable("no NVIDIA GPU was found on this machine".to_owned());
        }
        Reading::Unreadable { error } => return Outcome::Skipped(format!("the list of GPUs: {error}")),
        Reading::Unknown if none::is_blind(context) && context.facts.driver.version.is_absent() => {
            return looked(vec![none::found(context)]);
        }
        Reading::Unknown if cuda_visible_devices::hides_any(context) => {
            return looked(cuda_visible_devices::check(context, 0).into_iter().collect());
        }
        Reading::Unknown | Reading::Partly { .. } => {
            let why = match facts.origin {
                Origin::Host => "the list of GPUs",
                Origin::Root => "the list of GPUs, which an image does not hold",
                Origin::Report => "the list of GPUs, which the report does not mention",
            };
            return Outcome::Skipped(why.to_owned());
        }
    };
    let mut findings: Vec<Finding> = no_driver::check(context, gpus).into_iter().collect();
    findings.extend(device_nodes::check(context));
    findings.extend(cuda_visible_devices::check(context, gpus.len()));
    looked(findings)
}
