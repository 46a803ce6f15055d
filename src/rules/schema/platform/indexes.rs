//! `platform/indexes.toml`: package indexes by label.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::schema::fault::{Fault, requirements};
use crate::rules::schema::page::{Page, Table, cited, fault, pages};

/// `rules/platform/indexes.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IndexTable {
    /// Pages by key.
    pub sources: BTreeMap<String, Page>,
    /// Package indexes that builds name.
    #[serde(rename = "index")]
    pub indexes: Vec<IndexRow>,
    /// What they serve for Windows.
    pub windows: Vec<WindowsIndex>,
}

/// Releases that have wheels for Windows on x86-64 on some indexes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WindowsIndex {
    /// E.g. `torch==2.6.0`, `torchvision==0.21.0`, `numba>=0.53`: those of these releases that have a Linux build of that index.
    pub packages: Vec<String>,
    /// E.g. `cu118`, `cu126`; `pypi` for wheels that hold there what they hold for Linux.
    pub indexes: Vec<String>,
    /// A key of `sources`.
    pub source: String,
}

/// A package index, or a family of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IndexRow {
    /// As builds name it, e.g. `pypi`; `*` for every name that no other row has.
    pub name: String,
    /// Its address; `{name}` stands for the name.
    pub url: String,
    /// A key of `sources`.
    pub source: String,
}

impl Table for IndexTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        for (index, row) in self.indexes.iter().enumerate() {
            cited(&self.sources, &row.source, "index", index)?;
            if (row.name == "*") != row.url.contains("{name}") {
                return Err(fault("index", index, "the row named `*`, and no other, has `{name}` in its address"));
            }
        }
        for (index, row) in self.windows.iter().enumerate() {
            cited(&self.sources, &row.source, "windows", index)?;
            requirements(&row.packages).map_err(|found| found.below("windows", index))?;
        }
        Ok(())
    }
}
