//! What is said of a torch without CUDA code where a GPU is?

use crate::check::Installed;
use crate::facts::TORCH;
use crate::finding::{Evidence, Finding, Severity, rule};

rule! {
    /// torch is a CPU build on a machine with a GPU.
    ///
    /// The build holds no CUDA code, so `torch.cuda.is_available()` is False whatever the driver. Known from
    /// `torch/version.py` and the local label (`+cpu`). Install the same release from an index of CUDA builds that fits
    /// the driver and the GPU.
    pub CPU_BUILD = "cpu-build/torch": CpuBuild, Fail, since "0.1.0", judged on [Gpus, Builds];
}

/// What it cannot do in words, e.g. `cannot use NVIDIA L4`, and the indices of the GPUs.
pub fn finding(torch: &Installed<'_>, severity: Severity, gpus: &str, indices: Vec<u32>) -> Finding {
    CPU_BUILD
        .found(&[], format!("{} is a CPU build: it {gpus}", torch.title()))
        .severity(severity)
        .message("`torch.cuda.is_available()` is False, whatever the driver.")
        .packages([TORCH])
        .gpus(indices)
        .evidence([Evidence::binary(
            "torch build",
            format!("{}, built without CUDA", torch.distribution.full_version()),
        )
        .required("a build for CUDA".to_owned())
        .cited(torch.cuda_place())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn a_cpu_build_beside_a_gpu() {
        let of = |torch| Case::host().gpu("NVIDIA L4", "8.9").installed("torch", torch).found(&CPU_BUILD);
        assert_eq!(of("2.7.1+cpu"), ["cpu-build/torch: torch 2.7.1+cpu is a CPU build: it cannot use GPU 0 NVIDIA L4"]);
        assert!(of("2.7.1+cu126").is_empty());
    }
}
