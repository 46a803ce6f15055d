//! Is there a GPU that no torch serves any more?

use super::gpu_evidence;
use crate::check::{Context, out_of_reach};
use crate::facts::TORCH;
use crate::finding::{Finding, rule};
use crate::rules::target::gpu_words;
use crate::text;

rule! {
    /// No torch that the rules know has a kernel for this GPU.
    ///
    /// Whichever is installed, it stops with `no kernel image is available for execution on the device` (error 209). Known from
    /// the GPU and the device code of all published builds. Take another GPU, or compute on the CPU.
    pub NO_BUILD = "gpu-arch/torch": GpuArch, Fail, since "0.1.0", judged on [Report, Gpus];
}

/// Of a report that names torch and no version of it: GPUs for which there is none.
pub fn finding(context: &Context<'_>) -> Option<Finding> {
    let spoken_of = context.facts.spoken_of.value().is_some_and(|names| names.iter().any(|name| name == TORCH));
    if !spoken_of || context.stack.get(TORCH).is_some() {
        return None;
    }
    let package = context.db.package(TORCH)?;
    // For a Jetson NVIDIA publishes builds of its own, which the rules do not list.
    let tegra = &context.db.machine_code().tegra;
    let unserved = context
        .target
        .gpus
        .iter()
        .filter(|gpu| !tegra.contains(&gpu.capability))
        .filter_map(|gpu| Some((gpu, out_of_reach::remedy(context, package, &[gpu.capability])?)));
    let (gpus, remedies): (Vec<_>, Vec<_>) = unserved.unzip();
    let mut capabilities: Vec<String> = gpus.iter().map(|gpu| gpu.capability.to_string()).collect();
    capabilities.dedup();
    let first = gpus.first()?;
    Some(
        NO_BUILD
            .found(
                &[],
                format!(
                    "no torch has a kernel for compute capability {} ({})",
                    text::list(&capabilities),
                    gpu_words(&gpus)
                ),
            )
            .message(super::no_image(context))
            .packages([TORCH])
            .gpus(gpus.iter().filter_map(|gpu| gpu.index))
            .evidence([gpu_evidence(context, first.index, first.capability)])
            .remedies(remedies.into_iter().take(1)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn kepler_is_served_by_no_torch() {
        let of = |gpu, capability| {
            let case = Case::report().gpu(gpu, capability);
            case.with(|facts| facts.spoken_of = crate::facts::Reading::told(vec![TORCH.to_owned()], "line 1"))
                .found(&NO_BUILD)
        };
        assert_eq!(
            of("Tesla K40c", "3.5"),
            ["gpu-arch/torch: no torch has a kernel for compute capability 3.5 (GPU 0 Tesla K40c)"]
        );
        assert!(of("Jetson AGX Xavier", "7.2").is_empty(), "NVIDIA has builds of its own for it");
        assert!(of("Tesla V100-SXM2-16GB", "7.0").is_empty());
    }
}
