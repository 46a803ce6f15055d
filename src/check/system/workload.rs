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
    let remedies = told.hint.map(|summary| Remedy::new(summary, []));
    WORKLOAD
        .found(&[told.limit.name()], told.title)
        .severity(told.severity)
        .message(format!("{}.", told.sum))
        .gpus(gpus.iter().filter_map(|gpu| gpu.index))
        .evidence(evidence)
        .remedies(remedies)
}

#[cfg(test)]
mod tests {
    use crate::check::Context;
    use crate::facts::{Facts, Gpu, Origin, Reading};
    use crate::finding::Outcome;
    use crate::rules::symptom::Heard;
    use crate::rules::{Workload, embedded};
    use crate::version::ComputeCapability;

    #[test]
    fn a_gpu_with_less_memory_than_the_project_says_it_needs() {
        let with = |min_vram: u64| {
            let mut facts = Facts::unknown(Origin::Host);
            let gpu = Gpu {
                name: Reading::host("NVIDIA GeForce RTX 4090".to_owned(), "the test"),
                compute_capability: Reading::host(ComputeCapability::new(8, 9), "the test"),
                memory_bytes: Reading::host(24 << 30, "the test"),
                ..Gpu::default()
            };
            facts.gpus = Reading::host(vec![gpu], "the test");
            let (workload, heard) = (Workload { min_vram: Some(min_vram), ..Workload::default() }, Heard::default());
            match super::check(&Context::new(&facts, embedded(), &workload, &heard)) {
                Outcome::Findings(found) => found.iter().map(|it| it.id.to_string()).collect(),
                _ => Vec::new(),
            }
        };
        assert_eq!(with(48 << 30), ["workload/min-vram"]);
        assert_eq!(with(24 << 30), [""; 0]);
    }
}
