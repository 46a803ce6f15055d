use serde::{Deserialize, Serialize};

use super::Reading;
use crate::version::CudaVersion;

/// What there is to compile with: for extensions of torch, and for Triton, which compiles while it runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Toolchain {
    /// The nvcc that torch's `cpp_extension` would take: of `CUDA_HOME`, `CUDA_PATH`, on `PATH`, of `/usr/local/cuda`.
    pub nvcc: Reading<Nvcc>,
    /// The nvcc on `PATH`, where `CUDA_HOME` or `CUDA_PATH` names another: builds that do not ask torch take this one.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub path_nvcc: Reading<Nvcc>,
    /// The newest CUDA toolkit that somebody names without its nvcc, e.g. `11.8` of `CUDA: 11.8`.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub named: Reading<CudaVersion>,
    /// What `TRITON_PTXAS_PATH` and the like name; only those that are set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ptxas: Vec<Ptxas>,
    /// The `ninja` on `PATH` or in the chosen Python's environment.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub ninja: Reading<String>,
    /// The major version of the `gcc` on `PATH`, e.g. 13; unknown where another compiler is named in the environment.
    pub gcc: Reading<u32>,
    /// `Python.h` of the chosen Python.
    pub python_h: Reading<String>,
}

impl Toolchain {
    /// Nothing was looked at.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// NVIDIA's compiler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nvcc {
    /// E.g. `/usr/local/cuda/bin/nvcc`; `nvcc` where nobody says which file it is.
    pub path: String,
    /// Its CUDA, from the toolkit's `version.json`, else from its `cuda.h`.
    pub cuda: Option<CudaVersion>,
    /// The newest gcc it takes, as the toolkit's own `crt/host_config.h` says, e.g. 15.
    pub newest_gcc: Option<u32>,
}

/// The assembler that a variable names to Triton.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ptxas {
    /// E.g. `TRITON_PTXAS_PATH`.
    pub variable: String,
    /// E.g. `/usr/local/cuda/bin/ptxas`.
    pub path: String,
    /// Whether a file is there.
    pub found: bool,
    /// The CUDA of its toolkit.
    pub cuda: Option<CudaVersion>,
}
