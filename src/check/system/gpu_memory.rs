//! Is there room in the memory of the GPUs?

use crate::check::Context;
use crate::check::gpus::{names, on, those};
use crate::facts::{Gpu, GpuState};
use crate::finding::{Finding, Remedy, Severity, rule};
use crate::step::Step;
use crate::text;

rule! {
    /// Most of a GPU's memory is in use already.
    ///
    /// What starts now gets the rest, and `CUDA out of memory` beyond that. Known from NVML. See whether the programs
    /// that hold it are still wanted.
    pub GPU_MEMORY = "system/gpu-memory": System, Warn, since "0.1.0", judged on [GpuState], by check;
}

/// GPUs whose memory others hold.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let rule = &context.db.tables().needs.gpu_memory;
    let share = |gpu: &Gpu, state: &GpuState| {
        let (used, all) = (state.used_bytes?, *gpu.memory_bytes.value()?);
        used.checked_mul(100)?.checked_div(all)
    };
    let found =
        those(context, |gpu, state| share(gpu, state).filter(|percent| *percent >= rule.half).map(|_| (gpu, state)));
    let full = found.iter().any(|(gpu, (_, state))| share(gpu, state).is_some_and(|percent| percent >= rule.full));
    let words = |(gpu, state): &(&Gpu, &GpuState)| {
        let (used, all) = (state.used_bytes.unwrap_or_default(), gpu.memory_bytes.value().copied().unwrap_or_default());
        let by: Vec<_> = state
            .processes
            .iter()
            .map(|process| {
                let name = process.name.as_deref().unwrap_or("a process");
                process.bytes.map_or_else(|| name.to_owned(), |bytes| format!("{name} ({})", text::bytes(bytes)))
            })
            .collect();
        let by = if by.is_empty() { "programs outside this container".to_owned() } else { text::list(&by) };
        format!("{} of {} in use, by {by}", text::bytes(used), text::bytes(all))
    };
    (!found.is_empty()).then(|| {
        on(
            GPU_MEMORY
                .found(
                    &[],
                    format!(
                        "the memory of {} is {} in use",
                        names(&found),
                        if full { "nearly all" } else { "half or more" }
                    ),
                )
                .severity(if full { Severity::Warn } else { Severity::Info })
                .message("What is started now gets the rest of it, and `CUDA out of memory` beyond that.")
                .remedies([Remedy::new("See whether these programs are still wanted", Step::fixed("nvidia-smi"))]),
            &found,
            "memory",
            words,
            "",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::GPU_MEMORY;
    use crate::check::cases::Case;

    /// Of 80 GiB.
    #[test]
    fn a_gpu_whose_memory_others_hold() {
        let with = |gib: u64| Case::host().h100(|_, state| state.used_bytes = Some(gib << 30)).found(&GPU_MEMORY);
        assert_eq!(with(76), ["system/gpu-memory: the memory of GPU 0 NVIDIA H100 80GB HBM3 is nearly all in use"]);
        assert_eq!(with(40), ["system/gpu-memory: the memory of GPU 0 NVIDIA H100 80GB HBM3 is half or more in use"]);
        assert_eq!(with(39), [""; 0]);
    }
}
