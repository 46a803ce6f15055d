//! Has memory of a GPU failed, and was it replaced?

use crate::check::Context;
use crate::check::gpus::{is, names, on, those};
use crate::finding::{Finding, Remedy, rule};
use crate::step::Step;

rule! {
    /// GPU memory has failed and no spare row is left.
    ///
    /// Known from NVML's row remapper. Run NVIDIA's field diagnostic and ask the vendor for a replacement.
    pub REMAP_FAILED = "system/gpu-memory-errors": System, Warn, since "0.1.0", judged on [GpuState], by check;
}

rule! {
    /// A GPU had memory errors that could not be corrected.
    ///
    /// They end the programs that meet them. Known from NVML's counters since the driver was loaded. Reset the GPU when
    /// it is idle, and watch the counter.
    pub UNCORRECTED = "system/gpu-memory-errors": System, Warn, since "0.1.0", judged on [GpuState];
}

rule! {
    /// A GPU waits for a reset to replace damaged memory.
    ///
    /// Work goes on until then. Known from NVML. Reset the GPU when it is idle.
    pub REMAP_PENDING = "system/gpu-memory-errors": System, Info, since "0.1.0", judged on [GpuState];
}

/// What a row of memory that waits, and one without a spare, mean; read on 2026-11-21.
const MEMORY_GUIDE: &str =
    "https://docs.nvidia.com/deploy/a100-gpu-mem-error-mgmt/error-recovery-and-response-flags.html";

/// Memory that failed, and what is done about it.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let worn = those(context, |_, state| state.rows.filter(|rows| rows.failed).map(|_| ()));
    let errors = those(context, |_, state| state.uncorrected.filter(|errors| *errors > 0));
    let waits = those(context, |_, state| {
        (state.rows.is_some_and(|rows| rows.pending) || state.retirement_pending == Some(true)).then_some(())
    });
    let look = || Step::fixed("nvidia-smi -q -d ECC,ROW_REMAPPER,PAGE_RETIREMENT");
    let mut findings = Vec::new();
    if !worn.is_empty() {
        findings.push(on(
            REMAP_FAILED
                .found(&[], format!("memory of {} failed, and no spare row was left for it", names(&worn)))
                .message("Where a row could not be replaced the GPU is a case for its vendor.")
                .remedies([Remedy::new("Run NVIDIA's field diagnostic and ask for a replacement", look())])
                .references([MEMORY_GUIDE.to_owned()]),
            &worn,
            "remapped rows",
            |()| "remapping failed".to_owned(),
            "no failure",
        ));
    }
    if !errors.is_empty() {
        findings.push(on(
            UNCORRECTED
                .found(&[], format!("{} had memory errors that could not be corrected", names(&errors)))
                .message("They end the programs that they meet. The counter starts at zero when the driver is loaded.")
                .remedies([Remedy::new("Reset the GPU when nothing uses it, and watch the counter", look())])
                .references([MEMORY_GUIDE.to_owned()]),
            &errors,
            "uncorrected errors",
            |errors: &u64| errors.to_string(),
            "0",
        ));
    } else if !waits.is_empty() {
        findings.push(on(
            REMAP_PENDING
                .found(
                    &[],
                    format!("{} {} for a reset to replace damaged memory", names(&waits), is(&waits, "waits", "wait")),
                )
                .message("Until then work goes on as before.")
                .remedies([Remedy::new("Reset the GPU when nothing uses it", Step::fixed("sudo nvidia-smi -r"))])
                .references([MEMORY_GUIDE.to_owned()]),
            &waits,
            "memory",
            |()| "replacement pending".to_owned(),
            "",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{REMAP_FAILED, REMAP_PENDING, UNCORRECTED};
    use crate::check::cases::Case;
    use crate::facts::RemappedRows;

    #[test]
    fn memory_that_failed_that_erred_and_that_waits() {
        let with = |pending: bool, failed: bool, errors: u64| {
            Case::host().h100(|_, state| {
                state.rows = Some(RemappedRows { pending, failed });
                state.uncorrected = Some(errors);
            })
        };
        let failed = "memory of GPU 0 NVIDIA H100 80GB HBM3 failed, and no spare row was left for it";
        assert_eq!(with(false, true, 0).found(&REMAP_FAILED), [format!("system/gpu-memory-errors: {failed}")]);
        let erred = "GPU 0 NVIDIA H100 80GB HBM3 had memory errors that could not be corrected";
        assert_eq!(with(false, false, 2).found(&UNCORRECTED), [format!("system/gpu-memory-errors: {erred}")]);
        let waits = "GPU 0 NVIDIA H100 80GB HBM3 waits for a reset to replace damaged memory";
        assert_eq!(with(true, false, 0).found(&REMAP_PENDING), [format!("system/gpu-memory-errors: {waits}")]);
        for rule in [&REMAP_FAILED, &UNCORRECTED, &REMAP_PENDING] {
            assert_eq!(with(false, false, 0).found(rule), [""; 0]);
        }
    }
}
