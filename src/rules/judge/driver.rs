//! Does this driver run that CUDA runtime, and may a cuda-compat library stand in for a newer one?
//!
//! A runtime of CUDA 12.x runs on any driver from the oldest of its major release on (minor-version compatibility), as
//! long as it finds machine code. PTX is different: only a driver whose CUDA is not older than the toolkit that wrote it
//! compiles it. Forward compatibility puts the user-mode driver of a newer branch over an older kernel driver, on
//! data-centre GPUs only. Sources: `rules/platform/driver.toml`, `cuda.toml`, `forward_compat.toml`.

use super::target::Target;
use crate::rules::RuleDb;
use crate::rules::schema::{CompatPackage, CompatSupport};
use crate::version::{ComputeCapability, CudaVersion, DriverVersion};

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

/// A bound that a GPU sets to drivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GpuBound {
    /// The driver that came out with the first toolkit for it; older ones do not know it.
    First(DriverVersion, String),
    /// The last branch that supports it, e.g. 470, and the last toolkit.
    Last(u32, CudaVersion, String),
}

/// The oldest driver that knows a GPU: that of the first toolkit that compiles for it. None where the rules do not know, or where
/// an older one may do; Tegra has drivers of its own.
#[must_use]
pub fn first_driver(gpu: ComputeCapability, db: &RuleDb) -> Option<(DriverVersion, String)> {
    if db.machine_code().tegra.contains(&gpu) {
        return None;
    }
    let mut listed = db.toolkits().iter().filter(|row| !row.compiles_for.is_empty());
    // What the oldest of them compiles for already, an older one may do too.
    if listed.next()?.compiles_for.contains(&gpu) {
        return None;
    }
    let row = listed.find(|row| row.compiles_for.contains(&gpu))?;
    Some((row.linux_driver.clone(), db.toolkit_citation(row)))
}

/// The oldest driver that knows all GPUs of a target: of one that nobody names it is the least that there is. None where the rules
/// do not know.
#[must_use]
pub fn least_driver(target: &Target, db: &RuleDb) -> Option<DriverVersion> {
    target.gpus.iter().filter_map(|gpu| Some(first_driver(gpu.capability, db)?.0)).max()
}

/// Why a driver does not serve a GPU; none where it does, as far as the rules know.
#[must_use]
pub fn gpu_bound(gpu: ComputeCapability, driver: &DriverVersion, db: &RuleDb) -> Option<GpuBound> {
    if let Some((first, citation)) = first_driver(gpu, db)
        && driver.branch() < first.branch()
    {
        return Some(GpuBound::First(first, citation));
    }
    let row = db.lifetime(gpu).filter(|row| driver.branch() > row.last_branch)?;
    Some(GpuBound::Last(row.last_branch, row.last_toolkit, db.lifetime_citation(row)))
}

/// What to do about a driver that is too old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// From this one on it serves the CUDA runtime and every GPU.
    Update(DriverVersion),
    /// No driver does: the last branch for a GPU, by its index in `Target::gpus`, is older than that; with the last toolkit.
    NoDriver(usize, u32, CudaVersion),
}

/// The driver that serves all GPUs of a target from a version on that something needs.
#[must_use]
pub fn advise(needs: &DriverVersion, target: &Target, db: &RuleDb) -> Advice {
    let wanted = least_driver(target, db).map_or_else(|| needs.clone(), |least| least.max(needs.clone()));
    let dropped =
        target.gpus.iter().enumerate().find_map(|(index, gpu)| match gpu_bound(gpu.capability, &wanted, db)? {
            GpuBound::Last(branch, toolkit, _) => Some(Advice::NoDriver(index, branch, toolkit)),
            GpuBound::First(..) => None,
        });
    dropped.unwrap_or(Advice::Update(wanted))
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

/// The target without a compat library that cannot work there: what is planned for goes on the kernel's own driver.
#[must_use]
pub fn without_useless_compat(target: Target, db: &RuleDb) -> Target {
    if compat_fault(&target, db).is_some() { Target { compat: None, ..target } } else { target }
}

/// The cuda-compat package that would make a CUDA runtime work on this target, the oldest that does, and whether NVIDIA
/// vouches for all of its GPUs (`Yes`) or for some of their class (`Some`); none where the driver needs no help.
#[must_use]
pub fn compat_offer<'db>(
    cuda: CudaVersion,
    target: &Target,
    db: &'db RuleDb,
) -> Option<(&'db CompatPackage, CompatSupport)> {
    let driver = target.driver.as_ref()?;
    runtime_gap(cuda, driver, db)?;
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
    let served = |package: &CompatPackage| {
        let last = target.gpus.iter().filter_map(|gpu| db.lifetime(gpu.capability)).map(|row| row.last_branch).min();
        last.is_none_or(|last| package.branch <= last)
    };
    let package = db.compat_packages().iter().find(|package| {
        package.cuda >= cuda
            && package.cuda.major == cuda.major
            && package.works_on.contains(&driver.branch())
            && served(package)
    })?;
    Some((package, support))
}

/// The newest cuda-compat package that works on this target, and the driver whose user-mode part it is; none where none does,
/// or none is of use.
#[must_use]
pub fn best_compat<'db>(target: &Target, db: &'db RuleDb) -> Option<(&'db CompatPackage, DriverVersion)> {
    let mut cudas: Vec<CudaVersion> = db.toolkits().iter().map(|row| row.version).collect();
    cudas.sort_unstable();
    let offers = cudas.into_iter().rev().filter_map(|cuda| Some((compat_offer(cuda, target, db)?.0, cuda)));
    offers
        .filter_map(|(package, _)| Some((package, compat_driver(package, db)?)))
        .max_by(|one, other| one.1.cmp(&other.1))
}

/// The driver whose user-mode part a cuda-compat package is: that of the toolkit of its CUDA.
#[must_use]
pub fn compat_driver(package: &CompatPackage, db: &RuleDb) -> Option<DriverVersion> {
    let toolkit = db.toolkit(package.cuda).map(|row| row.linux_driver.clone());
    toolkit.or_else(|| oldest_driver(package.cuda, db).map(|(driver, _)| driver))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::judge::target::TargetGpu;
    use crate::rules::store::embedded;

    fn driver(text: &str) -> DriverVersion {
        text.parse().expect("a driver version")
    }

    fn target(gpu: &str, kernel: &str, compat: Option<&str>) -> Target {
        let model = embedded().gpu_by_loose_name(gpu).expect("a GPU");
        let gpu = TargetGpu {
            label: gpu.to_owned(),
            name: gpu.to_owned(),
            index: Some(0),
            capability: model.capability,
            class: model.class,
            memory: Vec::new(),
        };
        Target { gpus: vec![gpu], driver: Some(driver(kernel)), compat: compat.map(driver), ..Target::default() }
    }

    #[test]
    fn minor_versions_share_a_driver_but_majors_do_not() {
        let db = embedded();
        assert_eq!(runtime_gap(CudaVersion::new(12, 8), &driver("535.54.03"), db), None);
        let gap = runtime_gap(CudaVersion::new(13, 0), &driver("570.133.20"), db).expect("13 needs 580");
        assert_eq!(gap.needs.to_string(), "580.65.06");
        assert!(ptx_gap(CudaVersion::new(12, 8), &driver("535.54.03"), db).is_some(), "PTX is stricter");
    }

    #[test]
    fn a_gpu_bounds_every_advice() {
        let (db, needs) = (embedded(), driver("525.60.13"));
        let advice = |gpu, needs: &DriverVersion| advise(needs, &target(gpu, "470.57.02", None), db);
        assert_eq!(advice("RTX 3090", &needs), Advice::Update(needs.clone()));
        assert_eq!(advice("RTX 5090", &needs), Advice::Update(driver("570.26")), "CUDA 12.8 is the first for 12.0");
        assert_eq!(advice("Tesla K80", &needs), Advice::NoDriver(0, 470, CudaVersion::new(11, 8)));
        assert_eq!(advice("V100", &driver("580.65.06")), Advice::Update(driver("580.65.06")));
        assert_eq!(advice("V100", &driver("590.44.01")), Advice::NoDriver(0, 580, CudaVersion::new(12, 9)));
        let bound = |gpu, text| gpu_bound(target(gpu, text, None).gpus[0].capability, &driver(text), db);
        assert!(matches!(bound("RTX 5090", "550.54.15"), Some(GpuBound::First(first, _)) if first == driver("570.26")));
        assert!(matches!(bound("Tesla K80", "535.54.03"), Some(GpuBound::Last(470, ..))));
        assert_eq!((bound("RTX 4090", "535.54.03"), bound("Tesla K80", "470.57.02")), (None, None));
        // The user-mode part of a newer branch does not know Kepler either.
        assert_eq!(compat_offer(CudaVersion::new(12, 4), &target("Tesla K80", "470.57.02", None), db), None);
    }

    #[test]
    fn compat_helps_older_drivers_of_data_centre_gpus_only() {
        let db = embedded();
        assert_eq!(compat_fault(&target("H100", "570.133.20", Some("580.65.06")), db), None);
        let fault = compat_fault(&target("RTX 4090", "570.133.20", Some("580.65.06")), db);
        assert!(matches!(fault, Some(CompatFault::WrongGpu(0, _))), "{fault:?}");
        let fault = compat_fault(&target("H100", "580.159.04", Some("580.65.06")), db);
        assert_eq!(fault, Some(CompatFault::OlderThanDriver));
    }

    #[test]
    fn compat_is_offered_where_the_matrix_allows_it() {
        let (db, cuda) = (embedded(), CudaVersion::new(13, 0));
        let (package, support) = compat_offer(cuda, &target("H100", "570.133.20", None), db).expect("an offer");
        assert_eq!((package.name.as_str(), support), ("cuda-compat-13-0", CompatSupport::Yes));
        assert_eq!(compat_offer(cuda, &target("RTX 4090", "570.133.20", None), db), None);
        assert_eq!(compat_offer(cuda, &target("H100", "580.65.06", None), db), None);
    }
}
