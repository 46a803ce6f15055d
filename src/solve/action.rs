//! Changes to a request that cannot be satisfied: each was solved again and works, cheapest first.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pubgrub::VersionSet;
use serde::Serialize;

use super::ask::{Keeps, NumberedRequirement};
use super::conflict::Conflict;
use super::node::TORCH;
use super::provider::Picks;
use super::request::{INSTALLED, Request};
use super::rule::{BlockKind, Rule};
use super::universe::Universe;
use super::versions::Versions;
use super::{nearest, numbering};
use crate::pep::VersionSpecifiers;
use crate::rules::driver::{compat_driver, compat_offer};
use crate::rules::python_tag::PythonTag;
use crate::rules::requirement::{parse, satisfied, specifiers};
use crate::rules::{RuleDb, Target};
use crate::text::list;
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
    /// One file for each target.
    PerTarget,
    /// Break a package's pin of another.
    Override {
        /// The package that is pinned, e.g. `triton`.
        package: String,
        /// What the user asks for, e.g. `triton<3`.
        asked: String,
        /// Who pins it, e.g. `torch 2.6.0`.
        pinned_by: String,
        /// The pin, e.g. `triton==3.2.0`.
        pin: String,
    },
}

/// The changes that work.
pub(super) fn find(request: &Request, universe: &Universe<'_>, conflict: &Conflict, db: &RuleDb) -> Vec<Action> {
    let finder = Finder { request, universe, db };
    let mut actions = Vec::new();
    let lines = finder.lines();
    let is_guilty = |line: &&Vec<usize>| line.iter().any(|ask| conflict.rules.contains(&Rule::Ask(*ask)));
    let guilty: Vec<&Vec<usize>> = lines.iter().filter(is_guilty).collect();
    for line in &guilty {
        actions.extend(finder.relax(line));
    }
    actions.sort_by_key(|(cost, _)| *cost);
    let mut actions: Vec<Action> = actions.into_iter().map(|(_, action)| action).collect();
    let declared = guilty.iter().filter(|line| line.iter().all(|ask| !universe.asks[*ask].owners.is_empty()));
    actions.extend(declared.filter_map(|line| finder.leave_out(line)));
    let kinds: BTreeSet<(usize, BlockKind)> = conflict
        .rules
        .iter()
        .filter_map(|rule| match rule {
            Rule::Block { package, kind } => Some((universe.packages[*package].target, *kind)),
            _ => None,
        })
        .collect();
    for place in 0..universe.targets.len() {
        let own = kinds.iter().filter(|(target, _)| *target == place).map(|(_, kind)| *kind).collect();
        actions.extend(finder.elsewhere(place, &own));
    }
    // However many lines it takes.
    if !actions.iter().any(|action| matches!(action.changes.as_slice(), [Change::Requirement { .. }])) {
        actions.splice(0..0, finder.relax_fewest(&lines).map(|(_, action)| action));
    }
    if actions.is_empty() {
        actions.extend(guilty.iter().filter_map(|line| finder.leave_out(line)));
    }
    // What is clean comes first.
    actions.extend(guilty.iter().filter_map(|line| finder.override_pin(line, conflict)));
    actions
}

struct Finder<'f, 'a> {
    request: &'f Request,
    universe: &'f Universe<'a>,
    db: &'a RuleDb,
}

/// Smaller is cheaper: moves forward before moves back, short moves before long ones, then by the text.
type Cost = (bool, u32);

impl<'a> Finder<'_, 'a> {
    /// The user's lines, each as its asks: one on each target.
    fn lines(&self) -> Vec<Vec<usize>> {
        let mut lines: BTreeMap<(usize, bool, &str), Vec<usize>> = BTreeMap::new();
        for (at, ask) in self.universe.asks.iter().enumerate().filter(|(at, _)| !self.universe.wishes.contains(at)) {
            let kin = ask.package % self.universe.width;
            lines.entry((kin, ask.constraint, &ask.text)).or_default().push(at);
        }
        lines.into_values().collect()
    }

    /// Lets one line go, finds the nearest versions that work, and words a line that allows them.
    fn relax(&self, line: &[usize]) -> Option<(Cost, Action)> {
        if !self.is_loose(line) {
            return None;
        }
        let mut universe = numbering::universe(self.request, self.db);
        for ask in line {
            universe.loosen(*ask);
        }
        universe.forget_blocks();
        let picks = nearest::best(&universe).ok()?;
        self.reworded(universe, &picks, &[line])
    }

    /// The fewest lines that must go together, however many, reworded to the nearest versions that work.
    fn relax_fewest(&self, lines: &[Vec<usize>]) -> Option<(Cost, Action)> {
        let mut universe = numbering::universe(self.request, self.db);
        for ask in lines.iter().filter(|line| self.is_loose(line)).flatten() {
            let kept = universe.asks[*ask].clone();
            universe.loosen(*ask);
            universe.wishes.push(universe.asks.len());
            universe.asks.push(NumberedRequirement { keeps: Some(Keeps::Line), constraint: true, ..kept });
        }
        universe.forget_blocks();
        let picks = nearest::best(&universe).ok()?;
        let is_gone = |ask: &usize| {
            let old = &self.universe.asks[*ask];
            picks[old.package].is_some_and(|(release, build)| {
                !old.releases.contains(&release) || old.builds.as_ref().is_some_and(|builds| !builds.contains(&build))
            })
        };
        let gone: Vec<&[usize]> = lines.iter().filter(|line| line.iter().any(is_gone)).map(Vec::as_slice).collect();
        self.reworded(universe, &picks, &gone)
    }

    /// Whether a line says which versions, and is the user's own.
    fn is_loose(&self, line: &[usize]) -> bool {
        line.iter().all(|ask| {
            let ask = &self.universe.asks[*ask];
            !ask.specifiers.is_empty() && ask.owners.is_empty()
        })
    }

    /// The oldest of the releases before the nearest minor release's last patch that would do as well, for a bound that
    /// forbids nothing that works.
    fn least(&self, universe: &Universe<'a>, line: &[usize], range: Range<u32>) -> Option<u32> {
        const MOST: usize = 3;
        let package = universe.asks[*line.first()?].package;
        let mut tries = range.rev().take(MOST).collect::<Vec<_>>();
        tries.reverse();
        tries.into_iter().find(|release| {
            let mut narrow = numbering::universe(self.request, self.db);
            for ask in line {
                narrow.loosen(*ask);
                narrow.asks[*ask].releases = Versions::singleton(*release);
            }
            for (ask, own) in universe.asks.iter().zip(&mut narrow.asks) {
                if ask.package != package {
                    own.clone_from(ask);
                }
            }
            nearest::best(&narrow).is_ok()
        })
    }

    /// Words some lines so that they allow what was picked without them, and tries the wording.
    fn reworded(&self, mut universe: Universe<'a>, picks: &Picks, lines: &[&[usize]]) -> Option<(Cost, Action)> {
        let mut cost: Cost = (false, 0);
        let mut changes = Vec::new();
        let mut summaries = Vec::new();
        let mut packages = Vec::new();
        for line in lines {
            let old = line.iter().map(|ask| &self.universe.asks[*ask]).find(|old| picks[old.package].is_some());
            let old = old.or_else(|| line.first().map(|ask| &self.universe.asks[*ask]))?;
            let candidates = &universe.packages[old.package];
            let name = candidates.name;
            let Some((release, build)) = picks[old.package] else {
                // A constraint on what is no longer needed.
                summaries.push(format!("leave out `{}`", old.text));
                changes.push(Change::Requirement { from: old.text.clone(), to: None });
                universe.given_up.extend(line.iter().map(|ask| Rule::Ask(*ask)));
                continue;
            };
            if candidates.stand_in {
                // Which releases there are, an installer knows.
                summaries.push(format!("`{}` → `{name}`", old.text));
                changes.push(Change::Requirement { from: old.text.clone(), to: Some(name.to_owned()) });
                continue;
            }
            let version = candidates.release(release).version.clone();
            let top = candidates.releases().filter(|number| old.releases.contains(number)).max();
            let low = candidates.releases().find(|number| old.releases.contains(number));
            let text = match (top, low) {
                (Some(top), _) if release > top => {
                    cost.1 += release - top;
                    let least = self.least(&universe, line, top + 1..release).unwrap_or(release);
                    format!("{name}>={}", universe.packages[old.package].release(least).version)
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
            summaries.push(format!("`{}` → `{text}`", old.text));
            changes.push(Change::Requirement { from: old.text.clone(), to: Some(text.clone()) });
            for at in *line {
                let old = &self.universe.asks[*at];
                packages.push(old.package);
                let (releases, builds) = universe.matching(old.package, &specifiers);
                let (text, specifiers) = (text.clone(), specifiers.clone());
                universe.asks[*at] = NumberedRequirement { text, specifiers, releases, builds, ..old.clone() };
            }
        }
        // The wording is what is offered, so it is the wording that must solve; the nearest versions are what it takes.
        let lines: Vec<usize> =
            universe.wishes.extract_if(.., |ask| universe.asks[*ask].keeps == Some(Keeps::Line)).collect();
        universe.given_up.extend(lines.into_iter().map(Rule::Ask));
        universe.forget_blocks();
        let picks = nearest::best(&universe).ok()?;
        let summary = format!("relax {}", list(&summaries));
        Some((cost, Action { summary, changes, takes: takes(&universe, &picks, &packages) }))
    }

    fn leave_out(&self, line: &[usize]) -> Option<Action> {
        let gone = &self.universe.asks[*line.first()?];
        let mut universe = numbering::universe(self.request, self.db);
        let own = |ask: &NumberedRequirement| {
            !gone.owners.is_empty() && ask.owners.is_subset(&gone.owners) && !ask.owners.is_empty()
        };
        let all = universe.asks.iter().enumerate().filter(|(at, ask)| line.contains(at) || own(ask));
        let without: BTreeSet<Rule> = all.map(|(at, _)| Rule::Ask(at)).collect();
        universe.given_up.extend(without);
        let again = nearest::best(&universe).ok()?;
        let change = Change::Requirement { from: gone.text.clone(), to: None };
        let owners: Vec<_> = gone.owners.iter().cloned().collect();
        let summary = match owners.as_slice() {
            [] if gone.origins.iter().all(|origin| origin == INSTALLED) => format!("uninstall `{}`", gone.text),
            [] => format!("leave out `{}`", gone.text),
            owners => format!("take another release of {}, or do without", list(owners)),
        };
        Some(Action { summary, changes: vec![change], takes: takes(&universe, &again, &[]) })
    }

    /// Takes what the user asks for against what a package declares of it.
    fn override_pin(&self, line: &[usize], conflict: &Conflict) -> Option<Action> {
        let ask = &self.universe.asks[*line.first()?];
        if !ask.owners.is_empty() || ask.specifiers.is_empty() {
            return None;
        }
        let name = self.universe.packages[ask.package].name;
        // What pins a torch is compiled for it.
        if name == TORCH || self.universe.packages[ask.package].stand_in {
            return None;
        }
        let declares = |rule: &Rule| match *rule {
            Rule::Needs { package, on } if on == ask.package => Some(package),
            _ => None,
        };
        conflict.rules.iter().find_map(declares)?;
        let mut request = self.request.clone();
        request.overrides.push(name.to_owned());
        let universe = numbering::universe(&request, self.db);
        let picks = nearest::best(&universe).ok()?;
        // Of what is then taken, somebody declares otherwise.
        let (_, build) = picks[ask.package]?;
        let version = universe.packages[ask.package].installer_version(universe.packages[ask.package].build(build));
        let (pinned_by, pin) = universe.packages.iter().zip(&picks).find_map(|(candidates, pick)| {
            let release = candidates.release(pick.as_ref()?.0);
            let own = candidates.build(pick.as_ref()?.1).build;
            let pin = release.requires.iter().chain(&own.requires).find(|line| {
                parse(line).is_ok_and(|wanted| {
                    wanted.name.as_ref() == name
                        && specifiers(&wanted).is_some_and(|range| !satisfied(&range, &version))
                })
            })?;
            let pin = pin.split(';').next().unwrap_or(pin).trim().to_owned();
            Some((format!("{} {}", candidates.name, release.version), pin))
        })?;
        let (package, asked) = (name.to_owned(), ask.text.clone());
        let summary = format!("override: `{name}=={version}` against `{pin}` of {pinned_by} (`--allow-override`)");
        let changes = vec![Change::Override { package, asked, pinned_by, pin }];
        Some(Action { summary, changes, takes: takes(&universe, &picks, &[ask.package]) })
    }

    /// Changes to the target, of the sorts that can matter.
    fn elsewhere(&self, place: usize, kinds: &BTreeSet<BlockKind>) -> Vec<Action> {
        let mut actions = Vec::new();
        let target = &self.universe.targets[place];
        if kinds.contains(&BlockKind::OtherCuda) {
            let other = Target { cuda: None, cpu_only: false, ..target.clone() };
            actions.extend(self.on(place, other, "ask for no CUDA version (`--cuda`)".to_owned(), Change::AnyCuda));
        }
        if kinds.contains(&BlockKind::Driver) || kinds.contains(&BlockKind::Ptx) {
            actions.extend(self.driver(place));
        }
        if kinds.contains(&BlockKind::Glibc) {
            actions.extend(self.glibc(place));
        }
        if kinds.contains(&BlockKind::Python) {
            actions.extend(self.python(place));
        }
        if kinds.contains(&BlockKind::Kernel) || kinds.contains(&BlockKind::Ptx) {
            actions.extend(self.fewer_gpus(place));
        }
        actions
    }

    fn on(&self, place: usize, target: Target, summary: String, change: Change) -> Option<Action> {
        let mut request = self.request.clone();
        *[&mut request.target].into_iter().chain(&mut request.beside).nth(place)? = target;
        let universe = numbering::universe(&request, self.db);
        let picks = nearest::best(&universe).ok()?;
        let asked: Vec<_> = universe.asks.iter().map(|ask| ask.package).collect();
        Some(Action { summary, changes: vec![change], takes: takes(&universe, &picks, &asked) })
    }

    /// ` on train`, where there is more than one target.
    fn of(&self, place: usize) -> String {
        let name = self.universe.targets[place].name.as_ref().filter(|_| self.universe.targets.len() > 1);
        name.map(|name| format!(" on `{name}`")).unwrap_or_default()
    }

    /// The oldest newer driver that helps, and before it a cuda-compat package where this machine may use one.
    fn driver(&self, place: usize) -> Vec<Action> {
        let target = &self.universe.targets[place];
        let Some(now) = target.driver.clone() else { return Vec::new() };
        let families = self.db.families().iter().map(|row| &row.linux_driver);
        let toolkits = self.db.toolkits().iter().map(|row| &row.linux_driver);
        let mut newer: Vec<DriverVersion> = families.chain(toolkits).filter(|driver| **driver > now).cloned().collect();
        newer.sort();
        newer.dedup();
        let update = newer.into_iter().find_map(|driver| {
            let other = Target { driver: Some(driver.clone()), compat: None, ..target.clone() };
            let summary = format!("update the driver{} from {now} to {driver} or newer", self.of(place));
            self.on(place, other, summary, Change::Driver(driver))
        });
        let compat = update.as_ref().and_then(|_| self.compat(place));
        compat.into_iter().chain(update).collect()
    }

    fn compat(&self, place: usize) -> Option<Action> {
        let target = &self.universe.targets[place];
        let cudas: BTreeSet<CudaVersion> = self.db.toolkits().iter().map(|row| row.version).collect();
        let mut tried = BTreeSet::new();
        cudas.into_iter().find_map(|cuda| {
            let (package, _) = compat_offer(cuda, target, self.db)?;
            if !tried.insert(package.name.clone()) {
                return None;
            }
            let driver = compat_driver(package, self.db)?;
            let other = Target { compat: Some(driver.clone()), ..target.clone() };
            let summary = format!("install {}{} and put it first in LD_LIBRARY_PATH", package.name, self.of(place));
            self.on(place, other, summary, Change::Compat { package: package.name.clone(), driver })
        })
    }

    /// The nearest Python that helps, the newer of two.
    fn python(&self, place: usize) -> Option<Action> {
        let target = &self.universe.targets[place];
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
            self.on(place, other, format!("use Python {python}{}", self.of(place)), Change::Python(python))
        })
    }

    fn glibc(&self, place: usize) -> Option<Action> {
        let target = &self.universe.targets[place];
        let builds = self.universe.packages.iter().flat_map(|package| &package.builds);
        let wanted: BTreeSet<GlibcVersion> =
            builds.filter_map(|candidate| candidate.build.glibc).filter(|needs| Some(*needs) > target.glibc).collect();
        wanted.into_iter().find_map(|glibc| {
            let other = Target { glibc: Some(glibc), ..target.clone() };
            let summary = format!("use a system with glibc {glibc} or newer{}", self.of(place));
            self.on(place, other, summary, Change::Glibc(glibc))
        })
    }

    /// Which one GPU of several is in the way.
    fn fewer_gpus(&self, place: usize) -> Vec<Action> {
        let target = &self.universe.targets[place];
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
                let summary = format!("leave out the {}{}: the other GPUs have a solution", gpu.label, self.of(place));
                actions.extend(self.on(place, rest, summary, Change::WithoutGpu(gpu.label.clone())));
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
            && !candidates.stand_in
            && (packages.contains(&package) || asked)
        {
            taken.insert(format!("{}=={}", candidates.name, candidates.installer_version(candidates.build(build))));
        }
    }
    taken.into_iter().collect()
}
