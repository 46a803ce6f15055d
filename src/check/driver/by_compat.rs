//! Does CUDA work here only through a cuda-compat library?

use crate::check::Context;
use crate::finding::{Evidence, Finding, rule};
use crate::rules::driver::DriverGap;
use crate::version::DriverVersion;

rule! {
    /// CUDA works here only through a cuda-compat library.
    ///
    /// The kernel driver is older than the CUDA runtime needs, and a cuda-compat libcuda bridges the gap on data-centre
    /// GPUs. Known from NVIDIA's compatibility matrix in the rules. Keep that library first on the loader's path, or
    /// update the driver.
    pub BY_COMPAT = "driver/compat": ForwardCompat, Info, since "0.1.0", judged on [Driver, Loader, Builds];
}

/// torch says that CUDA is available beside a driver that is too old by itself.
pub fn finding(context: &Context<'_>, gap: &DriverGap, driver: &DriverVersion) -> Finding {
    BY_COMPAT
        .found(&[], format!("CUDA {} works on driver {driver}: a cuda-compat libcuda must be in use", gap.cuda))
        .message(format!(
            "By itself this driver is older than {}, which CUDA {} needs; but torch says that CUDA is available.",
            gap.needs, gap.cuda
        ))
        .packages(["cuda-compat"])
        .evidence([Evidence::host("driver", driver.to_string())
            .required(format!("{} or newer, or cuda-compat", gap.needs))
            .cited(context.facts.driver.version.source().map(|source| source.place().to_owned()))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;
    use crate::facts::Reading;

    #[test]
    fn cuda_that_works_on_an_old_driver_has_help() {
        let of = |available| {
            let report = Case::report().driver("470.57.02").installed("torch", "2.7.1+cu126");
            report.with(|facts| facts.visibility.available = available).found(&BY_COMPAT)
        };
        assert_eq!(
            of(Reading::told(true, "line 1")),
            ["driver/compat: CUDA 12.6 works on driver 470.57.02: a cuda-compat libcuda must be in use"]
        );
        assert!(of(Reading::Unknown).is_empty());
    }
}
