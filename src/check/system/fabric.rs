//! Has the fabric manager of an NVSwitch machine registered the GPUs?

use crate::check::Context;
use crate::check::gpus::{is, names, on, those};
use crate::facts::{Fabric, Gpu};
use crate::finding::{Finding, Remedy, rule};
use crate::rules::schema::CudaStop;
use crate::step::Step;

rule! {
    /// GPUs are not registered with the NVLink fabric.
    ///
    /// On an NVSwitch machine CUDA starts only after the fabric manager has registered the GPUs; until then it ends
    /// with error 802. Known from NVML. Run the fabric manager of the driver's version on the host.
    pub FABRIC = "system/fabric": System, Fail, since "0.1.0", judged on [GpuState], by check;
}

/// One finding about all of them.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let outside = outside(context);
    (!outside.is_empty()).then(|| not_registered(context, &outside))
}

/// GPUs of an NVSwitch machine that the fabric manager has not registered: CUDA starts on none.
pub fn outside<'a>(context: &Context<'a>) -> Vec<(&'a Gpu, Fabric)> {
    those(context, |_, state| state.fabric.filter(|fabric| *fabric != Fabric::Completed))
}

fn not_registered(context: &Context<'_>, found: &[(&Gpu, Fabric)]) -> Finding {
    let words = |fabric: &Fabric| match fabric {
        Fabric::NotStarted => "not started".to_owned(),
        Fabric::InProgress => "in progress".to_owned(),
        Fabric::Completed => "completed".to_owned(),
        Fabric::Failed(error) => format!("failed with NVML error {error}"),
    };
    let driver = context.facts.driver.version.value().map_or(String::new(), |driver| format!(", {driver},"));
    on(
        FABRIC
            .found(&[], format!("{} {} not registered with the NVLink fabric", names(found), is(found, "is", "are")))
            .message(format!(
                "On a machine with NVSwitch CUDA starts only after the fabric manager has registered the GPUs. Until \
                 then it ends with error {}, `system not yet initialized`, although nvidia-smi lists the GPUs.",
                context.db.tables().cuda_errors.number(CudaStop::SystemNotReady)
            ))
            .packages(["nvidia-fabricmanager"])
            .remedies([Remedy::new(
                format!("Run the fabric manager of the driver's version{driver} on the host"),
                Step::fixed(
                    "sudo systemctl enable --now nvidia-fabricmanager && systemctl status nvidia-fabricmanager",
                ),
            )])
            .references([
                "https://docs.nvidia.com/datacenter/tesla/fabric-manager-user-guide",
                "https://github.com/pytorch/pytorch/issues/35710",
            ]),
        found,
        "fabric state",
        words,
        "completed",
    )
}

#[cfg(test)]
mod tests {
    use super::{FABRIC, Fabric};
    use crate::check::cases::Case;

    #[test]
    fn a_gpu_that_nobody_registered() {
        let with = |fabric: Fabric| Case::host().h100(|_, state| state.fabric = Some(fabric)).found(&FABRIC);
        let title = "system/fabric: GPU 0 NVIDIA H100 80GB HBM3 is not registered with the NVLink fabric";
        assert_eq!(with(Fabric::NotStarted), [title]);
        assert_eq!(with(Fabric::Completed), [""; 0]);
    }
}
