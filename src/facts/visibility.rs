use serde::{Deserialize, Serialize};

use super::Reading;

/// What stands between the driver's GPUs and CUDA, beyond the environment variables themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Visibility {
    /// What the entries of `CUDA_VISIBLE_DEVICES` that are UUIDs name, judged on the machine: the UUIDs stay there.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub named: Reading<Vec<NamedDevice>>,
    /// The device files of the driver.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub nodes: Reading<Vec<DeviceNode>>,
    /// What CUDA itself answered; unknown unless it was asked to start.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub cuda: Reading<CudaAnswer>,
    /// What `torch.cuda.is_available()` said. Nobody asks torch on a machine: what is inspected is not run.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub available: Reading<bool>,
    /// The command that started the container without giving it GPUs, shortened, e.g. `docker run -it pytorch/pytorch`.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub without_gpus: Reading<String>,
}

impl Visibility {
    /// Nothing was looked at.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// One entry of `CUDA_VISIBLE_DEVICES`, as CUDA reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A GPU by its number; what follows the digits is not read, `1x` is 1.
    Index(u32),
    /// A GPU or MIG instance by its UUID or the beginning of that, e.g. `GPU-8932f937`.
    Device(&'a str),
    /// Anything else, `-1` and the empty entry among them: it names nothing.
    Nothing,
}

/// Splits `CUDA_VISIBLE_DEVICES`, e.g. `0,GPU-8932f937,-1`.
pub fn visible_entries(value: &str) -> impl Iterator<Item = (&str, Entry<'_>)> {
    value.split(',').map(|entry| {
        let entry = entry.trim();
        let uuid = entry.strip_prefix("GPU-").or_else(|| entry.strip_prefix("MIG-"));
        if uuid.is_some_and(|digits| !digits.is_empty()) {
            return (entry, Entry::Device(entry));
        }
        let digits = entry.bytes().take_while(u8::is_ascii_digit).count();
        (entry, entry[..digits].parse().map_or(Entry::Nothing, Entry::Index))
    })
}

/// One entry of `CUDA_VISIBLE_DEVICES` that is a UUID or the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedDevice {
    /// The entry's place in the list, from 0.
    pub entry: u32,
    /// The driver's indices of the GPUs whose UUID, or that of a MIG instance, begins so. CUDA takes an entry that names
    /// exactly one device; a GPU is there once for each of its instances that match.
    pub gpus: Vec<u32>,
}

/// One of the driver's device files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceNode {
    /// E.g. `/dev/nvidia0`, `/dev/nvidiactl`, `/dev/nvidia-uvm`.
    pub path: String,
    /// This user may read and write it.
    pub usable: bool,
    /// Not the file's permissions stand in the way, but the container's list of devices (its cgroup).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside_cgroup: bool,
}

/// What CUDA answered when it was started in a process of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CudaAnswer {
    /// What `cuInit` or `cuDeviceGetCount` returned: 0, or the number of the error, e.g. 803.
    pub error: u32,
    /// The error's name as `cuGetErrorName` gives it, e.g. `CUDA_ERROR_SYSTEM_DRIVER_MISMATCH`; some return before it knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many devices it counted; none after an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices: Option<u32>,
}
