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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::{Case, value};

    /// Each row of today's matrix refuses its own branch and newer ones only, so that no pair of versions meets this.
    #[test]
    fn the_matrix_excludes_pairs_of_branches() {
        let fault = fault("cuda-compat-13-0", &value("570.86.15"), "the test".to_owned());
        assert!(std::ptr::eq(fault.rule, &BRANCH));
        assert_eq!(fault.title, "cuda-compat-13-0 does not support driver branch 570");
        let h100 = Case::host().gpu("NVIDIA H100 80GB HBM3", "9.0");
        assert!(h100.driver("570.86.15").compat("580.65.06").found(&BRANCH).is_empty(), "this one works");
    }
}
