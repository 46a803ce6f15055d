use serde::{Deserialize, Serialize};

use super::Reading;
use crate::version::DriverVersion;

/// Which user-mode driver, `libcuda.so.1`, a process started now would load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Loader {
    /// The first in the loader's order: LD_LIBRARY_PATH, ld.so.cache, default folders.
    pub libcuda: Reading<LibCuda>,
    /// Every other libcuda.so.1 found: later in that order, or in a known folder outside it, sorted by path.
    pub others: Vec<LibCuda>,
    /// The same driver by its plain name, `libcuda.so`, which some programs open; absent where the loader's cache lists
    /// libcuda.so.1 only.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub plain_libcuda: Reading<String>,
    /// The newest symbol version of the C++ library that Python would load, e.g. `GLIBCXX_3.4.30`.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub libstdcxx: Reading<String>,
}

/// One `libcuda.so.1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LibCuda {
    /// As the loader would open it, e.g. `/usr/local/cuda-13.0/compat/libcuda.so.1`.
    pub path: String,
    /// What brought it there: `LD_LIBRARY_PATH`, `ld.so.cache`, `default folder`, or `not on the loader's path`.
    pub found_by: String,
    /// From the file it points to, `libcuda.so.580.65.06`, else from the text inside the file.
    pub version: Reading<DriverVersion>,
    /// It comes from a cuda-compat package (forward compatibility) rather than from the installed driver.
    pub compat: bool,
    /// It is the toolkit's link-time stub, which cannot run anything: it lies in a folder `stubs`, or its `cuInit` does nothing
    /// but return [`Self::STUB_ERROR`].
    pub stub: bool,
}

impl LibCuda {
    /// What `cuInit` of a stub returns: `CUDA_ERROR_STUB_LIBRARY` of cuda.h.
    pub const STUB_ERROR: u32 = 34;
}
