//! The small texts of a machine: of the kernel, the driver, `nvidia-smi`, the system's release. Text in, values out.

pub mod environ;
pub mod kernel_driver;
pub mod nvidia_smi;
pub mod os_release;
pub mod pci;
pub mod snapshot;
pub mod xid;
