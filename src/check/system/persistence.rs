//! Does the driver keep the GPUs of a server while nothing uses them?

use crate::check::Context;
use crate::check::gpus::{names, on, those};
use crate::facts::{Gpu, Virtualization};
use crate::finding::{Finding, Remedy, rule};
use crate::rules::schema::GpuClass;
use crate::step::Step;

rule! {
    /// Persistence mode is off on a server's GPU.
    ///
    /// The driver lets go of an idle GPU, and the next program waits for it. Known from NVML. Run NVIDIA's persistence
    /// daemon.
    pub PERSISTENCE = "system/persistence": System, Info, since "0.1.0", judged on [GpuState, System], by check;
}

/// Read on 2026-11-21.
const PERSISTENCE_GUIDE: &str = "https://docs.nvidia.com/deploy/driver-persistence/overview.html";

/// GPUs of servers that the driver lets go when nothing uses them; it costs every first program seconds.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    if facts.system.container.value().is_some() {
        return None;
    }
    let server = |gpu: &Gpu| {
        context
            .target
            .gpus
            .iter()
            .any(|other| other.index == Some(gpu.index) && other.class == Some(GpuClass::Datacenter))
    };
    let found = those(context, |gpu, state| {
        let own = !matches!(state.virtualization, Some(Virtualization::Vgpu));
        (state.persistence == Some(false) && own && server(gpu)).then_some(())
    });
    (!found.is_empty()).then(|| {
        on(
            PERSISTENCE
                .found(&[], format!("persistence mode of {} is off", names(&found)))
                .message(
                    "Whenever nothing uses the GPU the driver lets go of it, and the next program waits 1 to 3 \
                     seconds for each.",
                )
                .remedies([Remedy::new(
                    "Run NVIDIA's persistence daemon",
                    Step::fixed("sudo systemctl enable --now nvidia-persistenced"),
                )])
                .references([PERSISTENCE_GUIDE.to_owned()]),
            &found,
            "persistence mode",
            |()| "off".to_owned(),
            "on",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::PERSISTENCE;
    use crate::check::cases::Case;

    #[test]
    fn a_servers_gpu_that_the_driver_lets_go() {
        let with = |on| Case::host().h100(|_, state| state.persistence = Some(on)).found(&PERSISTENCE);
        assert_eq!(with(false), ["system/persistence: persistence mode of GPU 0 NVIDIA H100 80GB HBM3 is off"]);
        assert_eq!(with(true), [""; 0]);
    }
}
