//! May programs use the GPU, and more than one of them?

use crate::check::Context;
use crate::check::gpus::{is, names, on, those};
use crate::facts::{ComputeMode, GpuProcess};
use crate::finding::{Finding, Remedy, rule};
use crate::step::Step;

rule! {
    /// A GPU is in compute mode Prohibited.
    ///
    /// No program may use it: `all CUDA-capable devices are busy or unavailable`. Known from NVML. Set the mode to
    /// Default.
    pub PROHIBITED = "system/compute-mode": System, Fail, since "0.1.0", judged on [GpuState], by check;
}

rule! {
    /// A GPU takes one process at a time and already has one.
    ///
    /// The next program ends with `all CUDA-capable devices are busy or unavailable`. Known from NVML. Set the mode to
    /// Default, or end the other process.
    pub EXCLUSIVE = "system/compute-mode": System, Warn, since "0.1.0", judged on [GpuState];
}

/// GPUs that nobody, or only one process, may use.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let closed = those(context, |_, state| (state.compute_mode == Some(ComputeMode::Prohibited)).then_some(()));
    let taken = those(context, |_, state| {
        let first = state.processes.first()?;
        (state.compute_mode == Some(ComputeMode::ExclusiveProcess)).then_some(first)
    });
    let back = Remedy::new("Let several processes use the GPU", Step::fixed("sudo nvidia-smi -c DEFAULT"));
    let reference = "https://docs.rs/nvml-wrapper/0.13.0/nvml_wrapper/enum_wrappers/device/enum.ComputeMode.html";
    let mut findings = Vec::new();
    if !closed.is_empty() {
        findings.push(on(
            PROHIBITED
                .found(&[], format!("{} {} in compute mode Prohibited", names(&closed), is(&closed, "is", "are")))
                .message("No program may create a context on it: `all CUDA-capable devices are busy or unavailable`.")
                .remedies([back.clone()])
                .references([reference.to_owned()]),
            &closed,
            "compute mode",
            |()| "Prohibited".to_owned(),
            "Default",
        ));
    }
    if !taken.is_empty() {
        let by = |process: &&GpuProcess| {
            format!("Exclusive_Process, held by {}", process.name.as_deref().unwrap_or("a process"))
        };
        findings.push(on(
            EXCLUSIVE
                .found(
                    &[],
                    format!("{} {} one process at a time, and has one", names(&taken), is(&taken, "takes", "take")),
                )
                .message("The next program ends with `all CUDA-capable devices are busy or unavailable`.")
                .remedies([back])
                .references([reference.to_owned()]),
            &taken,
            "compute mode",
            by,
            "Default",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{ComputeMode, EXCLUSIVE, GpuProcess, PROHIBITED};
    use crate::check::cases::Case;

    #[test]
    fn a_gpu_that_nobody_may_use_and_one_that_is_taken() {
        let with = |mode: ComputeMode, processes: usize| {
            Case::host().h100(|_, state| {
                state.compute_mode = Some(mode);
                state.processes = vec![GpuProcess::default(); processes];
            })
        };
        let closed = "system/compute-mode: GPU 0 NVIDIA H100 80GB HBM3 is in compute mode Prohibited";
        assert_eq!(with(ComputeMode::Prohibited, 0).found(&PROHIBITED), [closed]);
        assert_eq!(with(ComputeMode::Default, 1).found(&PROHIBITED), [""; 0]);
        let taken = "system/compute-mode: GPU 0 NVIDIA H100 80GB HBM3 takes one process at a time, and has one";
        assert_eq!(with(ComputeMode::ExclusiveProcess, 1).found(&EXCLUSIVE), [taken]);
        assert_eq!(with(ComputeMode::ExclusiveProcess, 0).found(&EXCLUSIVE), [""; 0]);
    }
}
