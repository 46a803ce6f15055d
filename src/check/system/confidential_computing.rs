//! Are GPUs with confidential computing set to take work?

use crate::check::Context;
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::step::Step;

rule! {
    /// Confidential computing is on and the GPUs do not accept work.
    ///
    /// They accept work once they were attested and set ready. Known from NVML. Attest them, then set the ready state.
    pub CONFIDENTIAL_COMPUTING = "system/confidential-computing": System, Fail, since "0.1.0", judged on [GpuState], by check;
}

/// Confidential computing is on, and nobody has told the GPUs to take work.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let reading = &context.facts.driver.confidential;
    let state = reading.value()?;
    (state.enabled && !state.ready).then(|| {
        CONFIDENTIAL_COMPUTING
            .found(&[], "confidential computing is on, and the GPUs are not set to take work")
            .message(
                "They do so once they were attested and their ready state was set; until then CUDA does not start.",
            )
            .packages(["nvidia-driver"])
            .evidence([Evidence::host("GPUs' ready state", "not ready")
                .required("ready".to_owned())
                .cited(reading.source().map(|source| source.place().to_owned()))])
            .remedies([Remedy::new(
                "Attest the GPUs, then set their ready state",
                Step::fixed("sudo nvidia-smi conf-compute -srs 1"),
            )])
            .references(["https://github.com/NVIDIA/nvtrust/issues/56"])
    })
}

#[cfg(test)]
mod tests {
    use super::CONFIDENTIAL_COMPUTING;
    use crate::check::cases::Case;
    use crate::facts::{ConfidentialComputing, Reading};

    #[test]
    fn gpus_that_are_not_set_ready() {
        let with = |ready: bool| {
            let state = Reading::host(ConfidentialComputing { enabled: true, ready }, "NVML");
            let case = Case::host().h100(|_, _| ());
            case.with(|facts| facts.driver.confidential = state).found(&CONFIDENTIAL_COMPUTING)
        };
        let title = "confidential computing is on, and the GPUs are not set to take work";
        assert_eq!(with(false), [format!("system/confidential-computing: {title}")]);
        assert_eq!(with(true), [""; 0]);
    }
}
