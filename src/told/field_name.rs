//! What is a field of a report about, by its name?

/// What a name in a report is about.
#[derive(Clone, Copy)]
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

/// The field that a name in lower case stands for; none for names that are made of something.
pub fn named(name: &str) -> Option<Field> {
    Some(match name {
        "pytorch version" | "pytorch" | "torch version" | "torch" | "torch.__version__" | "pytorch.version"
        | "pytorch build" | "torch build" | "pytorch 版本" | "torch 版本" | "pytorch版本" | "torch_version"
        | "pytorch/torch" => Field::Torch,
        "cuda used to build pytorch" | "torch cuda version" | "torch.version.cuda" | "torch cuda" => Field::TorchCuda,
        "is cuda available"
        | "cuda available"
        | "torch.cuda.is_available()"
        | "torch.cuda.is_available"
        | "cuda is available" => Field::Available,
        "pytorch.cuda" => Field::XformersCuda,
        "deepspeed info" => Field::DeepSpeed,
        "cuda runtime version"
        | "nvcc"
        | "nvcc version"
        | "cuda toolkit"
        | "cuda toolkit version"
        | "nvcc cuda version" => Field::Nvcc,
        "nvidia driver version"
        | "cuda driver version"
        | "driver version"
        | "nvidia driver"
        | "driver"
        | "gpu driver"
        | "nvidia driver's version"
        | "nvidia drivers version"
        | "gpu driver version"
        | "nvidia-driver"
        | "驱动版本"
        | "驱动"
        | "nvidia driver版本"
        | "显卡驱动"
        | "kmd version"
        | "driver_version"
        | "nvidia drivers" => Field::Driver,
        "gpu models and configuration"
        | "gpu"
        | "gpus"
        | "gpu model"
        | "gpu type"
        | "gpu name"
        | "gpu(s)"
        | "gpu.name"
        | "graphics card"
        | "product name"
        | "显卡"
        | "显卡型号"
        | "gpu型号"
        | "accelerator"
        | "video card"
        | "card"
        | "gpu device"
        | "device"
        | "hardware"
        | "gpu hardware"
        | "gpu models"
        | "device name"
        | "gpu info" => Field::Gpu,
        "gpu.compute_capability" | "compute capability" | "highest compute capability among gpus detected" => {
            Field::Capability
        }
        "python version" | "python" | "python_version" | "python 版本" => Field::Python,
        "python platform" | "platform" => Field::Platform,
        "os"
        | "operating system"
        | "system"
        | "os version"
        | "distro"
        | "distribution"
        | "distro version"
        | "系统"
        | "操作系统"
        | "os platform and distribution"
        | "operating system & cpu architecture"
        | "description"
        | "linux distribution"
        | "os / node image"
        | "windows version"
        | "linux" => Field::Os,
        "kernel" | "kernel version" | "uname -r" | "linux kernel" => Field::Kernel,
        "libc version" | "glibc version" | "glibc" | "libc" | "glibc 版本" => Field::Glibc,
        "architecture" | "cpu architecture" | "machine" | "arch" => Field::Arch,
        "jetpack" | "jetpack version" | "l4t release" | "l4t" | "jetson" => Field::Jetson,
        "shared memory (/dev/shm) size" | "shared memory size" | "/dev/shm" => Field::Shm,
        "nvml library version" => Field::NvmlLibrary,
        "build.torch_version" => Field::XformersTorch,
        "cuda" | "cuda version" => Field::Cuda,
        "cuda forward compat"
        | "cuda forward compatibility"
        | "forward compat"
        | "forward compatibility"
        | "cuda compat"
        | "cuda-compat"
        | "cuda compat driver"
        | "cuda compat version"
        | "compat libcuda"
        | "compat driver"
        | "cuda forward compat version"
        | "cuda-compat version" => Field::Compat,
        _ => return None,
    })
}
