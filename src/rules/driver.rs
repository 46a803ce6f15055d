//! Does this driver run that CUDA runtime, and may a cuda-compat library stand in for a newer one?
//!
//! A runtime of CUDA 12.x runs on any driver from the oldest of its major release on (minor-version compatibility), as
//! long as it finds machine code. PTX is different: only a driver whose CUDA is not older than the toolkit that wrote it
//! compiles it. Forward compatibility puts the user-mode driver of a newer branch over an older kernel driver, on
//! data-centre GPUs only. Sources: `rules/platform/driver.toml`, `cuda.toml`, `forward_compat.toml`.

use super::raw_platform::{CompatSupport, RawCompatPackage};
use super::{RuleDb, Target};
use crate::version::{CudaVersion, DriverVersion};

/// What a driver lacks for a CUDA runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverGap {
    /// The runtime, e.g. 13.0.
    pub cuda: CudaVersion,
    /// The oldest driver that runs it, e.g. `580.65.06`.
    pub needs: DriverVersion,
    /// The page that says so.
    pub citation: String,
}

/// The oldest driver that runs a CUDA runtime; none where the rules do not know.
#[must_use]
pub fn oldest_driver(cuda: CudaVersion, db: &RuleDb) -> Option<(DriverVersion, String)> {
    if let Some(family) = db.family(cuda.major) {
        return Some((family.linux_driver.clone(), db.family_citation(family)));
    }
    let toolkit = db.toolkit(cuda)?;
    Some((toolkit.linux_driver.clone(), db.toolkit_citation(toolkit)))
}

/// What a driver lacks to run a CUDA runtime; none where it runs.
#[must_use]
pub fn runtime_gap(cuda: CudaVersion, driver: &DriverVersion, db: &RuleDb) -> Option<DriverGap> {
    let (needs, citation) = oldest_driver(cuda, db)?;
    (*driver < needs).then_some(DriverGap { cuda, needs, citation })
}

/// What a driver lacks to compile PTX that a toolkit wrote; none where it understands it.
#[must_use]
pub fn ptx_gap(cuda: CudaVersion, driver: &DriverVersion, db: &RuleDb) -> Option<DriverGap> {
    let toolkit = db.toolkit(cuda)?;
    let citation = db.toolkit_citation(toolkit);
    (*driver < toolkit.linux_driver).then(|| DriverGap { cuda, needs: toolkit.linux_driver.clone(), citation })
}

/// Why a cuda-compat library in front does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompatFault {
    /// It is older than the kernel driver: `cuInit` fails with 803.
    OlderThanDriver,
    /// A GPU is of a class that forward compatibility leaves out: 804. The index into `Target::gpus`, and the page.
    WrongGpu(usize, String),
    /// NVIDIA's matrix excludes the pair of branches. The package and the page.
    Refused(String, String),
}

/// Judges the cuda-compat library that is in front, if one is; the kernel driver must be known.
#[must_use]
pub fn compat_fault(target: &Target, db: &RuleDb) -> Option<CompatFault> {
    let (compat, driver) = (target.compat.as_ref()?, target.driver.as_ref()?);
    if compat < driver {
        return Some(CompatFault::OlderThanDriver);
    }
    if compat == driver {
        return None;
    }
    for (index, gpu) in target.gpus.iter().enumerate() {
        if let Some((CompatSupport::No, citation)) = gpu.class.and_then(|class| db.compat_support(class)) {
            return Some(CompatFault::WrongGpu(index, citation));
        }
    }
    let package = db.compat_packages().iter().find(|package| package.branch == compat.branch())?;
    let refused = package.refuses.contains(&driver.branch()) && package.branch != driver.branch();
    refused.then(|| CompatFault::Refused(package.name.clone(), db.compat_citation(package)))
}

/// The cuda-compat package that would make a CUDA runtime work on this target, the oldest that does, and whether NVIDIA
/// vouches for all of its GPUs (`Yes`) or for some of their class (`Some`).
#[must_use]
pub fn compat_offer<'db>(
    cuda: CudaVersion,
    target: &Target,
    db: &'db RuleDb,
) -> Option<(&'db RawCompatPackage, CompatSupport)> {
    let driver = target.driver.as_ref()?;
    let mut support = CompatSupport::Yes;
    if target.gpus.is_empty() {
        return None;
    }
    for gpu in &target.gpus {
        match db.compat_support(gpu.class?)?.0 {
            CompatSupport::No => return None,
            CompatSupport::Some => support = CompatSupport::Some,
            CompatSupport::Yes => {}
        }
    }
    let package = db.compat_packages().iter().find(|package| {
        package.cuda >= cuda && package.cuda.major == cuda.major && package.works_on.contains(&driver.branch())
    })?;
    Some((package, support))
}
