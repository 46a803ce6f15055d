//! `platform/machine.toml`: who acts where the machine has to change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{Page, Table, cited, fault, pages};
use crate::step::Written;
use crate::version::ComputeCapability;

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MachineTable {
    /// Pages by name.
    pub sources: BTreeMap<String, Page>,
    /// One for each matter and place.
    #[serde(rename = "task")]
    pub tasks: Vec<MachineTask>,
    /// How a CUDA toolkit is installed, the first that fits.
    #[serde(rename = "toolkit")]
    pub toolkits: Vec<ToolkitInstall>,
    /// How NVIDIA's Container Toolkit is installed.
    #[serde(rename = "container-toolkit")]
    pub container_toolkits: Vec<ContainerToolkit>,
    /// Sorted by compute capability.
    #[serde(rename = "jetson")]
    pub jetsons: Vec<JetsonIndex>,
}

/// How a CUDA toolkit is installed on some distributions, or in an environment of conda.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ToolkitInstall {
    /// In an environment of conda.
    #[serde(default)]
    pub conda: bool,
    /// How the names of the distributions begin, e.g. `Ubuntu`.
    #[serde(default)]
    pub on: Vec<String>,
    /// The program and its arguments, in which `{prefix}`, `{major}` and `{minor}` are filled in.
    pub argv: Vec<String>,
    /// Where it lies then, for `CUDA_HOME`; filled in likewise.
    pub home: String,
    /// A key of `sources`.
    pub source: String,
}

/// How NVIDIA's Container Toolkit is installed on some distributions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContainerToolkit {
    /// How their names begin, e.g. `Ubuntu`.
    pub on: Vec<String>,
    /// What to run, in order.
    pub commands: Vec<Written>,
    /// A key of `sources`.
    pub source: String,
}

/// Where torch for some Jetsons is published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct JetsonIndex {
    /// Their compute capability, e.g. `8.7`.
    pub capability: ComputeCapability,
    /// What the builds are for, in words.
    pub builds: String,
    /// The index.
    pub index: String,
    /// A key of `sources`.
    pub source: String,
}

/// What is to be put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matter {
    /// The NVIDIA driver.
    Driver,
    /// The size of /dev/shm.
    Shm,
    /// NVIDIA's Container Toolkit, by the distribution.
    ContainerToolkit,
}

/// Where a program runs, as far as that decides who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Under the Windows Subsystem for Linux, in a container or not.
    Wsl,
    /// On a Jetson.
    Jetson,
    /// On Windows.
    Windows,
    /// In a container that Kubernetes started.
    Kubernetes,
    /// In any other container.
    Container,
}

/// What somebody has to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MachineTask {
    /// What is to be put right.
    pub matter: Matter,
    /// Where.
    pub at: Place,
    /// An imperative in small letters without full stop; `{driver}` and `{branch}` are filled in.
    pub words: String,
    /// What to run, in order.
    #[serde(default)]
    pub commands: Vec<Written>,
    /// A key of `sources`.
    pub source: String,
}

impl MachineTable {
    /// What somebody has to do about a matter of the machine, where a program runs.
    #[must_use]
    pub fn task(&self, matter: Matter, at: Place) -> Option<&MachineTask> {
        self.tasks.iter().find(|row| row.matter == matter && row.at == at)
    }

    /// How NVIDIA's Container Toolkit is installed on a distribution, by its name: `Ubuntu 24.04.3 LTS`.
    #[must_use]
    pub fn container_toolkit(&self, distro: &str) -> Option<&ContainerToolkit> {
        let is_on = |row: &&ContainerToolkit| row.on.iter().any(|name| distro.starts_with(name.as_str()));
        self.container_toolkits.iter().find(is_on)
    }

    /// Where torch for a Jetson is published, by its compute capability.
    #[must_use]
    pub fn jetson_index(&self, capability: ComputeCapability) -> Option<&JetsonIndex> {
        self.jetsons.iter().find(|row| row.capability == capability)
    }
}

impl Table for MachineTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        for (index, row) in self.tasks.iter().enumerate() {
            cited(&self.sources, &row.source, "task", index)?;
            let is_same = |other: &MachineTask| (other.matter, other.at) == (row.matter, row.at);
            if self.tasks.iter().take(index).any(is_same) {
                return Err(fault("task", index, "there is one for this matter and place already"));
            }
            row.commands.iter().try_for_each(Written::check).map_err(|message| fault("task", index, &message))?;
        }
        for (index, row) in self.container_toolkits.iter().enumerate() {
            cited(&self.sources, &row.source, "container-toolkit", index)?;
            let check = |message: String| fault("container-toolkit", index, &message);
            row.commands.iter().try_for_each(Written::check).map_err(check)?;
        }
        for (index, row) in self.jetsons.iter().enumerate() {
            cited(&self.sources, &row.source, "jetson", index)?;
        }
        for (index, row) in self.toolkits.iter().enumerate() {
            cited(&self.sources, &row.source, "toolkit", index)?;
            if row.argv.is_empty() || row.conda != row.on.is_empty() {
                return Err(fault("toolkit", index, "has no command, or is not for either conda or distributions"));
            }
        }
        Ok(())
    }
}
