//! Numbers the releases and builds that a request can reach.

use std::collections::{BTreeMap, BTreeSet};

use super::ask::NumberedRequirement;
use super::candidates::{Candidate, Candidates, PYPI, Pinned};
use super::clause::{clauses, is_certain};
use super::node::TORCH;
use super::outside::outside;
use super::request::{AskedRequirement, FromIndex, Prefer, Request};
use super::stand_in::stand_ins;
use super::universe::{Universe, applies, extra_lines, written};
use super::versions::Versions;
use crate::pep::{ExtraName, Requirement, Version, pinned};
use crate::rules::driver::without_useless_compat;
use crate::rules::model::{Package, Release};
use crate::rules::requirement::{self, markers, name_of};
use crate::rules::role::{self, is_runtime_wheel};
use crate::rules::schema::Role;
use crate::rules::{RuleDb, Target};

/// Numbers what the request can reach.
pub(super) fn universe<'a>(request: &Request, db: &'a RuleDb) -> Universe<'a> {
    let targets = [&request.target].into_iter().chain(&request.beside).cloned();
    let targets: Vec<Target> = targets.map(|target| without_useless_compat(target, db)).collect();
    let markers: Vec<_> = targets.iter().map(markers).collect();
    let active = |asked: &AskedRequirement| markers.iter().any(|markers| applies(&asked.requirement, markers.as_ref()));
    let outside = outside(request, &active, db);
    let lines = || {
        let requirements = request.requirements.iter().chain(&outside.asked).map(|asked| (asked, false));
        requirements.chain(request.constraints.iter().map(|asked| (asked, true)))
    };
    let mut names = BTreeSet::new();
    for (asked, constraint) in lines().filter(|(asked, _)| active(asked)) {
        let name = asked.requirement.name.as_ref();
        let covered = db.package(name).is_some() && requirement::specifiers(&asked.requirement).is_some();
        if covered && !constraint {
            names.insert(name.to_owned());
        }
    }
    let (extras, brought) = asked_extras(lines().map(|(asked, _)| &asked.requirement), db);
    names.extend(brought.into_iter().filter(|name| db.package(name).is_some()));
    let packages = with_stand_ins(reach(with_rescuers(names, db), &targets, db), &targets, request, db);
    let mut universe = Universe {
        db,
        width: packages.len() / targets.len().max(1),
        judged: targets.iter().map(|target| db.judged(target)).collect(),
        targets,
        prefer: request.prefer,
        installed: request.installed.clone(),
        refused: request.refused.clone(),
        near: BTreeMap::new(),
        family: None,
        packages,
        asks: Vec::new(),
        wishes: Vec::new(),
        given_up: BTreeSet::new(),
        unchecked: outside.unread.into_iter().collect(),
        outsiders: outside.read.into_iter().collect(),
        overrides: request.overrides.clone(),
        clauses: Vec::new(),
        extras,
        pins: Vec::new(),
        markers,
    };
    universe.find_unlisted(lines().map(|(asked, _)| &asked.requirement));
    universe.asks = universe.asked(lines());
    universe.ask_besides(request);
    universe.clauses = clauses(&universe);
    if universe.targets.len() > 1 {
        universe.pins = (0..universe.width).map(|package| universe.pinned(package)).collect();
    }
    universe
}

impl<'a> Universe<'a> {
    /// The lines of a request, constraints marked, in numbers; those of one package with the same words are one.
    fn asked<'l>(&self, lines: impl Iterator<Item = (&'l AskedRequirement, bool)>) -> Vec<NumberedRequirement> {
        let mut asks: BTreeMap<(usize, bool, String), NumberedRequirement> = BTreeMap::new();
        for (asked, constraint) in lines {
            let Some(specifiers) = requirement::specifiers(&asked.requirement) else { continue };
            let text = written(&asked.requirement, &specifiers);
            for (target, markers) in self.markers.iter().enumerate() {
                let Some(package) = self.find(target, asked.requirement.name.as_ref()) else { continue };
                if !applies(&asked.requirement, markers.as_ref()) {
                    continue;
                }
                let ask = asks.entry((package, constraint, text.clone())).or_insert_with(|| {
                    let (releases, builds) = self.admitted(package, &specifiers);
                    let specifiers = specifiers.clone();
                    NumberedRequirement {
                        constraint,
                        specifiers,
                        ..NumberedRequirement::new(package, text.clone(), releases, builds)
                    }
                });
                ask.releases = self.with_extras(package, &asked.requirement.extras, &ask.releases);
                let first = ask.origins.is_empty();
                ask.origins.insert(asked.origin.clone());
                match &asked.on_behalf_of {
                    Some(owner) if first || !ask.owners.is_empty() => drop(ask.owners.insert(owner.clone())),
                    Some(_) => {}
                    None => ask.owners.clear(),
                }
            }
        }
        asks.into_values().collect()
    }

    /// Asks for what no line of a request says: what comes from an index, what is kept, and that what is installed stays.
    fn ask_besides(&mut self, request: &Request) {
        for wanted in &request.from_index {
            let packages = 0..self.packages.len();
            let named = |package: &usize| match &wanted.package {
                Some(name) => self.packages[*package].name == name,
                None => self.is_served_by(*package, &wanted.index),
            };
            let own: Vec<_> = packages.filter(named).map(|package| self.served_by(package, wanted)).collect();
            self.asks.extend(own);
        }
        for name in &request.keep {
            let kept = self.find(0, name).map(|package| self.as_it_is(package, "`--keep`")).unwrap_or_default();
            self.asks.extend(kept.into_iter().map(|ask| NumberedRequirement { keeps: None, ..ask }));
        }
        if request.prefer == Prefer::Installed {
            let wishes = self.all_wishes(&request.requested);
            self.wishes = (self.asks.len()..).take(wishes.len()).collect();
            self.asks.extend(wishes);
        }
    }

    /// Notes which packages are installed, or pinned, in a version that the rules do not know: by the user, or by a release that the
    /// user pins or that is installed. vllm 0.4.1 exists, and so does the outlines 0.0.34 that it asks for.
    fn find_unlisted<'l>(&mut self, lines: impl Iterator<Item = &'l Requirement>) {
        let exact = |line: &Requirement| {
            let specifiers = requirement::specifiers(line)?;
            let pin = pinned(&specifiers).cloned();
            Some((line.name.to_string(), pin?))
        };
        let mut pinned: BTreeMap<String, Version> = lines.filter_map(exact).collect();
        for line in self.lines_of_what_stays(&pinned) {
            let pin = requirement::parse(line).ok().and_then(|line| exact(&line));
            if let Some((name, version)) = pin {
                pinned.entry(name).or_insert(version);
            }
        }
        for candidates in self.packages.iter_mut().filter(|candidates| !candidates.stand_in) {
            let package = candidates.package;
            let other = self.targets[candidates.target].platform.as_deref().filter(|it| !it.starts_with("linux_"));
            let is_here = |release: &Release| {
                other.is_none_or(|platform| release.builds.iter().any(|build| build.is_for(platform)))
            };
            let unknown = |version: &&Version| !self.db.release(&package.name, version).is_some_and(is_here);
            // A variant of an index, of which the rules know only those for other platforms.
            let unread = |version: &Version| {
                let full = version.to_string();
                let is_elsewhere = |release: &Release| {
                    let mut variants = release.builds.iter().filter(|build| build.cuda.is_some());
                    variants.any(|build| release.full_version(build) == full)
                };
                self.db.release(&package.name, version).is_some_and(is_elsewhere)
                    && !candidates.builds.iter().any(|candidate| candidates.is_installed(candidate, version))
            };
            let may_stay = !self.refused.contains(&package.name);
            let stays = |version: &&Version| unknown(version) || unread(version);
            let installed = self.installed.get(&package.name).filter(stays).filter(|_| may_stay);
            // Whether device code that nobody opened runs on a GPU is not known.
            let judged = package.partial && !package.holds_code();
            let pinned = pinned.get(&package.name).filter(|_| judged).filter(unknown);
            candidates.unlisted = pinned.or(installed).cloned();
        }
    }

    /// The pins among what the releases require that are installed, or that the user pins, of packages that are not there.
    fn lines_of_what_stays(&self, pinned: &BTreeMap<String, Version>) -> Vec<&'a String> {
        let here = self.packages.iter().filter(|own| own.target == 0 && !own.stand_in);
        let releases = here.filter_map(|own| {
            let version = pinned.get(own.name).or_else(|| self.installed.get(own.name))?;
            self.db.release(own.name, &version.clone().without_local())
        });
        let lines = releases
            .flat_map(|release| release.requires.iter().chain(release.builds.iter().flat_map(|build| &build.requires)));
        lines.filter(|line| line.contains("==") && !self.installed.contains_key(name_of(line))).collect()
    }

    /// The lines of a constraints file that name builds of a package on any target.
    fn pinned(&self, package: usize) -> Vec<Pinned<'a>> {
        let builds = self.kin(package).flat_map(|package| &self.packages[package].builds);
        let pins: BTreeSet<_> = builds.flat_map(|build| build.lines(self.packages[package].package)).collect();
        pins.into_iter().collect()
    }

    /// Whether an index serves any build of a package.
    fn is_served_by(&self, package: usize, index: &str) -> bool {
        let mut builds = self.packages[package].package.releases.iter().flat_map(|release| &release.builds);
        builds.any(|build| build.index == index)
    }

    /// That a package comes from an index, which also serves the variant that is on PyPI.
    fn served_by(&self, package: usize, wanted: &FromIndex) -> NumberedRequirement {
        let candidates = &self.packages[package];
        let served = |candidate: &Candidate<'_>| {
            candidate.lines(candidates.package).any(|line| match line {
                Pinned::Plain { .. } => wanted.index == PYPI,
                Pinned::Labelled { index, .. } => wanted.index == index,
            })
        };
        let here = || candidates.builds.iter().zip(1..).filter(|(candidate, _)| served(candidate));
        let releases: BTreeSet<_> = here().map(|(candidate, _)| candidate.release + 1).collect();
        let text = format!("{} from the index {}", candidates.name, wanted.index);
        let builds = Versions::of(here().map(|(_, number)| number));
        NumberedRequirement {
            origins: [wanted.origin.clone()].into(),
            variant: wanted.index != PYPI,
            ..NumberedRequirement::new(package, text, Versions::of(releases), Some(builds))
        }
    }
}

/// The extras that lines ask for, and those that these bring along, by package; and the names of all that they bring.
fn asked_extras<'l>(
    lines: impl Iterator<Item = &'l Requirement>,
    db: &RuleDb,
) -> (BTreeMap<String, BTreeSet<ExtraName>>, BTreeSet<String>) {
    let (mut found, mut brought) = (BTreeMap::<String, BTreeSet<ExtraName>>::new(), BTreeSet::new());
    let of = |line: &Requirement| -> Vec<(String, ExtraName)> {
        line.extras.iter().map(|extra| (line.name.to_string(), extra.clone())).collect()
    };
    let mut waiting: Vec<_> = lines.flat_map(of).collect();
    while let Some((name, extra)) = waiting.pop() {
        if !found.entry(name.clone()).or_default().insert(extra.clone()) {
            continue;
        }
        let wanted = [extra].into();
        let releases = db.package(&name).into_iter().flat_map(|package| &package.releases);
        for line in releases.flat_map(|release| extra_lines(release, &wanted)).collect::<BTreeSet<_>>() {
            let Ok(line) = requirement::parse(&line) else { continue };
            waiting.extend(of(&line));
            brought.insert(line.name.to_string());
        }
    }
    (found, brought)
}

/// These names and the covered packages whose absence an advisory about them is about.
fn with_rescuers(names: BTreeSet<String>, db: &RuleDb) -> BTreeSet<String> {
    let certain = db.advisories().filter(|advisory| is_certain(advisory));
    let absent = certain.flat_map(|advisory| &advisory.when).flat_map(|condition| &condition.absent);
    names.into_iter().chain(absent.cloned()).collect()
}

/// Reachable packages, and those outside the rules on which they must agree; sorted on each target.
fn with_stand_ins<'a>(
    mut packages: Vec<Candidates<'a>>,
    targets: &[Target],
    request: &Request,
    db: &'a RuleDb,
) -> Vec<Candidates<'a>> {
    let own: Vec<&Package> = packages.iter().filter(|own| own.target == 0).map(|own| own.package).collect();
    let most = own.len();
    for package in stand_ins(&own, request, db) {
        for (place, target) in targets.iter().enumerate() {
            let mut made = Candidates::new(package, place, target);
            (made.stand_in, made.dependents) = (true, most);
            packages.push(made);
        }
    }
    packages.sort_by_key(|own| (own.target, own.name));
    packages
}

/// The covered packages that these can bring in, themselves included, sorted, with the number of dependents of each, once for
/// each target.
fn reach<'a>(names: BTreeSet<String>, targets: &[Target], db: &'a RuleDb) -> Vec<Candidates<'a>> {
    let mut edges: BTreeMap<&'a str, BTreeSet<&'a str>> = BTreeMap::new();
    // What the rules know nothing of on another system neither forbids nor hinders.
    let here = |package: &&Package| targets.iter().all(|target| package.is_known_on(target.platform.as_deref()));
    let mut waiting: Vec<&'a Package> = names.iter().filter_map(|name| db.package(name)).filter(here).collect();
    let named = waiting.iter().filter(|own| is_runtime_wheel(&own.name));
    let of_named: BTreeSet<String> = named.flat_map(|own| db.mentioned_by(own).to_vec()).collect();
    while let Some(package) = waiting.pop() {
        if edges.contains_key(package.name.as_str()) {
            continue;
        }
        let named = db.mentioned_by(package);
        let mut mentioned: BTreeSet<&str> = named.iter().map(String::as_str).collect();
        if db.compiles_against_torch(&package.name) || db.is_linked_to_torch(&package.name) {
            mentioned.insert(TORCH);
        }
        // NVIDIA's runtime wheels follow from what needs them; they are judged only where the user names them, or one of
        // theirs that mentions them: cuda-python pins cuda-bindings, and torch does. What mentions others than them is a
        // package as any other, but for cuda-bindings and its kin, which builds of torch pin.
        let alone = |own: &&Package| {
            role::of(&own.name) == Some(Role::CudaPart)
                || db.mentioned_by(own).iter().all(|name| is_runtime_wheel(name))
        };
        let is_named = |own: &&Package| names.contains(&own.name) || of_named.contains(&own.name);
        let is_runtime = |own: &&Package| is_runtime_wheel(&own.name) && !is_named(own) && alone(own);
        let known = mentioned.into_iter().filter_map(|name| db.package(name)).filter(|it| here(it) && !is_runtime(it));
        let known: Vec<_> = known.filter(|other| other.name != package.name).collect();
        edges.insert(&package.name, known.iter().map(|other| other.name.as_str()).collect());
        waiting.extend(known);
    }
    let all = || edges.keys().filter_map(|name| db.package(name));
    let on = |(place, target)| all().map(move |package| Candidates::new(package, place, target));
    let mut packages: Vec<_> = targets.iter().enumerate().flat_map(on).collect();
    for name in edges.keys() {
        let mut below = BTreeSet::new();
        let mut waiting = vec![*name];
        while let Some(next) = waiting.pop() {
            for other in edges.get(next).into_iter().flatten() {
                if below.insert(*other) {
                    waiting.push(other);
                }
            }
        }
        for package in packages.iter_mut().filter(|package| below.contains(package.name)) {
            package.dependents += 1;
        }
    }
    packages
}
