//! `[[torch-abi]]` of a package: which torch its compiled libraries need. Written by `gpudoc rules harvest-symbols`.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::page::{OpenedWheel, Row, wheel};

/// Which torch the compiled libraries of a release need, whatever its metadata says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TorchExtension {
    /// E.g. `0.1.0`.
    pub version: String,
    /// The torch releases that export all that it needs, as runs of those in `torch_symbols.toml`: `["2.5.0 to 2.5.1"]`; empty
    /// where all do.
    #[serde(default)]
    pub torch: Vec<String>,
    /// It needs a torch with the new (or the old) C++ ABI of libstdc++.
    #[serde(default)]
    pub cxx11_abi: Option<bool>,
    /// The wheel that was opened.
    pub source: OpenedWheel,
}

impl Row for TorchExtension {
    const TABLE: &str = "torch-abi";

    fn check(&self) -> Result<(), Fault> {
        if self.torch.is_empty() && self.cxx11_abi.is_none() {
            return Err(Fault::new("neither `torch` nor `cxx11-abi`: it loads beside every torch"));
        }
        wheel(&self.source)
    }
}
