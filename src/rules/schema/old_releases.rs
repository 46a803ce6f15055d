//! `platform/old_releases.toml`: releases older than the rows.

use serde::{Deserialize, Serialize};

use super::super::fault::Fault;
use super::page::{OpenedWheel, Table, fault, normalised, requirement, wheel};

/// `rules/platform/old_releases.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OldReleaseTable {
    /// By package, oldest first.
    #[serde(rename = "release")]
    pub releases: Vec<OldRelease>,
}

/// What a release requires that is older than the rows of its package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OldRelease {
    /// The normalised name, e.g. `torchvision`.
    pub package: String,
    /// E.g. `0.7.0`.
    pub version: String,
    /// Of its requirements those of torch, e.g. `torch==1.6.0`.
    pub requires: Vec<String>,
    /// The wheel that was opened.
    pub source: OpenedWheel,
}

impl Table for OldReleaseTable {
    const FILE: &str = "old_releases";

    fn check(&self) -> Result<(), Fault> {
        for (index, row) in self.releases.iter().enumerate() {
            let at = |message: &str| fault("release", index, message);
            normalised(&row.package).map_err(|message| at(&message))?;
            if let Some(line) = row.requires.iter().find(|line| requirement(line).is_err()) {
                return Err(at(&format!("`{line}` is no requirement")));
            }
            wheel(&row.source).map_err(|message| at(&message))?;
        }
        Ok(())
    }
}
