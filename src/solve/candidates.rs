//! One package of a search: its releases and builds, numbered, each with the reasons why it cannot be used.

use std::cell::OnceCell;
use std::ops::Range;

use super::need::DeclaredRequirement;
use super::rule::BlockKind;
use crate::pep::Version;
use crate::rules::Target;
use crate::rules::model::{Build, Package, Release, minor};
use crate::rules::obstacle::Obstacle;

/// The index whose files carry no local label in their names.
pub(super) const PYPI: &str = "pypi";

/// What one line of a constraints file says; on each platform it is another wheel, and a wheel may have two such lines: the
/// indexes of the variants also serve the variant that is on PyPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pinned<'a> {
    /// `torch==2.10.0`: whatever PyPI has.
    Plain { release: u32 },
    /// `torch==2.10.0+cu128`, or a file of another index without a label.
    Labelled { release: u32, index: &'a str },
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
    /// The rules do not cover it: its versions stand for releases that nobody listed.
    pub stand_in: bool,
    /// See [`Universe::unlisted`].
    pub(super) unlisted: Option<Version>,
    minors: OnceCell<Vec<(Vec<u64>, u32)>>,
    pub(super) needs: Vec<OnceCell<Vec<DeclaredRequirement>>>,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(package: &'a Package, place: usize, target: &Target) -> Self {
        let mut builds = Vec::new();
        let mut spans = Vec::new();
        for (release, at) in package.releases.iter().zip(0_u32..) {
            let here =
                |(_, build): &(u32, &Build)| target.platform.as_ref().is_none_or(|platform| build.is_for(platform));
            let own = || (0_u32..).zip(&release.builds);
            let start = number(builds.len());
            let fitting = own().filter(here).count();
            let shown = own().filter(|build| fitting == 0 || here(build));
            builds.extend(shown.map(|(place, build)| Candidate {
                release: at,
                place,
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
            || candidate.full_version(&self.package.releases).is_some_and(|it| it == *installed)
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
        candidate.full_version(&self.package.releases).unwrap_or_else(|| release.version.clone())
    }
}

/// One build.
pub(super) struct Candidate<'a> {
    /// The place of its release, from 0.
    pub release: u32,
    /// Its place among the builds of its release, from 0.
    pub place: u32,
    pub build: &'a Build,
    pub(super) blocks: OnceCell<Vec<Block>>,
    pub(super) needs: OnceCell<Vec<DeclaredRequirement>>,
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
    pub(super) fn full_version(&self, releases: &[Release]) -> Option<Version> {
        releases[self.release as usize].build_version(self.build)
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

/// A place as a number; no package has four billion builds.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
