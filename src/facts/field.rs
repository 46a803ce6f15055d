//! What a field of a report can be about; `rules/platform/report_fields.toml` says how it is called.

use serde::{Deserialize, Serialize};

/// What a name in a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// torch, with its build.
    Torch,
    /// The CUDA that torch was built with.
    TorchCuda,
    /// Whether CUDA is available to torch.
    Available,
    /// Whether CUDA is available, in xformers.info.
    XformersCuda,
    /// `0.18.2, unknown, unknown`: with the commit and the branch, where it was built from a repository.
    DeepSpeed,
    /// The toolkit.
    Nvcc,
    /// NVIDIA's driver.
    Driver,
    /// The GPUs.
    Gpu,
    /// The compute capability of a GPU.
    Capability,
    /// The interpreter.
    Python,
    /// Python's platform, `Linux-5.15.0-x86_64-with-glibc2.35`.
    Platform,
    /// The operating system.
    Os,
    /// Its kernel.
    Kernel,
    /// The C library.
    Glibc,
    /// The machine type.
    Arch,
    /// Only a Jetson has it.
    Jetson,
    /// The size of `/dev/shm`.
    Shm,
    /// NVML's own version, of which nothing follows.
    NvmlLibrary,
    /// The torch that xformers was built for, in xformers.info.
    XformersTorch,
    /// A CUDA that may be anything: of the driver, the toolkit or torch.
    Cuda,
    /// The cuda-compat library in use.
    Compat,
}
