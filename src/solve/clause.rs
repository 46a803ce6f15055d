//! Advisories as incompatibilities: sets of versions that must not all be chosen.

use pubgrub::VersionSet;

use super::node::{Clause, Node};
use super::universe::Universe;
use super::versions::{ABSENT, Versions};
use crate::rules::advisory::{Environment, holds, of_cuda};
use crate::rules::schema::{Advisory, Condition, Level};

/// The package whose builds name the CUDA runtime that a condition's `cuda` is about.
const CUDA_OWNER: &str = crate::facts::TORCH;

/// Whether an advisory forbids: what only a symptom tells of, or may work, forbids nothing.
pub(super) fn is_certain(advisory: &Advisory) -> bool {
    advisory.severity == Level::Fail && !advisory.needs_symptom
}

/// The clauses of all advisories that say "fail", without waiting for a symptom, and can apply on this target to packages of
/// this universe.
pub(super) fn clauses<'a>(universe: &Universe<'a>) -> Vec<Clause<'a>> {
    let mut found = Vec::new();
    for advisory in universe.db.advisories().filter(|advisory| is_certain(advisory)) {
        for condition in &advisory.when {
            let own = (0..universe.targets.len()).filter_map(|target| terms(condition, universe, target));
            let possible = own.filter(|terms| terms.iter().all(|(_, versions)| !versions.is_empty()));
            found.extend(possible.map(|terms| Clause { advisory, terms }));
        }
    }
    found
}

fn terms(condition: &Condition, universe: &Universe<'_>, target: usize) -> Option<Vec<(Node, Versions)>> {
    let host = Condition { installed: Vec::new(), absent: Vec::new(), cuda: None, ..condition.clone() };
    let nothing = |_: &str| None;
    holds(
        &host,
        &Environment {
            installed: &nothing,
            cuda: None,
            target: &universe.targets[target],
            workload: &[],
            messages: &[],
        },
    )?;
    let cuda = match &condition.cuda {
        Some(range) => Some(range.specifiers()?),
        None => None,
    };
    let mut terms = Vec::new();
    let mut owner = None;
    for line in &condition.installed {
        let package = universe.find(target, line.name()?)?;
        let (releases, builds) = universe.matching(package, line.range()?);
        let node = match builds {
            Some(builds) => (Node::Build(package), builds),
            None => (Node::Release(package), releases),
        };
        if cuda.is_some() && universe.packages[package].name == CUDA_OWNER {
            owner = Some(terms.len());
        }
        terms.push(node);
    }
    if terms.is_empty() {
        return None;
    }
    if let Some(cuda) = cuda {
        let package = universe.find(target, CUDA_OWNER)?;
        let of_release = owner.map(|at| terms.remove(at));
        let fits = universe.packages[package].builds.iter().zip(1..).filter(|(candidate, number)| {
            let by_release = match &of_release {
                Some((Node::Release(_), releases)) => releases.contains(&(candidate.release + 1)),
                Some((_, builds)) => builds.contains(number),
                None => true,
            };
            by_release && candidate.build.cuda.is_some_and(|version| cuda.contains(&of_cuda(version)))
        });
        terms.push((Node::Build(package), Versions::of(fits.map(|(_, number)| number))));
    }
    for name in &condition.absent {
        if universe.unchecked.contains(name) {
            return None;
        }
        terms.push((Node::Release(universe.find(target, name)?), Versions::of([ABSENT])));
    }
    Some(terms)
}
