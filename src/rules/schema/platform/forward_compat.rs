//! `platform/forward_compat.toml`: cuda-compat packages, and where they work.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::gpus::GpuClass;
use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{Page, Table, cited, fault, pages};
use crate::version::CudaVersion;

/// `rules/platform/forward_compat.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ForwardCompatTable {
    /// Pages by key.
    pub sources: BTreeMap<String, Page>,
    /// cuda-compat packages, oldest first.
    #[serde(rename = "package")]
    pub packages: Vec<CompatPackage>,
    /// Which GPUs it works on.
    #[serde(rename = "hardware")]
    pub hardware: Vec<CompatHardware>,
}

/// One cuda-compat package and the kernel drivers it works with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CompatPackage {
    /// E.g. `cuda-compat-13-0`.
    pub name: String,
    /// E.g. `13.0`.
    pub cuda: CudaVersion,
    /// The driver branch whose user-mode part it is, e.g. 580.
    pub branch: u32,
    /// Kernel driver branches it works with, e.g. `[535, 570]`.
    pub works_on: Vec<u32>,
    /// Branches of the matrix that it does not work with, or does not apply to.
    pub refuses: Vec<u32>,
    /// A key of `sources`.
    pub source: String,
}

/// Whether forward compatibility works on a class of GPUs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CompatHardware {
    /// E.g. `geforce`.
    pub class: GpuClass,
    /// The page's answer.
    pub supported: CompatSupport,
    /// A key of `sources`.
    pub source: String,
}

/// Whether forward compatibility works on a class of GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompatSupport {
    /// On all of them.
    Yes,
    /// On some of them; NVIDIA publishes no list that a machine could read.
    Some,
    /// On none: `cuInit` fails with 804.
    No,
}

impl Table for ForwardCompatTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        for (index, row) in self.packages.iter().enumerate() {
            cited(&self.sources, &row.source, "package", index)?;
            if row.name != format!("cuda-compat-{}-{}", row.cuda.major, row.cuda.minor) {
                return Err(fault("package", index, "the name of a package ends in its CUDA version"));
            }
            if row.works_on.iter().any(|branch| *branch >= row.branch || row.refuses.contains(branch)) {
                return Err(fault(
                    "package",
                    index,
                    "`works-on` holds branches older than the package, none of `refuses`",
                ));
            }
        }
        for (index, row) in self.hardware.iter().enumerate() {
            cited(&self.sources, &row.source, "hardware", index)?;
        }
        Ok(())
    }
}
