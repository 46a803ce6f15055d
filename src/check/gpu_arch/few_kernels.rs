//! Do only some kernels of a library run on this GPU?

use super::verdict::Judged;
use crate::check::{Context, Installed};
use crate::finding::{Finding, rule};
use crate::rules::target::gpu_words;

rule! {
    /// Only some of a library's kernels run on this GPU.
    ///
    /// The rest is for other GPUs, or not needed. Known from the headers of the fat binaries, container by container.
    /// Nothing to do while it works; if a function stops with `no kernel image is available`, install another build.
    pub FEW_KERNELS = "gpu-arch/{package}": GpuArch, Info, since "0.1.0", judged on [Libraries, Gpus];
}

/// Says how many containers are usable, of all, on some GPUs of the target, given by their places in it.
pub fn finding(
    context: &Context<'_>,
    installed: &Installed<'_>,
    judged: &Judged,
    (usable, all): (u32, u32),
    gpus: &[usize],
) -> Finding {
    let gpus: Vec<_> = gpus.iter().map(|gpu| &context.target.gpus[*gpu]).collect();
    FEW_KERNELS
        .found(
            &[installed.name()],
            format!("{} has kernels for {} in {usable} of {all} containers", installed.title(), gpu_words(&gpus)),
        )
        .message("The functions in the other containers do not run on this GPU; the package may never call them there.")
        .packages([installed.name()])
        .gpus(gpus.iter().filter_map(|gpu| gpu.index))
        .evidence(judged.evidence.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::{Case, code};

    #[test]
    fn one_container_of_ten_is_few_and_all_of_them_are_not() {
        let of = |gpu, capability| {
            let library = code("gpuext/_C.so", &[(9, "sm_80"), (1, "sm_80 sm_120")]);
            Case::host().gpu(gpu, capability).files("gpuext", "1.0", vec![library]).found(&FEW_KERNELS)
        };
        assert_eq!(
            of("NVIDIA GeForce RTX 5090", "12.0"),
            ["gpu-arch/gpuext: gpuext 1.0 has kernels for GPU 0 NVIDIA GeForce RTX 5090 in 1 of 10 \
              containers"]
        );
        assert!(of("NVIDIA A100-SXM4-40GB", "8.0").is_empty());
    }
}
