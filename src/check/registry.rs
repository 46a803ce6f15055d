//! All rules of the checks, and those that other modules speak of.

use crate::finding::{Id, Rule};

pub use super::advisory::by_hand::{ADVISORY, id as advisory};
pub use super::candidates::REFUSED;
pub use super::cuda_libs::{LIBRARY_PATH, SHADOWED};
pub use super::pairing::contradiction::CONTRADICTION;
pub use super::symptoms::likely::SYMPTOM;

/// Every rule of the checks, by file.
pub static RULES: &[&Rule] = &[
    &super::abi::unknown_symbols::UNKNOWN_SYMBOLS,
    &super::abi::cxx11_abi::CXX11_ABI,
    &super::abi::other_soname::OTHER_SONAME,
    &super::abi::numpy_1::NUMPY_1,
    &super::advisory::by_hand::ADVISORY,
    &super::candidates::REFUSED,
    &super::pairing::contradiction::CONTRADICTION,
    &super::cpu_build::plain_install::PLAIN_INSTALL,
    &super::cpu_build::without_cuda::CPU_BUILD,
    &super::cuda_answer::CUDA_INIT,
    &super::cuda_libs::NO_LIBRARY,
    &super::cuda_libs::NOT_FOUND,
    &super::cuda_libs::SHADOWED,
    &super::cuda_libs::LIBRARY_PATH,
    &super::cuda_libs::DOUBLED,
    &super::device_nodes::CONTAINER,
    &super::device_nodes::DEVICE_NODES,
    &super::driver::old_for_gpu::OLD_FOR_GPU,
    &super::driver::by_compat::BY_COMPAT,
    &super::driver::old_for_build_said::OLD_FOR_BUILD_SAID,
    &super::driver::old::OLD,
    &super::driver::old_for_build::OLD_FOR_BUILD,
    &super::driver_mismatch::MISMATCH,
    &super::environment::INTERPRETER,
    &super::environment::PYVENV_CFG,
    &super::environment::PACKAGES,
    &super::environment::PYTHONHOME,
    &super::environment::SCRIPTS,
    &super::environment::SOURCE,
    &super::environment::METADATA,
    &super::files::FILES,
    &super::files::MODULES,
    &super::forward_compat::older_than_driver::OLDER_THAN_DRIVER,
    &super::forward_compat::wrong_gpu::WRONG_GPU,
    &super::forward_compat::branch::BRANCH,
    &super::forward_compat::on_gpu::ON_GPU,
    &super::gpu_arch::old_toolkit::OLD_TOOLKIT,
    &super::gpu_arch::few_kernels::FEW_KERNELS,
    &super::gpu_arch::other_code::OTHER_CODE,
    &super::gpu_arch::only_ptx::ONLY_PTX,
    &super::gpu_arch::no_kernel::NO_KERNEL,
    &super::gpu_arch::triton_ptxas::PTXAS,
    &super::gpu_state::FABRIC,
    &super::gpu_state::CONFIDENTIAL_COMPUTING,
    &super::gpu_state::MIG_EMPTY,
    &super::gpu_state::MIG_SPLIT,
    &super::gpu_state::PROHIBITED,
    &super::gpu_state::EXCLUSIVE,
    &super::gpu_state::REMAP_FAILED,
    &super::gpu_state::UNCORRECTED,
    &super::gpu_state::REMAP_PENDING,
    &super::gpu_state::SLOW_GPU,
    &super::gpu_state::GPU_MEMORY,
    &super::gpu_state::NVLINK,
    &super::gpu_state::PERSISTENCE,
    &super::gpu_visibility::NO_DRIVER,
    &super::gpu_visibility::NONE,
    &super::gpu_visibility::CUDA_VISIBLE_DEVICES,
    &super::in_front::IN_FRONT,
    &super::libcuda_stub::LIBCUDA,
    &super::limits::MEMLOCK,
    &super::limits::DISK_FULL,
    &super::limits::DISK,
    &super::advisory::newer::NEWER,
    &super::pairing::other_torch::OTHER_TORCH,
    &super::pairing::other_partner::OTHER_PARTNER,
    &super::pairing::other_cuda::OTHER_CUDA,
    &super::pairing::twice::TWICE,
    &super::python::library_old::LIBRARY_OLD,
    &super::pairing::wheels_partner::WHEELS_PARTNER,
    &super::gpu_arch::wheels_without_kernel::WHEELS_WITHOUT_KERNEL,
    &super::python::wheels_glibc::WHEELS_GLIBC,
    &super::ptxas::PTXAS_VARIABLE,
    &super::python::glibc::GLIBC,
    &super::python::bits_32::BITS_32,
    &super::python::no_wheel::NO_WHEEL,
    &super::python::other_tag::OTHER_TAG,
    &super::requirement::STATED_UNMET,
    &super::requirement::UNMET,
    &super::requirement::METADATA,
    &super::requirement::PYTHON,
    &super::symptoms::likely::SYMPTOM,
    &super::system::SHM,
    &super::system::WSL,
    &super::system::LIBCUDA_NAME,
    &super::system::JETSON,
    &super::toolchain::NVCC_OTHER,
    &super::toolchain::GCC,
    &super::toolchain::HOME_WITHOUT_NVCC,
    &super::toolchain::HOME_OTHER,
    &super::toolchain::NINJA,
    &super::toolchain::TRITON,
    &super::toolchain::NVCC_OTHER_MAJOR,
    &super::vendor::VENDOR,
    &super::workload::WORKLOAD,
    &super::xid::XID,
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
