//! The hand-kept rule files as they are written: `rules/platform/*.toml` and `rules/advisories/*.toml`.
//!
//! Compiled twice, like [`super::raw`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::step::Written;
use crate::version::{ComputeCapability, CudaVersion, DriverVersion, GlibcVersion, PythonVersion};

/// A page that was opened, named once per file and cited by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawPage {
    /// An address, or the name of a wheel and the file in it.
    pub page: String,
    /// The day it was read, `2026-11-20`.
    pub read: String,
}

/// The market segment of a GPU; decides forward compatibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GpuClass {
    /// Tesla and data-centre boards, e.g. T4, A100, H100, L40S.
    Datacenter,
    /// Grace superchips, e.g. GH200, GB200.
    Grace,
    /// Quadro, RTX A and RTX PRO boards.
    Workstation,
    /// GeForce.
    Geforce,
    /// TITAN.
    Titan,
    /// Jetson and DRIVE.
    JetsonTegra,
    /// DGX Spark and RTX Spark.
    DgxSpark,
}

impl GpuClass {
    /// The class in a sentence, e.g. `GeForce`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Datacenter => "data-centre",
            Self::Grace => "Grace",
            Self::Workstation => "workstation",
            Self::Geforce => "GeForce",
            Self::Titan => "TITAN",
            Self::JetsonTegra => "Jetson",
            Self::DgxSpark => "DGX Spark",
        }
    }
}

/// `rules/platform/gpus.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawGpus {
    /// Pages by key.
    pub sources: BTreeMap<String, RawPage>,
    /// Ordered: the first pattern that matches a device name decides.
    #[serde(rename = "pattern")]
    pub patterns: Vec<RawGpuPattern>,
    /// Device ids by leading digits, for boards that no product row names.
    #[serde(rename = "pci-block")]
    pub pci_blocks: Vec<RawPciBlock>,
    /// Known products.
    #[serde(rename = "product")]
    pub products: Vec<RawGpuProduct>,
    /// Stacks of other vendors.
    #[serde(rename = "vendor")]
    pub vendors: Vec<RawVendor>,
}

/// How the stack of another vendor than NVIDIA is recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawVendor {
    /// As it is called, e.g. `AMD ROCm`.
    pub name: String,
    /// How the local label of its torch begins, e.g. `rocm` of `2.7.1+rocm6.3`.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Distributions that are installed for nothing else.
    #[serde(default)]
    pub distributions: Vec<String>,
    /// The operating system that has nothing else.
    #[serde(default)]
    pub os: Option<String>,
    /// Names of lines in reports, where a number, a tuple or `True` follows.
    #[serde(default)]
    pub fields: Vec<String>,
    /// What stands in its errors and nowhere else.
    #[serde(default)]
    pub says: Vec<String>,
    /// Parts of the names of its devices.
    #[serde(default)]
    pub names: Vec<String>,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// Device names and what they mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawGpuPattern {
    /// Unanchored, case-sensitive.
    pub regex: String,
    /// E.g. `12.0`.
    pub capability: ComputeCapability,
    /// E.g. `Blackwell`.
    pub architecture: String,
    /// E.g. `geforce`.
    pub class: GpuClass,
    /// The machine type where the product is CPU and GPU in one, e.g. `aarch64`.
    #[serde(default)]
    pub host: Option<String>,
    /// A key of `sources`.
    pub source: String,
}

/// PCI device ids that begin with these hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawPciBlock {
    /// E.g. `2B` for 0x2b85.
    pub prefixes: Vec<String>,
    /// E.g. `12.0`.
    pub capability: ComputeCapability,
    /// E.g. `Blackwell`.
    pub architecture: String,
    /// A key of `sources`.
    pub source: String,
}

/// One product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawGpuProduct {
    /// As the driver prints it, e.g. `NVIDIA GeForce RTX 5090`.
    pub name: String,
    /// E.g. `12.0`.
    pub capability: ComputeCapability,
    /// E.g. `geforce`.
    pub class: GpuClass,
    /// PCI device ids, four hexadecimal digits each.
    #[serde(default)]
    pub devices: Vec<String>,
    /// A key of `sources`.
    pub source: String,
}

/// `rules/platform/cuda.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawCuda {
    /// Pages by key.
    pub sources: BTreeMap<String, RawPage>,
    /// Where machine code runs beyond its own compute capability.
    pub machine_code: RawMachineCode,
    /// Which toolkit was the first for a compute capability, where those that were run are all newer.
    #[serde(default)]
    pub first_for: Vec<RawFirstFor>,
    /// Toolkit releases, oldest first.
    #[serde(rename = "toolkit")]
    pub toolkits: Vec<RawToolkit>,
}

/// Exceptions to "same major, not above": Jetson islands and renamed targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawMachineCode {
    /// Compute capabilities of Tegra parts, which run only code compiled for Tegra.
    pub tegra: Vec<ComputeCapability>,
    /// From this toolkit on, code for server Arm also runs on Jetson.
    pub tegra_shares_from: CudaVersion,
    /// Pairs of names for one compute capability, old first.
    pub renamed: Vec<[ComputeCapability; 2]>,
    /// A key of `sources`.
    pub source: String,
}

/// The first toolkit that compiles machine code for a compute capability, where that is older than those that were run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawFirstFor {
    /// E.g. `8.0`.
    pub capability: ComputeCapability,
    /// E.g. `11.0`.
    pub toolkit: CudaVersion,
    /// A key of `sources`.
    pub source: String,
}

/// One toolkit release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawToolkit {
    /// E.g. `12.8`.
    pub version: CudaVersion,
    /// The Linux driver that came out with it, e.g. `570.26`: from here on PTX of this toolkit is understood.
    pub linux_driver: DriverVersion,
    /// A key of `sources`.
    pub source: String,
    /// The compute capabilities that it compiles for; empty where nobody ran it.
    #[serde(default)]
    pub compiles_for: Vec<ComputeCapability>,
    /// A key of `sources`, for the line above.
    #[serde(default)]
    pub compiles_for_source: Option<String>,
}

/// `rules/platform/driver.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawDriver {
    /// Pages by key.
    pub sources: BTreeMap<String, RawPage>,
    /// Minor-version compatibility: the oldest driver for any runtime of a major release.
    #[serde(rename = "family")]
    pub families: Vec<RawFamily>,
    /// The last driver branch that supports an architecture.
    #[serde(rename = "lifetime")]
    pub lifetimes: Vec<RawLifetime>,
    /// What GPU support in the Windows Subsystem for Linux asks for.
    pub wsl: RawWsl,
    /// How a driver is installed, from the oldest on; of rows that fit the first counts.
    #[serde(rename = "install")]
    pub installs: Vec<RawInstall>,
}

/// How a driver is installed on some distributions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawInstall {
    /// The driver that comes then, or an older one, e.g. `570.172.08`.
    pub driver: DriverVersion,
    /// How the names of the distributions begin, e.g. `Ubuntu 24.04`; empty for every one that no row names.
    #[serde(default)]
    pub on: Vec<String>,
    /// Machine types, e.g. `x86_64`.
    pub arch: Vec<String>,
    /// The oldest GPUs that its kernel modules know, e.g. `7.5`.
    #[serde(default)]
    pub gpus_from: Option<ComputeCapability>,
    /// What to run, in order.
    pub commands: Vec<Written>,
    /// A key of `sources`.
    pub source: String,
}

/// What GPU support in the Windows Subsystem for Linux asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawWsl {
    /// The oldest kernel of WSL 2, e.g. `5.10`.
    pub kernel: CudaVersion,
    /// The Windows that goes with it, in words.
    pub windows: String,
    /// A key of `sources`.
    pub source: String,
}

/// The oldest driver for any CUDA runtime of a major release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawFamily {
    /// E.g. 12.
    pub cuda_major: u32,
    /// E.g. `525.60.13`.
    pub linux_driver: DriverVersion,
    /// A key of `sources`.
    pub source: String,
}

/// The last driver branch and toolkit for some compute capabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawLifetime {
    /// E.g. `Volta`.
    pub architecture: String,
    /// E.g. `7.0`.
    pub capabilities: Vec<ComputeCapability>,
    /// E.g. 580.
    pub last_branch: u32,
    /// E.g. `12.9`.
    pub last_toolkit: CudaVersion,
    /// A key of `sources`.
    pub source: String,
}

/// `rules/platform/forward_compat.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawForwardCompat {
    /// Pages by key.
    pub sources: BTreeMap<String, RawPage>,
    /// cuda-compat packages, oldest first.
    #[serde(rename = "package")]
    pub packages: Vec<RawCompatPackage>,
    /// Which GPUs it works on.
    #[serde(rename = "hardware")]
    pub hardware: Vec<RawCompatHardware>,
}

/// One cuda-compat package and the kernel drivers it works with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawCompatPackage {
    /// E.g. `cuda-compat-13-0`.
    pub name: String,
    /// E.g. `13.0`.
    pub cuda: CudaVersion,
    /// The driver branch whose user-mode part it is, e.g. 580.
    pub branch: u32,
    /// Kernel driver branches it works with, e.g. `[535, 570]`.
    pub works_on: Vec<u32>,
    /// Branches of the matrix that it does not work with, or does not apply to.
    pub refuses: Vec<u32>,
    /// A key of `sources`.
    pub source: String,
}

/// Whether forward compatibility works on a class of GPUs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawCompatHardware {
    /// E.g. `geforce`.
    pub class: GpuClass,
    /// The page's answer.
    pub supported: CompatSupport,
    /// A key of `sources`.
    pub source: String,
}

/// Whether forward compatibility works on a class of GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompatSupport {
    /// On all of them.
    Yes,
    /// On some of them; NVIDIA publishes no list that a machine could read.
    Some,
    /// On none: `cuInit` fails with 804.
    No,
}

/// `rules/platform/indexes.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawIndexes {
    /// Pages by key.
    pub sources: BTreeMap<String, RawPage>,
    /// Package indexes that builds name.
    #[serde(rename = "index")]
    pub indexes: Vec<RawIndex>,
    /// What they serve for Windows.
    pub windows: Vec<RawWindows>,
}

/// Releases that have wheels for Windows on x86-64 on some indexes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawWindows {
    /// E.g. `torch==2.6.0`, `torchvision==0.21.0`.
    pub packages: Vec<String>,
    /// E.g. `cu118`, `cu126`.
    pub indexes: Vec<String>,
    /// A key of `sources`.
    pub source: String,
}

/// A package index, or a family of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawIndex {
    /// As builds name it, e.g. `pypi`; `*` for every name that no other row has.
    pub name: String,
    /// Its address; `{name}` stands for the name.
    pub url: String,
    /// A key of `sources`.
    pub source: String,
}

/// `rules/platform/images.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawImages {
    /// Where the base images are, e.g. `nvidia/cuda`.
    pub repository: String,
    /// Pages by key.
    pub sources: BTreeMap<String, RawPage>,
    /// The check of an image against the driver.
    pub driver_check: RawDriverCheck,
    /// Where Pythons come from that Ubuntu does not have.
    pub python: RawPythonImage,
    /// What a package compiles with when it runs.
    pub compiler: RawCompiler,
    /// NVIDIA's apt repository.
    pub repository_key: RawRepositoryKey,
    /// What a build against torch needs beside torch.
    pub build_tools: RawBuildTools,
    /// Ubuntu releases, oldest first.
    #[serde(rename = "ubuntu")]
    pub ubuntus: Vec<RawUbuntu>,
    /// Base images, oldest CUDA first.
    #[serde(rename = "image")]
    pub images: Vec<RawImage>,
}

/// What turns off the check of an image against the driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawDriverCheck {
    /// For `ENV`.
    pub off: String,
    /// A key of `sources`.
    pub source: String,
}

/// An image with uv in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawPythonImage {
    /// E.g. `ghcr.io/astral-sh/uv:latest`.
    pub image: String,
    /// A key of `sources`.
    pub source: String,
}

/// A compiler that a package calls when it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawCompiler {
    /// The package, e.g. `triton`.
    pub needed_by: String,
    /// Packages of Ubuntu.
    pub packages: Vec<String>,
    /// A key of `sources`.
    pub source: String,
}

/// The package that makes NVIDIA's apt repository known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawRepositoryKey {
    /// `{os}` stands for e.g. `ubuntu2404`, `{machine}` for the next two.
    pub url: String,
    /// NVIDIA's word for `linux_x86_64`.
    #[serde(rename = "x86-64")]
    pub x86_64: String,
    /// NVIDIA's word for `linux_aarch64`.
    pub aarch64: String,
    /// A key of `sources`.
    pub source: String,
}

/// What a build without isolation expects to find.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawBuildTools {
    /// Normalised names.
    pub packages: Vec<String>,
    /// A key of `sources`.
    pub source: String,
}

/// An Ubuntu release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawUbuntu {
    /// E.g. `24.04`.
    pub version: String,
    /// E.g. `2.39`.
    pub glibc: GlibcVersion,
    /// The Python that its packages have, e.g. `3.12`.
    pub python: PythonVersion,
    /// A key of `sources`.
    pub source: String,
}

/// The base images of one CUDA release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawImage {
    /// With update, e.g. `12.8.1`.
    pub version: String,
    /// Ubuntu releases, e.g. `["22.04", "24.04"]`.
    pub ubuntu: Vec<String>,
    /// A key of `sources`.
    pub source: String,
}

impl RawImage {
    /// The CUDA release without update, e.g. 12.8.
    #[must_use]
    pub fn cuda(&self) -> Option<CudaVersion> {
        self.version.rsplit_once('.')?.0.parse().ok()
    }
}

/// A wheel that was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawWheel {
    /// Its file name.
    pub wheel: String,
    /// Its SHA-256 in hexadecimal digits, as the index states it.
    pub sha256: String,
    /// The day it was read, `2026-11-21`.
    pub read: String,
}

/// `rules/platform/libraries.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawLibraries {
    /// Which distribution ships which CUDA libraries.
    #[serde(rename = "library")]
    pub libraries: Vec<RawLibrary>,
}

/// The CUDA libraries of some releases of a distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawLibrary {
    /// The normalised name, e.g. `nvidia-cudnn-cu12`.
    pub distribution: String,
    /// The CUDA major that the wheel's name or its folder states, e.g. 12.
    #[serde(default)]
    pub cuda: Option<u32>,
    /// The releases that ship these, e.g. `>=9`; none for all.
    #[serde(default)]
    pub versions: Option<String>,
    /// Below site-packages, e.g. `nvidia/cudnn/lib`.
    pub folder: String,
    /// As the loader asks for them, e.g. `libcudnn.so.9`.
    pub sonames: Vec<String>,
    /// The newest wheel that was opened.
    pub source: RawWheel,
}

/// `rules/platform/torch_symbols.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawTorchSymbols {
    /// By hand: packages whose libraries are linked with torch's; the symbols that they need are those of interest.
    pub extensions: Vec<String>,
    /// The releases that were read, oldest first.
    #[serde(default, rename = "torch")]
    pub releases: Vec<RawTorchRelease>,
    /// Symbols that not all of these releases export, those of the same releases together.
    #[serde(default, rename = "history")]
    pub histories: Vec<RawHistory>,
}

/// `rules/platform/torch_abi.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawTorchAbi {
    /// The torch releases whose exports were compared.
    #[serde(default)]
    pub releases: Vec<String>,
    /// Releases of extensions that do not load beside every torch.
    #[serde(default, rename = "extension")]
    pub extensions: Vec<RawExtension>,
}

/// Which torch the compiled libraries of a release need, whatever its metadata says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawExtension {
    /// E.g. `sgl-kernel`.
    pub package: String,
    /// E.g. `0.1.0`.
    pub version: String,
    /// The torch releases that export all that it needs, as runs: `["2.5.0 to 2.5.1"]`; empty where all do.
    #[serde(default)]
    pub torch: Vec<String>,
    /// It needs a torch with the new (or the old) C++ ABI of libstdc++.
    #[serde(default)]
    pub cxx11_abi: Option<bool>,
    /// The wheel that was opened.
    pub source: RawWheel,
}

/// `rules/platform/old_releases.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawOldReleases {
    /// By package, oldest first.
    #[serde(rename = "release")]
    pub releases: Vec<RawOldRelease>,
}

/// What a release requires that is older than the rows of its package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawOldRelease {
    /// The normalised name, e.g. `torchvision`.
    pub package: String,
    /// E.g. `0.7.0`.
    pub version: String,
    /// Of its requirements those of torch, e.g. `torch==1.6.0`.
    pub requires: Vec<String>,
    /// The wheel that was opened.
    pub source: RawWheel,
}

/// `rules/platform/source_builds.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawSourceBuilds {
    /// Ascending by name.
    #[serde(rename = "package")]
    pub packages: Vec<RawSourceBuild>,
}

/// A package that compiles against the installed torch when it is installed from source, so that another torch, or another
/// CUDA of torch, means a rebuild.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawSourceBuild {
    /// The normalised name, e.g. `torchsparse`.
    pub name: String,
    /// It compiles CUDA code: that takes the nvcc of torch's CUDA. Otherwise C++ alone.
    pub cuda: bool,
    /// What names the GPUs to compile for, e.g. `TORCH_CUDA_ARCH_LIST`; none where the setup has a list of its own or takes the
    /// GPU at hand.
    #[serde(default)]
    pub arch_variable: Option<String>,
    /// Of a variable of its own: all that its setup knows; it writes them as `80`, with `;` between, and what it does not know
    /// it passes over. Empty for the variable that torch reads, and where this is not known.
    #[serde(default)]
    pub arch_values: Vec<ComputeCapability>,
    /// What asks for the compiled part, e.g. `DS_BUILD_OPS=1`; none where a plain install compiles it.
    #[serde(default)]
    pub only_with: Option<String>,
    /// The build requirements name torch. It then builds in isolation, against the torch that the installer puts there, which
    /// need not be the installed one. Where this is false, only `--no-build-isolation` lets the setup see a torch.
    pub isolation: bool,
    /// Its setup at a tag or a commit.
    pub source: RawPage,
}

impl RawSourceBuild {
    /// What its variable must say for some GPUs, each the newest value whose machine code runs there: `80;120` for 8.6 and 12.0.
    /// None where it has no such list, or one of the GPUs none of its values.
    #[must_use]
    pub fn arch_list(&self, gpus: &[ComputeCapability]) -> Option<String> {
        let value = |gpu: &ComputeCapability| {
            self.arch_values.iter().filter(|value| value.major == gpu.major && value.minor <= gpu.minor).max()
        };
        let values: Option<std::collections::BTreeSet<_>> = gpus.iter().map(value).collect();
        let words: Vec<String> = values?.into_iter().map(|value| format!("{}{}", value.major, value.minor)).collect();
        (!words.is_empty()).then(|| words.join(";"))
    }
}

/// A torch release whose exported symbols were read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawTorchRelease {
    /// E.g. `2.7.1`.
    pub version: String,
    /// The wheel that was opened.
    pub source: RawWheel,
}

/// Symbols that the same torch releases export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawHistory {
    /// The releases that export them, as runs of those that were read: `["2.1.0 to 2.6.0"]`.
    pub releases: Vec<String>,
    /// Mangled names.
    pub symbols: Vec<String>,
}

/// `rules/advisories/GPUDOC-YYYY-NNNN.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawAdvisory {
    /// `GPUDOC-2026-0001`; never used again.
    pub id: String,
    /// Subject, need, observation, in one line.
    pub title: String,
    /// Two or three sentences: what happens, since when, why.
    pub story: String,
    /// How bad it is where it applies.
    pub severity: RawSeverity,
    /// The family of the finding; `advisory` unless another fits better.
    #[serde(default = "advisory_kind")]
    pub kind: String,
    /// The day it was written.
    pub date: String,
    /// The day it was found wrong, with the reason in `story`.
    #[serde(default)]
    pub withdrawn: Option<String>,
    /// Applies where any of these holds.
    pub when: Vec<RawCondition>,
    /// Error texts that it causes, as substrings of a line.
    #[serde(default)]
    pub symptoms: Vec<String>,
    /// Where `when` also describes healthy installs: reported only next to one of the symptoms.
    #[serde(default)]
    pub needs_symptom: bool,
    /// Groups of distributions that install the same files, each in the order in which one stays where nothing else decides it:
    /// the remedy follows from what is installed.
    #[serde(default)]
    pub one_of: Vec<Vec<String>>,
    /// What to do, best first.
    #[serde(default, rename = "remedy")]
    pub remedies: Vec<RawRemedy>,
    /// Pages and wheels that were opened.
    #[serde(rename = "reference")]
    pub references: Vec<RawPage>,
    /// Environments that hit and near misses that do not; the tests run them.
    #[serde(rename = "example")]
    pub examples: Vec<RawExample>,
}

fn advisory_kind() -> String {
    "advisory".to_owned()
}

/// The severity of an advisory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RawSeverity {
    /// It does not work.
    Fail,
    /// It may not work.
    Warn,
    /// Worth knowing.
    Info,
}

/// Terms that must all hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct RawCondition {
    /// Installed distributions, e.g. `triton>=3.2`.
    pub installed: Vec<String>,
    /// Distributions that are not installed, e.g. `torchcodec`.
    pub absent: Vec<String>,
    /// torch's CUDA runtime, e.g. `>=13.0`.
    pub cuda: Option<String>,
    /// The compute capability of a GPU that CUDA can use, e.g. `>=10.0,<11`.
    pub capability: Option<String>,
    /// The class of a GPU.
    pub class: Vec<GpuClass>,
    /// The kernel driver, e.g. `<580`.
    pub driver: Option<String>,
    /// Python, e.g. `>=3.12`.
    pub python: Option<String>,
    /// The interpreter has no global lock, or has one.
    pub free_threaded: Option<bool>,
    /// `linux_x86_64`, `linux_aarch64`, `windows`.
    pub platform: Option<String>,
    /// At least so many GPUs.
    pub gpus: Option<u32>,
    /// What the project says it uses, words of [`WORKLOADS`], e.g. `torch.compile`.
    pub workload: Vec<String>,
}

/// What a project can say it uses, for advisories about one use of a package.
pub const WORKLOADS: &[&str] = &[
    "bitsandbytes-4bit",
    "build-extensions",
    "conv3d",
    "cuda-graphs",
    "distributed",
    "nccl",
    "symmetric-memory",
    "torch.compile",
    "very-large-model",
];

/// Something to do about an advisory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawRemedy {
    /// One imperative sentence.
    pub summary: String,
    /// What to ask of the solver, e.g. `bitsandbytes>=0.45.1`.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// Commands to copy.
    #[serde(default)]
    pub commands: Vec<Written>,
}

/// An environment and whether the advisory applies to it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct RawExample {
    /// What the example shows.
    pub why: String,
    /// Whether it applies.
    pub hits: bool,
    /// `name==version+local`.
    pub installed: Vec<String>,
    /// Compute capabilities or product names, one per GPU.
    pub gpus: Vec<String>,
    /// The kernel driver.
    pub driver: Option<DriverVersion>,
    /// E.g. `3.12.4`.
    pub python: Option<String>,
    /// The interpreter has no global lock.
    pub free_threaded: bool,
    /// E.g. `linux_aarch64`.
    pub platform: Option<String>,
    /// What the project says it uses.
    pub workload: Vec<String>,
    /// An error text that somebody saw.
    pub log: Option<String>,
}
