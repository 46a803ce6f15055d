//! `platform/driver.toml`: driver branches, how long they live, how they are installed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{Page, Table, cited, fault, pages};
use crate::step::Written;
use crate::version::{ComputeCapability, CudaVersion, DriverVersion};

/// `rules/platform/driver.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DriverTable {
    /// Pages by key.
    pub sources: BTreeMap<String, Page>,
    /// Minor-version compatibility: the oldest driver for any runtime of a major release.
    #[serde(rename = "family")]
    pub families: Vec<DriverFamily>,
    /// The last driver branch that supports an architecture.
    #[serde(rename = "lifetime")]
    pub lifetimes: Vec<ArchLifetime>,
    /// What GPU support in the Windows Subsystem for Linux asks for.
    pub wsl: WslDriver,
    /// How a driver is installed, from the oldest on; of rows that fit the first counts.
    #[serde(rename = "install")]
    pub installs: Vec<DriverInstall>,
}

/// How a driver is installed on some distributions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DriverInstall {
    /// The driver that comes then, or an older one, e.g. `570.172.08`.
    pub driver: DriverVersion,
    /// How the names of the distributions begin, e.g. `Ubuntu 24.04`; empty for every one that no row names.
    #[serde(default)]
    pub on: Vec<String>,
    /// Machine types, e.g. `x86_64`.
    pub arch: Vec<String>,
    /// The oldest GPUs that its kernel modules know, e.g. `7.5`.
    #[serde(default)]
    pub gpus_from: Option<ComputeCapability>,
    /// What to run, in order.
    pub commands: Vec<Written>,
    /// A key of `sources`.
    pub source: String,
}

/// What GPU support in the Windows Subsystem for Linux asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WslDriver {
    /// The oldest kernel of WSL 2, e.g. `5.10`.
    pub kernel: CudaVersion,
    /// The Windows that goes with it, in words.
    pub windows: String,
    /// A key of `sources`.
    pub source: String,
}

/// The oldest driver for any CUDA runtime of a major release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DriverFamily {
    /// E.g. 12.
    pub cuda_major: u32,
    /// E.g. `525.60.13`.
    pub linux_driver: DriverVersion,
    /// A key of `sources`.
    pub source: String,
}

/// The last driver branch and toolkit for some compute capabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ArchLifetime {
    /// E.g. `Volta`.
    pub architecture: String,
    /// E.g. `7.0`.
    pub capabilities: Vec<ComputeCapability>,
    /// E.g. 580.
    pub last_branch: u32,
    /// E.g. `12.9`.
    pub last_toolkit: CudaVersion,
    /// A key of `sources`.
    pub source: String,
}

impl Table for DriverTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        for (index, row) in self.families.iter().enumerate() {
            cited(&self.sources, &row.source, "family", index)?;
        }
        for (index, row) in self.lifetimes.iter().enumerate() {
            cited(&self.sources, &row.source, "lifetime", index)?;
        }
        for (index, row) in self.installs.iter().enumerate() {
            cited(&self.sources, &row.source, "install", index)?;
            row.commands.iter().try_for_each(Written::check).map_err(|message| fault("install", index, &message))?;
            let mut earlier = self.installs[..index].iter().filter(|other| other.on == row.on);
            if earlier.any(|other| other.driver > row.driver) {
                return Err(fault("install", index, "the drivers of a distribution ascend"));
            }
        }
        if !self.sources.contains_key(&self.wsl.source) {
            return Err(Fault {
                path: vec!["wsl".to_owned()],
                message: "its `source` is not in `[sources]`".to_owned(),
            });
        }
        for (index, pair) in self.families.windows(2).enumerate() {
            if pair[0].cuda_major >= pair[1].cuda_major || pair[0].linux_driver >= pair[1].linux_driver {
                return Err(fault("family", index + 1, "families and their drivers ascend"));
            }
        }
        Ok(())
    }
}
