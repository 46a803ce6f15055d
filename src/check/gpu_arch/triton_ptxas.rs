//! Can the ptxas in triton's wheel assemble for this GPU?

use super::gpu_evidence;
use crate::check::toolchain::ptxas;
use crate::check::{Context, Installed};
use crate::facts::TORCH;
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::rules::model::{Build, Package, Release};
use crate::rules::target::{TargetGpu, gpu_words};
use crate::version::ComputeCapability;

rule! {
    /// Triton's ptxas cannot assemble for this GPU.
    ///
    /// `torch.compile` and Triton kernels stop with a ptxas error. Known from the ptxas that the wheel ships, read into
    /// the rules. Install the triton and torch that know the GPU.
    pub PTXAS = "gpu-arch/{package}": GpuArch, Warn, since "0.1.0", judged on [Builds, Gpus];
}

/// Triton compiles on the machine, with the ptxas in its wheel: can that assemble for these GPUs?
pub fn finding(context: &Context<'_>, installed: &Installed<'_>, build: &Build) -> Option<Finding> {
    let package = installed.package?;
    if build.assembles.is_empty() {
        return None;
    }
    // Only what some release was measured to assemble was measured at all.
    let measured = |capability: ComputeCapability| {
        package.releases.iter().flat_map(|release| &release.builds).any(|build| build.assembles.contains(&capability))
    };
    let gpus: Vec<_> = context
        .target
        .gpus
        .iter()
        .filter(|gpu| !build.assembles.contains(&gpu.capability) && measured(gpu.capability))
        // A variable may name a ptxas that does.
        .filter(|gpu| ptxas::knows(context, gpu.capability) != Some(true))
        .collect();
    let first = gpus.first()?;
    let known: Vec<_> = build.assembles.iter().map(|capability| format!("sm_{}", capability.sm())).collect();
    let title = installed.title();
    Some(
        PTXAS
            .found(
                &[installed.name()],
                format!("{title}'s ptxas cannot assemble for sm_{} ({})", first.capability.sm(), gpu_words(&gpus)),
            )
            .message(
                "`torch.compile` and Triton kernels fail on this GPU (`ptxas fatal: Value 'sm_…' is not defined`, or an \
                 assertion in the compiler); eager torch is not affected.",
            )
            .packages([installed.name()])
            .gpus(gpus.iter().filter_map(|gpu| gpu.index))
            .evidence([
                Evidence::rule(
                    format!("{} build", installed.name()),
                    format!("{} assembles for {}", installed.distribution.full_version(), known.join(" ")),
                )
                .required(format!("sm_{}", first.capability.sm()))
                .cited(build.source.citation()),
                gpu_evidence(context, first.index, first.capability),
            ])
            .remedies(newer(package, installed.name(), &gpus)),
    )
}

/// The first release from which on all assemble for these GPUs, with the torch that brings it: torch pins its triton.
fn newer(package: &Package, name: &str, gpus: &[&TargetGpu]) -> Option<Remedy> {
    let assembles = |build: &Build| gpus.iter().all(|gpu| build.assembles.contains(&gpu.capability));
    let fits = |release: &&Release| {
        let mut measured = release.builds.iter().filter(|build| !build.assembles.is_empty()).peekable();
        measured.peek().is_some() && measured.all(assembles)
    };
    let first = package.releases.iter().rev().take_while(fits).last()?;
    let asked = [format!("{name}>={}", first.version), TORCH.to_owned()];
    Some(Remedy {
        // Under another name it is on another index.
        requirements: if name == package.name { asked.to_vec() } else { Vec::new() },
        ..Remedy::new(format!("Install {name} {} or newer, with the torch that brings it", first.version), [])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn the_ptxas_of_triton_3_1_ends_before_blackwell() {
        let of = |gpu, capability| Case::host().gpu(gpu, capability).installed("triton", "3.1.0").found(&PTXAS);
        assert_eq!(
            of("NVIDIA GeForce RTX 5090", "12.0"),
            ["gpu-arch/triton: triton 3.1.0's ptxas cannot assemble for sm_120 (GPU 0 NVIDIA \
              GeForce RTX 5090)"]
        );
        assert!(of("NVIDIA GeForce RTX 4090", "8.9").is_empty());
    }
}
