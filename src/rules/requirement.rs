//! PEP 508 requirements against an environment: which apply, and which versions satisfy them.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, MarkerEnvironment, MarkerEnvironmentBuilder, PackageName, VerbatimUrl, VersionOrUrl};

use super::Target;

/// A requirement as metadata and users write it, e.g. `triton==3.3.1; platform_system == "Linux"`.
pub type Requirement = pep508_rs::Requirement<VerbatimUrl>;

/// Parses one line; the error is one sentence that names what is wrong.
///
/// # Errors
///
/// When the line is not a PEP 508 requirement.
pub fn parse(line: &str) -> Result<Requirement, String> {
    Requirement::from_str(line).map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
}

/// The normalised name (PEP 503): lower case, runs of `-_.` as one `-`. `Flash_Attn` is `flash-attn`.
#[must_use]
pub fn normalise(name: &str) -> String {
    PackageName::from_str(name).map_or_else(|_| name.to_lowercase(), |name| name.to_string())
}

/// Whether a package, by normalised name, is one of NVIDIA's runtime wheels (or a part of its CUDA toolkit): they differ from
/// build to build of what needs them, even where all else agrees, and follow from it.
#[must_use]
pub fn is_runtime_wheel(name: &str) -> bool {
    name.starts_with("nvidia-") || name.starts_with("cuda-")
}

/// The version part of a requirement; everything for a bare name; none for a URL, which stands for itself.
#[must_use]
pub fn specifiers(requirement: &Requirement) -> Option<VersionSpecifiers> {
    match &requirement.version_or_url {
        None => Some(VersionSpecifiers::empty()),
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => Some(specifiers.clone()),
        Some(VersionOrUrl::Url(_)) => None,
    }
}

/// The values that environment markers have on a target; none where Python or the platform is unknown.
#[must_use]
pub fn markers(target: &Target) -> Option<MarkerEnvironment> {
    let python = target.python?;
    let full = format!("{}.{}.{}", python.major, python.minor, python.micro.unwrap_or(0));
    let short = format!("{}.{}", python.major, python.minor);
    let (os, machine) = target.platform.as_deref()?.split_once('_')?;
    let (os_name, system, sys_platform) = match os {
        "windows" => ("nt", "Windows", "win32"),
        "macos" => ("posix", "Darwin", "darwin"),
        _ => ("posix", "Linux", "linux"),
    };
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: &full,
        os_name,
        platform_machine: machine,
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: system,
        platform_version: "",
        python_full_version: &full,
        python_version: &short,
        sys_platform,
    })
    .ok()
}

/// Whether a requirement applies in an environment, with some extras chosen.
#[must_use]
pub fn applies(requirement: &Requirement, environment: &MarkerEnvironment, extras: &[ExtraName]) -> bool {
    requirement.marker.is_true() || requirement.evaluate_markers(environment, extras)
}

/// Whether an installed version satisfies specifiers: pre-releases count, and `==2.7.1` accepts 2.7.1+cu126.
#[must_use]
pub fn satisfied(specifiers: &VersionSpecifiers, version: &Version) -> bool {
    specifiers.iter().all(|specifier| specifier.contains(version))
}
