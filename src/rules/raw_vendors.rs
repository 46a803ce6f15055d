//! `rules/platform/vendors.toml`: stacks that are not for NVIDIA's GPUs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::raw_platform::RawPage;

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawVendors {
    /// Pages by key.
    pub sources: BTreeMap<String, RawPage>,
    /// In the order in which they are tried.
    #[serde(rename = "vendor")]
    pub vendors: Vec<RawVendor>,
}

/// One of them. It is recognised by any of its signs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawVendor {
    /// For sentences, e.g. `AMD's ROCm`.
    pub name: String,
    /// How local labels of its builds begin, e.g. `rocm` of `2.7.1+rocm6.3`.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Distributions that only it needs, by normalised name.
    #[serde(default)]
    pub distributions: Vec<String>,
    /// An operating system on which there is nothing else, e.g. `macos`.
    #[serde(default)]
    pub os: Option<String>,
    /// A key of `sources`.
    pub source: String,
}
