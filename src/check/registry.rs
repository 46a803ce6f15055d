//! All rules of the checks, and those that other modules speak of.

use crate::finding::{Id, Rule};

pub use super::advisory::by_hand::{ADVISORY, id as advisory};
pub use super::cuda_libs::library_path::LIBRARY_PATH;
pub use super::cuda_libs::shadowed::SHADOWED;
pub use super::driver::old_for_assembler::OLD_FOR_ASSEMBLER;
pub use super::gpu_arch::no_kernel::NO_KERNEL;
pub use super::gpu_visibility::none::NONE as NO_GPU;
pub use super::pairing::contradiction::CONTRADICTION;
pub use super::pairing::twice::TWICE;
pub use super::python::no_wheel::NO_WHEEL;
pub use super::requirement::metadata::METADATA as UNREADABLE;
pub use super::requirement::refused::REFUSED;
pub use super::requirement::unmet::UNMET;
pub use super::symptoms::likely::{SYMPTOM, is_guess};

/// Every rule of the checks, by file.
pub static RULES: &[&Rule] = &[
    &super::abi::cxx11_abi::CXX11_ABI,
    &super::abi::numpy_1::NUMPY_1,
    &super::abi::other_soname::OTHER_SONAME,
    &super::abi::unknown_symbols::UNKNOWN_SYMBOLS,
    &super::advisory::by_hand::ADVISORY,
    &super::advisory::newer::NEWER,
    &super::cpu_build::plain_install::PLAIN_INSTALL,
    &super::cpu_build::without_cuda::CPU_BUILD,
    &super::cuda_libs::doubled::DOUBLED,
    &super::cuda_libs::libcuda::LIBCUDA,
    &super::cuda_libs::library_path::LIBRARY_PATH,
    &super::cuda_libs::no_library::NO_LIBRARY,
    &super::cuda_libs::not_found::NOT_FOUND,
    &super::cuda_libs::shadowed::SHADOWED,
    &super::driver::by_compat::BY_COMPAT,
    &super::driver::old::OLD,
    &super::driver::old_for_assembler::OLD_FOR_ASSEMBLER,
    &super::driver::old_for_build::OLD_FOR_BUILD,
    &super::driver::old_for_build_said::OLD_FOR_BUILD_SAID,
    &super::driver::old_for_gpu::OLD_FOR_GPU,
    &super::driver_mismatch::MISMATCH,
    &super::environment::files::FILES,
    &super::environment::files::MODULES,
    &super::environment::in_front::IN_FRONT,
    &super::environment::interpreter::INTERPRETER,
    &super::environment::leftover::LEFTOVER,
    &super::environment::packages::PACKAGES,
    &super::environment::pythonhome::PYTHONHOME,
    &super::environment::pyvenv_cfg::PYVENV_CFG,
    &super::environment::record::METADATA,
    &super::environment::scripts::SCRIPTS,
    &super::environment::source::SOURCE,
    &super::forward_compat::branch::BRANCH,
    &super::forward_compat::older_than_driver::OLDER_THAN_DRIVER,
    &super::forward_compat::on_gpu::ON_GPU,
    &super::forward_compat::wrong_gpu::WRONG_GPU,
    &super::gpu_arch::few_kernels::FEW_KERNELS,
    &super::gpu_arch::no_build::NO_BUILD,
    &super::gpu_arch::no_kernel::NO_KERNEL,
    &super::gpu_arch::old_toolkit::OLD_TOOLKIT,
    &super::gpu_arch::only_ptx::ONLY_PTX,
    &super::gpu_arch::other_code::OTHER_CODE,
    &super::gpu_arch::triton_ptxas::PTXAS,
    &super::gpu_arch::wheels_without_kernel::WHEELS_WITHOUT_KERNEL,
    &super::gpu_visibility::container::CONTAINER,
    &super::gpu_visibility::cuda_init::CUDA_INIT,
    &super::gpu_visibility::cuda_visible_devices::CUDA_VISIBLE_DEVICES,
    &super::gpu_visibility::device_nodes::DEVICE_NODES,
    &super::gpu_visibility::mig::MIG_EMPTY,
    &super::gpu_visibility::mig::MIG_SPLIT,
    &super::gpu_visibility::no_driver::NO_DRIVER,
    &super::gpu_visibility::none::NONE,
    &super::import::missing_module::MISSING_MODULE,
    &super::import::missing_name::MISSING_NAME,
    &super::import::stopped::STOPPED,
    &super::pairing::contradiction::CONTRADICTION,
    &super::pairing::other_cuda::OTHER_CUDA,
    &super::pairing::other_partner::OTHER_PARTNER,
    &super::pairing::other_torch::OTHER_TORCH,
    &super::pairing::twice::TWICE,
    &super::pairing::wheels_partner::WHEELS_PARTNER,
    &super::python::bits_32::BITS_32,
    &super::python::glibc::GLIBC,
    &super::python::library_old::LIBRARY_OLD,
    &super::python::no_wheel::NO_WHEEL,
    &super::python::other_tag::OTHER_TAG,
    &super::python::wheels_glibc::WHEELS_GLIBC,
    &super::requirement::metadata::METADATA,
    &super::requirement::python::PYTHON,
    &super::requirement::refused::REFUSED,
    &super::requirement::stated_unmet::STATED_UNMET,
    &super::requirement::unmet::UNMET,
    &super::symptoms::likely::SYMPTOM,
    &super::system::compute_mode::PROHIBITED,
    &super::system::compute_mode::EXCLUSIVE,
    &super::system::confidential_computing::CONFIDENTIAL_COMPUTING,
    &super::system::disk::DISK_FULL,
    &super::system::disk::DISK,
    &super::system::fabric::FABRIC,
    &super::system::gpu_memory::GPU_MEMORY,
    &super::system::gpu_memory_errors::REMAP_FAILED,
    &super::system::gpu_memory_errors::UNCORRECTED,
    &super::system::gpu_memory_errors::REMAP_PENDING,
    &super::system::jetson::JETSON,
    &super::system::libcuda_name::LIBCUDA_NAME,
    &super::system::memlock::MEMLOCK,
    &super::system::nvlink::NVLINK,
    &super::system::persistence::PERSISTENCE,
    &super::system::shm::SHM,
    &super::system::slow_gpu::SLOW_GPU,
    &super::system::vendor::VENDOR,
    &super::system::workload::WORKLOAD,
    &super::system::wsl::WSL,
    &super::system::xid::XID,
    &super::toolchain::cuda_home::HOME_WITHOUT_NVCC,
    &super::toolchain::cuda_home::HOME_OTHER,
    &super::toolchain::gcc::GCC,
    &super::toolchain::ninja::NINJA,
    &super::toolchain::nvcc::NVCC_OTHER,
    &super::toolchain::ptxas::PTXAS_VARIABLE,
    &super::toolchain::triton::TRITON,
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
