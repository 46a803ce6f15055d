//! Is torch a CPU build on a machine with a GPU?

use super::{Context, looked};
use crate::finding::{Basis, Evidence, Finding, Kind, Outcome, Severity};
use crate::rules::target::gpu_words;

/// Looks at torch's build.
pub fn check(context: &Context<'_>) -> Outcome {
    let Some(torch) = context.stack.get("torch") else {
        return Outcome::NotApplicable("torch is not installed".to_owned());
    };
    let target = &context.target;
    if target.gpus.is_empty() {
        return match context.facts.gpus.value() {
            None if !context.facts.gpus.is_absent() => Outcome::Skipped("the list of GPUs".to_owned()),
            _ => Outcome::NotApplicable("no NVIDIA GPU was found".to_owned()),
        };
    }
    let cuda = match torch.cuda() {
        None => return Outcome::Skipped("torch's build (torch/version.py)".to_owned()),
        Some(cuda) => cuda,
    };
    if cuda.is_some() {
        return Outcome::Pass;
    }
    let gpus = gpu_words(&target.gpus.iter().collect::<Vec<_>>());
    looked(vec![Finding {
        id: "cpu-build/torch".to_owned(),
        kind: Kind::CpuBuild,
        severity: Severity::Fail,
        title: format!("{} is a CPU build, and this machine has {}", torch.title(), gpus),
        message: "It holds no CUDA code: `torch.cuda.is_available()` is False, whatever the driver.".to_owned(),
        packages: vec!["torch".to_owned()],
        gpus: target.gpus.iter().filter_map(|gpu| gpu.index).collect(),
        evidence: vec![Evidence {
            fact: "torch build".to_owned(),
            observed: format!("{}, built without CUDA", torch.distribution.full_version()),
            required: Some("a build for CUDA".to_owned()),
            source: Basis::Binary,
            citation: Some(torch.cuda_place()),
        }],
        remedies: Vec::new(),
        references: Vec::new(),
    }])
}
