//! The smallest change: as few packages as can be differ from what is installed.
//!
//! That each package stays as it is, is a wish. Wishes that cannot all be granted (a *core*) are found from failures; at least
//! one of each core must go. The smallest set of wishes that meets every core is tried, and where the rest then has a solution,
//! no smaller set has one: any solution drops a wish of every core. (The implicit hitting set method of MaxSAT, as in
//! Davies and Bacchus, "Solving MAXSAT by Solving a Sequence of Simpler SAT Instances", 2011.)

use std::collections::BTreeSet;

use pep440_rs::VersionSpecifiers;
use pubgrub::VersionSet;

use super::conflict::used;
use super::provider::{Picks, Tree, search};
use super::request::Request;
use super::rule::Rule;
use super::scope::Scope;
use super::universe::{Ask, Universe};
use super::versions::Versions;
use crate::rules::raw::CudaAgreement;
use crate::version::CudaVersion;

/// The best solution: with the fewest wishes dropped, or simply the preferred one where there are none.
///
/// # Errors
///
/// The derivation of the failure, where there is no solution even without any wish.
pub(super) fn best(universe: &Universe<'_>) -> Result<Picks, Box<Tree>> {
    let wishes: BTreeSet<Rule> = universe.wishes.iter().map(|ask| Rule::Ask(*ask)).collect();
    if wishes.is_empty() {
        return search(universe, Scope::Without(&universe.given_up));
    }
    let without = |dropped: &BTreeSet<Rule>| dropped.union(&universe.given_up).copied().collect::<BTreeSet<_>>();
    let mut cores: Vec<BTreeSet<Rule>> = Vec::new();
    loop {
        let dropped = smallest_hitting_set(&cores, |wish| weight(universe, wish));
        let tree = match search(universe, Scope::Without(&without(&dropped))) {
            Ok(picks) => return Ok(picks),
            Err(tree) => tree,
        };
        let scope = without(&dropped);
        let core: BTreeSet<Rule> =
            used(universe, Scope::Without(&scope), &tree).intersection(&wishes).copied().collect();
        if core.is_empty() {
            return Err(tree);
        }
        match fewest(universe, &wishes, core, &without) {
            Ok(core) => cores.push(core),
            Err(tree) => return Err(tree),
        }
    }
}

/// Gives partners the same CUDA where their rule would also have another of that major release: `torch` for CUDA 13.2 beside
/// `torchvision` for 13.0 loads, and nobody has tried it. The releases stay as they were picked.
pub(super) fn alike(request: &Request, universe: &Universe<'_>, picks: Picks) -> Picks {
    let cuda = |package: usize| picks[package].map(|(_, build)| universe.packages[package].build(build).build.cuda);
    let unlike = |package: &usize| -> Option<(usize, Option<CudaVersion>)> {
        let own = &universe.packages[*package];
        let partner = own.package.partners.iter().find(|partner| partner.cuda == CudaAgreement::SameMajor)?;
        let with = cuda(universe.find(own.target, &partner.with)?)?;
        (cuda(*package)? != with).then_some((*package, with))
    };
    let wanted: Vec<_> = (0..universe.packages.len()).filter_map(|package| unlike(&package)).collect();
    if wanted.is_empty() {
        return picks;
    }
    let mut narrow = Universe::new(request, universe.db);
    narrow.given_up.extend(narrow.wishes.drain(..).map(Rule::Ask));
    let ask = |package: usize, releases: Versions, builds: Option<Versions>| Ask {
        package,
        text: String::new(),
        origins: BTreeSet::new(),
        owners: BTreeSet::new(),
        variant: false,
        constraint: true,
        specifiers: VersionSpecifiers::empty(),
        releases,
        builds,
    };
    for (package, pick) in picks.iter().enumerate() {
        let Some((release, build)) = *pick else { continue };
        let free = wanted.iter().any(|(other, _)| *other == package);
        let builds = (!free).then(|| Versions::singleton(build));
        narrow.asks.push(ask(package, Versions::singleton(release), builds));
    }
    for (package, cuda) in wanted {
        let builds = narrow.packages[package].builds.iter().zip(1..);
        let builds = Versions::of(builds.filter(|(it, _)| it.build.cuda == cuda).map(|(_, number)| number));
        let releases = Versions::of(narrow.packages[package].releases());
        narrow.wishes.push(narrow.asks.len());
        narrow.asks.push(ask(package, releases, Some(builds)));
    }
    best(&narrow).unwrap_or(picks)
}

/// Leaves out of a core what it does not need. The error: nothing of it is needed, so there is no solution at all.
fn fewest(
    universe: &Universe<'_>,
    wishes: &BTreeSet<Rule>,
    mut core: BTreeSet<Rule>,
    without: &dyn Fn(&BTreeSet<Rule>) -> BTreeSet<Rule>,
) -> Result<BTreeSet<Rule>, Box<Tree>> {
    for wish in core.clone() {
        if !core.remove(&wish) {
            continue;
        }
        let off = without(&wishes.difference(&core).copied().collect());
        match search(universe, Scope::Without(&off)) {
            Ok(_) => {
                core.insert(wish);
            }
            Err(tree) => {
                core = used(universe, Scope::Without(&off), &tree).intersection(&core).copied().collect();
                if core.is_empty() {
                    return Err(tree);
                }
            }
        }
    }
    Ok(core)
}

/// Which of two packages to change, if either will do: the one on which fewer depend.
fn weight(universe: &Universe<'_>, wish: Rule) -> usize {
    match wish {
        Rule::Ask(ask) => universe.packages[universe.asks[ask].package].dependents,
        _ => 0,
    }
}

/// The smallest set that has a member in common with each of these; of several the lightest, then the first.
fn smallest_hitting_set(cores: &[BTreeSet<Rule>], weight: impl Fn(Rule) -> usize) -> BTreeSet<Rule> {
    let mut best: Option<(usize, usize, BTreeSet<Rule>)> = None;
    let mut waiting = vec![BTreeSet::new()];
    let mut seen = BTreeSet::new();
    while let Some(set) = waiting.pop() {
        if !seen.insert(set.clone()) {
            continue;
        }
        let key = (set.len(), set.iter().map(|wish| weight(*wish)).sum(), set.clone());
        if best.as_ref().is_some_and(|best| best.0 < key.0) {
            continue;
        }
        match cores.iter().find(|core| core.is_disjoint(&set)) {
            None => {
                if best.as_ref().is_none_or(|best| key < *best) {
                    best = Some(key);
                }
            }
            Some(_) if best.as_ref().is_some_and(|best| best.0 == set.len()) => {}
            Some(core) => {
                let with = |wish: &Rule| set.iter().copied().chain([*wish]).collect();
                waiting.extend(core.iter().rev().map(with));
            }
        }
    }
    best.map(|(_, _, set)| set).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hitting_set_is_as_small_as_can_be() {
        let core = |asks: &[usize]| asks.iter().map(|ask| Rule::Ask(*ask)).collect::<BTreeSet<_>>();
        let cores = [core(&[1, 2]), core(&[2, 3]), core(&[4, 5]), core(&[3, 5])];
        // Greedy takes 1, then 2 or 3, then 4, then 3 or 5.
        assert_eq!(smallest_hitting_set(&cores, |_| 0), core(&[2, 5]));
        assert_eq!(smallest_hitting_set(&[], |_| 0), core(&[]));
        assert_eq!(smallest_hitting_set(&cores[..1], |wish| usize::from(wish == Rule::Ask(1))), core(&[2]));
    }
}
