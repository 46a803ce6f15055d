//! `rules/platform/prebuilt.toml`: wheels that are published elsewhere than on an index.

use serde::{Deserialize, Serialize};

use super::raw_platform::RawPage;
use crate::version::{CodeTarget, GlibcVersion};

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawPrebuilts {
    /// Sorted by package.
    #[serde(rename = "prebuilt")]
    pub rows: Vec<RawPrebuilt>,
    /// Builds of PyPI that are CPU builds on one platform only.
    pub cpu_only: Vec<RawCpuOnly>,
}

/// A package that PyPI has only a CPU build of, on one platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawCpuOnly {
    /// The distribution, e.g. `torch`.
    pub package: String,
    /// The operating system, e.g. `windows`.
    pub platform: String,
    /// Where this was read.
    pub source: RawPage,
}

/// What the published wheels of some releases are built for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawPrebuilt {
    /// The distribution, e.g. `flash-attn`.
    pub package: String,
    /// PEP 440 specifiers, e.g. `>=2.6,<2.7`.
    pub versions: String,
    /// Minor releases of torch that there are wheels for, e.g. `2.4`; empty where the name does not tell.
    #[serde(default)]
    pub torch: Vec<String>,
    /// Device code of all of them.
    #[serde(default)]
    pub code: Vec<CodeTarget>,
    /// The glibc that they ask for.
    #[serde(default)]
    pub glibc: Option<GlibcVersion>,
    /// Where this was read.
    pub source: RawPage,
}
