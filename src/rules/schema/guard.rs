//! `[[guard]]` and `[[assembler]]` of a package: what it checks at its own import, and what it compiles with.

use serde::{Deserialize, Serialize};

use super::fault::{Fault, day};
use super::page::{Page, Row, normalised};
use super::range::Range;
use crate::version::CudaVersion;

/// What a package checks of others at its own import, and stops where it is not met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GuardRow {
    /// PEP 440 specifiers of its releases that do.
    pub versions: Range,
    /// The distributions that it asks for, e.g. `tokenizers`.
    pub checks: Vec<String>,
    /// With what it stops.
    pub stops: Stop,
    /// Where this was read.
    pub source: Page,
}

/// With what of another package an import stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// With a version outside the declared range, or none.
    Unmet,
    /// With a version below the declared range, or none.
    Below,
    /// With none.
    Missing,
}

/// The ptxas in the wheels of a package that compiles on the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AssemblerRow {
    /// PEP 440 specifiers.
    pub versions: Range,
    /// The oldest CUDA that any of these has a ptxas of.
    pub cuda: CudaVersion,
    /// Where this was read.
    pub source: Page,
}

/// Another name under which the same releases are published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AlsoRow {
    /// The normalised name, e.g. `pytorch-triton`.
    pub name: String,
    /// Where this was read.
    pub source: Page,
}

impl Row for AlsoRow {
    const TABLE: &str = "also";

    fn check(&self) -> Result<(), Fault> {
        normalised(&self.name).map_err(Fault::new)?;
        day(&self.source.read)
    }
}

impl Row for GuardRow {
    const TABLE: &str = "guard";

    fn check(&self) -> Result<(), Fault> {
        self.versions.check()?;
        self.checks.iter().try_for_each(|name| normalised(name)).map_err(Fault::new)?;
        day(&self.source.read)
    }
}

impl Row for AssemblerRow {
    const TABLE: &str = "assembler";

    fn check(&self) -> Result<(), Fault> {
        self.versions.check()?;
        day(&self.source.read)
    }
}
