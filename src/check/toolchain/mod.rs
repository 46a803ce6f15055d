//! Would what is compiled on this machine fit torch, and can it be compiled: nvcc, gcc, headers?
//!
//! Most machines compile nothing. On a machine itself only what an installed package needs is judged: one that is known to
//! be built from source ([`crate::rules::RuleDb::source_build`]), and Triton, which compiles a launcher in C while it runs.

modules!(check::toolchain);

use super::{Context, looked};
use crate::facts::Origin;
use crate::finding::{Evidence, Finding, Outcome, Severity};

/// Judges the compilers that are there.
pub fn check(context: &Context<'_>) -> Outcome {
    if context.facts.toolchain.is_unknown() {
        return Outcome::NotApplicable("no CUDA toolkit is known".to_owned());
    }
    let builders: Vec<String> = context
        .facts
        .active_distributions()
        .filter(|distribution| context.db.source_build(&distribution.name).is_some_and(|row| row.cuda))
        .map(|distribution| distribution.name.clone())
        .collect();
    let triton = context.stack.get("triton");
    let stated = context.uses.iter().any(|item| item == "build-extensions");
    // Who pastes a report of nvcc is about to compile something.
    let report = context.facts.origin == Origin::Report;
    if report && let Some(outcome) = nvcc::not_judged(context) {
        return outcome;
    }
    if builders.is_empty() && !stated && triton.is_none() && !report {
        return Outcome::NotApplicable("no installed package compiles anything".to_owned());
    }
    let mut findings: Vec<Finding> = Vec::new();
    if report || !builders.is_empty() {
        findings.extend(nvcc::check(context, &builders));
    }
    if !builders.is_empty() {
        findings.extend(gcc::check(context, &builders));
    }
    if !builders.is_empty() || stated {
        let severity = if stated { Severity::Warn } else { Severity::Info };
        findings.extend(cuda_home::check(context, severity));
        findings.extend(ninja::check(context, severity));
    }
    if let Some(triton) = triton {
        findings.extend(triton::check(context));
        findings.extend(ptxas::check(context, triton));
    }
    looked(findings)
}

fn observed(fact: &str, observed: String, required: &str, place: &str) -> Evidence {
    Evidence::host(fact.to_owned(), observed).required(required.to_owned()).cited(place.to_owned())
}
