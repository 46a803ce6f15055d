//! PCI: where a GPU sits, and which functions are NVIDIA GPUs.

use std::fmt;
use std::str::FromStr;

use crate::facts::Gpu;

/// A GPU with its place on the bus, by which the observations of several sources are told to be of one GPU.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LocatedGpu {
    /// Where it sits; none where the source did not say.
    pub address: Option<PciAddress>,
    /// What the source said of it.
    pub gpu: Gpu,
}

/// The place of a device on the PCI bus, e.g. `0000:c1:00.0`. Ordered as the driver numbers its GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciAddress {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

impl FromStr for PciAddress {
    type Err = ();

    /// Parses `0000:c1:00.0`, NVML's `00000000:C1:00.0`, and `c1:00.0`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut fields = text.trim().rsplitn(3, ':');
        let slot = fields.next().ok_or(())?;
        let bus = fields.next().ok_or(())?;
        let domain = fields.next().unwrap_or("0");
        let (device, function) = slot.split_once('.').unwrap_or((slot, "0"));
        let hex = |text: &str, longest: usize| {
            let plain = !text.is_empty() && text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            plain.then(|| u32::from_str_radix(text, 16).ok()).flatten().ok_or(())
        };
        let small = |text: &str| hex(text, 2).and_then(|value| u8::try_from(value).map_err(|_| ()));
        Ok(Self { domain: hex(domain, 8)?, bus: small(bus)?, device: small(device)?, function: small(function)? })
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, bus, device, function } = self;
        write!(f, "{domain:04x}:{bus:02x}:{device:02x}.{function:x}")
    }
}

/// Reads a number of `/sys/bus/pci/devices/<address>/{vendor,device,class}`, e.g. `0x10de`.
#[must_use]
pub fn parse_pci_number(text: &str) -> Option<u32> {
    u32::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}

/// Tells whether a PCI function is an NVIDIA GPU: NVIDIA's vendor id 0x10de, and class 0x0300xx (display controller, VGA)
/// or 0x0302xx (3D controller, as data centre GPUs are). The sound function of the same card (0x0403xx) is not.
#[must_use]
pub fn is_nvidia_gpu(vendor: u32, class: u32) -> bool {
    vendor == 0x10de && matches!(class >> 8, 0x0300 | 0x0302)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pci_addresses_of_every_writer_are_one() {
        let address: PciAddress = "0000:c1:00.0".parse().unwrap();
        assert_eq!("00000000:C1:00.0".parse(), Ok(address));
        assert_eq!("c1:00.0".parse(), Ok(address));
        assert_eq!("0000:C1:00".parse(), Ok(address));
        assert_eq!(address.to_string(), "0000:c1:00.0");
        assert!(address < "0001:01:00.0".parse().unwrap());
        for wrong in ["", "c1", "g1:00.0", "0000:c1:00.", "0000:1c1:00.0", "+1:00.0"] {
            assert_eq!(wrong.parse::<PciAddress>(), Err(()), "{wrong}");
        }
    }

    #[test]
    fn only_display_functions_of_nvidia_are_gpus() {
        assert_eq!(parse_pci_number("0x2b85\n"), Some(0x2b85));
        assert_eq!(parse_pci_number("2b85"), None);
        assert!(is_nvidia_gpu(0x10de, 0x030000));
        assert!(is_nvidia_gpu(0x10de, 0x030200));
        assert!(!is_nvidia_gpu(0x10de, 0x040300));
        assert!(!is_nvidia_gpu(0x8086, 0x030000));
    }
}
