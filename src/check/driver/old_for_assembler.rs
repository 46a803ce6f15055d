//! Is the driver too old for the code that something assembles on the machine?

use super::update;
use crate::check::{Context, Installed};
use crate::finding::{Evidence, Finding, rule};
use crate::rules::driver::{DriverGap, runtime_gap};
use crate::version::DriverVersion;

rule! {
    /// The driver is too old for what Triton assembles.
    ///
    /// The wheel brings a ptxas of its own, of a newer CUDA than the one that torch was built for: the driver refuses what it
    /// writes (`device kernel image is invalid`), and eager torch goes on. Known from the driver's version and the CUDA of
    /// the ptxas in the rules. Update the driver, or name a ptxas of an older toolkit to Triton.
    pub OLD_FOR_ASSEMBLER = "driver/{package}": Driver, Warn, since "0.1.0", judged on [Driver, Builds];
}

/// What is installed and assembles code that this driver does not take; a ptxas that a variable names instead is not judged.
pub fn finding(context: &Context<'_>, driver: &DriverVersion) -> Option<Finding> {
    if context.facts.toolchain.ptxas.iter().any(|ptxas| ptxas.found) {
        return None;
    }
    let judged =
        context.stack.installed.iter().filter_map(|installed| Some((installed, gap(context, installed, driver)?)));
    let (installed, gap) = judged.max_by_key(|(_, gap)| gap.cuda)?;
    let takes = context.db.native_cuda(driver).map_or_else(String::new, |cuda| format!(", which takes CUDA {cuda}"));
    let title = installed.title();
    Some(
        OLD_FOR_ASSEMBLER
            .found(
                &[installed.name()],
                format!("{title} assembles with a ptxas of CUDA {} or newer: too new for driver {driver}{takes}", gap.cuda),
            )
            .message(
                "Its kernels and `torch.compile` fail (`device kernel image is invalid`), whatever CUDA torch was built for; \
                 eager torch is not affected.",
            )
            .packages([installed.name(), "nvidia-driver"])
            .gpus(context.target.gpus.iter().filter_map(|gpu| gpu.index))
            .evidence([
                Evidence::host("driver", driver.to_string())
                    .required(format!("{} or newer, for CUDA {}", gap.needs, gap.cuda))
                    .cited(context.facts.driver.version.source().map(|source| source.place().to_owned())),
                Evidence::rule(format!("ptxas of {title}"), format!("CUDA {} or newer", gap.cuda)).cited(gap.citation.clone()),
            ])
            .remedies([update(context, &gap.needs)]),
    )
}

/// What a driver lacks for the code that a release assembles.
fn gap(context: &Context<'_>, installed: &Installed<'_>, driver: &DriverVersion) -> Option<DriverGap> {
    let version = installed.row.map(|(release, _)| &release.version).or(installed.version.as_ref())?;
    let (cuda, citation) = context.db.assembler(&installed.package?.name, version)?;
    let gap = runtime_gap(cuda, driver, context.db)?;
    Some(DriverGap { citation, ..gap })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    /// Triton 2.3.1 brings the ptxas of CUDA 12.3, and any driver from 525.60.13 on takes the code of CUDA 12.
    #[test]
    fn a_driver_of_cuda_11_takes_no_code_of_cuda_12() {
        let of = |driver| {
            let case = Case::report().gpu("NVIDIA RTX A5000", "8.6").driver(driver);
            case.installed("torch", "2.3.1+cu118").installed("triton", "2.3.1").found(&OLD_FOR_ASSEMBLER)
        };
        assert_eq!(
            of("470.57.02"),
            [
                "driver/triton: triton 2.3.1 assembles with a ptxas of CUDA 12.0 or newer: too new for driver 470.57.02, \
              which takes CUDA 11.4"
            ]
        );
        assert!(of("525.60.13").is_empty());
    }

    /// Torch itself does not start then.
    #[test]
    fn what_torch_lacks_is_told_once() {
        let case = Case::report().gpu("NVIDIA RTX A5000", "8.6").driver("470.57.02");
        assert!(
            case.installed("torch", "2.3.1+cu121").installed("triton", "2.3.1").found(&OLD_FOR_ASSEMBLER).is_empty()
        );
    }
}
