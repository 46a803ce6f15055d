//! Does an advisory apply to an environment?

use pep440_rs::{Version, VersionSpecifiers};

use super::raw_platform::{GpuClass, RawAdvisory, RawCondition};
use super::requirement::{self, satisfied};
use super::target::Target;
use crate::version::CudaVersion;

/// What the conditions of advisories are asked about.
pub struct Environment<'a> {
    /// Installed distributions by normalised name; the full version with its local label.
    pub installed: &'a dyn Fn(&str) -> Option<Version>,
    /// torch's CUDA runtime.
    pub cuda: Option<CudaVersion>,
    /// The host.
    pub target: &'a Target,
    /// What the project says it uses, e.g. `torch.compile`.
    pub workload: &'a [String],
}

/// How an advisory matched: what there is, for evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Installed distributions that the condition names, with the versions and what was required of them.
    pub installed: Vec<(String, String, String)>,
    /// Indices into `Target::gpus` of the GPUs that it concerns; empty where it concerns none in particular.
    pub gpus: Vec<usize>,
}

/// Whether an advisory applies; unknown facts make a condition fail.
#[must_use]
pub fn applies(advisory: &RawAdvisory, environment: &Environment<'_>) -> Option<Match> {
    advisory.when.iter().find_map(|condition| holds(condition, environment))
}

/// Whether all terms of a condition hold.
#[must_use]
pub fn holds(condition: &RawCondition, environment: &Environment<'_>) -> Option<Match> {
    let target = environment.target;
    let mut installed = Vec::new();
    for line in &condition.installed {
        let wanted = requirement::parse(line).ok()?;
        let version = (environment.installed)(wanted.name.as_ref())?;
        let specifiers = requirement::specifiers(&wanted)?;
        if !satisfied(&specifiers, &version) {
            return None;
        }
        installed.push((wanted.name.to_string(), version.to_string(), specifiers.to_string()));
    }
    if condition.absent.iter().any(|name| (environment.installed)(name).is_some()) {
        return None;
    }
    if !condition.workload.iter().all(|item| environment.workload.contains(item)) {
        return None;
    }
    if let Some(text) = &condition.cuda {
        contains(text, &environment.cuda?.to_string())?;
    }
    if let Some(text) = &condition.driver {
        contains(text, &target.driver.as_ref()?.to_string())?;
    }
    if let Some(text) = &condition.python {
        contains(text, &target.python?.to_string())?;
    }
    if let Some(platform) = &condition.platform
        && !target.platform.as_ref()?.starts_with(platform.as_str())
    {
        return None;
    }
    if condition.gpus.is_some_and(|least| target.gpus.len() < least as usize) {
        return None;
    }
    let mut gpus = Vec::new();
    if condition.capability.is_some() || !condition.class.is_empty() {
        for (index, gpu) in target.gpus.iter().enumerate() {
            let by_class =
                condition.class.is_empty() || gpu.class.is_some_and(|class: GpuClass| condition.class.contains(&class));
            let capability = gpu.capability.to_string();
            if by_class && condition.capability.as_ref().is_none_or(|text| contains(text, &capability).is_some()) {
                gpus.push(index);
            }
        }
        if gpus.is_empty() {
            return None;
        }
    }
    Some(Match { installed, gpus })
}

/// Whether a version of the field (driver, CUDA, Python, compute capability) lies in PEP 440 specifiers. Leading zeros
/// (`580.65.06`) do not matter to PEP 440.
fn contains(specifiers: &str, version: &str) -> Option<()> {
    let specifiers: VersionSpecifiers = specifiers.parse().ok()?;
    let version: Version = version.parse().ok()?;
    satisfied(&specifiers, &version).then_some(())
}
