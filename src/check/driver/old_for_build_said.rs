//! Is a build for a newer CUDA than the report says that the driver supports?

use super::{NONE, update};
use crate::check::{Context, Installed};
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::rules::driver::oldest_driver;
use crate::version::CudaVersion;

rule! {
    /// A build is for a newer CUDA than the driver supports.
    ///
    /// The report tells the highest CUDA of the driver, and the build is for a newer one: CUDA reports that the driver
    /// is insufficient (error 35). Known from nvidia-smi's `CUDA Version` and the label of the build. Update the
    /// driver, or install a build for a CUDA that it supports.
    pub OLD_FOR_BUILD_SAID = "driver/{package}": Driver, Fail, since "0.1.0", judged on [Driver, Builds, Report];
}

/// The driver's version is not known, but the CUDA that it supports.
pub fn finding(context: &Context<'_>, installed: &Installed<'_>, cuda: CudaVersion, supported: CudaVersion) -> Finding {
    let reading = &context.facts.driver.cuda;
    OLD_FOR_BUILD_SAID
        .found(
            &[installed.name()],
            format!("{} is built for CUDA {cuda}, but the driver supports CUDA up to {supported}", installed.title()),
        )
        .message("CUDA reports that the driver is insufficient (error 35): `torch.cuda.is_available()` is False.")
        .packages([installed.name(), "nvidia-driver"])
        .evidence([Evidence::host("driver", format!("CUDA up to {supported}"))
            .required(oldest_driver(cuda, context.db).map(|(needs, _)| format!("{needs} or newer, for CUDA {cuda}")))
            .cited(reading.source().map(|source| source.place().to_owned()))])
        .remedies(oldest_driver(cuda, context.db).map_or_else(Vec::new, |(needs, _)| {
            vec![update(context, &needs), Remedy::new(format!("Install a build for CUDA {supported} or older"), NONE)]
        }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::{Case, read};

    #[test]
    fn the_major_release_of_cuda_decides() {
        let of = |cuda| {
            let report = Case::report().installed("torch", "2.7.1+cu126");
            report.with(|facts| facts.driver.cuda = read(cuda)).found(&OLD_FOR_BUILD_SAID)
        };
        assert_eq!(
            of("11.4"),
            ["driver/torch: torch 2.7.1+cu126 is built for CUDA 12.6, but the driver supports CUDA \
              up to 11.4"]
        );
        assert!(of("12.0").is_empty());
    }
}
