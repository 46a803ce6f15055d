//! The releases and builds that a request can reach, numbered, each with the reasons why it cannot be used.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pep440_rs::{Version, VersionParseError, VersionSpecifiers, release_specifiers_to_ranges};
use pep508_rs::MarkerEnvironment;
use pubgrub::{Ranges, VersionSet};

use super::clause::{Clause, clauses};
use super::outside::outside;
use super::provider::{Node, TORCH};
use super::request::{Asked, FromIndex, INSTALLED, Prefer, Request};
use super::rule::{BlockKind, Rule};
use super::scope::Scope;
use super::versions::{ABSENT, UNLISTED, Versions};
use crate::rules::model::{Build, Package, Release, RowSource};
use crate::rules::obstacle::{Obstacle, target_key};
use crate::rules::raw_platform::RawExtension;
use crate::rules::requirement::{self, Requirement, is_runtime_wheel, markers, name_of, satisfied};
use crate::rules::{RuleDb, Target, torch_abi};

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
    /// A package of which versions near these are wanted, to find the smallest change.
    pub near: Option<(usize, Versions)>,
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

/// One line of the user about a covered package.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub package: usize,
    /// E.g. `triton<3`.
    pub text: String,
    pub origins: BTreeSet<String>,
    /// The packages that declare it; empty if the user wrote it too.
    pub owners: BTreeSet<String>,
    /// It asks for the builds of a variant's index.
    pub variant: bool,
    pub constraint: bool,
    pub specifiers: VersionSpecifiers,
    pub releases: Versions,
    pub builds: Option<Versions>,
}

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

impl Ask {
    /// Whether the line names a build by its local label, e.g. `torch==2.7.1+cu126`.
    pub fn labelled(&self) -> bool {
        self.variant || self.specifiers.iter().any(|specifier| !specifier.version().local().is_empty())
    }
}

/// What a release or build declares of a covered package.
#[derive(Debug, Clone)]
pub(super) struct Need {
    pub on: usize,
    /// E.g. `triton==3.2.0`.
    pub text: String,
    pub releases: Versions,
    pub builds: Option<Versions>,
}

/// A reason why a build cannot be used.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    Obstacle(Obstacle),
    Withdrawn,
    PreRelease,
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
        let packages = reach(with_rescuers(names, db), &targets, db);
        let mut universe = Self {
            db,
            width: packages.len() / targets.len().max(1),
            keys: targets.iter().map(target_key).collect(),
            targets,
            prefer: request.prefer,
            installed: request.installed.clone(),
            near: None,
            packages,
            asks: Vec::new(),
            wishes: Vec::new(),
            given_up: BTreeSet::new(),
            unchecked: outside.unread.into_iter().collect(),
            outsiders: outside.read.into_iter().collect(),
            overrides: request.overrides.clone(),
            clauses: Vec::new(),
            pins: Vec::new(),
            markers,
        };
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
                    let (text, specifiers) = (text.clone(), specifiers.clone());
                    let (origins, owners) = (BTreeSet::new(), BTreeSet::new());
                    Ask { package, text, origins, owners, variant: false, constraint, specifiers, releases, builds }
                });
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
            let kept = universe.find(0, name).and_then(|package| universe.as_it_is(package, "`--keep`"));
            universe.asks.extend(kept);
        }
        if request.prefer == Prefer::Installed {
            let own = 0..universe.width;
            let wishes: Vec<_> = own.filter_map(|package| universe.as_it_is(package, INSTALLED)).collect();
            universe.wishes = (universe.asks.len()..).take(wishes.len()).collect();
            universe.asks.extend(wishes);
        }
        universe.clauses = clauses(&universe);
        if universe.targets.len() > 1 {
            universe.pins = (0..universe.width).map(|package| universe.pinned(package)).collect();
        }
        universe
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
        Ask {
            package,
            text: format!("{} from the index {}", candidates.name, wanted.index),
            origins: [wanted.origin.clone()].into(),
            owners: BTreeSet::new(),
            variant: wanted.index != PYPI,
            constraint: true,
            specifiers: VersionSpecifiers::empty(),
            releases: Versions::of(releases),
            builds: Some(Versions::of(here().map(|(_, number)| number))),
        }
    }

    /// That a package stays as it is installed, or stays out; none where what is installed is nothing that the rules know.
    fn as_it_is(&self, package: usize, origin: &str) -> Option<Ask> {
        let candidates = &self.packages[package];
        let (text, releases, builds) = match self.installed.get(candidates.name) {
            None => (format!("no {}", candidates.name), Versions::singleton(ABSENT), None),
            Some(version) => {
                let same = |candidate: &Candidate<'_>| {
                    candidate.full_version(&candidates.package.releases).is_ok_and(|full| full == *version)
                };
                let here = || candidates.builds.iter().zip(1..).filter(|(candidate, _)| same(candidate));
                let builds = Versions::of(here().map(|(_, number)| number));
                let releases: BTreeSet<_> = here().map(|(candidate, _)| candidate.release + 1).collect();
                let text = format!("{}=={version}", candidates.name);
                match releases.is_empty() {
                    false => (text, Versions::of(releases), Some(builds)),
                    true if candidates.package.partial && self.unlisted(package).is_some() => {
                        (text, Versions::singleton(UNLISTED), None)
                    }
                    true => return None,
                }
            }
        };
        let specifiers = text.strip_prefix(candidates.name).and_then(|text| text.parse().ok()).unwrap_or_default();
        let origins = [origin.to_owned()].into();
        let owners = BTreeSet::new();
        Some(Ask { package, text, origins, owners, variant: false, constraint: true, specifiers, releases, builds })
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
        (Versions::of(self.db.releases_within(package.package, specifiers).iter().copied()), None)
    }

    /// What [`Self::matching`] says, and the unlisted release where it may satisfy the specifiers as well.
    fn admitted(&self, package: usize, specifiers: &VersionSpecifiers) -> (Versions, Option<Versions>) {
        let (releases, builds) = self.matching(package, specifiers);
        let unlisted = builds.is_none() && self.packages[package].package.partial;
        let fits = match self.unlisted(package) {
            Some(installed) => satisfied(specifiers, installed),
            None => self.packages[package].package.releases.first().is_some_and(|first| {
                let older = Ranges::strictly_lower_than(first.version.clone());
                !release_specifiers_to_ranges(specifiers.clone()).is_disjoint(&older)
            }),
        };
        (if unlisted && fits { releases.union(&Versions::singleton(UNLISTED)) } else { releases }, builds)
    }

    /// The installed version of a package, where the rules do not know it.
    pub fn unlisted(&self, package: usize) -> Option<&Version> {
        let package = self.packages[package].package;
        let installed = self.installed.get(&package.name)?;
        self.db.release(&package.name, installed).is_none().then_some(installed)
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
            self.needs(&lines, package)
        })
    }

    /// What a build declares beyond its release. A build that nobody opened declares, as far as anybody knows, what the
    /// opened build beside it declares; CPU builds differ too much for that.
    pub fn build_needs(&self, package: usize, number: u32) -> &[Need] {
        let candidates = &self.packages[package];
        let candidate = candidates.build(number);
        candidate.needs.get_or_init(|| {
            let own = candidate.build;
            let opened = |build: &Build| matches!(build.source, RowSource::Wheel { .. });
            let alike = |build: &&Build| opened(build) && build.platform == own.platform && build.cuda.is_some();
            let beside = || candidates.release_of(candidate).builds.iter().find(alike);
            let unread = !opened(own) && own.requires.is_empty() && own.cuda.is_some();
            match beside().filter(|_| unread) {
                None => self.needs(&own.requires, package),
                // NVIDIA's runtime wheels are those of its own CUDA.
                Some(build) => {
                    let shared = build.requires.iter().filter(|line| !is_runtime_wheel(name_of(line)));
                    self.needs(&shared.cloned().collect::<Vec<_>>(), package)
                }
            }
        })
    }

    fn needs(&self, lines: &[String], own: usize) -> Vec<Need> {
        let mut needs = Vec::new();
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
            needs.push(Need { on, text: written(&parsed, &specifiers), releases, builds });
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
        Self { name: &package.name, target: place, package, builds, spans, dependents: 0, needs }
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

/// Whether a plain install from source compiles a package against the torch beside it.
fn compiles_against_torch(name: &str, db: &RuleDb) -> bool {
    db.source_build(name).is_some_and(|row| row.only_with.is_none())
}

/// These names and the covered packages whose absence an advisory about them is about.
fn with_rescuers(names: BTreeSet<String>, db: &RuleDb) -> BTreeSet<String> {
    let absent = db.advisories().flat_map(|advisory| &advisory.when).flat_map(|condition| &condition.absent);
    names.into_iter().chain(absent.cloned()).collect()
}

/// The covered packages that these can bring in, themselves included, sorted, with the number of dependents of each, once for
/// each target.
fn reach<'a>(names: BTreeSet<String>, targets: &[Target], db: &'a RuleDb) -> Vec<Candidates<'a>> {
    let mut edges: BTreeMap<&'a str, BTreeSet<&'a str>> = BTreeMap::new();
    let mut waiting: Vec<&'a Package> = names.iter().filter_map(|name| db.package(name)).collect();
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
            .filter_map(|name| db.package(name));
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
