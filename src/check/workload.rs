//! Does what the project says it does fit the memory of the GPUs?

use super::{Context, looked};
use crate::finding::{Basis, Evidence, Finding, Kind, Outcome, Remedy};
use crate::rules::workload::{Told, judge};

/// Judges `model-params` and `min-vram` of `[workload]`.
pub fn check(context: &Context<'_>) -> Outcome {
    if context.workload.model_params.is_none() && context.workload.min_vram.is_none() {
        return Outcome::NotApplicable("no `model-params` or `min-vram` is declared".to_owned());
    }
    if context.target.gpus.is_empty() {
        return Outcome::Skipped("a GPU".to_owned());
    }
    match judge(context.workload, &context.target, context.db) {
        Ok(told) => looked(told.into_iter().map(|told| finding(context, told)).collect()),
        Err(missing) => Outcome::Skipped(missing),
    }
}

fn finding(context: &Context<'_>, told: Told) -> Finding {
    let gpus: Vec<_> = told.gpus.iter().filter_map(|at| context.target.gpus.get(*at)).collect();
    let memory = gpus.iter().map(|gpu| Evidence {
        fact: gpu.label.clone(),
        observed: gpu.memory.first().map_or_else(String::new, |size| crate::text::bytes(*size)),
        required: None,
        source: Basis::Host,
        citation: None,
    });
    let rule = told.citation.map(|citation| Evidence {
        fact: "sum".to_owned(),
        observed: told.sum.clone(),
        required: None,
        source: Basis::Rule,
        citation: Some(citation),
    });
    let evidence = memory.chain(rule).collect();
    let remedies = told.hint.map(|summary| Remedy {
        summary,
        requirements: Vec::new(),
        steps: Vec::new(),
        change: None,
        verified: false,
    });
    Finding {
        id: format!("workload/{}", told.id),
        kind: Kind::System,
        severity: told.severity,
        title: told.title,
        message: format!("{}.", told.sum),
        packages: Vec::new(),
        gpus: gpus.iter().filter_map(|gpu| gpu.index).collect(),
        evidence,
        remedies: remedies.into_iter().collect(),
        references: Vec::new(),
    }
}
