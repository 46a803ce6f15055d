//! Which GPUs are in MIG mode, and have they the instances that it needs?

use crate::check::Context;
use crate::check::gpus::{is, names, on, those};
use crate::facts::{Gpu, GpuState};
use crate::finding::{Finding, Remedy, rule};
use crate::step::Step;
use crate::text;

rule! {
    /// A GPU is in MIG mode without an instance.
    ///
    /// In MIG mode a GPU is used through its instances only. Known from NVML. Create an instance, give the container
    /// one, or turn MIG mode off.
    pub MIG_EMPTY = "gpu-visibility/mig": GpuVisibility, Fail, since "0.1.0", judged on [GpuState];
}

rule! {
    /// A GPU is split by MIG.
    ///
    /// CUDA shows a process one instance: the first, or the one that CUDA_VISIBLE_DEVICES names. Known from NVML. Name
    /// the instance to use.
    pub MIG_SPLIT = "gpu-visibility/mig": GpuVisibility, Info, since "0.1.0", judged on [GpuState];
}

/// GPUs in multi-instance mode: without an instance CUDA has nothing to run on, of several it shows a process one.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let mig = |gpu: &Gpu| gpu.mig.value() == Some(&true);
    let empty = those(context, |gpu, state| (mig(gpu) && state.instances.is_empty()).then_some(()));
    let split = those(context, |gpu, state| (mig(gpu) && state.instances.len() > 1).then_some(state));
    let mut findings = Vec::new();
    if !empty.is_empty() {
        findings.push(on(
            MIG_EMPTY
                .found(&[], format!("{} {} in MIG mode without an instance", names(&empty), is(&empty, "is", "are")))
                .message(
                    "In MIG mode a GPU is used through its instances only, and here is none that this machine or \
                     container may see.",
                )
                .remedies([Remedy::new(
                    "Create an instance, give the container one, or turn MIG mode off",
                    Step::fixed("sudo nvidia-smi mig -lgip")
                        .into_iter()
                        .chain(Step::fixed("sudo nvidia-smi mig -cgi <profile> -C")),
                )])
                .references(["https://github.com/rossumai/nvgpu/pull/32"]),
            &empty,
            "MIG instances",
            |()| "none".to_owned(),
            "one",
        ));
    }
    if !split.is_empty() {
        let sizes = |state: &&GpuState| {
            let sizes: Vec<_> = state.instances.iter().filter_map(|one| one.memory_bytes).map(text::bytes).collect();
            format!("{}: {}", text::count(state.instances.len(), "instance", "instances"), text::list(&sizes))
        };
        findings.push(on(
            MIG_SPLIT
                .found(
                    &[],
                    format!("{} {} split by MIG: a process sees one instance", names(&split), is(&split, "is", "are")),
                )
                .message(
                    "However many there are, CUDA shows a process the first, or the one that CUDA_VISIBLE_DEVICES \
                     names by its UUID. Training over several of them is not possible.",
                )
                .remedies([Remedy::new(
                    "Name the instance to use",
                    Step::fixed("nvidia-smi -L").into_iter().chain(Step::fixed("export CUDA_VISIBLE_DEVICES=MIG-…")),
                )])
                .references(["https://github.com/pytorch/pytorch/issues/130181"]),
            &split,
            "MIG",
            sizes,
            "",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{MIG_EMPTY, MIG_SPLIT};
    use crate::check::cases::Case;
    use crate::facts::{MigInstance, Reading};

    #[test]
    fn a_gpu_without_an_instance_with_one_and_with_two() {
        let with = |instances: usize| {
            Case::host().h100(|gpu, state| {
                gpu.mig = Reading::host(true, "the test");
                state.instances = vec![MigInstance { memory_bytes: Some(10 << 30) }; instances];
            })
        };
        let empty = "gpu-visibility/mig: GPU 0 NVIDIA H100 80GB HBM3 is in MIG mode without an instance";
        assert_eq!(with(0).found(&MIG_EMPTY), [empty]);
        assert_eq!(with(1).found(&MIG_EMPTY), [""; 0]);
        let split = "gpu-visibility/mig: GPU 0 NVIDIA H100 80GB HBM3 is split by MIG: a process sees one instance";
        assert_eq!(with(2).found(&MIG_SPLIT), [split]);
        assert_eq!(with(1).found(&MIG_SPLIT), [""; 0]);
    }
}
