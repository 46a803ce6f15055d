//! Does a cuda-compat package support the driver's branch?

use super::Fault;
use crate::finding::rule;
use crate::version::DriverVersion;

rule! {
    /// This cuda-compat package does not support the driver's branch.
    ///
    /// NVIDIA's matrix excludes the pair. Known from the package's CUDA and the branch of the kernel driver. Use the
    /// package for another CUDA, or another driver branch.
    pub BRANCH = "forward-compat/branch": ForwardCompat, Fail, since "0.1.0", judged on [Loader, Driver];
}

/// The package, e.g. `cuda-compat-12-8`, and the page that excludes the pair.
pub(super) fn fault(package: &str, driver: &DriverVersion, citation: String) -> Fault {
    Fault {
        rule: &BRANCH,
        title: format!("{package} does not support driver branch {}", driver.branch()),
        message: "NVIDIA's matrix excludes this pair of user-mode and kernel driver.".to_owned(),
        required: "a pair of branches that the matrix allows".to_owned(),
        gpu: None,
        citation: Some(citation),
    }
}
