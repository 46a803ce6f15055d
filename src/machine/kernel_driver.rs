//! What NVIDIA's kernel module says of itself and its GPUs in /proc and /sys.
//!
//! The texts are those of `nv-procfs.c` in <https://github.com/NVIDIA/open-gpu-kernel-modules>.

use super::pci::PciAddress;
use crate::facts::KernelModule;
use crate::version::DriverVersion;

/// The loaded module, from `/proc/driver/nvidia/version`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedModule {
    /// E.g. `570.133.20`.
    pub version: DriverVersion,
    /// Open or proprietary.
    pub flavour: KernelModule,
}

/// Reads `/proc/driver/nvidia/version`, e.g.
///
/// ```text
/// NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.133.20  Sun Mar 30 03:58:54 UTC 2025
/// NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder@…)  Sun Jul 27 …
/// GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)
/// ```
///
/// The version is the first word after "Kernel Module" that reads as one; GCC's stands on a line of its own.
#[must_use]
pub fn parse_module_version(text: &str) -> Option<LoadedModule> {
    let line = text.lines().find(|line| line.contains("Kernel Module"))?;
    let (before, after) = line.split_once("Kernel Module")?;
    let flavour = if before.trim_end().ends_with("Open") { KernelModule::Open } else { KernelModule::Proprietary };
    let version = after.split_whitespace().filter(|word| word.contains('.')).find_map(|word| word.parse().ok())?;
    Some(LoadedModule { version, flavour })
}

/// One GPU as the kernel module describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GpuInformation {
    /// The product name, e.g. `NVIDIA GeForce RTX 5090`; none where the module has not initialised the GPU ("Unknown").
    pub model: Option<String>,
    /// Where it sits.
    pub address: Option<PciAddress>,
    /// The number of its device node: 0 for `/dev/nvidia0`. Not NVML's index, though often the same.
    pub minor: Option<u32>,
}

/// Reads `/proc/driver/nvidia/gpus/<address>/information`, e.g.
///
/// ```text
/// Model:           NVIDIA H100 80GB HBM3
/// IRQ:             18
/// GPU UUID:        GPU-????????-????-????-????-????????????
/// Bus Type:        PCIe
/// Bus Location:    0000:c1:00.0
/// Device Minor:    0
/// GPU Excluded:    No
/// ```
#[must_use]
pub fn parse_gpu_information(text: &str) -> GpuInformation {
    let mut found = GpuInformation::default();
    for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        match key.trim() {
            "Model" if !value.is_empty() && value != "Unknown" => found.model = Some(value.to_owned()),
            "Bus Location" => found.address = value.parse().ok(),
            "Device Minor" => found.minor = value.parse().ok(),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_flavours_of_the_module_name_themselves() {
        let proprietary = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.133.20  Sun Mar 30 03:58:54 UTC 2025\n\
                           GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)\n";
        let module = parse_module_version(proprietary).unwrap();
        assert_eq!(module.version.to_string(), "570.133.20");
        assert_eq!(module.flavour, KernelModule::Proprietary);

        let open = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  \
                    (dvs-builder@U22-I3-AE18-23-3)  Sun Jul 27 06:57:49 UTC 2025\n";
        let module = parse_module_version(open).unwrap();
        assert_eq!(module.version.to_string(), "580.65.06");
        assert_eq!(module.flavour, KernelModule::Open);

        let arm = "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.95.05  Release Build\n";
        assert_eq!(parse_module_version(arm).unwrap().version.to_string(), "580.95.05");
    }

    #[test]
    fn other_texts_name_no_module() {
        for text in ["", "GCC version:  gcc version 12.3.0", "Kernel Module", "Kernel Module  x.y  12"] {
            assert_eq!(parse_module_version(text), None, "{text}");
        }
    }

    #[test]
    fn a_gpu_describes_itself() {
        let text = "Model: \t\t NVIDIA GeForce RTX 5090\nIRQ:   \t\t 171\nBus Type: \t PCIe\n\
                    Bus Location: \t 0000:01:00.0\nDevice Minor: \t 3\nGPU Excluded:\t No\n";
        let gpu = parse_gpu_information(text);
        assert_eq!(gpu.model.as_deref(), Some("NVIDIA GeForce RTX 5090"));
        assert_eq!(gpu.address, "0000:01:00.0".parse().ok());
        assert_eq!(gpu.minor, Some(3));
        assert_eq!(parse_gpu_information("Model: Unknown\nBus Location: somewhere\n"), GpuInformation::default());
    }
}
