//! From what an index publishes to the rows of `rules/packages/<name>.toml`: which wheels to open, and what they say.
//!
//! Nothing here touches the network or a file. [`plan`] compares an index's listing with the rows at hand and names the
//! wheels that have to be opened; [`row`] turns what was read in one of them into a build; [`Release::merge`] puts it in
//! its place. The same inputs in any order give the same rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::pep::Version;
use crate::python::metadata::{Metadata, canonical_requirement, requirement_name};
use crate::python::wheel::{WheelName, python_order};
use crate::rules::model::ANY;
use crate::rules::role::is_runtime_wheel;
use crate::rules::schema::{BuildRow, CodeRow, KnownHow, PackageFile, ReleaseRow, SourceRow};
use crate::version::{CudaVersion, GlibcVersion};

/// A target is one of the build's own (`sass`, `ptx`) if more than this share of the containers has it, in percent: of all,
/// or of those that hold anything but exact targets (`sm_90a`).
///
/// Wheels are far from the border: what a build supports is in 56 % and more of its containers, the rest in less than 24 %.
/// Not in all: `libtorch_cuda_linalg.so` (MAGMA) has targets of its own, so that `sm_75` is in 476 of 541 containers of
/// torch 2.14.1+cu130, and `sm_50` in 107 of 500 of torch 2.8.0+cu128, none of them in `libtorch_cuda.so`.
pub const MOST_PERCENT: u64 = 50;

/// The name that the database gives to the index that everybody uses.
pub const PYPI: &str = "pypi";

/// A file as an index lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its name.
    pub file: String,
    /// In hexadecimal digits.
    pub sha256: Option<String>,
    /// E.g. `>=3.9.0`.
    pub requires_python: Option<String>,
    /// Withdrawn.
    pub yanked: bool,
    /// The day of its upload, `2025-06-04`.
    pub day: Option<String>,
}

/// A release, and which of its wheels have to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The public version.
    pub version: Version,
    date: String,
    yanked: bool,
    requires_python: Option<String>,
    /// One for each platform, those for x86_64 first.
    pub wheels: Vec<Wheel>,
}

/// The wheel that stands for all wheels of a release for one platform; the source distribution where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wheel {
    /// Its name.
    pub file: String,
    /// Its hash, as the index states it.
    pub sha256: Option<String>,
    /// None: a source distribution.
    name: Option<WheelName>,
    platform: String,
    pub(super) python: Vec<String>,
    glibc: Option<GlibcVersion>,
    /// A row of it is at hand: it need not be opened.
    pub known: bool,
}

/// Which releases of an index are wanted.
#[derive(Debug, Clone, Default)]
pub struct Reached {
    /// From this one on.
    pub since: Option<Version>,
    /// The newest so many that were not withdrawn, and those withdrawn between them.
    pub last: Option<usize>,
}

/// What was read in a wheel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Its METADATA.
    pub metadata: Metadata,
    /// The local label in its `version.py`, e.g. `cu126`.
    pub local: Option<String>,
    /// The CUDA version that it says it was built for.
    pub cuda: Option<CudaVersion>,
    /// Built with the new C++ ABI.
    pub cxx11_abi: Option<bool>,
    /// The platform that its libraries are for, e.g. `linux_x86_64`, should its name not say so.
    pub platform: Option<String>,
    /// Its device code.
    pub code: Vec<CodeRow>,
    /// Of a source distribution: it states no list of requirements.
    pub unstated: bool,
}

impl Wheel {
    /// Whether it is a source distribution.
    #[must_use]
    pub fn is_sdist(&self) -> bool {
        self.name.is_none()
    }
}

/// The Python for which a wheel is opened: where all are there, 3.11, which every release since torch 1.13.1 has.
fn preference(name: &WheelName) -> (usize, u32, std::cmp::Reverse<String>) {
    const PREFERRED: [&str; 6] = ["cp311", "cp310", "cp312", "cp39", "cp38", "cp313"];
    let tags = name.python_tags();
    let first = tags.first().cloned().unwrap_or_default();
    let rank = PREFERRED.iter().position(|tag| *tag == first).unwrap_or(PREFERRED.len());
    (PREFERRED.len() - rank, name.build.unwrap_or(0), std::cmp::Reverse(first))
}

/// Names the releases of a listing, oldest first, and of each the wheels to open.
///
/// Pre-releases and development releases are left out, and so is what can be had for Linux neither as a wheel nor as a
/// source distribution. `index`: see [`BuildRow`].
#[must_use]
pub fn plan(files: &[Published], index: &str, reach: &Reached, rows: Option<&PackageFile>) -> Vec<Release> {
    let mut versions: BTreeMap<Version, Vec<&Published>> = BTreeMap::new();
    for file in files {
        let Some(version) = final_version(&file.file) else { continue };
        if reach.since.as_ref().is_none_or(|since| version >= *since) {
            versions.entry(version).or_default().push(file);
        }
    }
    let rows: BTreeMap<&str, &ReleaseRow> =
        rows.iter().flat_map(|rows| &rows.releases).map(|release| (release.version.as_str(), release)).collect();
    let releases = versions.into_iter().filter_map(|(version, files)| {
        let row = rows.get(version.to_string().as_str()).copied();
        let wheels = wheels(&files, index, row);
        let requires_python = wheels.iter().find_map(|wheel| {
            files.iter().find(|file| file.file == wheel.file).and_then(|file| file.requires_python.clone())
        });
        let date = files.iter().filter_map(|file| file.day.clone()).min();
        (!wheels.is_empty()).then(|| Release {
            date: date.or_else(|| row.map(|row| row.date.clone())).unwrap_or_default(),
            yanked: files.iter().all(|file| file.yanked),
            requires_python,
            wheels,
            version,
        })
    });
    let mut releases: Vec<_> = releases.collect();
    let standing = |release: &&Release| !release.yanked;
    if let Some(first) =
        reach.last.and_then(|last| releases.iter().filter(standing).rev().nth(last.saturating_sub(1)).cloned())
    {
        releases.retain(|release| release.version >= first.version);
    }
    releases
}

/// Whether an index has older final releases than the rows.
#[must_use]
pub fn has_older(files: &[Published], rows: &PackageFile) -> bool {
    let first: Option<Version> = rows.releases.first().and_then(|release| release.version.parse().ok());
    first.is_some_and(|first| files.iter().filter_map(|file| final_version(&file.file)).any(|version| version < first))
}

/// The public version of a wheel or source distribution; none for pre-releases, development releases and other files.
fn final_version(file: &str) -> Option<Version> {
    let version = match file.parse::<WheelName>() {
        Ok(wheel) => wheel.version,
        Err(_) => {
            let stem = file.strip_suffix(".tar.gz").or_else(|| file.strip_suffix(".zip"))?;
            stem.rsplit_once('-')?.1.parse().ok()?
        }
    };
    (!version.any_prerelease()).then(|| version.without_local())
}

fn wheels(files: &[&Published], index: &str, row: Option<&ReleaseRow>) -> Vec<Wheel> {
    let mut platforms: BTreeMap<String, Vec<(WheelName, &Published)>> = BTreeMap::new();
    for &file in files {
        let Ok(name) = file.file.parse::<WheelName>() else { continue };
        let platform = name.platform();
        if !name.python_tags().is_empty() && (platform == ANY || platform.starts_with("linux_")) {
            platforms.entry(platform).or_default().push((name, file));
        }
    }
    let wheels = platforms.into_iter().filter_map(|(platform, files)| {
        let python: BTreeSet<_> =
            files.iter().flat_map(|(name, _)| name.python_tags()).map(|tag| (python_order(&tag), tag)).collect();
        let known = files.iter().find(|(_, file)| is_known(file, index, row));
        let (name, file) = known.or_else(|| files.iter().max_by_key(|(name, _)| preference(name)))?;
        Some(Wheel {
            file: file.file.clone(),
            sha256: file.sha256.clone(),
            name: Some(name.clone()),
            platform,
            python: python.into_iter().map(|(_, tag)| tag).collect(),
            // Where the wheels for some Pythons need a newer one, the row, which is for all of them, states the oldest.
            glibc: files.iter().filter_map(|(name, _)| name.glibc()).min(),
            known: known.is_some(),
        })
    });
    let mut wheels: Vec<_> = wheels.collect();
    if wheels.is_empty() {
        wheels.extend(files.iter().find(|file| file.file.ends_with(".tar.gz")).map(|file| Wheel {
            file: file.file.clone(),
            sha256: file.sha256.clone(),
            name: None,
            platform: ANY.to_owned(),
            python: Vec::new(),
            glibc: None,
            known: is_known(file, index, row) && row.is_some_and(|row| row.requires_known.is_some()),
        }));
    }
    wheels.sort_by_key(|wheel| platform_order(&wheel.platform));
    wheels
}

/// Whether a row of this very file is at hand.
fn is_known(file: &Published, index: &str, row: Option<&ReleaseRow>) -> bool {
    let builds = row.iter().flat_map(|row| &row.builds).filter(|build| build.index == index);
    builds.map(|build| &build.source).any(|it| it.file() == Some(&file.file) && it.sha256 == file.sha256)
}

fn platform_order(platform: &str) -> (usize, String) {
    let order = ["linux_x86_64", "linux_aarch64", ANY];
    (order.iter().position(|name| *name == platform).unwrap_or(order.len()), platform.to_owned())
}

/// A build, and of a source distribution how its requirements are known.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The build.
    pub build: BuildRow,
    /// None: its wheel was opened.
    pub known: Option<KnownHow>,
}

/// Turns what was read in a wheel into its row. `read`: the day.
#[must_use]
pub fn row(wheel: &Wheel, reading: Reading, index: &str, read: &str) -> Row {
    let known = wheel.is_sdist().then_some(if reading.unstated { KnownHow::Unknown } else { KnownHow::Stated });
    let named = wheel.name.as_ref().map(|name| name.version.local()).unwrap_or_default();
    let named = named.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
    // Other labels in a `version.py` (`unknown`, a commit) name no build.
    let variant = |local: &String| local == "cpu" || CudaVersion::from_variant(local).is_some();
    let local = reading.local.filter(variant).or_else(|| (!named.is_empty()).then_some(named));
    let mut requires: Vec<_> = reading.metadata.plain_requirements().map(canonical_requirement).collect();
    sort_requirements(&mut requires);
    let file = Some(wheel.file.clone());
    let build = BuildRow {
        cuda: reading.cuda.or_else(|| local.as_deref().and_then(CudaVersion::from_variant)),
        local,
        index: index.to_owned(),
        platform: reading.platform.filter(|_| wheel.platform == ANY).unwrap_or_else(|| wheel.platform.clone()),
        glibc: wheel.glibc,
        python: wheel.python.clone(),
        cxx11_abi: reading.cxx11_abi,
        requires,
        code: reading.code,
        assembles: Vec::new(),
        source: SourceRow {
            wheel: file.clone().filter(|_| !wheel.is_sdist()),
            sdist: file.filter(|_| wheel.is_sdist()),
            sha256: wheel.sha256.clone(),
            page: None,
            read: read.to_owned(),
        },
    };
    Row { build, known }
}

fn sort_requirements(lines: &mut Vec<String>) {
    lines.sort_by_cached_key(|line| (requirement_name(line), line.clone()));
    lines.dedup();
}

/// Whether a line requires one of NVIDIA's runtime wheels.
pub(super) fn asks_runtime_wheel(line: &str) -> bool {
    is_runtime_wheel(&requirement_name(line))
}

impl Release {
    /// Puts rows in their place, and what the index says of the release now. Rows of other indexes stay as they are.
    pub fn merge(&self, package: &mut PackageFile, rows: Vec<Row>) {
        let version = self.version.to_string();
        let place = package.releases.iter().position(|release| release.version == version);
        let mut release = place.map(|place| package.releases.remove(place)).unwrap_or_else(|| ReleaseRow {
            version,
            date: String::new(),
            yanked: false,
            requires_python: None,
            requires: Vec::new(),
            requires_known: None,
            builds: Vec::new(),
        });
        release.date.clone_from(&self.date);
        release.yanked = self.yanked;
        release.requires_python.clone_from(&self.requires_python);
        let builds = release.builds.iter_mut().flat_map(|build| &mut build.requires);
        builds.chain(&mut release.requires).for_each(|line| *line = canonical_requirement(line));
        for build in release.builds.iter_mut().filter(|build| build.source.file().is_some()) {
            build.requires.extend(release.requires.iter().cloned());
            if let Some(wheel) = self.wheels.iter().find(|wheel| Some(wheel.file.as_str()) == build.source.file()) {
                build.python.clone_from(&wheel.python);
            }
        }
        for Row { build: row, known } in rows {
            // A wheel that came later takes the place of the source distribution.
            release.builds.retain(|build| {
                (&build.index, &build.platform) != (&row.index, &row.platform)
                    && (build.index != row.index || build.source.sdist.is_none())
            });
            release.builds.push(row);
            release.requires_known = known;
        }
        if release.builds.iter().any(|build| build.source.sdist.is_none()) {
            release.requires_known = None;
        }
        share_requirements(&mut release);
        sort_builds(&mut release.builds);
        package.releases.push(release);
        package.releases.sort_by_cached_key(|release| release.version.parse::<Version>().ok());
    }
}

/// Moves what all opened wheels require from the builds to the release.
fn share_requirements(release: &mut ReleaseRow) {
    let mut shared: Option<Vec<String>> = None;
    for build in release.builds.iter().filter(|build| build.source.file().is_some()) {
        let own = build.requires.iter().filter(|line| !asks_runtime_wheel(line));
        shared = Some(match shared {
            None => own.cloned().collect(),
            Some(shared) => shared.into_iter().filter(|line| build.requires.contains(line)).collect(),
        });
    }
    release.requires = shared.unwrap_or_default();
    sort_requirements(&mut release.requires);
    for build in release.builds.iter_mut().filter(|build| build.source.file().is_some()) {
        build.requires.retain(|line| !release.requires.contains(line));
        sort_requirements(&mut build.requires);
    }
}

/// PyPI's builds first, then by platform and CUDA version, CPU builds last.
pub(super) fn sort_builds(builds: &mut [BuildRow]) {
    builds.sort_by_cached_key(|build| {
        let cuda = (build.cuda.is_none(), build.cuda);
        (build.index != PYPI, platform_order(&build.platform), cuda, build.index.clone())
    });
}
