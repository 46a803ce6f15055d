//! Is the cuda-compat library in use older than the driver?

use super::Fault;
use crate::finding::rule;
use crate::version::DriverVersion;

rule! {
    /// The cuda-compat library in use is older than the driver.
    ///
    /// `cuInit` fails with error 803. Forward compatibility puts a newer libcuda over an older kernel driver, never the
    /// reverse. Known from the versions of both. Take the folder out of the loader's path.
    pub OLDER_THAN_DRIVER = "forward-compat/older-than-driver": ForwardCompat, Fail, since "0.1.0", judged on [Loader, Driver];
}

/// Both in their versions, e.g. 535.54.03 over 570.86.15, and CUDA's error.
pub(super) fn fault(compat: &DriverVersion, driver: &DriverVersion, error: u32) -> Fault {
    Fault {
        rule: &OLDER_THAN_DRIVER,
        title: format!("the cuda-compat libcuda {compat} is older than driver {driver}"),
        message: format!(
            "`cuInit` fails with error {error}. Forward compatibility puts a newer user-mode driver over an older \
             kernel driver; once the kernel driver is newer, the package must leave the loader's path."
        ),
        required: format!("{driver}, the driver's own libcuda"),
        gpu: None,
        citation: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn compat_is_newer_than_the_driver_or_in_the_way() {
        let of = |version| Case::host().driver("570.86.15").compat(version).found(&OLDER_THAN_DRIVER);
        assert_eq!(
            of("535.54.03"),
            ["forward-compat/older-than-driver: the cuda-compat libcuda 535.54.03 is older than \
              driver 570.86.15"]
        );
        assert!(of("575.51.03").is_empty());
    }
}
