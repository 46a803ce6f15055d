use serde::{Deserialize, Serialize};

use super::Reading;
use crate::version::CudaVersion;

/// What there is to compile with: for extensions of torch, and for Triton, which compiles while it runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Toolchain {
    /// The nvcc that torch's `cpp_extension` would take: of `CUDA_HOME`, `CUDA_PATH`, on `PATH`, of `/usr/local/cuda`.
    pub nvcc: Reading<Nvcc>,
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
    /// E.g. `/usr/local/cuda/bin/nvcc`.
    pub path: String,
    /// Its CUDA, from the toolkit's `version.json`, else from its `cuda.h`.
    pub cuda: Option<CudaVersion>,
    /// The newest gcc it takes, as the toolkit's own `crt/host_config.h` says, e.g. 15.
    pub newest_gcc: Option<u32>,
}
