//! The small texts of a machine: each parser gets all of them.

#![no_main]

use gpudoc::machine::{environ, kernel_driver, nvidia_smi, os_release, pci, snapshot, xid};
use gpudoc::objects::c_library;
use gpudoc::python::{direct_url, dist_info, pth, script, pyvenv, requires_txt};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = (c_library::find_banner(data), environ::parse_process_environment(data));
    let text = &*String::from_utf8_lossy(data);
    let _ = (c_library::parse_library_name(text), direct_url::DirectUrl::parse(text));
    let _ = (dist_info::parse_wheel_tags(text), dist_info::parse_installer(text));
    let _ = (environ::parse_environment_file(text), os_release::parse_pretty_name(text));
    let _ = (kernel_driver::parse_module_version(text), kernel_driver::parse_gpu_information(text));
    let _ = (nvidia_smi::parse_error(text), nvidia_smi::parse_table(text));
    let _ = nvidia_smi::parse_query(text, &["name", "driver_version", "compute_cap"]);
    let _ = (pci::parse_pci_number(text), pth::parse_pth(text), pth::parse_egg_link(text));
    let _ = (xid::parse_xids(text), xid::parse_question(text));
    let _ = script::Script::parse(text).tripped(&|_| Some("2.7.1".to_owned()), &|module| module == "triton.ops");
    let _ = (pyvenv::PyvenvCfg::parse(text), requires_txt::parse_requires_txt(text), snapshot::snapshot(text));
});
