//! `platform/cuda.toml`: toolkits, their drivers and what they compile for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{Page, Table, cited, fault, pages};
use crate::version::{ComputeCapability, CudaVersion, DriverVersion};

/// `rules/platform/cuda.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CudaTable {
    /// Pages by key.
    pub sources: BTreeMap<String, Page>,
    /// Where machine code runs beyond its own compute capability.
    pub machine_code: MachineCode,
    /// Which toolkit was the first for a compute capability, where those that were run are all newer.
    #[serde(default)]
    pub first_for: Vec<FirstFor>,
    /// Toolkit releases, oldest first.
    #[serde(rename = "toolkit")]
    pub toolkits: Vec<ToolkitRelease>,
}

/// Exceptions to "same major, not above": Jetson islands and renamed targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MachineCode {
    /// Compute capabilities of Tegra parts, which run only code compiled for Tegra.
    pub tegra: Vec<ComputeCapability>,
    /// From this toolkit on, code for server Arm also runs on Jetson.
    pub tegra_shares_from: CudaVersion,
    /// Pairs of names for one compute capability, old first.
    pub renamed: Vec<[ComputeCapability; 2]>,
    /// A key of `sources`.
    pub source: String,
}

/// The first toolkit that compiles machine code for a compute capability, where that is older than those that were run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FirstFor {
    /// E.g. `8.0`.
    pub capability: ComputeCapability,
    /// E.g. `11.0`.
    pub toolkit: CudaVersion,
    /// A key of `sources`.
    pub source: String,
}

/// One toolkit release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ToolkitRelease {
    /// E.g. `12.8`.
    pub version: CudaVersion,
    /// The Linux driver that came out with it, e.g. `570.26`: from here on PTX of this toolkit is understood.
    pub linux_driver: DriverVersion,
    /// A key of `sources`.
    pub source: String,
    /// The compute capabilities that it compiles for; empty where nobody ran it.
    #[serde(default)]
    pub compiles_for: Vec<ComputeCapability>,
    /// A key of `sources`, for the line above.
    #[serde(default)]
    pub compiles_for_source: Option<String>,
}

impl Table for CudaTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        for (index, row) in self.toolkits.iter().enumerate() {
            cited(&self.sources, &row.source, "toolkit", index)?;
            if row.compiles_for.is_empty() != row.compiles_for_source.is_none() {
                return Err(fault("toolkit", index, "`compiles-for` goes with `compiles-for-source`"));
            }
            if let Some(source) = &row.compiles_for_source {
                cited(&self.sources, source, "toolkit", index)?;
            }
        }
        for (index, pair) in self.toolkits.windows(2).enumerate() {
            if pair[0].version >= pair[1].version || pair[0].linux_driver >= pair[1].linux_driver {
                return Err(fault("toolkit", index + 1, "toolkits and their drivers ascend"));
            }
        }
        Ok(())
    }
}
