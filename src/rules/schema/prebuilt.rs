//! `platform/prebuilt.toml`: wheels that lie outside the default index.

use serde::{Deserialize, Serialize};

use super::super::fault::{Fault, day};
use super::page::{Page, Table, fault};
use super::range::Range;
use crate::version::{CodeTarget, GlibcVersion};

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PrebuiltTable {
    /// Sorted by package.
    #[serde(rename = "prebuilt")]
    pub rows: Vec<Prebuilt>,
    /// Builds of PyPI that are CPU builds on one platform only.
    pub cpu_only: Vec<CpuOnly>,
}

/// A package that PyPI has only a CPU build of, on one platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CpuOnly {
    /// The distribution, e.g. `torch`.
    pub package: String,
    /// The operating system, e.g. `windows`.
    pub platform: String,
    /// Where this was read.
    pub source: Page,
}

/// What the published wheels of some releases are built for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Prebuilt {
    /// The distribution, e.g. `flash-attn`.
    pub package: String,
    /// PEP 440 specifiers, e.g. `>=2.6,<2.7`.
    pub versions: Range,
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
    pub source: Page,
}

impl Table for PrebuiltTable {
    const FILE: &str = "prebuilt";

    fn check(&self) -> Result<(), Fault> {
        for (index, row) in self.rows.iter().enumerate() {
            row.versions.check().map_err(|found| found.below("prebuilt", index))?;
            day(&row.source.read).map_err(|found| found.below("prebuilt", index))?;
            if row.torch.is_empty() && row.code.is_empty() && row.glibc.is_none() {
                return Err(fault("prebuilt", index, "says nothing: no `torch`, `code` or `glibc`"));
            }
            let previous = index.checked_sub(1).and_then(|at| self.rows.get(at));
            if previous.is_some_and(|other| other.package > row.package) {
                return Err(fault("prebuilt", index, "the rows are not sorted by package"));
            }
        }
        Ok(())
    }
}
