//! All rules of the checks, and those that other modules speak of.

use crate::finding::{Id, Rule};

pub use super::advisory::{ADVISORY, id as advisory};
pub use super::contradiction::CONTRADICTION;
pub use super::cuda_libs::library_path::LIBRARY_PATH;
pub use super::cuda_libs::shadowed::SHADOWED;
pub use super::requirement::refused::REFUSED;
pub use super::symptoms::SYMPTOM;

/// Every rule of the checks, by file.
pub static RULES: &[&Rule] = &[
    &super::abi::UNKNOWN_SYMBOLS,
    &super::abi::CXX11_ABI,
    &super::abi::OTHER_SONAME,
    &super::abi::NUMPY_1,
    &super::advisory::ADVISORY,
    &super::requirement::refused::REFUSED,
    &super::contradiction::CONTRADICTION,
    &super::cpu_build::PLAIN_INSTALL,
    &super::cpu_build::CPU_BUILD,
    &super::gpu_visibility::cuda_init::CUDA_INIT,
    &super::cuda_libs::no_library::NO_LIBRARY,
    &super::cuda_libs::not_found::NOT_FOUND,
    &super::cuda_libs::shadowed::SHADOWED,
    &super::cuda_libs::library_path::LIBRARY_PATH,
    &super::cuda_libs::doubled::DOUBLED,
    &super::gpu_visibility::container::CONTAINER,
    &super::gpu_visibility::device_nodes::DEVICE_NODES,
    &super::driver::OLD_FOR_GPU,
    &super::driver::BY_COMPAT,
    &super::driver::OLD_FOR_BUILD_SAID,
    &super::driver::OLD,
    &super::driver::OLD_FOR_BUILD,
    &super::driver_mismatch::MISMATCH,
    &super::environment::interpreter::INTERPRETER,
    &super::environment::pyvenv_cfg::PYVENV_CFG,
    &super::environment::packages::PACKAGES,
    &super::environment::pythonhome::PYTHONHOME,
    &super::environment::scripts::SCRIPTS,
    &super::environment::source::SOURCE,
    &super::environment::record::METADATA,
    &super::environment::files::FILES,
    &super::environment::files::MODULES,
    &super::forward_compat::OLDER_THAN_DRIVER,
    &super::forward_compat::WRONG_GPU,
    &super::forward_compat::BRANCH,
    &super::forward_compat::ON_GPU,
    &super::gpu_arch::OLD_TOOLKIT,
    &super::gpu_arch::FEW_KERNELS,
    &super::gpu_arch::OTHER_CODE,
    &super::gpu_arch::ONLY_PTX,
    &super::gpu_arch::NO_KERNEL,
    &super::gpu_arch::PTXAS,
    &super::system::fabric::FABRIC,
    &super::system::confidential_computing::CONFIDENTIAL_COMPUTING,
    &super::gpu_visibility::mig::MIG_EMPTY,
    &super::gpu_visibility::mig::MIG_SPLIT,
    &super::system::compute_mode::PROHIBITED,
    &super::system::compute_mode::EXCLUSIVE,
    &super::system::gpu_memory_errors::REMAP_FAILED,
    &super::system::gpu_memory_errors::UNCORRECTED,
    &super::system::gpu_memory_errors::REMAP_PENDING,
    &super::system::slow_gpu::SLOW_GPU,
    &super::system::gpu_memory::GPU_MEMORY,
    &super::system::nvlink::NVLINK,
    &super::system::persistence::PERSISTENCE,
    &super::gpu_visibility::no_driver::NO_DRIVER,
    &super::gpu_visibility::none::NONE,
    &super::gpu_visibility::cuda_visible_devices::CUDA_VISIBLE_DEVICES,
    &super::environment::in_front::IN_FRONT,
    &super::cuda_libs::libcuda::LIBCUDA,
    &super::system::memlock::MEMLOCK,
    &super::system::disk::DISK_FULL,
    &super::system::disk::DISK,
    &super::newer::NEWER,
    &super::pairing::OTHER_TORCH,
    &super::pairing::OTHER_PARTNER,
    &super::pairing::OTHER_CUDA,
    &super::pairing::TWICE,
    &super::platform::LIBRARY_OLD,
    &super::prebuilt::WHEELS_PARTNER,
    &super::prebuilt::WHEELS_WITHOUT_KERNEL,
    &super::prebuilt::WHEELS_GLIBC,
    &super::toolchain::ptxas::PTXAS_VARIABLE,
    &super::python::GLIBC,
    &super::python::BITS_32,
    &super::python::NO_WHEEL,
    &super::python::OTHER_TAG,
    &super::requirement::stated_unmet::STATED_UNMET,
    &super::requirement::unmet::UNMET,
    &super::requirement::metadata::METADATA,
    &super::requirement::python::PYTHON,
    &super::symptoms::SYMPTOM,
    &super::system::shm::SHM,
    &super::system::wsl::WSL,
    &super::system::libcuda_name::LIBCUDA_NAME,
    &super::system::jetson::JETSON,
    &super::toolchain::nvcc::NVCC_OTHER,
    &super::toolchain::gcc::GCC,
    &super::toolchain::cuda_home::HOME_WITHOUT_NVCC,
    &super::toolchain::cuda_home::HOME_OTHER,
    &super::toolchain::ninja::NINJA,
    &super::toolchain::triton::TRITON,
    &super::toolchain::nvcc::NVCC_OTHER_MAJOR,
    &super::system::vendor::VENDOR,
    &super::system::workload::WORKLOAD,
    &super::system::xid::XID,
];

/// The rules that an id, written out, may be of: several things that are found of one package share one.
pub fn rules_of(id: &str) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().copied().filter(move |rule| rule.reads(id).is_some())
}

/// An id that is written out; none where no rule has such.
#[must_use]
pub fn id(text: &str) -> Option<Id> {
    RULES.iter().find_map(|rule| rule.reads(text))
}

/// Whether a finding quotes an installer that found no solution.
#[must_use]
pub fn is_conflict(id: &Id) -> bool {
    id.is(&SYMPTOM) && id.subject().is_some_and(|message| message.ends_with("-conflict"))
}
