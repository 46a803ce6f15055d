//! Is torch a CPU build on a machine with a GPU?

modules!(check::cpu_build);

use crate::check::{Context, looked};
use crate::facts::{Origin, TORCH};
use crate::finding::{Outcome, Severity};
use crate::rules::target::gpu_words;

/// Looks at torch's build.
pub fn check(context: &Context<'_>) -> Outcome {
    let Some(torch) = context.stack.get(TORCH) else {
        if let Some(finding) = plain_install::finding(context) {
            return looked(vec![finding]);
        }
        return Outcome::NotApplicable("torch is not installed".to_owned());
    };
    let target = &context.target;
    if target.gpus.is_empty() {
        return match context.facts.gpus.value() {
            None if context.facts.origin == Origin::Report && torch.cuda() == Some(None) => {
                looked(vec![without_cuda::finding(torch, Severity::Warn, "cannot use a GPU", Vec::new())])
            }
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
    let gpus = format!("cannot use {gpus}");
    let indices = target.gpus.iter().filter_map(|gpu| gpu.index).collect();
    looked(vec![without_cuda::finding(torch, Severity::Fail, &gpus, indices)])
}
