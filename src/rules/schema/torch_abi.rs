//! `platform/torch_abi.toml`: what builds of extensions need from torch.

use serde::{Deserialize, Serialize};

use super::super::fault::Fault;
use super::page::{OpenedWheel, Table, fault, wheel};

/// `rules/platform/torch_abi.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TorchAbi {
    /// The torch releases whose exports were compared.
    #[serde(default)]
    pub releases: Vec<String>,
    /// Releases of extensions that do not load beside every torch.
    #[serde(default, rename = "extension")]
    pub extensions: Vec<TorchExtension>,
}

/// Which torch the compiled libraries of a release need, whatever its metadata says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TorchExtension {
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
    pub source: OpenedWheel,
}

impl Table for TorchAbi {
    const FILE: &str = "torch_abi";

    fn check(&self) -> Result<(), Fault> {
        let known = |version: &str| self.releases.iter().any(|release| release == version);
        let mut seen = std::collections::BTreeSet::new();
        for (index, row) in self.extensions.iter().enumerate() {
            wheel(&row.source).map_err(|message| fault("extension", index, &message))?;
            if !seen.insert((&row.package, &row.version)) {
                return Err(fault("extension", index, &format!("`{} {}` stands here twice", row.package, row.version)));
            }
            if row.torch.is_empty() && row.cxx11_abi.is_none() {
                return Err(fault("extension", index, "neither `torch` nor `cxx11-abi`: it loads beside every torch"));
            }
            for run in &row.torch {
                let (first, last) = run.split_once(" to ").unwrap_or((run, run));
                if !known(first) || !known(last) {
                    return Err(fault("extension", index, &format!("`{run}` is no run of `releases`")));
                }
            }
        }
        Ok(())
    }
}
