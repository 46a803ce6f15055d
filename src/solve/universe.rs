//! The releases and builds that a request can reach, numbered, each with the reasons why it cannot be used.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use pubgrub::VersionSet;

use super::ask::NumberedRequirement;
use super::candidates::{Block, Candidate, Candidates, Pinned};
use super::need::{DeclaredRequirement, admits_below};
use super::node::{Clause, Node, TORCH};
use super::request::Prefer;
use super::rule::{BlockKind, Rule};
use super::scope::Scope;
use super::versions::{UNLISTED, Versions};
use crate::pep::{ExtraName, MarkerEnvironment, Requirement, Version, VersionSpecifiers, pinned};
use crate::rules::Judged;
use crate::rules::model::{Build, Release};
use crate::rules::requirement::{self, name_of, satisfied};
use crate::rules::role::is_runtime_wheel;
use crate::rules::schema::{KnownHow, TorchExtension};
use crate::rules::{RuleDb, Target, torch_abi};
use crate::version::CudaVersion;

/// Everything that one search looks at.
pub(super) struct Universe<'a> {
    pub db: &'a RuleDb,
    /// The machines that the same pins must suit, at least one.
    pub targets: Vec<Target>,
    /// What tells them apart.
    pub judged: Vec<&'a Judged>,
    pub prefer: Prefer,
    pub installed: BTreeMap<String, Version>,
    /// Those of the installed that cannot stay as they are.
    pub(super) refused: BTreeSet<String>,
    /// Packages of which versions near these are wanted, to find the smallest change of a line.
    pub near: BTreeMap<usize, Near>,
    /// The CUDA of the installed torch, which a change keeps where it can; none where that is not asked or not known.
    pub family: Option<Family>,
    /// Sorted by name, all of the first target, then all of the next: one package on two targets is two of these.
    pub packages: Vec<Candidates<'a>>,
    /// How many packages there are on each target.
    pub width: usize,
    /// What the user wrote, in an order that does not depend on the order of the lines.
    pub asks: Vec<NumberedRequirement>,
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
    pub extras: BTreeMap<String, BTreeSet<ExtraName>>,
    /// The builds that one line of a constraints file can name, by place of the package, where there are several targets.
    pub pins: Vec<Vec<Pinned<'a>>>,
    pub(super) markers: Vec<Option<MarkerEnvironment>>,
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

impl<'a> Universe<'a> {
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

    /// The releases that satisfy specifiers; also the builds where a local label is asked for.
    pub fn matching(&self, package: usize, specifiers: &VersionSpecifiers) -> (Versions, Option<Versions>) {
        let package = &self.packages[package];
        if specifiers.iter().any(|specifier| !specifier.version().local().is_empty()) {
            let fits = |candidate: &Candidate<'_>| {
                let full = candidate.full_version(&package.package.releases);
                full.is_some_and(|version| satisfied(specifiers, &version))
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
    pub(super) fn admitted(&self, package: usize, specifiers: &VersionSpecifiers) -> (Versions, Option<Versions>) {
        let (releases, builds) = self.matching(package, specifiers);
        let fits = self.unlisted(package).is_some_and(|version| satisfied(specifiers, version));
        (if fits { releases.union(&Versions::singleton(UNLISTED)) } else { releases }, builds)
    }

    /// Of some releases those that have the extras that are asked for, where any of them has: `jax[cuda13]` is not met by a jax
    /// that has no such extra, though an installer would take it with a warning.
    pub(super) fn with_extras(&self, package: usize, extras: &[ExtraName], releases: &Versions) -> Versions {
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

    /// The release that the rules know of a version of which they do not know the build, e.g. 0.24.1 of `0.24.1+cu130` on aarch64.
    pub fn release_of_unlisted(&self, package: usize) -> Option<u32> {
        let public = self.unlisted(package)?.clone().without_local();
        let candidates = &self.packages[package];
        candidates.releases().find(|number| candidates.release(*number).version == public)
    }

    /// Whether a package is installed, and is to change as little as can be.
    pub fn is_kept(&self, package: usize) -> bool {
        self.prefer == Prefer::Installed && self.installed.contains_key(self.packages[package].name)
    }

    /// What a release declares of packages of this universe, for all of its builds.
    pub fn release_needs(&self, package: usize, number: u32) -> &[DeclaredRequirement] {
        let candidates = &self.packages[package];
        let at = number as usize - 1;
        candidates.needs[at].get_or_init(|| {
            let mut lines = candidates.package.releases[at].requires.clone();
            // What is compiled against torch needs one, also where its metadata says so only after the build, or never.
            let names_torch = lines.iter().any(|line| name_of(line) == TORCH);
            let release = &candidates.package.releases[at];
            let source =
                || release.builds.iter().all(Build::is_source) && self.db.compiles_against_torch(candidates.name);
            let linked = || self.db.torch_abi(candidates.name, &release.version).is_some();
            if !names_torch && (source() || linked()) {
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
    pub fn build_needs(&self, package: usize, number: u32) -> &[DeclaredRequirement] {
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

    fn needs(&self, lines: &[String], own: usize) -> Vec<DeclaredRequirement> {
        let mut needs: Vec<DeclaredRequirement> = Vec::new();
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
            let need = DeclaredRequirement { on, text: written(&parsed, &specifiers), below, releases, builds, when };
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
    pub fn torch_abi(&self, package: usize, number: u32) -> Option<Cow<'a, TorchExtension>> {
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
            let place = (candidate.release, candidate.place);
            let found = self.judged[candidates.target].obstacles(candidates.name, place, self.db);
            let mut blocks: Vec<_> = found.iter().cloned().map(Block::Obstacle).collect();
            if let Some(at) = blocks.iter().position(|block| block.kind() == BlockKind::Platform) {
                blocks = vec![blocks.swap_remove(at)];
            }
            let named = |wanted: &dyn Fn(&VersionSpecifiers) -> bool| {
                let own = self.asks.iter().filter(|ask| ask.package == package);
                own.clone().any(|ask| ask.releases.contains(&(candidate.release + 1)) && wanted(&ask.specifiers))
            };
            if release.yanked && !named(&|specifiers| pinned(specifiers).is_some()) {
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
                && !named(&|specifiers| pinned(specifiers).is_some())
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
        let is_named = |ask: &NumberedRequirement| {
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
        let pin = pinned(&ask.specifiers).cloned();
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

/// Whether a line applies on a target; where Python or the platform is unknown, whether it may.
pub(super) fn applies(requirement: &Requirement, markers: Option<&MarkerEnvironment>) -> bool {
    match markers {
        Some(environment) => requirement::applies(requirement, environment, &[]),
        None => requirement.marker.evaluate_optional_environment(None, &[]),
    }
}

/// A requirement in short, e.g. `triton<3`.
pub(super) fn written(requirement: &Requirement, specifiers: &VersionSpecifiers) -> String {
    let pieces: Vec<_> = specifiers.iter().map(ToString::to_string).collect();
    format!("{}{}", requirement.name, pieces.join(","))
}

/// What extras of a release require.
pub(super) fn extra_lines(release: &Release, wanted: &BTreeSet<ExtraName>) -> Vec<String> {
    let Some(extras) = release.extras() else { return Vec::new() };
    let own = wanted.iter().filter_map(|name| extras.get(name.as_ref()));
    own.flat_map(|extra| extra.requires.iter().cloned()).collect()
}
