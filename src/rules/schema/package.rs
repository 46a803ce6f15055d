//! The rule files as they are written: one struct per table, unknown keys refused.
//!
//! This file is compiled twice: into the build script, which validates `rules/` and packs it, and into the library, whose
//! harvester and linter read and write the same TOML. `rules/README.md` explains each key to people.

use serde::{Deserialize, Serialize};

use super::beside::{Beside, CondaName};
use super::guard::{AlsoRow, AssemblerRow, GuardRow};
use super::import::ImportRow;
use super::library::CudaLibrary;
use super::module::ModuleRow;
use super::old_release::OldRelease;
use super::prebuilt::{CpuOnly, Prebuilt};
use super::role::Role;
use super::source_build::SourceBuild;
use super::torch_abi::TorchExtension;
use crate::version::{CodeTarget, ComputeCapability, CudaVersion, GlibcVersion};

/// `rules/packages/<name>.toml`: all that is known of one package. Its releases are written by a machine, and read by people.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PackageFile {
    /// The normalised name, e.g. `torch`.
    pub package: String,
    /// Kept by hand: how the package picks one of several CUDA libraries that its wheel carries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub library_choice: Vec<LibraryChoiceRow>,
    /// Kept by hand: the package works as a whole or not at all, so that kernels in less than half of the containers (torch's
    /// linear algebra without `libtorch_cuda.so`) are none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
    /// Kept by hand: what is followed of the package where imports are; left out where all that its import runs is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk: Option<Walk>,
    /// Kept by hand: the package works without its device code, and where this was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional_code: Option<String>,
    /// Kept by hand: what people install it for, which decides what a fix leaves as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<Headline>,
    /// Kept by hand: the part that it plays in a stack; left out where it plays none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Older releases exist, and are not in this file: nothing is said of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// The releases whose extras were read, in runs: `0.5.0 to 0.9.2`, `1.0.0`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extras_read: Vec<String>,
    /// Kept by hand: the CUDA that builds were made for, where nothing that is harvested says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub built_for: Vec<BuiltForRow>,
    /// Kept by hand: what must be equal between builds of this package and of a partner, beyond declared requirements.
    #[serde(default, rename = "partner", skip_serializing_if = "Vec::is_empty")]
    pub partners: Vec<PartnerRow>,
    /// Kept by hand, as all to [`Self::old_releases`]: how conda is asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conda: Option<CondaName>,
    /// Modules of it with other names.
    #[serde(default, rename = "module", skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<ModuleRow>,
    /// Other names of the same releases; only their public version counts, without `.postN`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<AlsoRow>,
    /// The CUDA libraries that it ships.
    #[serde(default, rename = "library", skip_serializing_if = "Vec::is_empty")]
    pub libraries: Vec<CudaLibrary>,
    /// What it checks of others at its own import.
    #[serde(default, rename = "guard", skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<GuardRow>,
    /// Names that it takes from other packages when it is imported, and the releases that lack them.
    #[serde(default, rename = "import", skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<ImportRow>,
    /// The ptxas in its wheels.
    #[serde(default, rename = "assembler", skip_serializing_if = "Vec::is_empty")]
    pub assemblers: Vec<AssemblerRow>,
    /// It compiles against the installed torch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_build: Option<SourceBuild>,
    /// Its wheels outside the default index.
    #[serde(default, rename = "prebuilt", skip_serializing_if = "Vec::is_empty")]
    pub prebuilts: Vec<Prebuilt>,
    /// Where PyPI has only a CPU build of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpu_only: Vec<CpuOnly>,
    /// What releases older than these require of torch.
    #[serde(default, rename = "old-release", skip_serializing_if = "Vec::is_empty")]
    pub old_releases: Vec<OldRelease>,
    /// Which torch its releases need, where it is not every one: written by `gpudoc rules harvest-symbols`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub torch_abi: Vec<TorchExtension>,
    /// What the extras of those releases require.
    #[serde(default, rename = "extra", skip_serializing_if = "Vec::is_empty")]
    pub extras: Vec<ExtraRow>,
    /// Oldest first.
    #[serde(default, rename = "release", skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<ReleaseRow>,
}

impl PackageFile {
    /// The file of a package of which nothing was read, by normalised name.
    #[must_use]
    pub fn new(package: &str) -> Self {
        Self { package: package.to_owned(), ..Self::default() }
    }

    /// Takes out what it says of the package beside its releases.
    pub fn take_beside(&mut self) -> Beside {
        use std::mem::take;
        Beside {
            conda: self.conda.take(),
            modules: take(&mut self.modules),
            also: take(&mut self.also),
            libraries: take(&mut self.libraries),
            guards: take(&mut self.guards),
            imports: take(&mut self.imports),
            assemblers: take(&mut self.assemblers),
            source_build: self.source_build.take(),
            prebuilts: take(&mut self.prebuilts),
            cpu_only: take(&mut self.cpu_only),
            old_releases: take(&mut self.old_releases),
            torch_abi: take(&mut self.torch_abi),
        }
    }
}

/// What an extra requires in some releases, e.g. `jax[cuda12]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExtraRow {
    /// The normalised name, e.g. `cuda12`.
    pub name: String,
    /// Of which releases this holds, in runs, as [`PackageFile::extras_read`].
    pub releases: Vec<String>,
    /// `Requires-Dist` lines without the extra in their marker. Empty: an extra that requires nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Of a long list only the lines about packages that the rules cover, and about NVIDIA's, are here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

/// What a package is in a stack, from what people care about most. A fix changes the later ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Headline {
    /// What the machine is there for, e.g. vLLM.
    Serving,
    /// What everything else is built on, e.g. torch.
    Framework,
    /// What extends a framework, e.g. xformers.
    Extension,
}

/// How much of a package is followed by who follows imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Walk {
    /// The names of the modules that others take from it; what it imports itself is not followed.
    Names,
}

/// How the requirements of a build are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownHow {
    /// In the METADATA of its wheel.
    Read,
    /// In the source distribution's own list.
    Stated,
    /// From another build of the release for the same platform.
    Inferred,
    /// Nobody read them: no requirements in its row does not mean that it has none.
    Unknown,
}

/// How a range of releases picks the CUDA library it loads, e.g. bitsandbytes before 0.50: the exact CUDA of torch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LibraryChoiceRow {
    /// PEP 440 specifiers, e.g. `<0.50`.
    pub versions: String,
    /// The rule.
    pub pick: LibraryPick,
    /// Where this was read.
    pub source: String,
}

/// Which of a wheel's CUDA libraries is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LibraryPick {
    /// The one for exactly torch's CUDA version; without it there is none.
    TorchCudaExact,
    /// That one, else the newest not above it of the same major, else the oldest above it of the same major.
    TorchCudaMajor,
}

/// What must agree between a build of this package and one of a partner, e.g. torchaudio's CUDA and torch's: one of `cuda`,
/// `release` and `extra`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PartnerRow {
    /// The partner, e.g. `torch`.
    pub with: String,
    /// PEP 440 specifiers: which releases of this package, e.g. `>=0.13`.
    pub versions: String,
    /// How the CUDA versions of the two builds must agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuda: Option<CudaAgreement>,
    /// How the releases must agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseAgreement>,
    /// The extra of this package that brings the partner: what it requires holds for a partner that came without it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<String>,
    /// A CPU build of this package goes beside a CUDA build of the partner where it is all that is published of the release for a
    /// platform: it loads, and has no kernels.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub loads_without_cuda: bool,
    /// What the user sees otherwise, in one sentence without full stop.
    pub otherwise: String,
    /// Where this was read: a wheel and the file in it, or a page.
    pub source: String,
}

/// How the CUDA versions of two builds must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CudaAgreement {
    /// Major and minor; a CPU build only with a CPU build.
    Same,
    /// The major release; a CPU build only with a CPU build.
    SameMajor,
}

/// How the releases of two packages must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseAgreement {
    /// The same numbers: jaxlib 0.9.0.1 with a plugin 0.9.0.1, and not with 0.9.0.
    Same,
}

/// The CUDA that some releases were built for, where the wheel does not state it in a file that the harvester reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BuiltForRow {
    /// PEP 440 specifiers: of these releases the builds that hold device code.
    pub versions: String,
    /// E.g. `12.8`.
    pub cuda: CudaVersion,
    /// Where this was read: a wheel and what its libraries need, or a page.
    pub source: String,
}

/// One release, e.g. torch 2.7.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReleaseRow {
    /// The public version (PEP 440), without local label, e.g. `2.7.1`.
    pub version: String,
    /// The day of the first upload, `2025-06-04`.
    pub date: String,
    /// Withdrawn from the index: installed only when pinned exactly.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yanked: bool,
    /// `Requires-Python`, e.g. `>=3.9.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
    /// `Requires-Dist` lines that every opened wheel of this release shares, NVIDIA's runtime wheels and extras left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Where all that was published is a source distribution: `stated`, its own list of requirements was read; `unknown`, it
    /// was opened and states no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_known: Option<KnownHow>,
    /// What was published, PyPI's first.
    #[serde(default, rename = "build", skip_serializing_if = "Vec::is_empty")]
    pub builds: Vec<BuildRow>,
}

/// One published build of a release, e.g. torch 2.7.1+cu128 for Linux on x86_64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BuildRow {
    /// The local version label that the build reports, e.g. `cu126`; none for packages without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// The CUDA runtime it was built for; none for CPU builds and for packages that need no CUDA runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuda: Option<CudaVersion>,
    /// `pypi`, or the name of a variant index, e.g. `cu128`.
    pub index: String,
    /// `linux_x86_64`, `linux_aarch64`, or `any`.
    pub platform: String,
    /// The oldest glibc, from the wheel's platform tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glibc: Option<GlibcVersion>,
    /// Python and ABI tags: `cp311`, `cp313t` (free-threaded), `cp39-abi3`, `py3`. Empty: not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub python: Vec<String>,
    /// Built with the new C++ ABI of libstdc++; none where it is not known or means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cxx11_abi: Option<bool>,
    /// Further `Requires-Dist` lines of this build, NVIDIA's runtime wheels mostly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Device code, one entry per set of libraries that are loaded together. Empty: none, or not read.
    #[serde(default, rename = "code", skip_serializing_if = "Vec::is_empty")]
    pub code: Vec<CodeRow>,
    /// What ptxas in this build can assemble, for Triton. Empty: it carries none, or not measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assembles: Vec<ComputeCapability>,
    /// Where the row was read.
    pub source: SourceRow,
}

/// Device code of one library, or of all libraries of a build that are loaded together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CodeRow {
    /// The CUDA version that selects this library, for packages with a `library-choice`, e.g. `12.6`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_cuda: Option<CudaVersion>,
    /// Number of fat-binary containers; none where a table, not a file, was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containers: Option<u32>,
    /// Machine-code targets of most containers.
    pub sass: Vec<CodeTarget>,
    /// PTX targets of most containers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ptx: Vec<CodeTarget>,
    /// Targets that not all containers have, with counts; those of most containers are in `sass` or `ptx` as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub special: Vec<SpecialAgreement>,
}

/// A target that only a part of the containers has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SpecialAgreement {
    /// E.g. `sm_90a`.
    pub target: CodeTarget,
    /// In how many containers.
    pub containers: u32,
}

impl SourceRow {
    /// The file of the index that was opened.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.wheel.as_deref().or(self.sdist.as_deref())
    }
}

/// Where a row was read: a file of the index with its hash, or a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SourceRow {
    /// The wheel's file name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wheel: Option<String>,
    /// The source distribution's file name, where a release has no wheel for Linux: it is built on the machine, and what
    /// its PKG-INFO does not promise is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdist: Option<String>,
    /// Its sha256, as the index states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The address of a page, where no wheel was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The day it was read, `2026-11-21`.
    pub read: String,
}
