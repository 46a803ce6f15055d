//! `[[prebuilt]]` and `[[cpu-only]]` of a package: wheels that lie outside the default index, and what that index has instead.

use serde::{Deserialize, Serialize};

use super::fault::{Fault, day};
use super::page::{Page, Row};
use super::range::Range;
use crate::version::{CodeTarget, GlibcVersion};

/// PyPI has only a CPU build of the package for one operating system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CpuOnly {
    /// The operating system, e.g. `windows`.
    pub platform: String,
    /// Where this was read.
    pub source: Page,
}

/// What the published wheels of some releases are built for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Prebuilt {
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

impl Row for CpuOnly {
    const TABLE: &str = "cpu-only";

    fn check(&self) -> Result<(), Fault> {
        day(&self.source.read)
    }
}

impl Row for Prebuilt {
    const TABLE: &str = "prebuilt";

    fn check(&self) -> Result<(), Fault> {
        self.versions.check()?;
        if self.torch.is_empty() && self.code.is_empty() && self.glibc.is_none() {
            return Err(Fault::new("says nothing: no `torch`, `code` or `glibc`"));
        }
        day(&self.source.read)
    }
}
