//! Builds that must fit each other beyond what they declare: CUDA variants of partners, libraries chosen by torch's CUDA.

use super::requirement::{parse, satisfied, specifiers};
use crate::pep::{Version, VersionSpecifiers};
use crate::rules::RuleDb;
use crate::rules::schema::{CudaAgreement, LibraryPick};
use crate::rules::store::model::{Agreement, Build, Code, Package, Partner, Release};
use crate::version::CudaVersion;

/// Whether two builds agree; none means a CPU build.
#[must_use]
pub fn agrees(rule: CudaAgreement, own: Option<CudaVersion>, partner: Option<CudaVersion>) -> bool {
    match (rule, own, partner) {
        (CudaAgreement::SameMajor, Some(own), Some(partner)) => own.major == partner.major,
        _ => own == partner,
    }
}

/// Whether a build of a release goes beside a partner's build for some CUDA, by a rule about their CUDAs.
///
/// Example: torchvision 0.22.1 for aarch64 is published as a CPU build alone; beside torch for CUDA it loads, and its own kernels are
/// not there. For x86_64 there are builds for CUDA, and the CPU build is the wrong one. 0.25.0 for aarch64 has one for CUDA 13, beside
/// which the CPU build is all there is for CUDA 12.
#[must_use]
pub fn goes_beside(
    (rule, agreement): (&Partner, CudaAgreement),
    release: Option<&Release>,
    platform: &str,
    own: Option<CudaVersion>,
    partner: Option<CudaVersion>,
) -> bool {
    let here = |build: &&Build| build.is_for(platform);
    let all_there_is = || {
        let mut builds = release.into_iter().flat_map(|release| &release.builds).filter(here).peekable();
        builds.peek().is_some() && !builds.any(|build| build.cuda.is_some() && agrees(agreement, build.cuda, partner))
    };
    agrees(agreement, own, partner) || (rule.loads_without_cuda && own.is_none() && all_there_is())
}

/// Whether a release of a partner is one that goes with a release, where the rule is about releases.
///
/// Example: the plugin 0.9.0 does not go with jaxlib 0.9.1, of which `release` asks the same; nor 0.4.35 with jax 0.4.34, whose
/// extra `cuda12` asks for `<=0.4.34,>=0.4.34`. An extra that nobody read asks for nothing.
#[must_use]
pub fn goes_with(rule: &Partner, own: &Version, row: Option<&Release>, partner: &Version) -> bool {
    match &rule.agreement {
        Agreement::Cuda(_) => true,
        Agreement::Release(_) => own.release() == partner.release(),
        Agreement::Extra(extra) => wanted_by(row, extra, &rule.with).iter().all(|range| satisfied(range, partner)),
    }
}

/// The releases of a partner that an extra of a release asks for; `row` is what the rules know of that release.
#[must_use]
pub fn wanted_by(row: Option<&Release>, extra: &str, partner: &str) -> Vec<VersionSpecifiers> {
    let extra = row.and_then(Release::extras).and_then(|extras| extras.get(extra).cloned()).unwrap_or_default();
    let lines = extra.requires.iter().filter_map(|line| parse(line).ok());
    lines.filter(|line| line.name.as_ref() == partner).filter_map(|line| specifiers(&line)).collect()
}

/// The library that a wheel with several loads beside torch's CUDA: by `pick`, among the CUDA versions it was built for.
///
/// Example: bitsandbytes 0.45.0 beside torch+cu128 has no library, since it picks exactly and ends at 12.6.
#[must_use]
pub fn pick_library(pick: LibraryPick, torch: CudaVersion, shipped: &[CudaVersion]) -> Option<CudaVersion> {
    if shipped.contains(&torch) {
        return Some(torch);
    }
    match pick {
        LibraryPick::TorchCudaExact => None,
        LibraryPick::TorchCudaMajor => {
            let same = || shipped.iter().filter(|cuda| cuda.major == torch.major);
            same().filter(|cuda| **cuda < torch).max().or_else(|| same().min()).copied()
        }
    }
}

/// The device code that a build loads beside torch's CUDA.
///
/// # Errors
///
/// `Err` holds the CUDA versions that the wheel ships, where none of them is picked. A build without libraries of that
/// kind loads all of its code: `Ok` of all entries.
pub fn loaded_code<'a>(
    package: &Package,
    version: &Version,
    build: &'a Build,
    torch: Option<CudaVersion>,
    db: &RuleDb,
) -> Result<Vec<&'a Code>, Vec<CudaVersion>> {
    let Some((pick, _)) = db.library_pick(package, version) else { return Ok(build.code.iter().collect()) };
    let Some(torch) = torch else { return Ok(Vec::new()) };
    let shipped: Vec<_> = build.code.iter().filter_map(|code| code.for_cuda).collect();
    if shipped.is_empty() {
        return Ok(build.code.iter().collect());
    }
    match pick_library(pick, torch, &shipped) {
        Some(cuda) => Ok(build.code.iter().filter(|code| code.for_cuda == Some(cuda)).collect()),
        None => Err(shipped),
    }
}
