//! Is the driver too old for the CUDA runtime of an installed build?

use super::update;
use crate::check::{Context, Installed};
use crate::finding::{Change, Evidence, Finding, Remedy, rule};
use crate::rules::driver::{DriverGap, compat_offer};
use crate::rules::role::is_hub;
use crate::rules::schema::{CompatSupport, CudaStop};
use crate::step::Step;
use crate::text;

rule! {
    /// The driver is too old for a CUDA runtime.
    ///
    /// CUDA reports that the driver is insufficient (error 35), and `torch.cuda.is_available()` is False. Known from
    /// NVML or the kernel, the CUDA of the installed build, and NVIDIA's table of least drivers in the rules. Update
    /// the driver, use cuda-compat where the GPU allows it, or install a build for an older CUDA.
    pub OLD_FOR_BUILD = "driver/{package}": Driver, Fail, since "0.1.0", judged on [Driver, Builds];
}

/// Names the builds for one CUDA, and what the driver lacks for it.
pub fn finding(context: &Context<'_>, gap: &DriverGap, packages: &[&Installed<'_>]) -> Finding {
    let (target, db) = (&context.target, context.db);
    let main = packages.iter().find(|installed| is_hub(installed.name())).unwrap_or(&packages[0]);
    let driver = target.user_mode_driver().map(ToString::to_string).unwrap_or_default();
    let place = context.facts.driver.version.source().map(|source| source.place().to_owned());
    let native = target.user_mode_driver().and_then(|driver| db.native_cuda(driver));
    let mut names: Vec<_> = packages.iter().map(|installed| installed.name().to_owned()).collect();
    names.sort();
    let mut remedies = vec![update(context, &gap.needs)];
    remedies.extend(compat_remedy(context, gap));
    OLD_FOR_BUILD
        .found(&[main.name()], format!("{} needs driver {} or newer, but {driver} is loaded", main.title(), gap.needs))
        .message(format!(
            "It was built for CUDA {}{}, and CUDA reports that the driver is insufficient (error 35): \
             `torch.cuda.is_available()` is False.",
            gap.cuda,
            native.map_or_else(String::new, |native| format!("; this driver supports CUDA up to {native}")),
        ))
        .packages(names)
        .gpus(target.gpus.iter().filter_map(|gpu| gpu.index))
        .evidence([
            Evidence::binary(
                "CUDA runtime",
                format!(
                    "{} in {}",
                    gap.cuda,
                    text::list(&packages.iter().map(|installed| installed.title()).collect::<Vec<_>>())
                ),
            )
            .cited(main.cuda_place()),
            Evidence::host("driver", driver).required(format!("{} or newer", gap.needs)).cited(place),
            Evidence::rule("oldest driver", format!("{} for CUDA {}", gap.needs, gap.cuda)).cited(gap.citation.clone()),
        ])
        .remedies(remedies)
}

/// Forward compatibility, where this GPU and this driver branch may use it.
fn compat_remedy(context: &Context<'_>, gap: &DriverGap) -> Option<Remedy> {
    let (package, support) = compat_offer(gap.cuda, &context.target, context.db)?;
    let (major, minor) = (package.cuda.major, package.cuda.minor);
    let hedge = match support {
        CompatSupport::Some => format!(
            " (NVIDIA supports it on some workstation GPUs only: error {} means not on this one)",
            context.db.tables().cuda_errors.number(CudaStop::CompatNotOnDevice)
        ),
        _ => String::new(),
    };
    Some(Remedy {
        change: context.db.toolkit(package.cuda).map(|toolkit| Change::Compat(toolkit.linux_driver.clone())),
        ..Remedy::new(
            format!("Keep the driver and put {} first on the loader's path{hedge}", package.name),
            [
                Step::run(["sudo", "apt-get", "install", "-y", &package.name]),
                Step::prepend("LD_LIBRARY_PATH", format!("/usr/local/cuda-{major}.{minor}/compat")),
            ]
            .into_iter()
            .flatten(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn a_build_for_cuda_12_needs_a_driver_of_cuda_12() {
        let of = |driver| Case::host().driver(driver).installed("torch", "2.7.1+cu126").found(&OLD_FOR_BUILD);
        assert_eq!(
            of("470.57.02"),
            ["driver/torch: torch 2.7.1+cu126 needs driver 525.60.13 or newer, but 470.57.02 is loaded"]
        );
        assert!(of("525.60.13").is_empty());
    }
}
