//! Which of two candidates is better: the whole of what "best" means to the solver.

use std::cmp::{Ordering, Reverse};

use pubgrub::VersionSet;

use super::candidates::PYPI;
use super::node::Node;
use super::request::Prefer;
use super::universe::Universe;
use super::versions::UNLISTED;
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

/// Smaller is better: installed where asked; the least distance in minor releases from what is installed, or from what was
/// asked, newer before older; able to assemble for the GPUs; newest.
type ReleaseRank = (bool, Distance, Distance, bool, Reverse<u32>);

/// Smaller is nearer: of what is asked, any way forward before any way back; of what is installed, the distance first.
type Distance = (bool, u32, bool);

/// Smaller is better: installed where asked; machine code before PTX; the CUDA of the installed family; the default index's
/// own; the newest CUDA; the label.
type BuildRank<'a> = (bool, bool, bool, bool, Reverse<Option<CudaVersion>>, Option<&'a str>);

impl<'a> Preference<'_, 'a> {
    fn release(&self, package: usize, number: u32) -> ReleaseRank {
        let universe = self.universe;
        let candidates = &universe.packages[package];
        let none: Distance = (false, 0, false);
        let installed = universe.installed.get(candidates.name).filter(|_| universe.prefer == Prefer::Installed);
        if number == UNLISTED {
            return (installed.is_none(), none, (true, u32::MAX, true), true, Reverse(0));
        }
        let release = candidates.release(number);
        let public = installed.map(|version| version.clone().without_local());
        let near = universe.near.get(&package).filter(|near| !near.releases.contains(&number)).map_or(none, |near| {
            let mut asked = candidates.releases().filter(|it| near.releases.contains(it));
            match asked.clone().max() {
                Some(top) if number > top => (false, candidates.minors_between(top, number), false),
                Some(_) => {
                    let low = asked.next().unwrap_or(number);
                    (true, candidates.minors_between(number.min(low), low), true)
                }
                None => near.pin.as_ref().map_or(none, |pin| {
                    let older = release.version < *pin;
                    (older, candidates.minors_from(pin, number), older)
                }),
            }
        });
        let away = public.as_ref().filter(|public| **public != release.version).map_or(none, |public| {
            let older = release.version < *public;
            (false, candidates.minors_from(public, number), older)
        });
        let assembles = universe.target(package).gpus.iter().all(|gpu| {
            candidates.builds_of(number).any(|build| {
                let known = &candidates.build(build).build.assembles;
                known.is_empty() || known.contains(&gpu.capability)
            })
        });
        let age = if universe.prefer == Prefer::Lowest { u32::MAX - number } else { number };
        (public.is_some_and(|public| public != release.version), near, away, !assembles, Reverse(age))
    }

    fn build(&self, package: usize, number: u32) -> BuildRank<'a> {
        let universe = self.universe;
        let candidates = &universe.packages[package];
        let candidate = candidates.build(number);
        let build = candidate.build;
        let installed = universe.installed.get(candidates.name).filter(|_| universe.prefer == Prefer::Installed);
        let stays = installed.is_some_and(|version| candidates.is_installed(candidate, version));
        let through_ptx = universe.targets.iter().flat_map(|target| &target.gpus).any(|gpu| {
            let mut code = build.code.iter().filter(|code| code.for_cuda.is_none());
            code.any(|code| matches!(code_runs(code, gpu.capability, build.cuda, universe.db), Runs::ThroughPtx(_)))
        });
        let other_family = universe.family.is_some_and(|family| family.0 != build.cuda);
        let elsewhere = build.index != PYPI;
        (!stays, through_ptx, other_family, elsewhere, Reverse(build.cuda), build.local.as_deref())
    }
}
