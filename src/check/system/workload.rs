//! Does what the project says it does fit the memory of the GPUs?

use crate::check::{Context, looked};
use crate::finding::{Evidence, Finding, Outcome, Remedy, rule};
use crate::rules::workload::{Told, judge};

rule! {
    /// The project's model may not fit the GPUs.
    ///
    /// `model-params` or `min-vram` of gpudoc.toml is compared with the memory of the GPUs. Known from that file and
    /// NVML.
    pub WORKLOAD = "workload/{limit}": System, Warn, since "0.1.0", judged on [Project, Gpus];
}

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
    let memory = gpus.iter().map(|gpu| {
        Evidence::host(gpu.label.clone(), gpu.memory.first().map_or_else(String::new, |size| crate::text::bytes(*size)))
    });
    let rule = told.citation.map(|citation| Evidence::rule("sum", told.sum.clone()).cited(citation));
    let evidence = memory.chain(rule);
    let remedies = told.hint.map(|summary| Remedy {
        summary,
        requirements: Vec::new(),
        steps: Vec::new(),
        change: None,
        verified: false,
    });
    WORKLOAD
        .found(&[told.id], told.title)
        .severity(told.severity)
        .message(format!("{}.", told.sum))
        .gpus(gpus.iter().filter_map(|gpu| gpu.index))
        .evidence(evidence)
        .remedies(remedies)
}
