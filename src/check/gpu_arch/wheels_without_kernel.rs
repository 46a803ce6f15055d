//! Do the wheels that a project publishes hold no kernel for this GPU?

use crate::check::{Context, prebuilt};
use crate::finding::{Finding, Severity, rule};
use crate::rules::TargetGpu;
use crate::rules::target::gpu_words;
use crate::version::{CodeTarget, ComputeCapability};

rule! {
    /// The published wheels of a package have no kernel for this GPU.
    ///
    /// CUDA reports `no kernel image is available for execution on the device` (error 209). Known from the wheels that
    /// the rules list. Compile it here for this GPU.
    pub WHEELS_WITHOUT_KERNEL = "gpu-arch/{package}": GpuArch, Fail, since "0.1.0", judged on [Builds, Gpus];
}

/// The published wheels hold no code for a GPU.
pub fn findings(context: &Context<'_>) -> Vec<Finding> {
    let runs = |target: &CodeTarget, capability: ComputeCapability| match target.ptx {
        true => target.capability <= capability,
        false => target.capability.major == capability.major && target.capability.minor <= capability.minor,
    };
    prebuilt::rows(context)
        .filter_map(|(installed, row)| {
            let without = |gpu: &&TargetGpu| !row.code.iter().any(|target| runs(target, gpu.capability));
            let gpus: Vec<_> = context.target.gpus.iter().filter(without).collect();
            let first = gpus.first().filter(|_| !row.code.is_empty())?;
            let words: Vec<_> = row.code.iter().map(ToString::to_string).collect();
            let mut finding = prebuilt::base(context, installed, row, &WHEELS_WITHOUT_KERNEL);
            finding.severity = Severity::Fail;
            finding.title = format!(
                "the wheels of {} hold no kernel for sm_{} ({})",
                installed.title(),
                first.capability.sm(),
                gpu_words(&gpus)
            );
            finding.message = super::no_image(context);
            finding.gpus = gpus.iter().filter_map(|gpu| gpu.index).collect();
            finding.evidence[0].observed = words.join(" ");
            finding.evidence[0].required = Some(format!("sm_{}", first.capability.sm()));
            Some(finding)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn flashinfer_publishes_nothing_for_volta() {
        let of = |gpu, capability| {
            Case::host().gpu(gpu, capability).installed("flashinfer", "0.2.0").found(&WHEELS_WITHOUT_KERNEL)
        };
        assert_eq!(
            of("Tesla V100-SXM2-16GB", "7.0"),
            ["gpu-arch/flashinfer: the wheels of flashinfer 0.2.0 hold no kernel for sm_70 (GPU 0 \
              Tesla V100-SXM2-16GB)"]
        );
        assert!(of("Tesla T4", "7.5").is_empty());
    }
}
