//! `platform/workload.toml`: what models take, and what GPUs are sold with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{Page, Table, cited, fault, pages};

/// The whole file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WorkloadTable {
    /// Pages by key.
    pub sources: BTreeMap<String, Page>,
    /// From when on a model is called very large.
    pub very_large_model: VeryLargeRow,
    /// The weights of a model as it is trained and published.
    pub weights: WeightsRow,
    /// The weights of a model that is loaded in 4 bits.
    pub four_bit_weights: WeightsRow,
    /// Ordered: the first pattern that matches a device name decides.
    #[serde(rename = "memory")]
    pub memories: Vec<WorkloadMemory>,
}

/// From when on a model is called very large.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VeryLargeRow {
    /// Parameters.
    pub from: u64,
    /// A key of `sources`.
    pub source: String,
}

/// How much a parameter takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WeightsRow {
    /// Bits of one parameter, e.g. 16.
    pub bits: u64,
    /// A key of `sources`.
    pub source: String,
}

/// The memory of GPUs by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WorkloadMemory {
    /// Unanchored, case-sensitive.
    pub regex: String,
    /// Sizes in GiB, ascending; several where the name does not say which, none where none is known.
    pub gib: Vec<u64>,
    /// A key of `sources`.
    pub source: String,
}

impl Table for WorkloadTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        cited(&self.sources, &self.very_large_model.source, "very-large-model", 0)?;
        cited(&self.sources, &self.weights.source, "weights", 0)?;
        cited(&self.sources, &self.four_bit_weights.source, "four-bit-weights", 0)?;
        for (index, row) in self.memories.iter().enumerate() {
            cited(&self.sources, &row.source, "memory", index)?;
            if row.gib.windows(2).any(|pair| pair[0] >= pair[1]) {
                return Err(fault("memory", index, "`gib` ascends"));
            }
        }
        Ok(())
    }
}
