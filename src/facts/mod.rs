//! All that was observed of one environment, as plain data.
//!
//! The probe, or a reader of pasted text, fills a [`Facts`]; the checks and the solver read it. It serialises as the
//! snapshot `gpudoc.facts/1`, so that a verdict can be reached elsewhere and later from the same observations. Nothing
//! here decides anything, and every part may be unknown.

mod distribution;
mod driver;
pub mod field;
mod gpu_state;
mod imports;
mod installing;
mod library;
mod loader;
pub mod older;
mod part;
mod pasted;
mod python;
mod reading;
pub mod redact;
mod system;
mod toolchain;
mod visibility;
mod worlds;

use serde::{Deserialize, Serialize};

pub use distribution::{Distribution, DistributionBuild, Metadata, Stray};
pub use driver::{Driver, Gpu, KernelModule, Nvml};
pub use gpu_state::{
    ComputeMode, ConfidentialComputing, Fabric, GpuProcess, GpuState, MigInstance, NvLinks, RemappedRows, Slowdown,
    Virtualization,
};
pub use imports::{Imports, Want, Wanted};
pub use installing::{Candidate, Installing, Nowhere, Unmet};
pub use library::{Changed, ChangedFile, CodeGroup, Library, Link, Unresolved};
pub use loader::{LibCuda, Loader};
pub use part::Part;
pub use pasted::{ASKED, Contradiction, KERNEL, Pasted};
pub use python::{InFront, Locked, Management, Place, PutBy, Python, PythonImplementation, Scripts};
pub use reading::{Reading, Source};
pub use system::{Disk, System, Xid};
pub use toolchain::{Nvcc, Ptxas, Toolchain};
pub use visibility::{CudaAnswer, DeviceNode, Entry, NamedDevice, Visibility, visible_entries};
pub use worlds::World;

/// The name and version of the snapshot format.
pub const SCHEMA: &str = "gpudoc.facts/1";

/// The distribution of PyTorch. Its name stands in code because what is read of it is its own: `torch/version.py`, the symbols of
/// c10, the C++ ABI, the variants of its index, the words of its errors. What holds for whatever others are compiled against asks
/// `rules::role::is_hub`.
pub const TORCH: &str = "torch";

/// Where the facts come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The machine on which gpudoc runs.
    #[default]
    Host,
    /// A mounted image, `--root DIR`: its own files, no GPUs, no processes.
    Root,
    /// A text somebody pasted: what it does not mention is unknown, not absent.
    Report,
}

/// All that was observed of one environment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Always [`SCHEMA`] in a snapshot.
    pub schema: String,
    /// Where the facts come from.
    pub origin: Origin,
    /// Operating system, C library, container, shared memory.
    pub system: System,
    /// The NVIDIA driver, and what NVML said.
    pub driver: Driver,
    /// The GPUs of the machine, in the driver's order, also those that `CUDA_VISIBLE_DEVICES` hides.
    pub gpus: Reading<Vec<Gpu>>,
    /// What decides which of them CUDA sees, as far as only the machine can tell.
    #[serde(default, skip_serializing_if = "Visibility::is_unknown")]
    pub visibility: Visibility,
    /// Which `libcuda.so.1` a process started now would load.
    pub loader: Loader,
    /// What there is to compile with.
    #[serde(default, skip_serializing_if = "Toolchain::is_unknown")]
    pub toolchain: Toolchain,
    /// The interpreter and its path.
    pub python: Reading<Python>,
    /// Installed distributions in the order of the path, so that of two with one name the first is the one imported.
    pub distributions: Vec<Distribution>,
    /// What importing the installed packages would come to, read from their files.
    #[serde(default, skip_serializing_if = "Reading::is_unknown")]
    pub imports: Reading<Imports>,
    /// Whether a list names all that is installed, so that what it does not name is not there: of a pasted one. Ask
    /// [`Self::lists_all`], which knows it of a machine too.
    #[serde(default, skip_serializing_if = "Reading::is_unknown")]
    pub whole_list: Reading<bool>,
    /// Distributions that somebody speaks of without saying which release or that they are there, e.g. `torch`.
    #[serde(default, skip_serializing_if = "Reading::is_unknown")]
    pub spoken_of: Reading<Vec<String>>,
    /// What installers were asked for and what they said.
    #[serde(default, skip_serializing_if = "Installing::is_unknown")]
    pub installing: Installing,
    /// The stack of another vendor than NVIDIA that words name: as the rules call it, e.g. `AMD ROCm`.
    #[serde(default, skip_serializing_if = "Reading::is_unknown")]
    pub vendor: Reading<String>,
    /// How a pasted text was read; none for a machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pasted: Option<Pasted>,
}

impl Facts {
    /// Makes empty facts: nothing was looked at.
    #[must_use]
    pub fn unknown(origin: Origin) -> Self {
        Self { schema: SCHEMA.to_owned(), origin, ..Self::default() }
    }

    /// Whether what is not among the distributions is not installed.
    #[must_use]
    pub fn lists_all(&self) -> bool {
        match self.origin {
            Origin::Report => self.whole_list.value() == Some(&true),
            Origin::Host | Origin::Root => self.python.value().is_some(),
        }
    }

    /// The distribution that `import` finds, by normalised name, e.g. `torch` or `nvidia-cublas-cu12`.
    #[must_use]
    pub fn distribution(&self, name: &str) -> Option<&Distribution> {
        self.distributions.iter().find(|distribution| distribution.name == name)
    }

    /// The distributions that `import` finds: the first of each name on the path.
    pub fn active_distributions(&self) -> impl Iterator<Item = &Distribution> {
        let mut seen = std::collections::HashSet::new();
        self.distributions.iter().filter(move |distribution| seen.insert(distribution.name.as_str()))
    }
}
