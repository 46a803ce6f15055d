use serde::{Deserialize, Serialize};

use super::{ConfidentialComputing, GpuState, Reading};
use crate::version::{ComputeCapability, CudaVersion, DriverVersion};

/// The NVIDIA driver.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Driver {
    /// The version of the loaded kernel module, e.g. `570.133.20`; in part where only its branch is told.
    pub version: Reading<DriverVersion>,
    /// The newest CUDA that the driver supports, e.g. `12.8`: what nvidia-smi prints as "CUDA Version". With a
    /// cuda-compat library in front, NVML may report that library's.
    pub cuda: Reading<CudaVersion>,
    /// Open or proprietary kernel module.
    pub module: Reading<KernelModule>,
    /// The installed driver package, e.g. `550.107.02`, where something tells of it beside the loaded module: a package list, or
    /// the kernel's complaint about a client of another version.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub package: Reading<DriverVersion>,
    /// How NVML answered.
    pub nvml: Reading<Nvml>,
    /// Confidential computing, where the driver knows of it.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub confidential: Reading<ConfidentialComputing>,
}

/// Which flavour of NVIDIA's kernel module is loaded. Blackwell needs the open one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KernelModule {
    /// "NVIDIA UNIX Open Kernel Module".
    Open,
    /// "NVIDIA UNIX x86_64 Kernel Module".
    Proprietary,
}

/// The management library that answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nvml {
    /// The file that was loaded, e.g. `/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1`.
    pub library: String,
    /// The library's own version, e.g. `12.570.133.20`; its part after the first number is a driver version.
    pub version: String,
}

/// One GPU.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gpu {
    /// The driver's index, from 0. `CUDA_VISIBLE_DEVICES` and PCI order may give CUDA another numbering.
    pub index: u32,
    /// The product name, e.g. `NVIDIA GeForce RTX 5090`.
    pub name: Reading<String>,
    /// What it executes, e.g. `12.0`; in part where a name or word stands for several, e.g. `compute capability 7.x`.
    pub compute_capability: Reading<ComputeCapability>,
    /// Memory in bytes.
    pub memory_bytes: Reading<u64>,
    /// Multi-instance mode is on.
    pub mig: Reading<bool>,
    /// Device id of the PCI function, e.g. `0x2b85`.
    pub pci_device: Reading<u32>,
    /// How it is set up and how it fares.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub state: Reading<GpuState>,
}

impl Gpu {
    /// Names the GPU in a sentence, e.g. `GPU 0 NVIDIA GeForce RTX 5090`.
    #[must_use]
    pub fn label(&self) -> String {
        match self.name.value() {
            Some(name) => format!("GPU {} {name}", self.index),
            None => format!("GPU {}", self.index),
        }
    }
}
