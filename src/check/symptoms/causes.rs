//! Which causes of a message do the facts leave, and which facts bear on one?

use super::words::Words;
use crate::check::Context;
use crate::finding::Evidence;
use crate::rules::advisory::judge;
use crate::rules::driver::runtime_gap;
use crate::rules::schema::{Symptom, SymptomCause};

/// The causes whose conditions hold, and those that nothing contradicts.
pub fn causes<'db>(
    context: &Context<'_>,
    symptom: &'db Symptom,
    words: &Words,
) -> (Vec<&'db SymptomCause>, Vec<&'db SymptomCause>) {
    let installed = |name: &str| context.installed_or_brought(name);
    let environment = context.environment(&installed);
    let whole = context.facts.lists_all();
    let (mut holding, mut open, mut doubtful) = (Vec::new(), Vec::new(), Vec::new());
    for cause in &symptom.causes {
        let mut terms = Vec::new();
        terms.extend(cause.when.as_ref().map(|when| judge(when, &environment, whole)));
        // Nobody says that a machine is not WSL.
        terms.extend(cause.wsl.then(|| Some(context.facts.system.wsl.value().is_some())));
        terms.extend(cause.cpu_torch.then(|| context.stack.torch_cuda().map(|cuda| cuda.is_none())));
        terms.extend(cause.old_driver.then(|| driver_is_old(context)));
        terms.extend(words.meets(symptom, cause).map(Some));
        match terms.as_slice() {
            terms if terms.contains(&Some(false)) => {}
            [] => open.push(cause),
            terms if terms.contains(&None) => doubtful.push(cause),
            _ => holding.push(cause),
        }
    }
    open.append(&mut doubtful);
    (holding, open)
}

/// Whether the driver is too old for torch's CUDA; none where one of them is not known.
fn driver_is_old(context: &Context<'_>) -> Option<bool> {
    let cuda = context.stack.torch_cuda()??;
    Some(runtime_gap(cuda, context.target.user_mode_driver()?, context.db).is_some())
}

/// The facts that bear on a cause, as evidence: GPUs for what is about GPUs, the driver, distributions that it names.
pub fn known(context: &Context<'_>, cause: &SymptomCause) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    for name in &cause.packages {
        if let Some(installed) = context.stack.get(name) {
            evidence.push(
                Evidence::metadata(name.clone(), installed.distribution.full_version().to_owned())
                    .cited(installed.distribution.version.source().map(|source| source.place().to_owned())),
            );
        }
    }
    if matches!(cause.kind.as_str(), "gpu-arch" | "forward-compat" | "driver" | "cpu-build") {
        evidence.extend(context.target.gpus.iter().take(2).map(|gpu| {
            Evidence::host(
                gpu.label.clone(),
                format!("compute capability {}, sm_{}", gpu.capability, gpu.capability.sm()),
            )
        }));
    }
    if matches!(cause.kind.as_str(), "driver" | "forward-compat" | "driver-mismatch" | "system")
        && let Some(driver) = &context.target.driver
    {
        evidence.push(
            Evidence::host("driver", driver.to_string())
                .cited(context.facts.driver.version.source().map(|source| source.place().to_owned())),
        );
    }
    evidence
}
