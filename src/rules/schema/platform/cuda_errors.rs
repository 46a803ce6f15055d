//! `platform/cuda_errors.toml`: the errors with which CUDA does not start.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{Page, Table, cited, fault, pages};

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CudaErrorTable {
    /// Pages by key.
    pub sources: BTreeMap<String, Page>,
    /// One for each [`CudaStop`], ascending.
    #[serde(rename = "error")]
    pub errors: Vec<CudaErrorRow>,
}

/// Why CUDA does not start, or runs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CudaStop {
    /// The toolkit's stub was loaded.
    StubLibrary,
    /// There is no device.
    NoDevice,
    /// A device was named that is none; seen also where an entry of `CUDA_VISIBLE_DEVICES` is repeated.
    InvalidDevice,
    /// No code in the library is for the GPU.
    NoKernel,
    /// The driver does not understand the PTX.
    UnsupportedPtx,
    /// The system is not ready, e.g. without its fabric manager.
    SystemNotReady,
    /// Kernel driver and libcuda do not go together.
    DriverMismatch,
    /// Forward compatibility on a GPU that it is not for.
    CompatNotOnDevice,
}

impl CudaStop {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::StubLibrary,
        Self::NoDevice,
        Self::InvalidDevice,
        Self::NoKernel,
        Self::UnsupportedPtx,
        Self::SystemNotReady,
        Self::DriverMismatch,
        Self::CompatNotOnDevice,
    ];
}

/// One error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CudaErrorRow {
    /// Why it comes.
    pub stop: CudaStop,
    /// As cuda.h numbers it, e.g. 803.
    pub number: u32,
    /// One sentence.
    pub meaning: String,
    /// A key of `sources`.
    pub source: String,
}

impl CudaErrorTable {
    /// The number of an error, e.g. 803 for [`CudaStop::DriverMismatch`].
    #[must_use]
    pub fn number(&self, stop: CudaStop) -> u32 {
        // Every one has its row: the build would stop without.
        self.errors.iter().find(|row| row.stop == stop).map_or(0, |row| row.number)
    }
}

impl Table for CudaErrorTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        for (index, row) in self.errors.iter().enumerate() {
            cited(&self.sources, &row.source, "error", index)?;
            let earlier = self.errors.iter().take(index);
            if earlier.clone().any(|other| other.stop == row.stop || other.number >= row.number) {
                return Err(fault("error", index, "each `stop` has one row, and the rows ascend by number"));
            }
            if !row.meaning.ends_with('.') {
                return Err(fault("error", index, "`meaning` ends with a full stop"));
            }
        }
        match CudaStop::ALL.iter().find(|stop| !self.errors.iter().any(|row| row.stop == **stop)) {
            Some(stop) => Err(Fault { path: Vec::new(), message: format!("no row is for {stop:?}") }),
            None => Ok(()),
        }
    }
}
