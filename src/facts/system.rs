use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Reading;
use crate::version::GlibcVersion;

/// Operating system, C library, container, shared memory, and the environment variables that decide what CUDA sees.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct System {
    /// `linux`, `windows`, `macos`.
    pub os: Reading<String>,
    /// The machine type as Python names it: `x86_64`, `aarch64`.
    pub arch: Reading<String>,
    /// `PRETTY_NAME` of os-release, e.g. `Ubuntu 22.04.5 LTS`.
    pub distro: Reading<String>,
    /// The kernel's release, e.g. `6.8.0-51-generic`.
    pub kernel: Reading<String>,
    /// The GNU C library; absent on musl.
    pub glibc: Reading<GlibcVersion>,
    /// The container's kind, e.g. `docker`, `podman`, `kubernetes`, `lxc`; absent outside a container.
    pub container: Reading<String>,
    /// Runs under the Windows Subsystem for Linux; the value is 1 or 2.
    pub wsl: Reading<u32>,
    /// Size of /dev/shm in bytes.
    pub shm_bytes: Reading<u64>,
    /// Errors of NVIDIA's driver in the kernel's log since its start, by number; absent where the log holds none.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub xid: Reading<Vec<Xid>>,
    /// How much memory a process may lock, in bytes; absent where nothing limits it.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub memlock_bytes: Reading<u64>,
    /// How many InfiniBand or RoCE devices a process may use; absent without any.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub infiniband: Reading<u32>,
    /// The room left where the environment, temporary files and caches lie.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<Disk>,
    /// The variables that matter, e.g. `CUDA_VISIBLE_DEVICES`; only those that are set. See `probe` for the list.
    pub environment: BTreeMap<String, String>,
}

impl System {
    /// Whether it is known to be Windows.
    #[must_use]
    pub fn is_windows(&self) -> bool {
        self.os.value().is_some_and(|os| os == "windows")
    }
}

/// How often one Xid error stands in the kernel's log. Processes and addresses of GPUs are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Xid {
    /// NVIDIA's number, e.g. 79.
    pub number: u32,
    /// How many lines have it.
    pub count: u32,
    /// How many GPUs have it.
    pub gpus: u32,
    /// The text of the last one, e.g. `GPU has fallen off the bus.`
    pub last: String,
}

/// The room left on the disk that holds something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// `the environment`, `temporary files` or `caches`.
    pub holds: String,
    /// The folder that was asked, e.g. `/root/.cache`.
    pub path: String,
    /// Bytes that may still be written.
    pub free_bytes: u64,
}
