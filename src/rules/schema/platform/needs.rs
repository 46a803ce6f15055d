//! `platform/needs.toml`: what compiling, NCCL and a new torch need of a machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pep::Version;
use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{Page, Table, cite_key, cited, fault, pages};
use crate::rules::schema::range::Range;
use crate::version::ComputeCapability;

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
    /// Shared memory.
    pub shm: ShmRow,
    /// The memory of GPUs.
    pub gpu_memory: GpuMemoryRow,
    /// The program that torch builds with.
    pub ninja: NinjaRow,
    /// Variables that name another ptxas to Triton.
    #[serde(rename = "ptxas")]
    pub ptxas: Vec<PtxasRow>,
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

/// Shared memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ShmRow {
    /// What Docker gives to `/dev/shm` by itself.
    pub docker_bytes: u64,
    /// A key of `sources`.
    pub source: String,
}

/// The memory of GPUs, in percent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GpuMemoryRow {
    /// From here on nearly all is in use: what needs the GPU does not find room.
    pub full: u64,
    /// From here on it is worth a word.
    pub half: u64,
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
    /// The releases of Triton that read it so, e.g. `>=3.6,<3.9`.
    pub triton: Range,
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
    /// Whether a release of Triton takes it for such a GPU.
    #[must_use]
    pub fn is_for(&self, gpu: ComputeCapability, triton: &Version) -> bool {
        self.triton.has(triton)
            && self.from.is_none_or(|from| gpu >= from)
            && self.below.is_none_or(|below| gpu < below)
    }
}

impl NeedsTable {
    /// What torch for CUDA takes on a disk with its libraries, in bytes, and where that was read.
    #[must_use]
    pub fn torch_on_disk(&self) -> (u64, String) {
        (self.disk.stack_bytes, cite_key(&self.sources, &self.disk.source))
    }

    /// A limit of locked memory with which NCCL fails on InfiniBand, in bytes, and where that was read.
    #[must_use]
    pub fn too_little_memlock(&self) -> (u64, String) {
        (self.memlock.too_little_bytes, cite_key(&self.sources, &self.memlock.source))
    }

    /// From so many bytes on somebody gave `/dev/shm` more than Docker does: twice as much.
    #[must_use]
    pub fn enough_shm(&self) -> u64 {
        self.shm.docker_bytes.saturating_mul(2)
    }

    /// Where it was read that torch builds with ninja.
    #[must_use]
    pub fn ninja_citation(&self) -> String {
        cite_key(&self.sources, &self.ninja.source)
    }

    /// Whether a release of Triton takes the ptxas that a variable names, e.g. `TRITON_PTXAS_PATH`, for a GPU.
    #[must_use]
    pub fn takes_ptxas(&self, variable: &str, gpu: ComputeCapability, triton: &Version) -> bool {
        self.ptxas.iter().filter(|row| row.variable == variable).any(|row| row.is_for(gpu, triton))
    }

    /// Where it was read which releases of Triton read a variable; none for one that none does.
    #[must_use]
    pub fn ptxas_citation(&self, variable: &str) -> Option<String> {
        let row = self.ptxas.iter().rev().find(|row| row.variable == variable)?;
        Some(cite_key(&self.sources, &row.source))
    }
}

impl Table for NeedsTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        let sources = [
            ("disk", &self.disk.source),
            ("memlock", &self.memlock.source),
            ("shm", &self.shm.source),
            ("gpu-memory", &self.gpu_memory.source),
            ("ninja", &self.ninja.source),
        ];
        for (table, source) in sources {
            if !self.sources.contains_key(source) {
                let message = format!("source `{source}` is not in `[sources]`");
                return Err(Fault { path: vec![table.to_owned()], message });
            }
        }
        let GpuMemoryRow { full, half, .. } = self.gpu_memory;
        if half >= full || full > 100 {
            let message = format!("`half` is {half} and `full` is {full} percent");
            return Err(Fault { path: vec!["gpu-memory".to_owned()], message });
        }
        for (index, row) in self.ptxas.iter().enumerate() {
            cited(&self.sources, &row.source, "ptxas", index)?;
            row.triton.check().map_err(|message| fault("ptxas", index, &message.to_string()))?;
            let same = |earlier: &PtxasRow| earlier.variable == row.variable && earlier.triton == row.triton;
            if self.ptxas.iter().take(index).any(same) {
                return Err(fault("ptxas", index, &format!("`{}` is there twice", row.variable)));
            }
        }
        Ok(())
    }
}
