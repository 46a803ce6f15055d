use serde::{Deserialize, Serialize};

/// How a GPU is set up and how it fares, as NVML tells. What this GPU or driver does not tell is left out.
///
/// The words are those of nvml.h: <https://docs.nvidia.com/deploy/nvml-api/>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GpuState {
    /// The driver stays loaded while nothing uses the GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<bool>,
    /// Who may use the GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compute_mode: Option<ComputeMode>,
    /// Whether this is the GPU itself or a share of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtualization: Option<Virtualization>,
    /// Error correction of the memory is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecc: Option<bool>,
    /// Memory errors since the driver was loaded that could not be corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncorrected: Option<u64>,
    /// Memory pages, of GPUs up to Turing, that wait for a reset to be retired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retirement_pending: Option<bool>,
    /// Spare rows of the memory, from Ampere on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<RemappedRows>,
    /// What slows its clocks down beyond what is asked of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slowed_by: Vec<Slowdown>,
    /// Memory in use, in bytes, by whomever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_bytes: Option<u64>,
    /// The processes with a CUDA context, the largest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<GpuProcess>,
    /// Its NVLinks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nvlinks: Option<NvLinks>,
    /// Its registration with the NVLink fabric, on machines with NVSwitch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fabric: Option<Fabric>,
    /// Its MIG instances, in NVML's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<MigInstance>,
}

/// Who may create contexts on a GPU (`nvmlComputeMode_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComputeMode {
    /// Everybody.
    Default,
    /// One process at a time.
    ExclusiveProcess,
    /// Nobody.
    Prohibited,
}

/// What stands between this machine and the GPU (`nvmlGpuVirtualizationMode_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Virtualization {
    /// Nothing.
    None,
    /// A virtual machine that has the whole GPU.
    Passthrough,
    /// A virtual machine that has a share of it.
    Vgpu,
    /// This is the host of such machines.
    Host,
}

/// Rows of the memory that were replaced by spare ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemappedRows {
    /// Some wait for a reset to be replaced.
    pub pending: bool,
    /// No spare row was left for one.
    pub failed: bool,
}

/// Why a GPU's clocks are lower than they could be (`nvmlClocksEventReasons`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slowdown {
    /// It is too hot, and the hardware halves the clocks or worse.
    HardwareThermal,
    /// The power supply asked for it.
    PowerBrake,
    /// The hardware, for one of these reasons or another.
    Hardware,
    /// It is warm, and the driver lowers the clocks.
    SoftwareThermal,
}

/// A process that uses a GPU.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GpuProcess {
    /// The name of its program without folder and arguments, e.g. `python3`; unknown across containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The GPU memory that it holds, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// How many NVLinks are up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NvLinks {
    /// Up.
    pub active: u32,
    /// Up or down.
    pub all: u32,
}

/// How far a GPU got with the NVLink fabric (`nvmlGpuFabricState_t` and the status beside it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fabric {
    /// The fabric manager has not begun.
    NotStarted,
    /// It is at it.
    InProgress,
    /// The GPU is registered.
    Completed,
    /// Registration ended with this NVML error.
    Failed(u32),
}

/// A part of a GPU in multi-instance mode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MigInstance {
    /// Its memory in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}

/// Confidential computing on this machine (`nvmlSystemGetConfComputeState`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConfidentialComputing {
    /// It is on.
    pub enabled: bool,
    /// The GPUs were attested and take work.
    pub ready: bool,
}
