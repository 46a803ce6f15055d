//! Has a build only PTX for this GPU, which the driver is too old to compile?

use super::verdict::Judged;
use crate::check::{Context, Installed};
use crate::finding::{Evidence, Finding, rule};
use crate::rules::driver::DriverGap;
use crate::version::DriverVersion;

rule! {
    /// A build has only PTX for this GPU, and the driver is too old to compile it.
    ///
    /// The driver compiles PTX at load, if its CUDA is not older than the toolkit that wrote it; otherwise `the
    /// provided PTX was compiled with an unsupported toolchain` (error 222). Known from the fat binaries and the
    /// driver. Update the driver, or install a build with machine code for the GPU.
    pub ONLY_PTX = "gpu-arch/{package}": GpuArch, Fail, since "0.1.0", judged on [Libraries, Gpus, Driver];
}

/// Says which driver the PTX needs, on one GPU of the target.
pub fn finding(
    context: &Context<'_>,
    installed: &Installed<'_>,
    judged: &Judged,
    gpu: usize,
    gap: &DriverGap,
    driver: &DriverVersion,
) -> Finding {
    let gpu = &context.target.gpus[gpu];
    let mut evidence = judged.evidence.clone();
    evidence.push(driver_evidence(context, gap.needs.to_string()));
    ONLY_PTX
        .found(
            &[installed.name()],
            format!("{} has only PTX for {}, and driver {driver} is too old for it", installed.title(), gpu.label),
        )
        .message(format!(
            "PTX is compiled by the driver when it is loaded, and this PTX comes from CUDA {}: driver {} or newer \
             understands it. CUDA reports an unsupported PTX version (error 222).",
            gap.cuda, gap.needs
        ))
        .packages([installed.name()])
        .gpus(gpu.index)
        .evidence(evidence)
}

fn driver_evidence(context: &Context<'_>, needs: String) -> Evidence {
    Evidence::host("driver", context.target.user_mode_driver().map(ToString::to_string).unwrap_or_default())
        .required(format!("{needs} or newer"))
        .cited(context.facts.driver.version.source().map(|source| source.place().to_owned()))
}
