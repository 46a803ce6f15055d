//! Which of two candidates is better: the whole of what "best" means to the solver.

use std::cmp::{Ordering, Reverse};

use pubgrub::VersionSet;

use super::provider::Node;
use super::request::Prefer;
use super::universe::{PYPI, Universe};
use super::versions::UNLISTED;
use crate::rules::Target;
use crate::rules::kernel::{Runs, code_runs};
use crate::version::CudaVersion;

pub(super) struct Preference<'u, 'a> {
    pub universe: &'u Universe<'a>,
}

/// The better of two versions of a node.
pub(super) fn better(preference: &Preference<'_, '_>, node: Node, left: u32, right: u32) -> u32 {
    let order = match node {
        Node::Release(package) => preference.release(package, left).cmp(&preference.release(package, right)),
        Node::Build(package) => preference.build(package, left).cmp(&preference.build(package, right)),
        Node::Root | Node::Ask(_) | Node::Choice(_) | Node::SharedRelease(_) | Node::SharedBuild(_) => Ordering::Equal,
    };
    if order == Ordering::Greater { right } else { left }
}

/// Smaller is better: installed where asked; near what was asked; able to assemble for the GPUs; newest.
type ReleaseRank = (bool, (bool, u32), bool, Reverse<u32>);

/// Smaller is better: installed where asked; machine code before PTX; a CUDA that the driver supports natively, the newest of
/// those, else the nearest above; PyPI's own; the label.
type BuildRank<'a> = (bool, bool, Option<CudaVersion>, bool, Reverse<Option<CudaVersion>>, bool, Option<&'a str>);

impl<'a> Preference<'_, 'a> {
    fn release(&self, package: usize, number: u32) -> ReleaseRank {
        let universe = self.universe;
        let candidates = &universe.packages[package];
        if number == UNLISTED {
            let installed = universe.prefer == Prefer::Installed && universe.unlisted(package).is_some();
            return (!installed, (true, u32::MAX), true, Reverse(0));
        }
        let release = candidates.release(number);
        let installed = universe.prefer == Prefer::Installed
            && universe.installed.get(candidates.name).is_some_and(|it| it.clone().without_local() == release.version);
        let near = universe.near.as_ref().filter(|near| near.0 == package).map(|near| &near.1);
        let distance =
            near.map_or((false, 0), |near| match candidates.releases().filter(|it| near.contains(it)).max() {
                Some(top) if number > top => (false, number - top),
                Some(top) => (true, top - number),
                None => (false, 0),
            });
        let assembles = universe.target(package).gpus.iter().all(|gpu| {
            candidates.builds_of(number).any(|build| {
                let known = &candidates.build(build).build.assembles;
                known.is_empty() || known.contains(&gpu.capability)
            })
        });
        let age = if universe.prefer == Prefer::Lowest { u32::MAX - number } else { number };
        (!installed, distance, !assembles, Reverse(age))
    }

    fn build(&self, package: usize, number: u32) -> BuildRank<'a> {
        let universe = self.universe;
        let candidates = &universe.packages[package];
        let candidate = candidates.build(number);
        let build = candidate.build;
        let full = candidates.release_of(candidate).full_version(build);
        let installed = universe.prefer == Prefer::Installed
            && universe.installed.get(candidates.name).is_some_and(|it| it.to_string() == full);
        let through_ptx = universe.targets.iter().flat_map(|target| &target.gpus).any(|gpu| {
            let mut code = build.code.iter().filter(|code| code.for_cuda.is_none());
            code.any(|code| matches!(code_runs(code, gpu.capability, build.cuda, universe.db), Runs::ThroughPtx(_)))
        });
        let drivers = universe.targets.iter().filter_map(Target::user_mode_driver);
        let native = drivers.filter_map(|driver| universe.db.native_cuda(driver)).min();
        let above = build.cuda.zip(native).filter(|(cuda, native)| cuda > native).map(|(cuda, _)| cuda);
        let elsewhere = build.index != PYPI;
        // Without a driver nothing says which CUDA is best, so the build that needs no further index is.
        let elsewhere_first = native.is_none() && elsewhere;
        (!installed, through_ptx, above, elsewhere_first, Reverse(build.cuda), elsewhere, build.local.as_deref())
    }
}
