//! From what an index publishes to the rows of `rules/packages/<name>.toml`: which wheels to open, and what they say.
//!
//! Nothing here touches the network or a file. [`plan`] compares an index's listing with the rows at hand and names the
//! wheels that have to be opened; [`row`] turns what was read in one of them into a build; [`Release::merge`] puts it in
//! its place. The same inputs in any order give the same rows.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;

use super::kernel::is_nvidias;
use super::model::ANY;
use super::requirement::is_runtime_wheel;
use super::schema::{KnownHow, RawBuild, RawCode, RawPackage, RawRelease, RawSource, RawSpecial};
use crate::parse::elf::Linkage;
use crate::parse::fatbin::Tally;
use crate::parse::metadata::{Metadata, canonical_requirement, requirement_name};
use crate::parse::wheel::{WheelName, python_order};
use crate::version::{CodeTarget, CudaVersion, GlibcVersion, Reach};

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
    python: Vec<String>,
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
    pub code: Vec<RawCode>,
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
/// source distribution. `index`: see [`RawBuild`].
#[must_use]
pub fn plan(files: &[Published], index: &str, reach: &Reached, rows: Option<&RawPackage>) -> Vec<Release> {
    let mut versions: BTreeMap<Version, Vec<&Published>> = BTreeMap::new();
    for file in files {
        let Some(version) = final_version(&file.file) else { continue };
        if reach.since.as_ref().is_none_or(|since| version >= *since) {
            versions.entry(version).or_default().push(file);
        }
    }
    let rows: BTreeMap<&str, &RawRelease> =
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
pub fn has_older(files: &[Published], rows: &RawPackage) -> bool {
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

fn wheels(files: &[&Published], index: &str, row: Option<&RawRelease>) -> Vec<Wheel> {
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
fn is_known(file: &Published, index: &str, row: Option<&RawRelease>) -> bool {
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
    pub build: RawBuild,
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
    let build = RawBuild {
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
        source: RawSource {
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
    pub fn merge(&self, package: &mut RawPackage, rows: Vec<Row>) {
        let version = self.version.to_string();
        let place = package.releases.iter().position(|release| release.version == version);
        let mut release = place.map(|place| package.releases.remove(place)).unwrap_or_else(|| RawRelease {
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
fn share_requirements(release: &mut RawRelease) {
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
pub(super) fn sort_builds(builds: &mut [RawBuild]) {
    builds.sort_by_cached_key(|build| {
        let cuda = (build.cuda.is_none(), build.cuda);
        (build.index != PYPI, platform_order(&build.platform), cuda, build.index.clone())
    });
}

/// Sorts targets into those of most containers (`sass`, `ptx`) and those that not all have (`special`, with counts).
#[must_use]
pub fn code(tally: &Tally, for_cuda: Option<CudaVersion>) -> RawCode {
    let general = u64::from(tally.containers - tally.exact_only.min(tally.containers));
    let mut code = RawCode {
        for_cuda,
        containers: Some(tally.containers),
        sass: Vec::new(),
        ptx: Vec::new(),
        special: Vec::new(),
    };
    for (&target, &containers) in &tally.targets {
        let most_of = |all: u64| u64::from(containers) * 100 > all * MOST_PERCENT;
        let most =
            most_of(tally.containers.into()) || (general > 0 && target.reach != Reach::Exact && most_of(general));
        match (most, target.ptx) {
            (true, false) => code.sass.push(target),
            (true, true) => code.ptx.push(target),
            (false, _) => {}
        }
        if containers < tally.containers {
            code.special.push(RawSpecial { target, containers });
        }
    }
    code
}

/// Puts together what the libraries of a wheel hold: those whose name ends in a CUDA version (`libbitsandbytes_cuda126.so`)
/// exclude each other and are kept apart, all others are loaded together.
///
/// `libbitsandbytes_cuda118_nocublaslt.so`, which old releases load instead on GPUs before 7.5, counts as a part of the one
/// without `_nocublaslt`: its targets are added, its containers are not.
#[must_use]
pub fn codes(libraries: &BTreeMap<String, Tally>) -> Vec<RawCode> {
    const NO_CUBLASLT: &str = "_nocublaslt";
    let mut together = Tally::default();
    let mut apart: BTreeMap<CudaVersion, RawCode> = BTreeMap::new();
    // The plain name sorts after the long one only by its full file name, so two rounds.
    let stems = || libraries.iter().map(|(path, tally)| (stem(path), tally));
    for (stem, tally) in stems().filter(|(_, tally)| tally.containers > 0) {
        match cuda_of_stem(stem) {
            Some(cuda) => drop(apart.insert(cuda, code(tally, Some(cuda)))),
            None if stem.ends_with(NO_CUBLASLT) => {}
            None => together.add(tally),
        }
    }
    for (stem, tally) in stems() {
        let cuda = stem.strip_suffix(NO_CUBLASLT).and_then(cuda_of_stem);
        if let Some(plain) = cuda.and_then(|cuda| apart.get_mut(&cuda)) {
            add_targets(plain, &code(tally, None).sass);
        }
    }
    let together = (together.containers > 0).then(|| code(&together, None));
    together.into_iter().chain(apart.into_values()).collect()
}

fn add_targets(code: &mut RawCode, targets: &[CodeTarget]) {
    code.sass.extend(targets);
    code.sass.sort_unstable();
    code.sass.dedup();
}

fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split(".so").next().unwrap_or(file)
}

fn cuda_of_stem(stem: &str) -> Option<CudaVersion> {
    let digits = stem.rsplit_once("_cuda")?.1;
    CudaVersion::from_variant(&format!("cu{digits}"))
}

/// Tells whether a member of a wheel is a library whose device code is the package's own: a shared object, but not one of
/// NVIDIA's (`libcudart`, `libcublas`, `libnvrtc`, `libnccl`, `libnppig`), which wheels may bring along.
#[must_use]
pub fn is_own_library(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    let shared_object = file.ends_with(".so") || file.contains(".so.");
    shared_object && !is_nvidias("", path)
}

/// Tells with which C++ ABI torch was built, from what its `libc10.so` exports: the constructor of `c10::Error` takes a
/// `std::string`, which the old ABI mangles as `Ss` and the new one as `NSt7__cxx1112basic_string…`.
#[must_use]
pub fn cxx11_abi(libc10: &Linkage) -> Option<bool> {
    let string = |symbol: &String| symbol.strip_prefix("_ZN3c105ErrorC1ENS_14SourceLocationE").map(str::to_owned);
    let argument = libc10.exported.iter().find_map(string)?;
    match argument {
        _ if argument.starts_with("NSt7__cxx11") => Some(true),
        _ if argument.starts_with("Ss") => Some(false),
        _ => None,
    }
}

/// Reads the local label and the CUDA version from a `version.py`: `__version__ = '2.7.1+cu126'`, `cuda = '12.6'`.
#[must_use]
pub fn read_version_py(text: &str) -> (Option<String>, Option<CudaVersion>) {
    let value = |name: &str| {
        text.lines().find_map(|line| {
            let (left, right) = line.split_once('=')?;
            let left = left.split(':').next()?.trim();
            let right = right.trim();
            let quote = right.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            (left == name).then(|| right.get(1..)?.split_once(quote)).flatten().map(|(value, _)| value.to_owned())
        })
    };
    let local = value("__version__").and_then(|version| Some(version.split_once('+')?.1.to_owned()));
    (local, value("cuda").and_then(|cuda| cuda.parse().ok()))
}

/// Modules that state the CUDA that a wheel was built for: TensorFlow's and ONNX Runtime's.
pub const BUILD_INFO: [&str; 2] =
    ["tensorflow/python/platform/build_info.py", "onnxruntime/capi/build_and_package_info.py"];

/// Reads the CUDA version from such a module: `cuda_version = '12.2'`, or `('cuda_version', '12.5.1')` in a list of pairs.
#[must_use]
pub fn read_build_info(text: &str) -> Option<CudaVersion> {
    let rest = text.split_once("cuda_version")?.1;
    let rest = rest.trim_start_matches(['\'', '"', ',', '=', ' ']);
    let number = rest.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    number.splitn(3, '.').take(2).collect::<Vec<_>>().join(".").parse().ok()
}

/// Reads the CUDA version from NVIDIA's `cuda_runtime_api.h`: `#define CUDART_VERSION  12080`.
#[must_use]
pub fn read_cudart_header(text: &str) -> Option<CudaVersion> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix("#define CUDART_VERSION"))?;
    let number: u32 = value.split_whitespace().next()?.parse().ok()?;
    Some(CudaVersion::new(number / 1000, number % 1000 / 10))
}

/// Reads the CUDA version from the `cpp_lib.json` of xformers: `{"version": {"cuda": 1208, "torch": "2.10.0+cu128"}}`.
#[must_use]
pub fn read_cpp_lib(text: &str) -> Option<CudaVersion> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let cuda = u32::try_from(value.get("version")?.get("cuda")?.as_u64()?).ok()?;
    (cuda >= 100).then(|| CudaVersion::new(cuda / 100, cuda % 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(file: &str) -> Published {
        Published {
            file: file.to_owned(),
            sha256: Some(format!("hash of {file}")),
            requires_python: Some(">=3.9".to_owned()),
            yanked: false,
            day: Some("2025-06-04".to_owned()),
        }
    }

    fn listing() -> Vec<Published> {
        [
            "torch-2.7.1-cp39-cp39-manylinux_2_28_x86_64.whl",
            "torch-2.7.1-cp313-cp313t-manylinux_2_28_x86_64.whl",
            "torch-2.7.1-cp311-cp311-manylinux_2_28_x86_64.whl",
            "torch-2.7.1-cp311-cp311-manylinux_2_28_aarch64.whl",
            "torch-2.7.1-cp311-cp311-win_amd64.whl",
            "torch-2.8.0rc1-cp311-cp311-manylinux_2_28_x86_64.whl",
            "torch-2.6.0-cp310-cp310-manylinux1_x86_64.whl",
            "torch-2.5.0.tar.gz",
        ]
        .map(published)
        .to_vec()
    }

    fn since(version: &str) -> Reached {
        Reached { since: version.parse().ok(), last: None }
    }

    fn empty() -> RawPackage {
        RawPackage {
            package: "torch".to_owned(),
            library_choice: Vec::new(),
            whole: false,
            optional_code: None,
            headline: None,
            partial: false,
            extras_read: Vec::new(),
            built_for: Vec::new(),
            partners: Vec::new(),
            extras: Vec::new(),
            releases: Vec::new(),
        }
    }

    #[test]
    fn one_wheel_is_opened_for_each_release_and_platform() {
        let plan = plan(&listing(), PYPI, &Reached::default(), None);
        let versions: Vec<_> = plan.iter().map(|release| release.version.to_string()).collect();
        assert_eq!(versions, ["2.5.0", "2.6.0", "2.7.1"]);
        let wheels: Vec<_> = plan[2].wheels.iter().map(|wheel| wheel.file.as_str()).collect();
        assert_eq!(wheels, [listing()[2].file.as_str(), listing()[3].file.as_str()]);
        assert_eq!(plan[2].wheels[0].python, ["cp39", "cp311", "cp313t"]);
        assert_eq!(super::plan(&listing(), PYPI, &since("2.7"), None).len(), 1);
    }

    #[test]
    fn a_source_distribution_stands_in_for_wheels_until_there_are_some() {
        let mut package = empty();
        let release = plan(&listing(), PYPI, &Reached::default(), None).remove(0);
        assert!(release.wheels[0].is_sdist());
        let metadata = |lines: &[&str]| Metadata {
            requires_dist: lines.iter().map(|&line| line.to_owned()).collect(),
            ..Metadata::default()
        };
        for (unstated, lines, known) in [(true, &[][..], KnownHow::Unknown), (false, &["sympy"], KnownHow::Stated)] {
            let reading = Reading { metadata: metadata(lines), unstated, ..Reading::default() };
            release.merge(&mut package, vec![row(&release.wheels[0], reading, PYPI, "2026-01-01")]);
            let row = &package.releases[0];
            assert_eq!((row.requires_known, row.builds[0].platform.as_str()), (Some(known), ANY));
            assert_eq!(row.requires, lines);
            assert_eq!(
                (row.builds[0].source.wheel.as_ref(), row.builds[0].source.file()),
                (None, Some("torch-2.5.0.tar.gz"))
            );
        }
        let mut later = listing();
        later.push(published("torch-2.5.0-cp311-cp311-manylinux_2_28_x86_64.whl"));
        let release = plan(&later, PYPI, &Reached::default(), Some(&package)).remove(0);
        assert!(!release.wheels[0].known);
        release.merge(&mut package, vec![row(&release.wheels[0], Reading::default(), PYPI, "2026-01-02")]);
        let platforms: Vec<_> = package.releases[0].builds.iter().map(|build| build.platform.as_str()).collect();
        assert_eq!(platforms, ["linux_x86_64"]);
        assert_eq!(package.releases[0].requires_known, None);
    }

    #[test]
    fn the_last_releases_are_those_that_were_not_withdrawn() {
        let mut files = listing();
        files.push(Published { yanked: true, ..published("torch-2.9.0-cp311-cp311-manylinux_2_28_x86_64.whl") });
        let last = |last| plan(&files, PYPI, &Reached { since: None, last: Some(last) }, None);
        let versions = |plan: &[Release]| plan.iter().map(|it| it.version.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(versions(&last(1)), "2.7.1 2.9.0");
        assert_eq!(versions(&last(2)), "2.6.0 2.7.1 2.9.0");
        assert_eq!(versions(&last(9)), "2.5.0 2.6.0 2.7.1 2.9.0");
        let mut package = empty();
        last(2).iter().for_each(|release| release.merge(&mut package, Vec::new()));
        assert!(has_older(&files, &package));
        last(9).iter().for_each(|release| release.merge(&mut package, Vec::new()));
        assert!(!has_older(&files, &package));
    }

    #[test]
    fn what_is_known_is_not_opened_again_and_stays_as_it_is() {
        let mut package = empty();
        for release in plan(&listing(), PYPI, &Reached::default(), None) {
            let rows = release.wheels.iter().map(|wheel| row(wheel, Reading::default(), PYPI, "2026-01-01"));
            release.merge(&mut package, rows.collect());
        }
        let before = package.clone();
        let again = plan(&listing(), PYPI, &Reached::default(), Some(&package));
        assert!(again.iter().flat_map(|release| &release.wheels).all(|wheel| wheel.known));
        again.iter().for_each(|release| release.merge(&mut package, Vec::new()));
        assert_eq!(package, before);
    }

    #[test]
    fn requirements_that_all_wheels_share_belong_to_the_release() {
        let release = plan(&listing(), PYPI, &since("2.7"), None).remove(0);
        let reading = |lines: &[&str]| {
            let requires_dist = lines.iter().map(|&line| line.to_owned()).collect();
            Reading { metadata: Metadata { requires_dist, ..Metadata::default() }, ..Reading::default() }
        };
        let x86 =
            reading(&["sympy", "nvidia-nccl-cu12==2.26.2", "filelock", "triton==3.3.1", "pytest; extra == 'test'"]);
        let arm = reading(&["filelock", "sympy", "nvidia-nccl-cu12==2.26.2"]);
        let mut package = empty();
        release.merge(&mut package, vec![row(&release.wheels[0], x86, PYPI, "2026-01-01")]);
        assert_eq!(package.releases[0].requires, ["filelock", "sympy", "triton==3.3.1"]);
        release.merge(&mut package, vec![row(&release.wheels[1], arm, PYPI, "2026-01-01")]);
        let merged = &package.releases[0];
        assert_eq!(merged.requires, ["filelock", "sympy"]);
        assert_eq!(merged.builds[0].requires, ["nvidia-nccl-cu12==2.26.2", "triton==3.3.1"]);
        assert_eq!(merged.builds[1].requires, ["nvidia-nccl-cu12==2.26.2"]);
    }

    fn tally(containers: u32, targets: &[(&str, u32)]) -> Tally {
        let targets = targets.iter().map(|(target, count)| (target.parse().unwrap(), *count)).collect();
        Tally { containers, exact_only: 0, targets }
    }

    fn names(targets: &[CodeTarget]) -> Vec<String> {
        targets.iter().map(ToString::to_string).collect()
    }

    fn special(code: &RawCode) -> Vec<String> {
        code.special.iter().map(|special| format!("{}:{}", special.target, special.containers)).collect()
    }

    #[test]
    fn a_target_of_most_containers_is_the_builds_own() {
        // torch 2.8.0+cu128, abridged: MAGMA's 107 containers have sm_50 and no sm_75.
        let code = code(
            &tally(500, &[("sm_50", 107), ("sm_75", 393), ("sm_80", 500), ("sm_90a", 4), ("compute_80", 500)]),
            None,
        );
        assert_eq!(names(&code.sass), ["sm_75", "sm_80"]);
        assert_eq!(names(&code.ptx), ["compute_80"]);
        assert_eq!(special(&code), ["sm_50:107", "sm_75:393", "sm_90a:4"]);
    }

    #[test]
    fn kernels_for_one_gpu_do_not_outvote_the_rest() {
        // xformers 0.0.30, abridged: 71 of 89 containers are FlashAttention 3.
        let mut counts = tally(89, &[("sm_80", 18), ("sm_90a", 71), ("compute_80", 18)]);
        counts.exact_only = 71;
        let code = code(&counts, None);
        assert_eq!(names(&code.sass), ["sm_80", "sm_90a"]);
        assert_eq!(names(&code.ptx), ["compute_80"]);
        assert_eq!(special(&code), ["sm_80:18", "sm_90a:71", "compute_80:18"]);
        counts.targets.retain(|target, _| target.reach == Reach::Exact);
        (counts.containers, counts.exact_only) = (71, 71);
        assert_eq!(names(&super::code(&counts, None).sass), ["sm_90a"]);
    }

    #[test]
    fn libraries_for_a_cuda_version_are_kept_apart() {
        let libraries = BTreeMap::from([
            ("b/libbitsandbytes_cpu.so".to_owned(), Tally::default()),
            ("b/libbitsandbytes_cuda118.so".to_owned(), tally(5, &[("sm_80", 5)])),
            ("b/libbitsandbytes_cuda118_nocublaslt.so".to_owned(), tally(5, &[("sm_60", 5)])),
            ("b/libbitsandbytes_cuda126.so".to_owned(), tally(5, &[("sm_90", 5)])),
        ]);
        let codes = codes(&libraries);
        let shown: Vec<_> = codes.iter().map(|code| (code.for_cuda.unwrap().to_string(), code.sass.len())).collect();
        assert_eq!(shown, [("11.8".to_owned(), 2), ("12.6".to_owned(), 1)]);
        let merged = super::codes(&BTreeMap::from([
            ("t/a.so".to_owned(), tally(9, &[("sm_80", 9)])),
            ("t/b.so".to_owned(), tally(1, &[("sm_90", 1)])),
        ]));
        assert_eq!((merged[0].containers, merged[0].sass.len(), merged[0].special.len()), (Some(10), 1, 2));
    }

    #[test]
    fn versions_are_read_from_python_and_json() {
        let torch = "from typing import Optional\n__all__ = ['__version__']\n__version__ = '2.7.1+cu126'\ndebug = False\n\
                     cuda: Optional[str] = '12.6'\n";
        assert_eq!(read_version_py(torch), (Some("cu126".to_owned()), Some(CudaVersion::new(12, 6))));
        let vision = "__version__ = \"0.22.1\"\nif _check_cuda_version() > 0:\n    cuda = _check_cuda_version()\n";
        assert_eq!(read_version_py(vision), (None, None));
        assert_eq!(read_version_py("cuda: Optional[str] = None"), (None, None));
        assert_eq!(read_cudart_header("x\n#define CUDART_VERSION  12080\n"), Some(CudaVersion::new(12, 8)));
        assert_eq!(read_cpp_lib(r#"{"version": {"cuda": 1208}}"#), Some(CudaVersion::new(12, 8)));
        let tensorflow = "OrderedDict([('cuda_compute_capabilities', ['sm_60']), ('cuda_version', '12.5.1'), ('is_rocm_build', False)])";
        assert_eq!(read_build_info(tensorflow), Some(CudaVersion::new(12, 5)));
        assert_eq!(read_build_info("__version__ = '1.22.0'\ncuda_version = '12.2'\n"), Some(CudaVersion::new(12, 2)));
        assert_eq!(read_build_info("OrderedDict([('is_cuda_build', False)])"), None);
    }

    #[test]
    fn nvidias_own_libraries_are_not_the_packages() {
        assert!(is_own_library("torch/lib/libtorch_cuda.so"));
        assert!(!is_own_library("torchvision.libs/libnvjpeg.e5f20359.so.12"));
        assert!(!is_own_library("torch/version.py"));
    }
}
