//! Is a cuda-compat library in use on a GPU that does not support it?

use super::Fault;
use crate::finding::rule;
use crate::rules::TargetGpu;
use crate::version::DriverVersion;

rule! {
    /// A cuda-compat library is in use on a GPU that does not support it.
    ///
    /// `cuInit` fails with error 804: forward compatibility is for data-centre GPUs. Known from the GPU's class and
    /// NVIDIA's matrix in the rules. Take the folder out of the loader's path, and update the driver or use a build for
    /// an older CUDA.
    pub WRONG_GPU = "forward-compat/gpu": ForwardCompat, Fail, since "0.1.0", judged on [Loader, Gpus];
}

/// Both in their versions, the GPU with the page that excludes it, and CUDA's error.
pub(super) fn fault(
    compat: &DriverVersion,
    driver: &DriverVersion,
    gpu: &TargetGpu,
    citation: String,
    error: u32,
) -> Fault {
    Fault {
        rule: &WRONG_GPU,
        title: format!("the cuda-compat libcuda {compat} does not work on {}", gpu.label),
        message: format!(
            "`cuInit` fails with error {error}: forward compatibility exists for data-centre GPUs only. Driver {driver} \
             itself must be updated, or a build for an older CUDA be used."
        ),
        required: "a data-centre GPU".to_owned(),
        gpu: gpu.index,
        citation: Some(citation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn compat_is_for_data_centre_gpus() {
        let of = |gpu, capability| {
            Case::host().gpu(gpu, capability).driver("535.54.03").compat("570.86.15").found(&WRONG_GPU)
        };
        assert_eq!(
            of("NVIDIA GeForce RTX 4090", "8.9"),
            ["forward-compat/gpu: the cuda-compat libcuda 570.86.15 does not work on GPU 0 NVIDIA \
              GeForce RTX 4090"]
        );
        assert!(of("NVIDIA H100 80GB HBM3", "9.0").is_empty());
    }
}
