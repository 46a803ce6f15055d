//! Changes to a request that cannot be satisfied: each was solved again and works, cheapest first.

use std::collections::BTreeSet;

use pep440_rs::VersionSpecifiers;
use pubgrub::VersionSet;
use serde::Serialize;

use super::conflict::Conflict;
use super::provider::{Picks, search};
use super::request::Request;
use super::rule::{BlockKind, Rule};
use super::universe::{Ask, Universe};
use super::versions::Versions;
use crate::rules::driver::{compat_offer, oldest_driver};
use crate::rules::model::PythonTag;
use crate::rules::{RuleDb, Target};
use crate::version::{CudaVersion, DriverVersion, GlibcVersion, PythonVersion};

/// One change, or two that only help together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Action {
    /// An imperative sentence.
    pub summary: String,
    /// What to change.
    pub changes: Vec<Change>,
    /// What a new resolution then takes, e.g. `torch==2.7.1+cu128`.
    pub takes: Vec<String>,
}

/// One thing to change.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Replace a line, or leave it out.
    Requirement {
        /// As written, e.g. `triton<3`.
        from: String,
        /// E.g. `triton>=3.2.0`; none to leave it out.
        to: Option<String>,
    },
    /// Ask for no CUDA version.
    AnyCuda,
    /// Another kernel driver, this or newer.
    Driver(DriverVersion),
    /// A cuda-compat package in front of the driver's own library.
    Compat {
        /// E.g. `cuda-compat-13-0`.
        package: String,
        /// The driver whose user-mode part it is.
        driver: DriverVersion,
    },
    /// Another Python.
    Python(PythonVersion),
    /// A system with this glibc or a newer one.
    Glibc(GlibcVersion),
    /// Leave out a GPU, by label.
    WithoutGpu(String),
}

/// The changes that work.
pub(super) fn find(request: &Request, universe: &Universe<'_>, conflict: &Conflict, db: &RuleDb) -> Vec<Action> {
    let finder = Finder { request, universe, db };
    let mut actions = Vec::new();
    let guilty: Vec<usize> =
        conflict.rules.iter().filter_map(|rule| if let Rule::Ask(ask) = rule { Some(*ask) } else { None }).collect();
    for ask in &guilty {
        actions.extend(finder.relax(&[*ask]));
    }
    actions.sort_by_key(|(cost, _)| *cost);
    let mut actions: Vec<Action> = actions.into_iter().map(|(_, action)| action).collect();
    let kinds: BTreeSet<BlockKind> = conflict
        .rules
        .iter()
        .filter_map(|rule| if let Rule::Block { kind, .. } = rule { Some(*kind) } else { None })
        .collect();
    actions.extend(finder.elsewhere(&kinds));
    if actions.is_empty() {
        let all = 0..universe.asks.len();
        let pairs = all.clone().flat_map(|first| all.clone().skip(first + 1).map(move |second| [first, second]));
        let mut found: Vec<_> = pairs.take(MOST_PAIRS).filter_map(|pair| finder.relax(&pair)).collect();
        found.sort_by_key(|(cost, _)| *cost);
        actions.extend(found.into_iter().map(|(_, action)| action).take(3));
    }
    if actions.is_empty() {
        actions.extend(guilty.iter().filter_map(|ask| finder.leave_out(*ask)));
    }
    actions
}

/// So many pairs of lines are tried at most.
const MOST_PAIRS: usize = 66;

struct Finder<'f, 'a> {
    request: &'f Request,
    universe: &'f Universe<'a>,
    db: &'a RuleDb,
}

/// Smaller is cheaper: moves forward before moves back, short moves before long ones, then by the text.
type Cost = (bool, u32);

impl<'a> Finder<'_, 'a> {
    /// Lets some lines go, finds the nearest versions that work, and words lines that allow them.
    fn relax(&self, asks: &[usize]) -> Option<(Cost, Action)> {
        let mut universe = Universe::new(self.request, self.db);
        let loosened: Vec<Ask> = asks.iter().map(|ask| universe.asks[*ask].clone()).collect();
        for (ask, old) in asks.iter().zip(&loosened) {
            if old.specifiers.is_empty() {
                return None;
            }
            let ask = &mut universe.asks[*ask];
            ask.specifiers = VersionSpecifiers::empty();
            ask.builds = None;
            ask.releases = Versions::of(universe.packages[ask.package].releases());
            universe.near = Some((old.package, old.releases.clone()));
        }
        universe.forget_blocks();
        let picks = search(&universe, None).ok()?;
        let mut cost: Cost = (false, 0);
        let mut changes = Vec::new();
        let mut summaries = Vec::new();
        for (at, old) in asks.iter().zip(&loosened) {
            let candidates = &universe.packages[old.package];
            let (name, (release, build)) = (candidates.name, picks[old.package]?);
            let version = candidates.release(release).version.clone();
            let top = candidates.releases().filter(|number| old.releases.contains(number)).max();
            let low = candidates.releases().find(|number| old.releases.contains(number));
            let text = match (top, low) {
                (Some(top), _) if release > top => {
                    cost.1 += release - top;
                    format!("{name}>={version}")
                }
                (_, Some(low)) if release < low => {
                    cost = (true, cost.1 + low - release);
                    format!("{name}<={version}")
                }
                (Some(_), Some(_)) => {
                    format!("{name}=={}", candidates.installer_version(candidates.build(build)))
                }
                _ => format!("{name}=={version}"),
            };
            let specifiers: VersionSpecifiers = text[name.len()..].parse().ok()?;
            let (releases, builds) = universe.matching(old.package, &specifiers);
            summaries.push(format!("`{}` → `{text}`", old.text));
            changes.push(Change::Requirement { from: old.text.clone(), to: Some(text.clone()) });
            universe.asks[*at] = Ask { text, specifiers, releases, builds, ..old.clone() };
        }
        // The wording is what is offered, so it is the wording that must solve.
        universe.near = None;
        universe.forget_blocks();
        let picks = search(&universe, None).ok()?;
        let packages: Vec<_> = loosened.iter().map(|old| old.package).collect();
        let summary = format!("relax {}", summaries.join(" and "));
        Some((cost, Action { summary, changes, takes: takes(&universe, &picks, &packages) }))
    }

    fn leave_out(&self, ask: usize) -> Option<Action> {
        let gone = &self.universe.asks[ask];
        let mut universe = Universe::new(self.request, self.db);
        universe.asks.remove(ask);
        let again = search(&universe, None).ok()?;
        let change = Change::Requirement { from: gone.text.clone(), to: None };
        let summary = format!("leave out `{}`", gone.text);
        Some(Action { summary, changes: vec![change], takes: takes(&universe, &again, &[]) })
    }

    /// Changes to the target, of the sorts that can matter.
    fn elsewhere(&self, kinds: &BTreeSet<BlockKind>) -> Vec<Action> {
        let mut actions = Vec::new();
        let target = &self.request.target;
        if kinds.contains(&BlockKind::OtherCuda) {
            let other = Target { cuda: None, cpu_only: false, ..target.clone() };
            actions.extend(self.on(other, "ask for no CUDA version (`--cuda`)".to_owned(), Change::AnyCuda));
        }
        if kinds.contains(&BlockKind::Driver) || kinds.contains(&BlockKind::Ptx) {
            actions.extend(self.driver());
        }
        if kinds.contains(&BlockKind::Glibc) {
            actions.extend(self.glibc());
        }
        if kinds.contains(&BlockKind::Python) {
            actions.extend(self.python());
        }
        if kinds.contains(&BlockKind::Kernel) || kinds.contains(&BlockKind::Ptx) {
            actions.extend(self.fewer_gpus());
        }
        actions
    }

    fn on(&self, target: Target, summary: String, change: Change) -> Option<Action> {
        let request = Request { target, ..self.request.clone() };
        let universe = Universe::new(&request, self.db);
        let picks = search(&universe, None).ok()?;
        let asked: Vec<_> = universe.asks.iter().map(|ask| ask.package).collect();
        Some(Action { summary, changes: vec![change], takes: takes(&universe, &picks, &asked) })
    }

    /// The oldest newer driver that helps, and before it a cuda-compat package where this machine may use one.
    fn driver(&self) -> Vec<Action> {
        let target = &self.request.target;
        let Some(now) = target.driver.clone() else { return Vec::new() };
        let families = self.db.families().iter().map(|row| &row.linux_driver);
        let toolkits = self.db.toolkits().iter().map(|row| &row.linux_driver);
        let mut newer: Vec<DriverVersion> = families.chain(toolkits).filter(|driver| **driver > now).cloned().collect();
        newer.sort();
        newer.dedup();
        let update = newer.into_iter().find_map(|driver| {
            let other = Target { driver: Some(driver.clone()), compat: None, ..target.clone() };
            let summary = format!("update the driver from {now} to {driver} or newer");
            self.on(other, summary, Change::Driver(driver))
        });
        let compat = update.as_ref().and_then(|_| self.compat());
        compat.into_iter().chain(update).collect()
    }

    fn compat(&self) -> Option<Action> {
        let target = &self.request.target;
        let cudas: BTreeSet<CudaVersion> = self.db.toolkits().iter().map(|row| row.version).collect();
        let mut tried = BTreeSet::new();
        cudas.into_iter().find_map(|cuda| {
            let (package, _) = compat_offer(cuda, target, self.db)?;
            if !tried.insert(package.name.clone()) {
                return None;
            }
            let driver = self.db.toolkit(package.cuda).map(|row| row.linux_driver.clone());
            let driver = driver.or_else(|| oldest_driver(package.cuda, self.db).map(|(driver, _)| driver))?;
            let other = Target { compat: Some(driver.clone()), ..target.clone() };
            let summary = format!("install {} and put it first in LD_LIBRARY_PATH", package.name);
            self.on(other, summary, Change::Compat { package: package.name.clone(), driver })
        })
    }

    /// The nearest Python that helps, the newer of two.
    fn python(&self) -> Option<Action> {
        let target = &self.request.target;
        let now = target.python?;
        let builds = self.universe.packages.iter().flat_map(|package| &package.builds);
        let tags = builds.flat_map(|candidate| &candidate.build.python);
        let mut pythons: Vec<PythonVersion> = tags
            .filter_map(|tag| match tag {
                PythonTag::CPython(python) | PythonTag::Stable(python) if python.major == now.major => Some(*python),
                _ => None,
            })
            .filter(|python| python.minor != now.minor)
            .collect();
        pythons.sort_by_key(|python| (python.minor.abs_diff(now.minor), std::cmp::Reverse(python.minor)));
        pythons.dedup();
        pythons.into_iter().find_map(|python| {
            let other = Target { python: Some(python), free_threaded: false, ..target.clone() };
            self.on(other, format!("use Python {python}"), Change::Python(python))
        })
    }

    fn glibc(&self) -> Option<Action> {
        let target = &self.request.target;
        let builds = self.universe.packages.iter().flat_map(|package| &package.builds);
        let wanted: BTreeSet<GlibcVersion> =
            builds.filter_map(|candidate| candidate.build.glibc).filter(|needs| Some(*needs) > target.glibc).collect();
        wanted.into_iter().find_map(|glibc| {
            let other = Target { glibc: Some(glibc), ..target.clone() };
            let summary = format!("use a system with glibc {glibc} or newer");
            self.on(other, summary, Change::Glibc(glibc))
        })
    }

    /// Which one GPU of several is in the way.
    fn fewer_gpus(&self) -> Vec<Action> {
        let target = &self.request.target;
        let mut labels: Vec<&str> = Vec::new();
        let mut actions = Vec::new();
        for gpu in &target.gpus {
            if labels.contains(&gpu.label.as_str()) {
                continue;
            }
            labels.push(&gpu.label);
            let mut rest = target.clone();
            rest.gpus.retain(|other| other.label != gpu.label);
            if !rest.gpus.is_empty() {
                let summary = format!("leave out the {}: the other GPUs have a solution", gpu.label);
                actions.extend(self.on(rest, summary, Change::WithoutGpu(gpu.label.clone())));
            }
        }
        actions
    }
}

/// The pins of some packages, or of all that were asked for.
fn takes(universe: &Universe<'_>, picks: &Picks, packages: &[usize]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    for (package, candidates) in universe.packages.iter().enumerate() {
        let asked = universe.asks.iter().any(|ask| ask.package == package && !ask.constraint);
        if let Some((_, build)) = picks[package]
            && (packages.contains(&package) || asked)
        {
            taken.insert(format!("{}=={}", candidates.name, candidates.installer_version(candidates.build(build))));
        }
    }
    taken.into_iter().collect()
}
