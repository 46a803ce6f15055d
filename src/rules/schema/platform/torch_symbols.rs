//! `platform/torch_symbols.toml`: which releases of torch export a symbol.

use serde::{Deserialize, Serialize};

use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{OpenedWheel, Table, fault, wheel};

/// `rules/platform/torch_symbols.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TorchSymbolTable {
    /// By hand: packages whose libraries are linked with torch's; the symbols that they need are those of interest.
    pub extensions: Vec<String>,
    /// The releases that were read, oldest first.
    #[serde(default, rename = "torch")]
    pub releases: Vec<TorchRelease>,
    /// Symbols that not all of these releases export, those of the same releases together.
    #[serde(default, rename = "history")]
    pub histories: Vec<BuildHistory>,
}

/// A torch release whose exported symbols were read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TorchRelease {
    /// E.g. `2.7.1`.
    pub version: String,
    /// The wheel that was opened.
    pub source: OpenedWheel,
}

/// Symbols that the same torch releases export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BuildHistory {
    /// The releases that export them, as runs of those that were read: `["2.1.0 to 2.6.0"]`.
    pub releases: Vec<String>,
    /// Mangled names.
    pub symbols: Vec<String>,
}

impl Table for TorchSymbolTable {
    fn check(&self) -> Result<(), Fault> {
        for (index, release) in self.releases.iter().enumerate() {
            wheel(&release.source).map_err(|found| found.below("torch", index))?;
        }
        let place = |version: &str| self.releases.iter().position(|release| release.version == version);
        for (index, history) in self.histories.iter().enumerate() {
            for run in &history.releases {
                let (first, last) = run.split_once(" to ").unwrap_or((run, run));
                match (place(first), place(last)) {
                    (Some(first), Some(last)) if first <= last => {}
                    _ => {
                        return Err(fault(
                            "history",
                            index,
                            &format!("`{run}` is no run of the releases that were read"),
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}
