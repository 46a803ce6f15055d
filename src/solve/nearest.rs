//! The smallest change, by the measure of the design: anchors keep their release, and the framework before the extensions its
//! CUDA too; then as few installed packages as can be change release, then build, and of these go back; what is new costs nothing.
//!
//! That a package keeps its release, and that it keeps its build, are wishes with a [`Cost`]. Wishes that cannot all be granted
//! (a *core*) are found from failures; at least one of each core must go. The cheapest set of wishes that meets every core is
//! tried, and where the rest then has a solution, no cheaper set has one: any solution drops a wish of every core. (The
//! implicit hitting set method of MaxSAT, as in Davies and Bacchus, "Solving MAXSAT by Solving a Sequence of Simpler SAT
//! Instances", 2011.) Which of the releases that are left is nearest, [`super::preference`] says.

use std::collections::BTreeSet;

use pubgrub::VersionSet;

use super::ask::{Keeps, NumberedRequirement};
use super::conflict::used;
use super::numbering;
use super::provider::{Picks, Tree, search};
use super::request::Request;
use super::rule::Rule;
use super::scope::Scope;
use super::universe::Universe;
use super::versions::Versions;
use crate::rules::model::Agreement;
use crate::rules::schema::{CudaAgreement, Headline};
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
        let dropped = cheapest_hitting_set(&cores, |wish| universe.together(wish), |wish| universe.cost(wish));
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
        let partner =
            own.package.partners.iter().find(|it| it.agreement == Agreement::Cuda(CudaAgreement::SameMajor))?;
        let with = cuda(universe.find(own.target, &partner.with)?)?;
        (cuda(*package)? != with).then_some((*package, with))
    };
    let wanted: Vec<_> = (0..universe.packages.len()).filter_map(|package| unlike(&package)).collect();
    if wanted.is_empty() {
        return picks;
    }
    let mut narrow = numbering::universe(request, universe.db);
    narrow.given_up.extend(narrow.wishes.drain(..).map(Rule::Ask));
    for (package, pick) in picks.iter().enumerate() {
        let Some((release, build)) = *pick else { continue };
        let free = wanted.iter().any(|(other, _)| *other == package);
        let builds = (!free).then(|| Versions::singleton(build));
        narrow.asks.push(NumberedRequirement::new(package, String::new(), Versions::singleton(release), builds));
    }
    for (package, cuda) in wanted {
        let builds = narrow.packages[package].builds.iter().zip(1..);
        let builds = Versions::of(builds.filter(|(it, _)| it.build.cuda == cuda).map(|(_, number)| number));
        let releases = Versions::of(narrow.packages[package].releases());
        narrow.wishes.push(narrow.asks.len());
        narrow.asks.push(NumberedRequirement::new(package, String::new(), releases, Some(builds)));
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

/// What it costs to drop wishes, the dearest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    /// Lines of the user that change.
    lines: u32,
    /// Packages that were installed by name and change release.
    requested: u32,
    /// Serving applications that do: what serves never moves because a neighbour went too far ahead.
    serving: u32,
    /// Packages with a role in the stack that fall back far, which is nearly to take them away.
    set_back: u32,
    /// Frameworks that change release.
    frameworks: u32,
    /// The framework that leaves its release, or the CUDA for which the family is built: all of it is then downloaded anew.
    families: u32,
    /// Extensions that change release.
    extensions: u32,
    /// Packages that do.
    releases: u32,
    /// Packages that change build.
    builds: u32,
    /// Packages that go back to an older release.
    back: u32,
    /// How many packages depend on what changes: of two that would do, the one on which fewer depend.
    dependents: usize,
}

impl std::ops::Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            lines: self.lines + other.lines,
            requested: self.requested + other.requested,
            serving: self.serving + other.serving,
            set_back: self.set_back + other.set_back,
            frameworks: self.frameworks + other.frameworks,
            families: self.families + other.families,
            extensions: self.extensions + other.extensions,
            releases: self.releases + other.releases,
            builds: self.builds + other.builds,
            back: self.back + other.back,
            dependents: self.dependents + other.dependents,
        }
    }
}

impl Universe<'_> {
    /// What it costs to drop a wish.
    fn cost(&self, wish: Rule) -> Cost {
        let Rule::Ask(ask) = wish else { return Cost::default() };
        let ask = &self.asks[ask];
        let dependents = self.packages[ask.package].dependents;
        match ask.keeps {
            Some(Keeps::Release { requested, headline }) => Cost {
                requested: u32::from(requested),
                serving: u32::from(headline == Some(Headline::Serving)),
                frameworks: u32::from(headline == Some(Headline::Framework)),
                extensions: u32::from(headline == Some(Headline::Extension)),
                releases: 1,
                dependents,
                ..Cost::default()
            },
            Some(Keeps::Reach) => Cost { set_back: 1, ..Cost::default() },
            Some(Keeps::Family) => Cost { families: 1, ..Cost::default() },
            Some(Keeps::Forward) => Cost { back: 1, ..Cost::default() },
            Some(Keeps::Build) => Cost { builds: 1, ..Cost::default() },
            Some(Keeps::Line) => Cost { lines: 1, dependents, ..Cost::default() },
            None => Cost { releases: 1, dependents, ..Cost::default() },
        }
    }

    /// A wish, and those that go with it: a package that goes back changes release, and one that changes release changes build,
    /// after which its CUDA is as good as another; a line counts on all targets.
    fn together(&self, wish: Rule) -> Vec<Rule> {
        let Rule::Ask(at) = wish else { return vec![wish] };
        let own = &self.asks[at];
        let goes = |keeps: Keeps| match own.keeps {
            Some(Keeps::Family) => keeps == Keeps::Build,
            Some(Keeps::Release { .. }) => matches!(keeps, Keeps::Build | Keeps::Family),
            Some(Keeps::Forward) => matches!(keeps, Keeps::Build | Keeps::Family | Keeps::Release { .. }),
            Some(Keeps::Reach) => !matches!(keeps, Keeps::Reach | Keeps::Line),
            Some(Keeps::Line | Keeps::Build) | None => false,
        };
        let is_line = |ask: &NumberedRequirement| ask.keeps == Some(Keeps::Line);
        let line = |ask: &NumberedRequirement| (ask.package % self.width, ask.text.clone());
        let follows = |other: &NumberedRequirement| {
            let part = other.package == own.package && other.keeps.is_some_and(goes);
            part || (is_line(own) && is_line(other) && line(own) == line(other))
        };
        let others = self.wishes.iter().copied().filter(|other| follows(&self.asks[*other])).map(Rule::Ask);
        [wish].into_iter().chain(others.filter(|other| *other != wish)).collect()
    }
}

/// The cheapest set that has a member in common with each of these; of several the first. What goes `with` a member is in the
/// set too.
fn cheapest_hitting_set(
    cores: &[BTreeSet<Rule>],
    with: impl Fn(Rule) -> Vec<Rule>,
    cost: impl Fn(Rule) -> Cost,
) -> BTreeSet<Rule> {
    let mut best: Option<(Cost, BTreeSet<Rule>)> = None;
    let mut waiting = vec![BTreeSet::new()];
    let mut seen = BTreeSet::new();
    while let Some(set) = waiting.pop() {
        if !seen.insert(set.clone()) {
            continue;
        }
        let sum = set.iter().map(|wish| cost(*wish)).fold(Cost::default(), |sum, cost| sum + cost);
        let key = (sum, set);
        if best.as_ref().is_some_and(|best| best.0 < key.0) {
            continue;
        }
        match cores.iter().find(|core| core.is_disjoint(&key.1)) {
            None => {
                if best.as_ref().is_none_or(|best| key < *best) {
                    best = Some(key);
                }
            }
            Some(core) => {
                let mut choices: Vec<Rule> = core.iter().copied().collect();
                // The cheapest is looked at first, so that the dearer ones are cut short.
                choices.sort_by_key(|wish| std::cmp::Reverse(cost(*wish)));
                waiting.extend(choices.into_iter().map(|wish| key.1.iter().copied().chain(with(wish)).collect()));
            }
        }
    }
    best.map(|(_, set)| set).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smallest_hitting_set(cores: &[BTreeSet<Rule>], dependents: impl Fn(Rule) -> usize) -> BTreeSet<Rule> {
        let cost = |wish| Cost { releases: 1, dependents: dependents(wish), ..Cost::default() };
        cheapest_hitting_set(cores, |wish| vec![wish], cost)
    }

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
