//! `rules/platform/workload.toml`: what a model takes, and the memory of GPUs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::raw_platform::RawPage;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawWorkload {
    /// Pages by key.
    pub sources: BTreeMap<String, RawPage>,
    /// From when on a model is called very large.
    pub very_large_model: RawVeryLarge,
    /// The weights of a model as it is trained and published.
    pub weights: RawWeights,
    /// The weights of a model that is loaded in 4 bits.
    pub four_bit_weights: RawWeights,
    /// Ordered: the first pattern that matches a device name decides.
    #[serde(rename = "memory")]
    pub memories: Vec<RawMemory>,
}

/// From when on a model is called very large.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawVeryLarge {
    /// Parameters.
    pub from: u64,
    /// A key of `sources`.
    pub source: String,
}

/// How much a parameter takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawWeights {
    /// Bits of one parameter, e.g. 16.
    pub bits: u64,
    /// A key of `sources`.
    pub source: String,
}

/// The memory of GPUs by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawMemory {
    /// Unanchored, case-sensitive.
    pub regex: String,
    /// Sizes in GiB, ascending; several where the name does not say which, none where none is known.
    pub gib: Vec<u64>,
    /// A key of `sources`.
    pub source: String,
}
