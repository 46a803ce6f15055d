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

/// Both in their versions, and the GPU with the page that excludes it.
pub(super) fn fault(compat: &DriverVersion, driver: &DriverVersion, gpu: &TargetGpu, citation: String) -> Fault {
    Fault {
        rule: &WRONG_GPU,
        title: format!("the cuda-compat libcuda {compat} does not work on {}", gpu.label),
        message: format!(
            "`cuInit` fails with error 804: forward compatibility exists for data-centre GPUs only. Driver {driver} \
             itself must be updated, or a build for an older CUDA be used."
        ),
        required: "a data-centre GPU".to_owned(),
        gpu: gpu.index,
        citation: Some(citation),
    }
}
