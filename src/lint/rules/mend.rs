//! What to change so that a set can be met: the fewest lines and indexes, and of those the nearest versions.
//!
//! Each thing that may change is a unit: the versions of a package, wherever the files write them, and an index of a CUDA
//! variant. A set of units is changed if nothing smaller lets the set be met; of two as small the one whose packages matter less
//! to people. Each package then moves the least: fewest minor releases, newer before older, and the last patch of one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::change::{Exchanged, Mend, Rewritten};
use super::nearest::{by_distance, worded};
use super::repeated;
use super::solver::Solver;
use super::view::{PYPI, TORCH, View, on_pypi};
use crate::lint::Edit;
use crate::lint::project::{From, IndexAt, Line};
use crate::pep::Version;
use crate::rules::Target;
use crate::rules::model::Package;
use crate::rules::requirement::{parse, specifiers};
use crate::rules::schema::Headline;
use crate::solve::{AskedRequirement, Request};
use crate::version::CudaVersion;

/// Something that may change.
enum Unit<'p> {
    Package { name: &'p str, lines: Vec<&'p Line>, weight: u32 },
    Index { at: &'p IndexAt, name: String, edits: Vec<Edit> },
}

/// So many sets are tried before nothing is proposed.
const MOST_ROUNDS: usize = 24;

/// Looks for the change. `others` are the targets for which the same lines must do.
///
/// Where a file names no index, a change that does with PyPI alone is preferred: with any other one an index is to be named.
pub fn mend<'p>(view: &View<'p>, target: &Target, others: &[Target], solver: &Solver<'_>) -> Option<Mend<'p>> {
    let units = units(view, target);
    let mender = |unnamed| Mender { view, target, others, solver, units: &units, unnamed };
    let from_pypi = view.names_no_index().then(|| mender(Some(PYPI)).mend()).flatten();
    from_pypi.or_else(|| mender(None).mend())
}

fn units<'p>(view: &View<'p>, target: &Target) -> Vec<Unit<'p>> {
    let mut units: Vec<Unit<'p>> = Vec::new();
    for line in view.applying(target) {
        if let From::Main(at) | From::Extra(at) = &line.source
            && let Some(name) = view.db.index_at(&at.url)
            && CudaVersion::from_variant(&name).is_some()
            && !units.iter().any(|unit| matches!(unit, Unit::Index { at: known, .. } if known.url == at.url))
            && let Some(edits) = index_edits(view, at, &name)
        {
            units.push(Unit::Index { at, name, edits });
        }
        let Some(package) = view.db.package(&line.name) else { continue };
        if specifiers(&line.requirement).is_none_or(|range| range.is_empty()) {
            continue;
        }
        let known = units.iter_mut().find_map(|unit| match unit {
            Unit::Package { name, lines, .. } if *name == line.name => Some(lines),
            _ => None,
        });
        match known {
            Some(lines) => lines.push(line),
            None => units.push(Unit::Package { name: &line.name, lines: vec![line], weight: weight(package) }),
        }
    }
    // What stands where nothing can be written stays.
    units.retain(|unit| match unit {
        Unit::Package { lines, .. } => lines.iter().all(|line| line.versions.is_some()),
        Unit::Index { .. } => true,
    });
    units
}

/// What people install it for: a serving application is kept before its framework, that before an extension.
fn weight(package: &Package) -> u32 {
    match package.headline {
        Some(Headline::Serving) => 8,
        Some(Headline::Framework) => 4,
        Some(Headline::Extension) => 2,
        None => 1,
    }
}

struct Mender<'m, 'p> {
    view: &'m View<'p>,
    target: &'m Target,
    others: &'m [Target],
    solver: &'m Solver<'m>,
    units: &'m [Unit<'p>],
    /// The index of what none is named for.
    unnamed: Option<&'static str>,
}

type Set = BTreeSet<usize>;
type Chosen = BTreeMap<String, Version>;

impl<'p> Mender<'_, 'p> {
    fn mend(&self) -> Option<Mend<'p>> {
        let relaxed = self.fewest()?;
        let chosen = self.nearest(&relaxed);
        let indexes = self.indexes(&relaxed, &chosen)?;
        // Ranges like the old ones; where an installer could take too much of them, pins.
        [false, true].into_iter().find_map(|pinned| self.written(&relaxed, &chosen, &indexes, pinned))
    }

    /// The request with some units let go. `index` says which index stands for one that is let go, by its address.
    fn request(&self, relaxed: &Set, index: &dyn Fn(&str) -> Option<String>) -> Request {
        let loose = |url: &str| {
            let mut units = relaxed.iter().filter_map(|at| self.units.get(*at));
            units.any(|unit| matches!(unit, Unit::Index { at, .. } if at.url == url))
        };
        let name = |at: &IndexAt| if loose(&at.url) { index(&at.url) } else { self.view.db.index_at(&at.url) };
        let mut request =
            Request { beside: self.others.to_vec(), ..self.view.request_by(self.target, self.unnamed, &name) };
        for asked in request.requirements.iter_mut().chain(&mut request.constraints) {
            let mut units = relaxed.iter().filter_map(|at| self.units.get(*at));
            if units.any(|unit| matches!(unit, Unit::Package { name, .. } if *name == asked.requirement.name.as_ref()))
            {
                asked.requirement.version_or_url = None;
            }
        }
        super::solver::whole(request)
    }

    fn is_possible(&self, relaxed: &Set) -> bool {
        self.solver.is_possible(&self.request(relaxed, &|_| None))
    }

    /// The smallest set of units without which the rest can be met: each set that cannot be met is cut down to the units that
    /// contradict each other, and one of those must go.
    fn fewest(&self) -> Option<Set> {
        let mut conflicts: Vec<Set> = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let relaxed = self.hit(&conflicts);
            if self.is_possible(&relaxed) {
                return Some(relaxed);
            }
            let mut kept: Set = (0..self.units.len()).filter(|at| !relaxed.contains(at)).collect();
            let all: Vec<usize> = kept.iter().copied().collect();
            for at in all {
                kept.remove(&at);
                let rest = (0..self.units.len()).filter(|at| !kept.contains(at)).collect();
                if self.is_possible(&rest) {
                    kept.insert(at);
                }
            }
            if kept.is_empty() {
                return None;
            }
            conflicts.push(kept);
        }
        None
    }

    /// The cheapest set that has a unit of each conflict.
    fn hit(&self, conflicts: &[Set]) -> Set {
        let cost = |set: &Set| (set.len(), set.iter().map(|at| self.weight(*at)).sum::<u32>());
        let mut best: Option<Set> = None;
        let mut waiting = vec![Set::new()];
        while let Some(set) = waiting.pop() {
            if best.as_ref().is_some_and(|best| cost(best) <= cost(&set)) {
                continue;
            }
            match conflicts.iter().find(|conflict| conflict.is_disjoint(&set)) {
                None => best = Some(set),
                Some(conflict) => waiting.extend(conflict.iter().map(|at| {
                    let mut more = set.clone();
                    more.insert(*at);
                    more
                })),
            }
        }
        best.unwrap_or_default()
    }

    fn weight(&self, unit: usize) -> u32 {
        match self.units.get(unit) {
            Some(Unit::Package { weight, .. }) => *weight,
            _ => 0,
        }
    }

    /// The nearest release of each package that is let go, those that matter most first.
    fn nearest(&self, relaxed: &Set) -> Chosen {
        let mut packages: Vec<(u32, &str, &[&Line])> = Vec::new();
        for unit in relaxed.iter().filter_map(|at| self.units.get(*at)) {
            if let Unit::Package { name, lines, weight } = unit {
                packages.push((*weight, name, lines));
            }
        }
        packages.sort_by_key(|(weight, name, _)| (Reverse(*weight), *name));
        let mut chosen = Chosen::new();
        for (_, name, lines) in packages {
            let Some(package) = self.view.db.package(name) else { continue };
            let found = by_distance(package, lines).into_iter().find(|version| {
                let mut more = chosen.clone();
                more.insert(name.to_owned(), version.clone());
                self.solver.is_possible(&with(self.request(relaxed, &|_| None), &more))
            });
            chosen.extend(found.map(|version| (name.to_owned(), version)));
        }
        chosen
    }

    /// The variant of the default index's own build, e.g. `cu128` of torch 2.8.0.
    fn default_label(&self, name: &str, version: &Version) -> Option<String> {
        let release = self.view.db.release(name, &version.clone().without_local())?;
        let platform = self.target.platform.as_deref().unwrap_or("linux_x86_64");
        let own = release.builds.iter().find(|build| on_pypi(build) && build.platform == platform)?;
        own.local.clone().filter(|label| CudaVersion::from_variant(label).is_some())
    }

    /// For each index that is let go the one of the default index's own builds, else of what the solver takes, else that of
    /// the newest CUDA that does.
    fn indexes(&self, relaxed: &Set, chosen: &Chosen) -> Option<BTreeMap<String, String>> {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for unit in relaxed.iter().filter_map(|at| self.units.get(*at)) {
            let Unit::Index { at, name: now, .. } = unit else { continue };
            let request = |to: Option<&str>| {
                let known = found.clone();
                let index = move |url: &str| known.get(url).cloned().or_else(|| to.map(str::to_owned));
                with(self.request(relaxed, &index), chosen)
            };
            let taken = self.solver.solve(&request(None)).ok()?;
            let label = |(_, version): &(String, Version)| {
                version
                    .local()
                    .first()
                    .map(ToString::to_string)
                    .filter(|label| CudaVersion::from_variant(label).is_some())
            };
            let torch_first = || taken.iter().filter(|(name, _)| name == TORCH).chain(taken.iter());
            let own = torch_first().find_map(label);
            let default = torch_first().find_map(|(name, version)| self.default_label(name, version));
            let mut others: Vec<(CudaVersion, String)> = Vec::new();
            for package in self.view.lines.iter().filter_map(|line| self.view.db.package(&line.name)) {
                for build in package.releases.iter().flat_map(|release| &release.builds) {
                    if let Some(cuda) = CudaVersion::from_variant(&build.index)
                        && !others.iter().any(|(_, known)| *known == build.index)
                    {
                        others.push((cuda, build.index.clone()));
                    }
                }
            }
            others.sort_by(|one, other| other.cmp(one));
            let order = default.into_iter().chain(own).chain(others.into_iter().map(|(_, name)| name));
            let order = order.filter(|name| name != now);
            let to = order.into_iter().find(|name| self.solver.is_possible(&request(Some(name))))?;
            found.insert(at.url.clone(), to);
        }
        Some(found)
    }

    /// The change in the words of the files, if it still does then.
    fn written(
        &self,
        relaxed: &Set,
        chosen: &Chosen,
        indexes: &BTreeMap<String, String>,
        pinned: bool,
    ) -> Option<Mend<'p>> {
        let mut request = self.request(relaxed, &|url| indexes.get(url).cloned());
        let fixed = with(request.clone(), chosen);
        if !self.solver.is_possible(&fixed) {
            return None;
        }
        let full = self.solver.solve(&fixed).ok()?;
        let mut lines = Vec::new();
        for unit in relaxed.iter().filter_map(|at| self.units.get(*at)) {
            let Unit::Package { name, lines: own, .. } = unit else { continue };
            let version = full.iter().find(|(pin, _)| pin == name).map(|(_, version)| version.clone());
            // A constraint may be about what is not installed then: the nearest release that would do.
            let version = version.or_else(|| chosen.get(*name).cloned())?;
            for line in own {
                let versions = worded(&specifiers(&line.requirement)?, &version, pinned);
                lines.push(Rewritten { line, versions });
            }
        }
        let exchanged = relaxed.iter().filter_map(|at| match self.units.get(*at)? {
            Unit::Index { at, name, edits } => {
                let to = indexes.get(&at.url)?.clone();
                let edits = edits.iter().map(|edit| Edit { text: to.clone(), ..edit.clone() }).collect();
                Some(Exchanged { at, from: name.clone(), to, edits })
            }
            Unit::Package { .. } => None,
        });
        let exchanged: Vec<_> = exchanged.collect();
        for asked in request.requirements.iter_mut().chain(&mut request.constraints) {
            let own = lines.iter().find(|one: &&Rewritten<'_>| {
                one.line.name == asked.requirement.name.as_ref() && self.view.origin(one.line) == asked.origin
            });
            if let Some(one) = own {
                let other = parse(&format!("{}{}", one.line.name, one.versions)).ok()?;
                asked.requirement.version_or_url = other.version_or_url;
            }
        }
        // A refusal is costly to prove, and nobody reads it.
        if !self.solver.is_possible(&request) {
            return None;
        }
        let pins = self.solver.solve(&request).ok()?;
        let mut mend = Mend { lines, indexes: exchanged, pins };
        repeated::rewrite(self.view, self.target, pinned, &mut mend);
        Some(mend)
    }
}

/// A request with releases fixed.
fn with(mut request: Request, chosen: &Chosen) -> Request {
    for (name, version) in chosen {
        if let Ok(requirement) = parse(&format!("{name}=={version}")) {
            request.constraints.push(AskedRequirement::new(requirement, "chosen"));
        }
    }
    request
}

/// The bytes of an index's name wherever the environment names it; none where one of them is not written as it is.
fn index_edits(view: &View<'_>, index: &IndexAt, name: &str) -> Option<Vec<Edit>> {
    let all = view.lines.iter().filter_map(|line| match &line.source {
        From::Main(at) | From::Extra(at) if at.url == index.url => Some(at),
        _ => None,
    });
    let mut edits: Vec<Edit> = Vec::new();
    for at in all {
        let written = view.project.written(at.at.file, &at.at.place);
        let start = at.at.place.span.start + written.rfind(name)?;
        let file = view.project.path(at.at.file).to_owned();
        let one = Edit { file, start, end: start + name.len(), text: String::new() };
        if !edits.contains(&one) {
            edits.push(one);
        }
    }
    (!edits.is_empty()).then_some(edits)
}
