//! Does something hold the clocks of a GPU down?

use crate::check::Context;
use crate::check::gpus::{is, names, on, those};
use crate::facts::Slowdown;
use crate::finding::{Finding, Remedy, Severity, rule};
use crate::step::Step;
use crate::text;

rule! {
    /// A GPU runs below its clocks.
    ///
    /// Heat or the power supply holds the clocks down; results stay correct but take longer. Known from NVML at the
    /// moment of the check. Look at cooling and power.
    pub SLOW_GPU = "system/slow-gpu": System, Warn, since "0.1.0", judged on [GpuState], by check;
}

/// GPUs whose clocks are held down by heat or by their power supply.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let found = those(context, |_, state| (!state.slowed_by.is_empty()).then_some(&state.slowed_by));
    let hard = found.iter().any(|(_, reasons)| reasons.iter().any(|reason| *reason != Slowdown::SoftwareThermal));
    let words = |reasons: &&Vec<Slowdown>| {
        let words: Vec<_> = reasons
            .iter()
            .map(|reason| match reason {
                Slowdown::HardwareThermal => "HW Thermal Slowdown",
                Slowdown::PowerBrake => "HW Power Brake Slowdown",
                Slowdown::Hardware => "HW Slowdown",
                Slowdown::SoftwareThermal => "SW Thermal Slowdown",
            })
            .collect();
        text::list(&words)
    };
    (!found.is_empty()).then(|| {
        on(
            SLOW_GPU
                .found(&[], format!("{} {} slowed down at this moment", names(&found), is(&found, "is", "are")))
                .severity(if hard { Severity::Warn } else { Severity::Info })
                .message(
                    if hard {
                        "The hardware lowers the clocks, for heat or because the power supply asks for it. Results \
                         are right, and late."
                    } else {
                        "The driver lowers the clocks to keep the GPU cool. Results are right, and late."
                    }
                    .to_owned(),
                )
                .remedies([Remedy::new(
                    "Look at cooling and power",
                    Step::fixed("nvidia-smi -q -d PERFORMANCE,TEMPERATURE,POWER"),
                )])
                .references([
                    "https://docs.rs/nvml-wrapper/0.13.0/nvml_wrapper/bitmasks/device/struct.ThrottleReasons.html",
                ]),
            &found,
            "clocks",
            words,
            "",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{SLOW_GPU, Slowdown};
    use crate::check::cases::Case;

    #[test]
    fn clocks_that_are_held_down() {
        let with =
            |reasons: &[Slowdown]| Case::host().h100(|_, state| state.slowed_by = reasons.to_vec()).found(&SLOW_GPU);
        let title = "system/slow-gpu: GPU 0 NVIDIA H100 80GB HBM3 is slowed down at this moment";
        assert_eq!(with(&[Slowdown::PowerBrake]), [title]);
        assert_eq!(with(&[]), [""; 0]);
    }
}
