//! What the kernel tells of the driver and the GPUs: /sys/module, /proc/driver/nvidia, and PCI.

use super::root::RootFs;
use crate::facts::{Gpu, KernelModule, Reading};
use crate::machine::kernel_driver::{parse_gpu_information, parse_module_version};
use crate::machine::pci::{LocatedGpu, PciAddress, is_nvidia_gpu, parse_pci_number};
use crate::version::DriverVersion;

const SYS_VERSION: &str = "/sys/module/nvidia/version";
const PROC_VERSION: &str = "/proc/driver/nvidia/version";
const PROC_GPUS: &str = "/proc/driver/nvidia/gpus";
const PCI_DEVICES: &str = "/sys/bus/pci/devices";
/// A Jetson's GPU is on no bus: the board's name tells which it is.
pub const BOARD: &str = "/proc/device-tree/model";
const BOARD_PARTS: &str = "/proc/device-tree/compatible";

/// What the kernel tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kernel {
    /// The version of the loaded module, from /sys/module, else from /proc.
    pub version: Reading<DriverVersion>,
    /// Open or proprietary, from /proc.
    pub module: Reading<KernelModule>,
    /// The GPUs that the module drives, ordered by bus; empty without the module, and in WSL.
    pub driven: Vec<LocatedGpu>,
    /// The NVIDIA GPUs on the PCI bus, driven or not, ordered by bus. A container sees all of its host's.
    pub on_bus: Vec<LocatedGpu>,
    /// The GPU that a Tegra is, by the name of its board, e.g. `NVIDIA Jetson AGX Orin Developer Kit`.
    pub on_board: Vec<LocatedGpu>,
}

/// Reads what the kernel tells. Of a mounted image, whose /proc and /sys are empty, nothing is known.
#[must_use]
pub fn probe(root: &RootFs) -> Kernel {
    if !root.is_host() && root.list("/proc").is_empty() && root.list("/sys").is_empty() {
        return Kernel::default();
    }
    let (version, module) = loaded_module(root);
    Kernel { version, module, driven: driven(root), on_bus: on_bus(root), on_board: on_board(root) }
}

fn loaded_module(root: &RootFs) -> (Reading<DriverVersion>, Reading<KernelModule>) {
    let sys = match root.read_text(SYS_VERSION) {
        Ok(text) => match text.parse() {
            Ok(version) => Reading::host(version, SYS_VERSION),
            Err(error) => Reading::unreadable(format!("{SYS_VERSION}: {error}")),
        },
        Err(error) => missing(SYS_VERSION, &error),
    };
    let (proc, module) = match root.read_text(PROC_VERSION) {
        Ok(text) => match parse_module_version(&text) {
            Some(found) => (Reading::host(found.version, PROC_VERSION), Reading::host(found.flavour, PROC_VERSION)),
            None => {
                let error = format!("{PROC_VERSION} names no version");
                (Reading::unreadable(error.clone()), Reading::unreadable(error))
            }
        },
        Err(error) => (missing(PROC_VERSION, &error), missing(PROC_VERSION, &error)),
    };
    let version = match (sys, proc) {
        (Reading::Absent { .. }, Reading::Absent { .. }) => Reading::absent(format!("{SYS_VERSION}, {PROC_VERSION}")),
        (sys, proc) => sys.or(proc),
    };
    (version, module)
}

/// A file that cannot be read: absent if it is not there, else unreadable with the system's words.
pub(super) fn missing<T>(path: &str, error: &std::io::Error) -> Reading<T> {
    match error.kind() {
        std::io::ErrorKind::NotFound => Reading::absent(path),
        _ => Reading::unreadable(format!("{path}: {error}")),
    }
}

fn driven(root: &RootFs) -> Vec<LocatedGpu> {
    let mut found: Vec<(Option<PciAddress>, Option<u32>, Reading<String>)> = Vec::new();
    for folder in root.list(PROC_GPUS) {
        let path = format!("{PROC_GPUS}/{folder}/information");
        match root.read_text(&path) {
            Ok(text) => {
                let information = parse_gpu_information(&text);
                let name = match information.model {
                    Some(model) => Reading::host(model, path),
                    None => Reading::unreadable(format!("{path} gives no model")),
                };
                found.push((information.address.or_else(|| folder.parse().ok()), information.minor, name));
            }
            Err(error) => found.push((folder.parse().ok(), None, Reading::unreadable(format!("{path}: {error}")))),
        }
    }
    // Bus order is how NVML numbers; without an address the device node's number is next best.
    found.sort_by_key(|(address, minor, _)| (address.is_none(), *address, *minor));
    let number = |(index, (address, _, name))| LocatedGpu { address, gpu: Gpu { index, name, ..Gpu::default() } };
    (0..).zip(found).map(number).collect()
}

fn on_bus(root: &RootFs) -> Vec<LocatedGpu> {
    let mut found: Vec<(PciAddress, u32, String)> = Vec::new();
    for name in root.list(PCI_DEVICES) {
        let Ok(address) = name.parse::<PciAddress>() else { continue };
        let path = |file: &str| format!("{PCI_DEVICES}/{name}/{file}");
        let number = |file: &str| parse_pci_number(&root.read_text(&path(file)).ok()?);
        let Some((vendor, class)) = number("vendor").zip(number("class")) else { continue };
        if !is_nvidia_gpu(vendor, class) {
            continue;
        }
        if let Some(device) = number("device") {
            found.push((address, device, path("device")));
        }
    }
    found.sort();
    let number = |(index, (address, device, path))| LocatedGpu {
        address: Some(address),
        gpu: Gpu { index, pci_device: Reading::host(device, path), ..Gpu::default() },
    };
    (0..).zip(found).map(number).collect()
}

/// Both files end in a zero byte, and the parts of the second are divided by such:
/// `nvidia,p3737-0000+p3701-0000\0nvidia,tegra234\0`.
fn on_board(root: &RootFs) -> Vec<LocatedGpu> {
    let parts = root.read_text(BOARD_PARTS).unwrap_or_default();
    if !parts.split('\0').any(|part| part.starts_with("nvidia,tegra")) {
        return Vec::new();
    }
    let Ok(model) = root.read_text(BOARD) else { return Vec::new() };
    let name = Reading::host(model.trim_matches(['\0', '\n', ' ']).to_owned(), BOARD);
    vec![LocatedGpu { address: None, gpu: Gpu { name, ..Gpu::default() } }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn write(folder: &std::path::Path, path: &str, text: &str) {
        let path = folder.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_jetson_is_known_by_its_board() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), BOARD, "NVIDIA Jetson AGX Orin Developer Kit\0");
        assert_eq!(probe(&RootFs::at(folder.path())).on_board, []);
        write(folder.path(), BOARD_PARTS, "nvidia,p3737-0000+p3701-0000\0nvidia,tegra234\0");
        let found = probe(&RootFs::at(folder.path())).on_board;
        assert_eq!(found[0].gpu.name.value().unwrap(), "NVIDIA Jetson AGX Orin Developer Kit");
        write(folder.path(), BOARD_PARTS, "raspberrypi,4-model-b\0brcm,bcm2711\0");
        assert_eq!(probe(&RootFs::at(folder.path())).on_board, []);
    }

    #[test]
    fn gpus_are_numbered_in_bus_order() {
        let folder = tempfile::tempdir().unwrap();
        for (bus, minor, model) in [("0000:c1:00.0", 0, "NVIDIA A10"), ("0000:41:00.0", 1, "NVIDIA L4")] {
            let text = format!("Model: \t\t {model}\nBus Location: \t {bus}\nDevice Minor: \t {minor}\n");
            write(folder.path(), &format!("{PROC_GPUS}/{bus}/information"), &text);
            for (file, value) in [("vendor", "0x10de"), ("device", "0x2236"), ("class", "0x030200")] {
                write(folder.path(), &format!("{PCI_DEVICES}/{bus}/{file}"), value);
            }
        }
        write(folder.path(), PROC_VERSION, "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.133.20  Sun\n");
        let kernel = probe(&RootFs::at(folder.path()));
        assert_eq!(kernel.version, Reading::host("570.133.20".parse().unwrap(), PROC_VERSION));
        assert_eq!(kernel.module.value(), Some(&KernelModule::Proprietary));
        let names: Vec<_> =
            kernel.driven.iter().map(|found| (found.gpu.index, found.gpu.name.value().unwrap())).collect();
        assert_eq!(names, [(0, &"NVIDIA L4".to_owned()), (1, &"NVIDIA A10".to_owned())]);
        assert_eq!(kernel.on_bus[1].address, kernel.driven[1].address);
        assert_eq!(kernel.on_bus[0].gpu.pci_device.value(), Some(&0x2236));
    }

    #[test]
    fn a_mounted_image_tells_nothing_and_a_machine_without_nvidia_says_so() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(probe(&RootFs::at(folder.path())), Kernel::default());
        write(folder.path(), "/proc/version", "Linux version 6.8.0");
        let kernel = probe(&RootFs::at(folder.path()));
        assert_eq!(kernel.version, Reading::absent("/sys/module/nvidia/version, /proc/driver/nvidia/version"));
    }
}
