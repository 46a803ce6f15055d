//! Are the kernel module, `libcuda` and NVML of one version?

use super::{Context, looked};
use crate::facts::{KERNEL, Reading, Source};
use crate::finding::{Evidence, Finding, Outcome, Remedy, rule};
use crate::rules::schema::CudaStop;
use crate::step::Step;
use crate::version::DriverVersion;

rule! {
    /// Parts of the NVIDIA driver have different versions.
    ///
    /// Kernel module, libcuda and NVML come from one package and must agree; after an upgrade without a reboot they do
    /// not: `Driver/library version mismatch`. Known from /proc/driver/nvidia/version, NVML and the files that the
    /// loader finds. Reboot, or reload the modules; in a container, restart it.
    pub MISMATCH = "driver-mismatch/{part}": DriverMismatch, Fail, since "0.1.0", judged on [Driver, Loader];
}

/// Compares the versions of the driver's parts.
pub fn check(context: &Context<'_>) -> Outcome {
    let facts = context.facts;
    if let Some(finding) = refused(context) {
        return looked(vec![finding]);
    }
    let Some(kernel) = facts.driver.version.value() else {
        return match &facts.driver.version {
            Reading::Absent { .. } => Outcome::NotApplicable("no NVIDIA driver is loaded".to_owned()),
            Reading::Unreadable { error } => Outcome::Skipped(format!("the driver's version: {error}")),
            _ => Outcome::Skipped("the driver's version".to_owned()),
        };
    };
    let mut findings = Vec::new();
    // A report may name the driver of another place; what tells of the loaded module itself is sure.
    let of_the_module = facts.driver.version.source().map(Source::place);
    if let Some(package) = facts.driver.package.value()
        && package != kernel
        && of_the_module.is_some_and(|place| ["/proc", KERNEL].iter().any(|from| place.starts_with(from)))
    {
        return looked(vec![mismatch(context, "the installed driver package", "the package list", package, kernel)]);
    }
    if let Some(library) = facts.loader.libcuda.value()
        && !library.compat
        && !library.stub
        && let Some(version) = library.version.value()
        && version != kernel
    {
        findings.push(mismatch(context, "libcuda", &library.path, version, kernel));
    }
    if let Some(nvml) = facts.driver.nvml.value()
        && let Some(version) = nvml_driver(&nvml.version)
        && version != *kernel
    {
        findings.push(mismatch(context, "NVML", &nvml.library, &version, kernel));
    }
    if let Reading::Unreadable { error } = &facts.driver.nvml
        && error.to_lowercase().contains("mismatch")
        && findings.is_empty()
    {
        let mut finding = base(context, "NVML", kernel);
        finding.title = format!("NVML refuses driver {kernel}: {error}");
        finding
            .evidence
            .push(Evidence::host("NVML", error.clone()).required(kernel.to_string()).cited("nvmlInit".to_owned()));
        findings.push(finding);
    }
    looked(findings)
}

/// NVML's refusal for a mismatch, where nothing tells the module's version.
fn refused(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    let Reading::Unreadable { error } = &facts.driver.nvml else { return None };
    if !error.to_lowercase().contains("mismatch") || facts.driver.version.value().is_some() {
        return None;
    }
    let unknown: DriverVersion = "0".parse().ok()?;
    let mut finding = base(context, "NVML", &unknown);
    finding.title = format!("driver mismatch: {error}");
    finding.evidence = vec![
        Evidence::host("NVML", error.clone())
            .required("the version of the loaded kernel module".to_owned())
            .cited("nvidia-smi".to_owned()),
    ];
    finding
        .evidence
        .extend(facts.driver.package.value().map(|package| Evidence::host("driver package", package.to_string())));
    Some(finding)
}

/// The driver version in NVML's own, `12.570.133.20`: NVIDIA's branches have three digits, and what has fewer is another number.
fn nvml_driver(version: &str) -> Option<DriverVersion> {
    let (_, driver) = version.split_once('.')?;
    driver.parse().ok().filter(|driver: &DriverVersion| driver.branch() >= 100)
}

fn base(context: &Context<'_>, part: &str, kernel: &DriverVersion) -> Finding {
    let place = context.facts.driver.version.source().map(|source| source.place().to_owned());
    let errors = &context.db.tables().cuda_errors;
    MISMATCH
        .found(&[&part.to_lowercase()], "")
        .message(format!(
            "CUDA ends with error {}, or {} on GeForce. It happens when a driver package is upgraded while the old \
             kernel module stays loaded, or when a container brings libraries of another driver.",
            errors.number(CudaStop::DriverMismatch),
            errors.number(CudaStop::CompatNotOnDevice)
        ))
        .packages(["nvidia-driver"])
        .evidence([Evidence::host("kernel module", kernel.to_string()).cited(place)])
        .remedies([Remedy::new(
            "Reboot, or reload the kernel module, so that both parts come from one driver package",
            Step::fixed("sudo reboot"),
        )])
}

fn mismatch(context: &Context<'_>, part: &str, path: &str, version: &DriverVersion, kernel: &DriverVersion) -> Finding {
    let mut finding = base(context, part, kernel);
    finding.title = format!("{part} is {version}, but the kernel module is {kernel}");
    finding
        .evidence
        .push(Evidence::host(part.to_owned(), version.to_string()).required(kernel.to_string()).cited(path.to_owned()));
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::{Case, read};
    use crate::facts::LibCuda;

    #[test]
    fn libcuda_and_the_kernel_module_are_of_one_version() {
        let of = |version| {
            let path = "/usr/lib/x86_64-linux-gnu/libcuda.so.1".to_owned();
            let version = read(version);
            let library = LibCuda { path, found_by: "ldconfig".to_owned(), version, compat: false, stub: false };
            let host = Case::host().driver("570.86.15");
            host.with(|facts| facts.loader.libcuda = Reading::host(library, "the test")).found(&MISMATCH)
        };
        assert_eq!(
            of("560.35.03"),
            ["driver-mismatch/libcuda: libcuda is 560.35.03, but the kernel module is 570.86.15"]
        );
        assert!(of("570.86.15").is_empty());
    }
}
