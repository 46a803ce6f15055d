//! The rules as the rest of gpudoc uses them: read from their files, checked once, at build time (`checked`).
//!
//! A value of these types is consistent: versions parse, builds have a source, libraries are chosen by a rule that exists.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::bytes::Bytes;
use super::extras::{Extras, Shared};
use crate::pep::{Version, VersionSpecifiers};
use crate::rules::schema::python_tag::PythonTag;
use crate::rules::schema::short;
use crate::rules::schema::{
    CudaAgreement, Headline, KnownHow, LibraryPick, OpenedWheel, ReleaseAgreement, SourceBuild, Walk,
};
use crate::version::{CodeTarget, ComputeCapability, CudaVersion, GlibcVersion, Reach};

/// The platform of wheels for Windows, which are named `win_amd64`.
pub const WINDOWS: &str = "windows_x86_64";
/// The platform of builds that install everywhere: pure Python, or built on the machine.
pub const ANY: &str = "any";

/// A package that the rules cover.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Package {
    /// The normalised name, e.g. `torch`.
    pub name: String,
    /// It works as a whole or not at all: kernels in a part of its containers are of no use.
    pub whole: bool,
    /// What is followed of it where imports are; none where all that its import runs is.
    pub walk: Option<Walk>,
    /// How it picks one of the CUDA libraries in its wheel; empty for most packages.
    pub library_choice: Vec<LibraryChoice>,
    /// For which CUDA releases were built whose builds do not say so themselves.
    pub built_for: Vec<BuiltFor>,
    /// What must agree with a partner's build.
    pub partners: Vec<Partner>,
    /// What people install it for; none for what only comes along.
    pub headline: Option<Headline>,
    /// Older releases exist that the rules do not know.
    pub partial: bool,
    /// See [`Release::extras`].
    pub packed_extras: Bytes,
    /// Oldest first.
    pub releases: Vec<Release>,
}

impl Package {
    /// Lets its releases know their extras, once it was unpacked.
    pub fn share_extras(&mut self) {
        let shared = Shared::new(self.packed_extras.clone());
        self.releases.iter_mut().for_each(|release| release.shared_extras = Some(shared.clone()));
    }

    /// How many minor releases one version lies away from another, e.g. 2 of 2.7.1 and 2.5.0.
    #[must_use]
    pub fn minors_between(&self, one: &Version, other: &Version) -> usize {
        let (one, other) = (minor(one), minor(other));
        let (lower, upper) = if one < other { (one, other) } else { (other, one) };
        let mut between: Vec<_> = self.releases.iter().map(|release| minor(&release.version)).collect();
        between.retain(|it| *it >= lower && *it < upper);
        between.dedup();
        between.len()
    }

    /// How far a package falls that goes from one version to another. Far is more than one minor release, or more than a year:
    /// autoawq 0.1.8 is the minor release before 0.2.9, and 16 months older.
    #[must_use]
    pub fn fall(&self, from: &Version, to: &Version) -> Fall {
        if to >= from {
            return Fall::None;
        }
        let day = |version: &Version| {
            let release = self.releases.iter().find(|release| release.version == *version)?;
            let (year, rest) = release.date.split_at_checked(4)?;
            Some((year.parse::<u32>().ok()?, rest.to_owned()))
        };
        let is_old = day(from).zip(day(to)).is_some_and(|(from, (year, rest))| from > (year + 1, rest));
        match self.minors_between(from, to) {
            0 if !is_old => Fall::None,
            1 if !is_old => Fall::Near,
            _ => Fall::Far,
        }
    }

    /// Whether the rules tell what there is of it for a platform: for Linux they do, for other systems they know few builds.
    #[must_use]
    pub fn is_known_on(&self, platform: Option<&str>) -> bool {
        let other = platform.filter(|platform| !platform.starts_with("linux_"));
        let mut builds = self.releases.iter().flat_map(|release| &release.builds);
        other.is_none_or(|platform| builds.any(|build| build.is_for(platform)))
    }

    /// Where it was read for which CUDA a release was built, where its builds do not say so themselves.
    #[must_use]
    pub fn built_for(&self, version: &Version) -> Option<&BuiltFor> {
        self.built_for.iter().find(|row| row.versions.contains(version))
    }

    /// Says of its sources which machine code they become, where their setup has a list of its own.
    pub fn compiled_as(&mut self, row: &SourceBuild) {
        for release in &mut self.releases {
            let Some(row) = row.compiles_for(&release.version) else { continue };
            let target = |gpu: &ComputeCapability| CodeTarget { ptx: false, capability: *gpu, reach: Reach::Forward };
            let sass: Vec<_> = row.gpus.iter().map(target).collect();
            let sources = release.builds.iter_mut().filter(|build| build.is_source() && build.code.is_empty());
            for build in sources {
                build.code.push(Code { sass: sass.clone(), ..Code::default() });
            }
        }
    }

    /// Whether any of its builds is made for CUDA or holds device code.
    #[must_use]
    pub fn holds_code(&self) -> bool {
        let mut builds = self.releases.iter().flat_map(|release| &release.builds);
        builds.any(|build| build.cuda.is_some() || !build.code.is_empty())
    }

    /// The package works without its device code: what no GPU here runs is not called.
    #[must_use]
    pub fn code_is_optional(&self) -> bool {
        let mut code = self.releases.iter().flat_map(|release| &release.builds).flat_map(|build| &build.code);
        code.any(|code| code.optional)
    }
}

/// How far a package is set back, see [`Package::fall`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fall {
    /// It is not, or only to another patch of its minor release.
    None,
    /// To the minor release before.
    Near,
    /// Further.
    Far,
}

/// What of a version names its minor release: up to the second number, or to the first that is not zero: `2.7` of 2.7.1,
/// `0.45` of 0.45.3, `0.0.31` of 0.0.31.post1.
#[must_use]
pub fn minor(version: &Version) -> Vec<u64> {
    let numbers = version.release();
    let zeros = numbers.iter().take_while(|number| **number == 0).count();
    let end = (zeros + 1).max(2).min(numbers.len());
    let mut own: Vec<u64> = numbers.iter().take(end).copied().collect();
    own.resize(end.max(2), 0);
    own
}

/// How some releases pick the CUDA library that they load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LibraryChoice {
    /// Which releases, e.g. `<0.50`.
    pub versions: VersionSpecifiers,
    /// The rule.
    pub pick: LibraryPick,
    /// Where it was read.
    pub source: String,
}

/// For which CUDA some releases were built. Their builds with device code have it as their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BuiltFor {
    /// Which releases, e.g. `>=0.20`.
    pub versions: VersionSpecifiers,
    /// E.g. 13.0.
    pub cuda: CudaVersion,
    /// Where it was read.
    pub source: String,
}

/// What two builds must have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Agreement {
    /// Their CUDA.
    Cuda(CudaAgreement),
    /// Their release.
    Release(ReleaseAgreement),
    /// The partner's release is one that this extra asks for, e.g. `cuda12`.
    Extra(String),
}

/// What must agree between a build of a package and one of its partner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partner {
    /// E.g. `torch`.
    pub with: String,
    /// Which releases of the package.
    pub versions: VersionSpecifiers,
    /// What must agree, and how.
    pub agreement: Agreement,
    /// A CPU build goes beside a CUDA build of the partner where it is all that there is.
    pub loads_without_cuda: bool,
    /// What the user sees otherwise.
    pub otherwise: String,
    /// Where it was read.
    pub source: String,
}

/// One release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// The public version, e.g. `2.7.1`.
    pub version: Version,
    /// The day of the first upload, e.g. `2025-06-04`.
    pub date: String,
    /// Withdrawn from the index.
    pub yanked: bool,
    /// E.g. `>=3.9.0`.
    pub requires_python: Option<VersionSpecifiers>,
    /// PEP 508 requirements that all builds share.
    pub requires: Vec<String>,
    /// The requirements are a source distribution's own list.
    pub stated: bool,
    /// See [`Release::extras`]: where it was harvested after the program was built.
    pub own_extras: Option<Extras>,
    /// See [`Release::extras`]: where it came with its package.
    #[serde(skip)]
    pub shared_extras: Option<Arc<Shared>>,
    /// What was published.
    pub builds: Vec<Build>,
}

/// One published build of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Build {
    /// E.g. `cu126`.
    pub local: Option<String>,
    /// The CUDA runtime it was built for.
    pub cuda: Option<CudaVersion>,
    /// `pypi`, or the name of a variant index, e.g. `cu128`.
    pub index: String,
    /// `linux_x86_64`, `linux_aarch64`, `windows_x86_64`, or [`ANY`].
    pub platform: String,
    /// The oldest glibc.
    pub glibc: Option<GlibcVersion>,
    /// Interpreters it installs on. Empty: not known.
    pub python: Vec<PythonTag>,
    /// Built with the new C++ ABI of libstdc++.
    pub cxx11_abi: Option<bool>,
    /// PEP 508 requirements of this build alone.
    pub requires: Vec<String>,
    /// Device code. Empty: none, or not known.
    pub code: Vec<Code>,
    /// What its ptxas can assemble. Empty: not known, or it has none.
    pub assembles: Vec<ComputeCapability>,
    /// Where the row was read.
    pub source: RowSource,
}

/// Device code that is loaded together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Code {
    /// The CUDA version that selects this library.
    pub for_cuda: Option<CudaVersion>,
    /// Kernels in less than half of the containers are none.
    pub whole: bool,
    /// The package works without: what no GPU here runs is not called.
    pub optional: bool,
    /// Number of fat-binary containers; none where a table was read.
    pub containers: Option<u32>,
    /// Machine-code targets of nearly all containers.
    pub sass: Vec<CodeTarget>,
    /// PTX targets of nearly all containers.
    pub ptx: Vec<CodeTarget>,
    /// Targets of a part of the containers, with their number.
    pub special: Vec<(CodeTarget, u32)>,
}

/// Where a row was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowSource {
    /// A wheel, or a source distribution, that was opened.
    Wheel {
        /// Its file name.
        file: String,
        /// Its hash, as the index states it.
        #[serde(with = "short::hash")]
        sha256: String,
        /// The day.
        #[serde(with = "short::day")]
        read: String,
    },
    /// A page.
    Page {
        /// Its address.
        page: String,
        /// The day.
        #[serde(with = "short::day")]
        read: String,
    },
}

impl RowSource {
    /// The source in one line, e.g. `torch-2.7.1-cp311-….whl (sha256 06eea61f…), read 2026-11-21`.
    #[must_use]
    pub fn citation(&self) -> String {
        match self {
            Self::Wheel { file, sha256, read } => {
                let short = sha256.get(..8).unwrap_or(sha256);
                format!("{file} (sha256 {short}…), read {read}")
            }
            Self::Page { page, read } => format!("{page}, read {read}"),
        }
    }
}

impl OpenedWheel {
    /// The source in one line, as [`RowSource::citation`].
    #[must_use]
    pub fn citation(&self) -> String {
        let Self { wheel: file, sha256, read } = self.clone();
        RowSource::Wheel { file, sha256, read }.citation()
    }
}

impl Release {
    /// Its extras by normalised name, e.g. `cuda12`: a name that is not among them is none. None where nobody read them.
    #[must_use]
    pub fn extras(&self) -> Option<Extras> {
        let shared = || self.shared_extras.as_ref()?.of(&self.version);
        self.own_extras.clone().or_else(shared)
    }

    /// The opened build whose requirements tell those of a build that nobody opened: another variant for the same platform, of
    /// CUDA builds one for CUDA where there is one. NVIDIA's runtime wheels, which belong to each build, it does not tell.
    #[must_use]
    pub fn told_by(&self, build: &Build) -> Option<&Build> {
        let opened = || self.builds.iter().filter(|other| other.is_opened() && other.platform == build.platform);
        opened().find(|other| other.cuda.is_some() == build.cuda.is_some()).or_else(|| opened().next())
    }

    /// How the requirements of one of its builds are known.
    #[must_use]
    pub fn requires_known(&self, build: &Build) -> KnownHow {
        match () {
            () if build.is_opened() => KnownHow::Read,
            () if build.is_source() && (self.stated || !self.requires.is_empty()) => KnownHow::Stated,
            () if build.is_source() => KnownHow::Unknown,
            () if self.told_by(build).is_some() => KnownHow::Inferred,
            () => KnownHow::Unknown,
        }
    }

    /// The version of one of its builds, e.g. `2.7.1+cu126`.
    #[must_use]
    pub fn full_version(&self, build: &Build) -> String {
        match &build.local {
            Some(local) => format!("{}+{local}", self.version),
            None => self.version.to_string(),
        }
    }

    /// The same as a version; none where the label is none that PEP 440 knows.
    #[must_use]
    pub fn build_version(&self, build: &Build) -> Option<Version> {
        self.full_version(build).parse().ok()
    }
}

impl Build {
    /// Whether it has no wheel: its row was read from a source distribution, e.g. `flash_attn-2.8.3.tar.gz`.
    #[must_use]
    pub fn is_source(&self) -> bool {
        matches!(&self.source, RowSource::Wheel { file, .. } if !file.ends_with(".whl"))
    }

    /// Whether its wheel was opened.
    #[must_use]
    pub fn is_opened(&self) -> bool {
        matches!(&self.source, RowSource::Wheel { file, .. } if file.ends_with(".whl"))
    }

    /// Whether it installs on a platform, e.g. `linux_x86_64`.
    #[must_use]
    pub fn is_for(&self, platform: &str) -> bool {
        self.platform == platform || self.platform == ANY
    }

    /// Whether it was made for GPUs, as far as its row tells.
    #[must_use]
    pub fn is_for_gpu(&self) -> bool {
        self.cuda.is_some() || !self.code.is_empty() || !self.assembles.is_empty()
    }

    /// The tags of its wheels, e.g. `cp311-cp311-manylinux_2_28_x86_64`; none where its Pythons are not known.
    #[must_use]
    pub fn wheel_tags(&self) -> Vec<String> {
        let machine = self.platform.strip_prefix("linux_").unwrap_or(&self.platform);
        let platform = match self.glibc {
            Some(glibc) => format!("manylinux_{}_{}_{machine}", glibc.major, glibc.minor),
            None if self.platform == WINDOWS => "win_amd64".to_owned(),
            None => self.platform.clone(),
        };
        self.python.iter().map(|tag| format!("{tag}-{platform}")).collect()
    }

    /// All targets of its device code, common ones first, for a sentence.
    #[must_use]
    pub fn targets(&self) -> Vec<CodeTarget> {
        let mut targets: Vec<_> =
            self.code.iter().flat_map(|code| code.sass.iter().chain(&code.ptx)).copied().collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }
}
