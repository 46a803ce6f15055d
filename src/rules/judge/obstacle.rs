//! Why a build cannot be used on a target, by itself: the unary half of the rules.
//!
//! `check` asks this of what is installed, `solve` of every candidate; neither knows more. What two packages demand of
//! each other is in [`super::requirement`], [`super::partner`] and [`super::advisory`].

use std::fmt;

use super::driver::{DriverGap, ptx_gap, runtime_gap};
use super::kernel::{Runs, code_runs};
use super::target::Target;
use crate::finding::Kind;
use crate::rules::RuleDb;
use crate::rules::schema::python_tag::PythonTag;
use crate::rules::store::model::{Build, Code, Package, Release};
use crate::version::{CodeTarget, CudaVersion, DriverVersion, GlibcVersion, PythonVersion};

/// One reason, a sentence fragment that begins with a verb: `has no kernel for compute capability 12.0 (RTX 5090)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// No usable image for a GPU (index into `Target::gpus`, its label); the targets that there are.
    NoKernel { gpu: usize, label: String, capability: String, targets: Vec<CodeTarget> },
    /// Holds no GPU code, and the target has a GPU.
    CpuBuild,
    /// The driver does not run its CUDA runtime.
    Driver { gap: DriverGap, driver: DriverVersion },
    /// Only PTX fits a GPU, and the driver cannot compile it.
    Ptx { gpu: usize, label: String, gap: DriverGap, driver: DriverVersion },
    /// No wheel for this Python.
    PythonTag { python: PythonVersion, free_threaded: bool, tags: Vec<PythonTag> },
    /// Requires-Python excludes this Python.
    RequiresPython { python: PythonVersion, requires: String },
    /// Needs a newer glibc.
    Glibc { needs: GlibcVersion, has: GlibcVersion },
    /// Published for another platform.
    Platform { platform: String, wanted: String },
    /// Built for another CUDA runtime than the one asked for.
    OtherCuda { cuda: Option<CudaVersion>, wanted: CudaVersion },
    /// Built for a CUDA runtime where a CPU build was asked for.
    CudaBuild { cuda: CudaVersion },
}

impl Obstacle {
    /// The family that reports it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoKernel { .. } => Kind::GpuArch,
            Self::CpuBuild => Kind::CpuBuild,
            Self::Driver { .. } | Self::Ptx { .. } | Self::OtherCuda { .. } | Self::CudaBuild { .. } => Kind::Driver,
            Self::PythonTag { .. } | Self::RequiresPython { .. } | Self::Glibc { .. } | Self::Platform { .. } => {
                Kind::Python
            }
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKernel { label, capability, .. } => {
                write!(f, "has no kernel for compute capability {capability} ({label})")
            }
            Self::CpuBuild => f.write_str("is a CPU build"),
            Self::Driver { gap, driver } => {
                write!(f, "needs driver {} or newer for CUDA {}, and {driver} is loaded", gap.needs, gap.cuda)
            }
            Self::Ptx { label, gap, driver, .. } => write!(
                f,
                "has only PTX for {label}, which a driver from {} on can compile, and {driver} is loaded",
                gap.needs
            ),
            Self::PythonTag { python, free_threaded, .. } => {
                let kind = if *free_threaded { "free-threaded Python" } else { "Python" };
                write!(f, "has no wheel for {kind} {}.{}", python.major, python.minor)
            }
            Self::RequiresPython { python, requires } => write!(f, "requires Python {requires}, and this is {python}"),
            Self::Glibc { needs, has } => write!(f, "needs glibc {needs} or newer, and this is {has}"),
            Self::Platform { platform, wanted } => write!(f, "is for {platform}, not {wanted}"),
            Self::OtherCuda { cuda: Some(cuda), wanted } => write!(f, "is built for CUDA {cuda}, not {wanted}"),
            Self::OtherCuda { cuda: None, wanted } => write!(f, "is not built for CUDA {wanted}"),
            Self::CudaBuild { cuda } => write!(f, "is built for CUDA {cuda}, and a CPU build is asked for"),
        }
    }
}

/// All reasons why a build cannot be used on a target. Device code chosen by torch's CUDA is not judged here
/// (see [`super::partner::loaded_code`] and [`code_obstacles`]).
#[must_use]
pub fn obstacles(package: &Package, release: &Release, build: &Build, target: &Target, db: &RuleDb) -> Vec<Obstacle> {
    let mut found = Vec::new();
    if let Some(wanted) = &target.platform
        && !build.is_for(wanted)
    {
        found.push(Obstacle::Platform { platform: build.platform.clone(), wanted: wanted.clone() });
    }
    if let Some(python) = target.python {
        if let Some(requires) = &release.requires_python
            && !requires.contains(&python_version(python))
        {
            found.push(Obstacle::RequiresPython { python, requires: requires.to_string() });
        } else if !build.python.is_empty() && !build.python.iter().any(|tag| tag.accepts(python, target.free_threaded))
        {
            let tags = build.python.clone();
            found.push(Obstacle::PythonTag { python, free_threaded: target.free_threaded, tags });
        }
    }
    if let (Some(needs), Some(has)) = (build.glibc, target.glibc)
        && needs > has
    {
        found.push(Obstacle::Glibc { needs, has });
    }
    if let Some(wanted) = target.cuda
        && build.local.is_some()
        && build.cuda != Some(wanted)
    {
        found.push(Obstacle::OtherCuda { cuda: build.cuda, wanted });
    }
    // What has one build for all, as TensorFlow has, runs without a GPU; what needs torch's CUDA, its partner refuses.
    if let Some(cuda) = build.cuda
        && target.cpu_only
        && build.local.is_some()
    {
        found.push(Obstacle::CudaBuild { cuda });
        return found;
    }
    // Where there is no other, as of torchcodec 0.7 on PyPI, the package does its work on the CPU; torch alone is nothing there.
    let beside = || release.builds.iter().any(|other| other.cuda.is_some() && other.is_for(&build.platform));
    let cpu = if package.whole { build.cuda.is_none() } else { build.local.as_deref() == Some("cpu") && beside() };
    if cpu && !target.gpus.is_empty() && !target.cpu_only {
        found.push(Obstacle::CpuBuild);
    }
    if let (Some(cuda), Some(driver)) = (build.cuda, target.user_mode_driver())
        && let Some(gap) = runtime_gap(cuda, driver, db)
    {
        found.push(Obstacle::Driver { gap, driver: driver.clone() });
    }
    if build.code.iter().all(|code| code.for_cuda.is_none()) {
        let code: Vec<_> = build.code.iter().collect();
        found.extend(code_obstacles(&code, build.cuda, target, db));
    }
    found
}

/// The reasons that lie in device code which is loaded together. Code that is not known gives none.
#[must_use]
pub fn code_obstacles(code: &[&Code], cuda: Option<CudaVersion>, target: &Target, db: &RuleDb) -> Vec<Obstacle> {
    let mut found = Vec::new();
    let code: Vec<_> = code.iter().copied().filter(|code| !code.optional).collect();
    for (index, gpu) in target.gpus.iter().enumerate().filter(|_| !code.is_empty() && !target.cpu_only) {
        let ways: Vec<_> = code.iter().map(|code| code_runs(code, gpu.capability, cuda, db)).collect();
        if ways.iter().all(|way| *way == Runs::No) {
            let mut targets: Vec<_> = code.iter().flat_map(|code| code.sass.iter().chain(&code.ptx)).copied().collect();
            targets.sort_unstable();
            targets.dedup();
            let capability = gpu.capability.to_string();
            found.push(Obstacle::NoKernel { gpu: index, label: gpu.label.clone(), capability, targets });
        } else if ways.iter().all(|way| matches!(way, Runs::ThroughPtx(_) | Runs::No))
            && let (Some(cuda), Some(driver)) = (cuda, target.user_mode_driver())
            && let Some(gap) = ptx_gap(cuda, driver, db)
        {
            found.push(Obstacle::Ptx { gpu: index, label: gpu.label.clone(), gap, driver: driver.clone() });
        }
    }
    found
}

/// A Python version for PEP 440 specifiers.
#[must_use]
pub fn python_version(python: PythonVersion) -> crate::pep::Version {
    let mut numbers = vec![u64::from(python.major), u64::from(python.minor)];
    numbers.extend(python.micro.map(u64::from));
    crate::pep::Version::new(numbers)
}
