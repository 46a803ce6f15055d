//! `platform/needs.toml`: what packages need at import and when they compile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::fault::Fault;
use super::page::{Page, Table, cited, fault, normalised, pages};
use super::range::Range;
use crate::version::{ComputeCapability, CudaVersion};

/// The whole file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NeedsTable {
    /// Pages by key.
    pub sources: BTreeMap<String, Page>,
    /// Room on disks.
    pub disk: TorchOnDisk,
    /// Locked memory, for InfiniBand.
    pub memlock: MemlockRow,
    /// The program that torch builds with.
    pub ninja: NinjaRow,
    /// Packages that compile on the machine with a ptxas of their own.
    #[serde(default, rename = "assembler")]
    pub assemblers: Vec<AssemblerRow>,
    /// Variables that name another ptxas to Triton.
    #[serde(rename = "ptxas")]
    pub ptxas: Vec<PtxasRow>,
    /// What packages check of others at their own import.
    #[serde(default, rename = "guard")]
    pub guards: Vec<GuardRow>,
}

/// What a package checks of others at its own import, and stops where it is not met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GuardRow {
    /// The distribution that checks, e.g. `transformers`.
    pub package: String,
    /// PEP 440 specifiers of its releases that do.
    pub versions: Range,
    /// The distributions that it asks for, e.g. `tokenizers`.
    pub checks: Vec<String>,
    /// With what it stops.
    pub stops: Stop,
    /// A key of `sources`.
    pub source: String,
}

/// With what of another package an import stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// With a version outside the declared range, or none.
    Unmet,
    /// With a version below the declared range, or none.
    Below,
    /// With none.
    Missing,
}

/// A package with a ptxas of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AssemblerRow {
    /// The distribution, e.g. `triton`.
    pub package: String,
    /// PEP 440 specifiers.
    pub versions: Range,
    /// The oldest CUDA that any of these has a ptxas of.
    pub cuda: CudaVersion,
    /// A key of `sources`.
    pub source: String,
}

/// Room on disks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TorchOnDisk {
    /// What torch for CUDA takes with its libraries, installed.
    pub stack_bytes: u64,
    /// A key of `sources`.
    pub source: String,
}

/// Locked memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MemlockRow {
    /// A limit with which NCCL fails.
    pub too_little_bytes: u64,
    /// A key of `sources`.
    pub source: String,
}

/// The program that torch builds with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NinjaRow {
    /// A key of `sources`.
    pub source: String,
}

/// A variable that names another ptxas to Triton.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PtxasRow {
    /// E.g. `TRITON_PTXAS_PATH`.
    pub variable: String,
    /// It is for GPUs from this compute capability on.
    #[serde(default)]
    pub from: Option<ComputeCapability>,
    /// It is for GPUs below this compute capability.
    #[serde(default)]
    pub below: Option<ComputeCapability>,
    /// A key of `sources`.
    pub source: String,
}

impl PtxasRow {
    /// Whether Triton takes it for such a GPU.
    #[must_use]
    pub fn is_for(&self, gpu: ComputeCapability) -> bool {
        self.from.is_none_or(|from| gpu >= from) && self.below.is_none_or(|below| gpu < below)
    }
}

impl Table for NeedsTable {
    const FILE: &str = "needs";

    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        for (table, source) in
            [("disk", &self.disk.source), ("memlock", &self.memlock.source), ("ninja", &self.ninja.source)]
        {
            if !self.sources.contains_key(source) {
                let message = format!("source `{source}` is not in `[sources]`");
                return Err(Fault { path: vec![table.to_owned()], message });
            }
        }
        for (index, row) in self.assemblers.iter().enumerate() {
            cited(&self.sources, &row.source, "assembler", index)?;
            row.versions.check().map_err(|found| found.below("assembler", index))?;
        }
        for (index, row) in self.guards.iter().enumerate() {
            cited(&self.sources, &row.source, "guard", index)?;
            row.versions.check().map_err(|found| found.below("guard", index))?;
            for name in row.checks.iter().chain([&row.package]) {
                normalised(name).map_err(|message| fault("guard", index, &message))?;
            }
        }
        for (index, row) in self.ptxas.iter().enumerate() {
            cited(&self.sources, &row.source, "ptxas", index)?;
            if self.ptxas.iter().take(index).any(|earlier| earlier.variable == row.variable) {
                return Err(fault("ptxas", index, &format!("`{}` is there twice", row.variable)));
            }
        }
        Ok(())
    }
}
