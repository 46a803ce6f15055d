//! `[[old-release]]` of a package: releases older than its rows.

use serde::{Deserialize, Serialize};

use super::fault::{Fault, requirements};
use super::page::{OpenedWheel, Row, wheel};
use crate::pep::Version;

/// What a release requires that is older than the rows of its package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OldRelease {
    /// E.g. `0.7.0`.
    pub version: Version,
    /// Of its requirements those of torch, e.g. `torch==1.6.0`.
    pub requires: Vec<String>,
    /// The wheel that was opened.
    pub source: OpenedWheel,
}

impl Row for OldRelease {
    const TABLE: &str = "old-release";

    fn check(&self) -> Result<(), Fault> {
        requirements(&self.requires)?;
        wheel(&self.source)
    }
}
