//! Text or bytes to values, without touching a file.
//!
//! In comes what somebody read or pasted; out come plain values. A parser never panics and never reads past its input,
//! whatever the input is: files here come from other people's machines. What it does not understand it leaves out, so
//! that one odd line does not cost the rest. The formats' bytes stand above each parser.

pub mod c_library;
pub mod direct_url;
pub mod dist_info;
pub mod environ;
pub mod kernel_driver;
pub mod ld_cache;
pub mod local_label;
pub mod metadata;
pub mod nvidia_smi;
pub mod os_release;
pub mod pci;
pub mod pth;
pub mod pyvenv;
pub mod requires_txt;
pub mod version_py;
pub mod wheel;
