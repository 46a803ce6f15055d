//! The releases and builds that a request can reach, numbered, each with the reasons why it cannot be used.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pep440_rs::{Version, VersionParseError, VersionSpecifiers};
use pep508_rs::{ExtraName, MarkerEnvironment};
use pubgrub::VersionSet;

use super::ask::Ask;
use super::clause::{clauses, is_certain};
use super::need::Need;
use super::node::{Clause, Node, TORCH};
use super::outside::outside;
use super::request::{Asked, FromIndex, Prefer, Request};
use super::rule::{BlockKind, Rule};
use super::scope::Scope;
use super::stand_in::stand_ins;
use super::versions::{UNLISTED, Versions};
use super::words::admits_below;
use crate::rules::model::{Build, Package, Release, minor};
use crate::rules::obstacle::{Obstacle, target_key};
use crate::rules::requirement::{self, Requirement, is_runtime_wheel, markers, name_of, satisfied};
use crate::rules::schema::{KnownHow, RawExtension};
use crate::rules::{RuleDb, Target, torch_abi};
use crate::version::CudaVersion;

/// The index whose files carry no local label in their names.
pub(super) const PYPI: &str = "pypi";

/// Everything that one search looks at.
pub(super) struct Universe<'a> {
    pub db: &'a RuleDb,
    /// The machines that the same pins must suit, at least one.
    pub targets: Vec<Target>,
    /// What tells them apart.
    keys: Vec<u64>,
    pub prefer: Prefer,
    pub installed: BTreeMap<String, Version>,
    /// Those of the installed that cannot stay as they are.
    refused: BTreeSet<String>,
    /// Packages of which versions near these are wanted, to find the smallest change of a line.
    pub near: BTreeMap<usize, Near>,
    /// The CUDA of the installed torch, which a change keeps where it can; none where that is not asked or not known.
    pub family: Option<Family>,
    /// Sorted by name, all of the first target, then all of the next: one package on two targets is two of these.
    pub packages: Vec<Candidates<'a>>,
    /// How many packages there are on each target.
    pub width: usize,
    /// What the user wrote, in an order that does not depend on the order of the lines.
    pub asks: Vec<Ask>,
    /// Of the asks, those that may be dropped: that a package stays as it is installed.
    pub wishes: Vec<usize>,
    /// Rules that do not hold in this universe.
    pub given_up: BTreeSet<Rule>,
    /// Names that the user wrote and the rules do not cover.
    pub unchecked: Vec<String>,
    /// Names of packages that the rules do not cover and whose requirements were read.
    pub outsiders: Vec<String>,
    /// Packages of which nobody but the user says what they must be.
    pub overrides: Vec<String>,
    pub clauses: Vec<Clause<'a>>,
    /// The extras that are asked for, by package: what they require is required.
    extras: BTreeMap<String, BTreeSet<ExtraName>>,
    /// The builds that one line of a constraints file can name, by place of the package, where there are several targets.
    pub pins: Vec<Vec<Pinned<'a>>>,
    markers: Vec<Option<MarkerEnvironment>>,
}

/// What one line of a constraints file says; on each platform it is another wheel, and a wheel may have two such lines: the
/// indexes of the variants also serve the variant that is on PyPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pinned<'a> {
    /// `torch==2.10.0`: whatever PyPI has.
    Plain { release: u32 },
    /// `torch==2.10.0+cu128`, or a file of another index without a label.
    Labelled { release: u32, index: &'a str },
}

/// What a line asked for before it was let go.
#[derive(Debug, Clone)]
pub(super) struct Near {
    /// The releases that it admits.
    pub releases: Versions,
    /// The version that it pins; nearer than nothing where no release has it.
    pub pin: Option<Version>,
}

/// The CUDA for which the installed stack was built; none for CPU builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Family(pub Option<CudaVersion>);

/// One package. Release `i` of the rules has the number `i + 1`, and so has build `i`.
pub(super) struct Candidates<'a> {
    pub name: &'a str,
    /// The place of the target.
    pub target: usize,
    pub package: &'a Package,
    pub builds: Vec<Candidate<'a>>,
    /// Which builds belong to which release.
    pub spans: Vec<Range<u32>>,
    /// How many packages of the universe depend on it, directly or not.
    pub dependents: usize,
    /// The rules do not cover it: its versions stand for releases that nobody listed.
    pub stand_in: bool,
    /// See [`Universe::unlisted`].
    unlisted: Option<Version>,
    minors: OnceCell<Vec<(Vec<u64>, u32)>>,
    needs: Vec<OnceCell<Vec<Need>>>,
}

/// One build.
pub(super) struct Candidate<'a> {
    /// The place of its release, from 0.
    pub release: u32,
    pub build: &'a Build,
    blocks: OnceCell<Vec<Block>>,
    needs: OnceCell<Vec<Need>>,
}

impl<'a> Candidate<'a> {
    /// The lines of a constraints file that name it.
    pub fn lines(&self, package: &Package) -> impl Iterator<Item = Pinned<'a>> + use<'a> {
        let (release, build) = (self.release, self.build);
        let mut builds = package.releases.iter().flat_map(|release| &release.builds);
        let label = build.local.as_deref().filter(|_| builds.any(|other| other.index != PYPI));
        let index = if build.index == PYPI { label } else { Some(build.index.as_str()) };
        let plain = (build.index == PYPI).then_some(Pinned::Plain { release });
        plain.into_iter().chain(index.map(|index| Pinned::Labelled { release, index }))
    }

    /// The version that the build reports, e.g. 2.7.1+cu126.
    fn full_version(&self, releases: &[Release]) -> Result<Version, VersionParseError> {
        releases[self.release as usize].full_version(self.build).parse()
    }
}

/// A reason why a build cannot be used.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    Obstacle(Obstacle),
    Withdrawn,
    PreRelease,
    /// Nobody read its requirements.
    Unread,
    /// The checks found the installed build unfit.
    Refused,
    Advisory(usize),
}

impl Block {
    pub fn kind(&self) -> BlockKind {
        match self {
            Self::Obstacle(obstacle) => match obstacle {
                Obstacle::NoKernel { .. } => BlockKind::Kernel,
                Obstacle::CpuBuild => BlockKind::Cpu,
                Obstacle::Driver { .. } => BlockKind::Driver,
                Obstacle::Ptx { .. } => BlockKind::Ptx,
                Obstacle::PythonTag { .. } | Obstacle::RequiresPython { .. } => BlockKind::Python,
                Obstacle::Glibc { .. } => BlockKind::Glibc,
                Obstacle::Platform { .. } => BlockKind::Platform,
                Obstacle::OtherCuda { .. } | Obstacle::CudaBuild { .. } => BlockKind::OtherCuda,
            },
            Self::Withdrawn => BlockKind::Withdrawn,
            Self::PreRelease => BlockKind::PreRelease,
            Self::Unread => BlockKind::Unread,
            Self::Refused => BlockKind::Refused,
            Self::Advisory(clause) => BlockKind::Advisory(*clause),
        }
    }
}

impl<'a> Universe<'a> {
    /// Numbers what the request can reach.
    pub fn new(request: &Request, db: &'a RuleDb) -> Self {
        let targets: Vec<Target> = [&request.target].into_iter().chain(&request.beside).cloned().collect();
        let markers: Vec<_> = targets.iter().map(markers).collect();
        let active = |asked: &Asked| markers.iter().any(|markers| applies(&asked.requirement, markers.as_ref()));
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
        let mut universe = Self {
            db,
            width: packages.len() / targets.len().max(1),
            keys: targets.iter().map(target_key).collect(),
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
        let mut asks: BTreeMap<(usize, bool, String), Ask> = BTreeMap::new();
        for (asked, constraint) in lines() {
            let Some(specifiers) = requirement::specifiers(&asked.requirement) else { continue };
            let text = written(&asked.requirement, &specifiers);
            for (target, markers) in universe.markers.iter().enumerate() {
                let Some(package) = universe.find(target, asked.requirement.name.as_ref()) else { continue };
                if !applies(&asked.requirement, markers.as_ref()) {
                    continue;
                }
                let ask = asks.entry((package, constraint, text.clone())).or_insert_with(|| {
                    let (releases, builds) = universe.admitted(package, &specifiers);
                    let specifiers = specifiers.clone();
                    Ask { constraint, specifiers, ..Ask::new(package, text.clone(), releases, builds) }
                });
                ask.releases = universe.with_extras(package, &asked.requirement.extras, &ask.releases);
                let first = ask.origins.is_empty();
                ask.origins.insert(asked.origin.clone());
                match &asked.on_behalf_of {
                    Some(owner) if first || !ask.owners.is_empty() => drop(ask.owners.insert(owner.clone())),
                    Some(_) => {}
                    None => ask.owners.clear(),
                }
            }
        }
        universe.asks = asks.into_values().collect();
        for wanted in &request.from_index {
            let packages = 0..universe.packages.len();
            let named = |package: &usize| match &wanted.package {
                Some(name) => universe.packages[*package].name == name,
                None => universe.is_served_by(*package, &wanted.index),
            };
            let own: Vec<_> = packages.filter(named).map(|package| universe.served_by(package, wanted)).collect();
            universe.asks.extend(own);
        }
        for name in &request.keep {
            let kept = universe.find(0, name).map(|package| universe.as_it_is(package, "`--keep`")).unwrap_or_default();
            universe.asks.extend(kept.into_iter().map(|ask| Ask { keeps: None, ..ask }));
        }
        if request.prefer == Prefer::Installed {
            let wishes = universe.all_wishes(&request.requested);
            universe.wishes = (universe.asks.len()..).take(wishes.len()).collect();
            universe.asks.extend(wishes);
        }
        universe.clauses = clauses(&universe);
        if universe.targets.len() > 1 {
            universe.pins = (0..universe.width).map(|package| universe.pinned(package)).collect();
        }
        universe
    }

    /// Notes which packages are installed, or pinned by the user, in a version that the rules do not know.
    fn find_unlisted<'l>(&mut self, lines: impl Iterator<Item = &'l Requirement>) {
        let exact = |line: &Requirement| {
            let specifiers = requirement::specifiers(line)?;
            let pin =
                specifiers.iter().find(|specifier| is_exact(specifier)).map(|specifier| specifier.version().clone());
            Some((line.name.to_string(), pin?))
        };
        let pinned: BTreeMap<String, Version> = lines.filter_map(exact).collect();
        for candidates in self.packages.iter_mut().filter(|candidates| !candidates.stand_in) {
            let package = candidates.package;
            let other = self.targets[candidates.target].platform.as_deref().filter(|it| !it.starts_with("linux_"));
            let is_here = |release: &Release| {
                other.is_none_or(|platform| release.builds.iter().any(|build| build.is_for(platform)))
            };
            let unknown = |version: &&Version| !self.db.release(&package.name, version).is_some_and(is_here);
            let may_stay = !self.refused.contains(&package.name);
            let installed = self.installed.get(&package.name).filter(unknown).filter(|_| may_stay);
            // Whether device code that nobody opened runs on a GPU is not known.
            let judged = package.partial && !package.holds_code();
            let pinned = pinned.get(&package.name).filter(|_| judged).filter(unknown);
            candidates.unlisted = pinned.or(installed).cloned();
        }
    }

    /// The place of a package on a target, by name.
    pub fn find(&self, target: usize, name: &str) -> Option<usize> {
        let own = target * self.width..(target + 1) * self.width;
        let place = self.packages.get(own.clone())?.binary_search_by(|package| package.name.cmp(name)).ok()?;
        Some(own.start + place)
    }

    /// The target of a package.
    pub fn target(&self, package: usize) -> &Target {
        &self.targets[self.packages[package].target]
    }

    /// The same package on all targets.
    pub fn kin(&self, package: usize) -> impl Iterator<Item = usize> + use<> {
        (package % self.width..self.packages.len()).step_by(self.width)
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
    fn served_by(&self, package: usize, wanted: &FromIndex) -> Ask {
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
        Ask {
            origins: [wanted.origin.clone()].into(),
            variant: wanted.index != PYPI,
            ..Ask::new(package, text, Versions::of(releases), Some(builds))
        }
    }

    /// The releases that satisfy specifiers; also the builds where a local label is asked for.
    pub fn matching(&self, package: usize, specifiers: &VersionSpecifiers) -> (Versions, Option<Versions>) {
        let package = &self.packages[package];
        if specifiers.iter().any(|specifier| !specifier.version().local().is_empty()) {
            let fits = |candidate: &Candidate<'_>| {
                let full = candidate.full_version(&package.package.releases);
                full.is_ok_and(|version| satisfied(specifiers, &version))
            };
            let builds: Vec<_> = package.builds.iter().zip(1..).filter(|(candidate, _)| fits(candidate)).collect();
            let releases: BTreeSet<_> = builds.iter().map(|(candidate, _)| candidate.release + 1).collect();
            return (Versions::of(releases), Some(Versions::of(builds.into_iter().map(|(_, number)| number))));
        }
        if package.stand_in {
            let fits = |number: &u32| satisfied(specifiers, &package.release(*number).version);
            return (Versions::of(package.releases().filter(fits)), None);
        }
        (Versions::of(self.db.releases_within(package.package, specifiers).iter().copied()), None)
    }

    /// What [`Self::matching`] says, and the unlisted release where it satisfies the specifiers as well.
    fn admitted(&self, package: usize, specifiers: &VersionSpecifiers) -> (Versions, Option<Versions>) {
        let (releases, builds) = self.matching(package, specifiers);
        let fits = self.unlisted(package).is_some_and(|version| satisfied(specifiers, version));
        (if fits { releases.union(&Versions::singleton(UNLISTED)) } else { releases }, builds)
    }

    /// Of some releases those that have the extras that are asked for, where any of them has: `jax[cuda13]` is not met by a jax
    /// that has no such extra, though an installer would take it with a warning.
    fn with_extras(&self, package: usize, extras: &[ExtraName], releases: &Versions) -> Versions {
        let candidates = &self.packages[package];
        let has = |number: &u32| {
            let known = candidates.release(*number).extras();
            known.is_none_or(|known| extras.iter().all(|extra| known.contains_key(extra.as_ref())))
        };
        let admitted = candidates.releases().filter(|number| !extras.is_empty() && releases.contains(number));
        let (with, without): (Vec<u32>, Vec<u32>) = admitted.partition(has);
        if with.is_empty() {
            return releases.clone();
        }
        releases.intersection(&Versions::of(without).complement())
    }

    /// The version of a package that the rules do not know, and that counts all the same: it is installed, or the user pins
    /// it and releases that the rules do not know exist.
    pub fn unlisted(&self, package: usize) -> Option<&Version> {
        self.packages[package].unlisted.as_ref()
    }

    /// What a release declares of packages of this universe, for all of its builds.
    pub fn release_needs(&self, package: usize, number: u32) -> &[Need] {
        let candidates = &self.packages[package];
        let at = number as usize - 1;
        candidates.needs[at].get_or_init(|| {
            let mut lines = candidates.package.releases[at].requires.clone();
            // What is compiled against torch needs one, also where its metadata says so only after the build.
            let names_torch = lines.iter().any(|line| name_of(line) == TORCH);
            let source = candidates.package.releases[at].builds.iter().all(Build::is_source);
            if !names_torch && source && compiles_against_torch(candidates.name, self.db) {
                lines.push(TORCH.to_owned());
            }
            if let Some(wanted) = self.extras.get(candidates.name) {
                lines.extend(extra_lines(&candidates.package.releases[at], wanted));
            }
            self.needs(&lines, package)
        })
    }

    /// What a build declares beyond its release. A build that nobody opened declares, beside what its row says, what the
    /// opened build declares that tells of it ([`Release::told_by`]); of CPU builds one for CUDA tells nothing more.
    pub fn build_needs(&self, package: usize, number: u32) -> &[Need] {
        let candidates = &self.packages[package];
        let candidate = candidates.build(number);
        candidate.needs.get_or_init(|| {
            let own = candidate.build;
            let teller = Some(candidates.release_of(candidate)).filter(|_| !own.is_opened() && !own.is_source());
            let teller = teller.and_then(|release| release.told_by(own));
            let Some(teller) = teller.filter(|teller| teller.cuda.is_some() == own.cuda.is_some()) else {
                return self.needs(&own.requires, package);
            };
            let named: Vec<&str> = own.requires.iter().map(|line| name_of(line)).collect();
            let told = teller.requires.iter().filter(|line| {
                let name = name_of(line);
                !is_runtime_wheel(name) && !named.contains(&name)
            });
            self.needs(&own.requires.iter().chain(told).cloned().collect::<Vec<_>>(), package)
        })
    }

    fn needs(&self, lines: &[String], own: usize) -> Vec<Need> {
        let mut needs: Vec<Need> = Vec::new();
        let target = self.packages[own].target;
        for line in lines {
            let Some(on) = self.find(target, &requirement::normalise(name_of(line))) else { continue };
            let Ok(parsed) = requirement::parse(line) else { continue };
            if on == own || self.overrides.iter().any(|name| name == self.packages[on].name) {
                continue;
            }
            if !applies(&parsed, self.markers[target].as_ref()) {
                continue;
            }
            let Some(specifiers) = requirement::specifiers(&parsed) else { continue };
            let (releases, builds) = self.admitted(on, &specifiers);
            let package = self.packages[on].package;
            let first = package.releases.first().filter(|_| package.partial);
            let below = first.is_some_and(|first| admits_below(&specifiers, &first.version));
            let when = Some(parsed.marker.clone()).filter(|_| self.markers[target].is_none());
            let need = Need { on, text: written(&parsed, &specifiers), below, releases, builds, when };
            match needs.iter_mut().find(|other| other.excludes(&need)) {
                Some(other) => other.or(need),
                None => needs.push(need),
            }
        }
        needs
    }

    /// NVIDIA's wheels that the user names.
    pub fn runtime_wheels(&self, target: usize) -> impl Iterator<Item = usize> {
        let own = target * self.width..(target + 1) * self.width;
        own.filter(|package| is_runtime_wheel(self.packages[*package].name))
    }

    /// The name in a requirement, if it applies on a target.
    pub fn active_name(&self, target: usize, line: &str) -> Option<String> {
        let parsed = requirement::parse(line).ok().filter(|_| is_runtime_wheel(name_of(line)))?;
        applies(&parsed, self.markers[target].as_ref()).then(|| parsed.name.to_string())
    }

    /// Which torch a build needs by its symbols, where it is not every one.
    pub fn torch_abi(&self, package: usize, number: u32) -> Option<Cow<'a, RawExtension>> {
        let candidates = &self.packages[package];
        let candidate = candidates.build(number);
        torch_abi::row(candidates.package, candidates.release_of(candidate), candidate.build, self.db)
    }

    /// Why a build cannot be used; empty where it can.
    pub fn blocks(&self, package: usize, number: u32) -> &[Block] {
        let candidates = &self.packages[package];
        let candidate = candidates.build(number);
        candidate.blocks.get_or_init(|| {
            if candidates.stand_in {
                return Vec::new();
            }
            let release = candidates.release_of(candidate);
            let target = (self.keys[candidates.target], self.target(package));
            let found = self.db.obstacles_of(candidates.package, release, candidate.build, target);
            let mut blocks: Vec<_> = found.iter().cloned().map(Block::Obstacle).collect();
            if let Some(at) = blocks.iter().position(|block| block.kind() == BlockKind::Platform) {
                blocks = vec![blocks.swap_remove(at)];
            }
            let named = |wanted: &dyn Fn(&VersionSpecifiers) -> bool| {
                let own = self.asks.iter().filter(|ask| ask.package == package);
                own.clone().any(|ask| ask.releases.contains(&(candidate.release + 1)) && wanted(&ask.specifiers))
            };
            if release.yanked && !named(&|specifiers| specifiers.iter().any(is_exact)) {
                blocks.push(Block::Withdrawn);
            }
            let pre = |specifiers: &VersionSpecifiers| specifiers.iter().any(|it| it.version().any_prerelease());
            if release.version.any_prerelease() && !named(&pre) {
                blocks.push(Block::PreRelease);
            }
            let installed = self.installed.get(candidates.name);
            if self.refused.contains(candidates.name)
                && installed.is_some_and(|version| candidates.is_installed(candidate, version))
            {
                blocks.push(Block::Refused);
            }
            let installed = installed.map(|version| version.clone().without_local());
            if release.requires_known(candidate.build) == KnownHow::Unknown
                && installed.as_ref() != Some(&release.version)
                && !named(&|specifiers| specifiers.iter().any(is_exact))
            {
                blocks.push(Block::Unread);
            }
            if self.pins_unread(package, number) {
                blocks.push(Block::Unread);
            }
            for (at, clause) in self.clauses.iter().enumerate() {
                let holds = match clause.terms.as_slice() {
                    [(Node::Release(owner), releases)] => {
                        *owner == package && releases.contains(&(candidate.release + 1))
                    }
                    [(Node::Build(owner), builds)] => *owner == package && builds.contains(&number),
                    _ => false,
                };
                if holds {
                    blocks.push(Block::Advisory(at));
                }
            }
            blocks
        })
    }

    /// Whether a build that nobody opened pins NVIDIA's wheels, as the opened build of its release does, while somebody else asks
    /// for one of these: which version it pins is not known. Who names the build, or has it, may have it.
    fn pins_unread(&self, package: usize, number: u32) -> bool {
        let candidates = &self.packages[package];
        let candidate = candidates.build(number);
        let (own, release) = (candidate.build, candidates.release_of(candidate));
        let pins = |build: &Build| {
            let mut names = build.requires.iter().map(|line| name_of(line)).filter(|name| is_runtime_wheel(name));
            names.any(|name| self.find(candidates.target, name).is_some())
        };
        let is_named = |ask: &Ask| {
            ask.package == package
                && ask.labelled()
                && ask.builds.as_ref().is_some_and(|builds| builds.contains(&number))
        };
        let major = |build: &Build| build.cuda.map(|cuda| cuda.major);
        let teller = Some(own).filter(|own| !own.is_opened()).and_then(|own| release.told_by(own));
        // For another CUDA the wheels have other names.
        let teller = teller.filter(|teller| major(own).is_some() && major(teller) == major(own));
        let asks_for_some =
            teller.is_some_and(pins) && !own.requires.iter().any(|line| is_runtime_wheel(name_of(line)));
        asks_for_some && !self.asks.iter().any(is_named)
    }

    /// Lets a line admit every release, and notes which are near what it asked for.
    pub fn loosen(&mut self, ask: usize) {
        let releases = Versions::of(self.packages[self.asks[ask].package].releases());
        let ask = &mut self.asks[ask];
        let pin = ask.specifiers.iter().find(|specifier| is_exact(specifier)).map(|it| it.version().clone());
        ask.specifiers = VersionSpecifiers::empty();
        ask.builds = None;
        let releases = std::mem::replace(&mut ask.releases, releases);
        self.near.insert(ask.package, Near { releases, pin });
    }

    /// Judges builds anew: whether a withdrawn release may be used depends on the user's lines.
    pub fn forget_blocks(&mut self) {
        for candidate in self.packages.iter_mut().flat_map(|package| &mut package.builds) {
            candidate.blocks.take();
        }
    }

    /// Whether a build can be used, as far as these rules say.
    pub fn usable(&self, package: usize, number: u32, scope: Scope<'_>) -> bool {
        self.blocks(package, number).iter().all(|block| !scope.holds(Rule::Block { package, kind: block.kind() }))
    }

    /// Whether a release has a build that can be used.
    pub fn release_usable(&self, package: usize, number: u32, scope: Scope<'_>) -> bool {
        self.packages[package].builds_of(number).any(|build| self.usable(package, build, scope))
    }
}

impl<'a> Candidates<'a> {
    fn new(package: &'a Package, place: usize, target: &Target) -> Self {
        let mut builds = Vec::new();
        let mut spans = Vec::new();
        for (release, at) in package.releases.iter().zip(0_u32..) {
            let here = |build: &&Build| target.platform.as_ref().is_none_or(|platform| build.is_for(platform));
            let start = number(builds.len());
            let fitting = release.builds.iter().filter(here).count();
            let shown = release.builds.iter().filter(|build| fitting == 0 || here(build));
            builds.extend(shown.map(|build| Candidate {
                release: at,
                build,
                blocks: OnceCell::new(),
                needs: OnceCell::new(),
            }));
            spans.push(start..number(builds.len()));
        }
        let needs = package.releases.iter().map(|_| OnceCell::new()).collect();
        Self {
            name: &package.name,
            target: place,
            package,
            builds,
            spans,
            dependents: 0,
            stand_in: false,
            unlisted: None,
            minors: OnceCell::new(),
            needs,
        }
    }

    /// How many minor releases lie between two releases, the second one's counted.
    pub fn minors_between(&self, first: u32, last: u32) -> u32 {
        let minor = |number: u32| self.minors()[number as usize - 1].1;
        minor(last).abs_diff(minor(first))
    }

    /// How many minor releases a release lies away from a version, which need not be known.
    pub fn minors_from(&self, version: &Version, number: u32) -> u32 {
        let minors = self.minors();
        let own = minor(version);
        let at = minors.partition_point(|(other, _)| *other < own);
        let known = minors.get(at).filter(|(other, _)| *other == own);
        let (place, extra) = match (known, minors.get(at), minors.last()) {
            (Some((_, place)), ..) => (*place, 0),
            (None, Some((_, place)), _) => (*place, u32::from(minors[number as usize - 1].1 < *place)),
            (None, None, Some((_, place))) => (*place, 1),
            (None, None, None) => (0, 0),
        };
        minors[number as usize - 1].1.abs_diff(place) + extra
    }

    /// Each release's minor release and the number of that.
    fn minors(&self) -> &[(Vec<u64>, u32)] {
        self.minors.get_or_init(|| {
            let mut found: Vec<(Vec<u64>, u32)> = Vec::with_capacity(self.package.releases.len());
            for release in &self.package.releases {
                let own = minor(&release.version);
                let place = found.last().map_or(0, |(last, place)| place + u32::from(*last != own));
                found.push((own, place));
            }
            found
        })
    }

    /// Whether a build is the installed one. Of PyPI's builds installed metadata names no label.
    pub fn is_installed(&self, candidate: &Candidate<'_>, installed: &Version) -> bool {
        let plain = installed.local().is_empty() && candidate.build.index == PYPI;
        let release = &self.package.releases[candidate.release as usize].version;
        (plain && release == installed)
            || candidate.full_version(&self.package.releases).is_ok_and(|it| it == *installed)
    }

    /// A build by number.
    pub fn build(&self, number: u32) -> &Candidate<'a> {
        &self.builds[number as usize - 1]
    }

    /// A release by number.
    pub fn release(&self, number: u32) -> &'a Release {
        &self.package.releases[number as usize - 1]
    }

    /// The release of a build.
    pub fn release_of(&self, candidate: &Candidate<'a>) -> &'a Release {
        &self.package.releases[candidate.release as usize]
    }

    /// The numbers of a release's builds.
    pub fn builds_of(&self, release: u32) -> Range<u32> {
        let span = &self.spans[release as usize - 1];
        span.start + 1..span.end + 1
    }

    /// The numbers of all releases, oldest first.
    pub fn releases(&self) -> Range<u32> {
        1..number(self.package.releases.len()) + 1
    }

    /// The version in the file name of a build.
    pub fn installer_version(&self, candidate: &Candidate<'_>) -> Version {
        let release = &self.package.releases[candidate.release as usize];
        if candidate.build.index == PYPI {
            return release.version.clone();
        }
        candidate.full_version(&self.package.releases).unwrap_or_else(|_| release.version.clone())
    }
}

/// A place as a number; no package has four billion builds.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn is_exact(specifier: &pep440_rs::VersionSpecifier) -> bool {
    matches!(specifier.operator(), pep440_rs::Operator::Equal | pep440_rs::Operator::ExactEqual)
}

/// Whether a line applies on a target; where Python or the platform is unknown, whether it may.
fn applies(requirement: &Requirement, markers: Option<&MarkerEnvironment>) -> bool {
    match markers {
        Some(environment) => requirement::applies(requirement, environment, &[]),
        None => requirement.marker.evaluate_optional_environment(None, &[]),
    }
}

/// A requirement in short, e.g. `triton<3`.
fn written(requirement: &Requirement, specifiers: &VersionSpecifiers) -> String {
    let pieces: Vec<_> = specifiers.iter().map(ToString::to_string).collect();
    format!("{}{}", requirement.name, pieces.join(","))
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

/// What extras of a release require.
fn extra_lines(release: &Release, wanted: &BTreeSet<ExtraName>) -> Vec<String> {
    let Some(extras) = release.extras() else { return Vec::new() };
    let own = wanted.iter().filter_map(|name| extras.get(name.as_ref()));
    own.flat_map(|extra| extra.requires.iter().cloned()).collect()
}

/// Whether a plain install from source compiles a package against the torch beside it.
fn compiles_against_torch(name: &str, db: &RuleDb) -> bool {
    db.source_build(name).is_some_and(|row| row.only_with.is_none())
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
            let made = Candidates::new(package, place, target);
            packages.push(Candidates { stand_in: true, dependents: most, ..made });
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
    while let Some(package) = waiting.pop() {
        if edges.contains_key(package.name.as_str()) {
            continue;
        }
        let named = db.mentioned_by(package);
        let mut mentioned: BTreeSet<&str> = named.iter().map(String::as_str).collect();
        if compiles_against_torch(&package.name, db) {
            mentioned.insert(TORCH);
        }
        // NVIDIA's runtime wheels follow from what needs them; they are judged only where the user names them.
        let known = mentioned
            .into_iter()
            .filter(|name| !is_runtime_wheel(name) || names.contains(*name))
            .filter_map(|name| db.package(name))
            .filter(here);
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
