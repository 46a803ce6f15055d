//! One list of GPUs from several observers.
//!
//! NVML knows most, then the kernel module's files, then the PCI bus, then nvidia-smi. The first that lists GPUs says
//! which there are; the later ones only fill in what it could not tell, so that a container sees its own GPUs and not all
//! that the PCI bus of its host carries. Observations belong together by bus address, or by number where one has none.

use crate::facts::{Gpu, Reading};
use crate::machine::pci::LocatedGpu;

/// Merges the observations, strongest first. None if nobody saw a GPU.
#[must_use]
pub fn merge(observers: &[&[LocatedGpu]]) -> Option<(Vec<Gpu>, usize)> {
    let first = observers.iter().position(|seen| !seen.is_empty())?;
    let (strongest, weaker) = observers.get(first..)?.split_first()?;
    let mut gpus = strongest.to_vec();
    for observer in weaker {
        for located in &mut gpus {
            let same_number = |other: &&LocatedGpu| {
                // Only lists of one length are sure to number alike.
                observer.len() == strongest.len() && other.gpu.index == located.gpu.index
            };
            let other = match located.address {
                Some(address) => {
                    let by_address = observer.iter().find(|other| other.address == Some(address));
                    by_address.or_else(|| observer.iter().filter(|other| other.address.is_none()).find(same_number))
                }
                None => observer.iter().find(same_number),
            };
            if let Some(other) = other {
                complete(located, other);
            }
        }
    }
    Some((gpus.into_iter().map(|located| located.gpu).collect(), first))
}

/// Takes over what is not yet known.
fn complete(located: &mut LocatedGpu, other: &LocatedGpu) {
    fn fill<T: Clone>(mine: &mut Reading<T>, other: &Reading<T>) {
        *mine = std::mem::take(mine).or(other.clone());
    }
    let gpu = &mut located.gpu;
    fill(&mut gpu.name, &other.gpu.name);
    fill(&mut gpu.compute_capability, &other.gpu.compute_capability);
    fill(&mut gpu.memory_bytes, &other.gpu.memory_bytes);
    fill(&mut gpu.mig, &other.gpu.mig);
    fill(&mut gpu.pci_device, &other.gpu.pci_device);
    fill(&mut gpu.state, &other.gpu.state);
    located.address = located.address.or(other.address);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(index: u32, address: &str, name: Reading<String>, pci_device: Reading<u32>) -> LocatedGpu {
        LocatedGpu { address: address.parse().ok(), gpu: Gpu { index, name, pci_device, ..Gpu::default() } }
    }

    #[test]
    fn the_strongest_lists_and_the_weaker_fill_in() {
        let lost = || Reading::unreadable("GPU is lost (NVML error 15)");
        let nvml = [
            located(0, "41:00.0", Reading::host("NVIDIA A10".to_owned(), "NVML"), Reading::Unknown),
            located(1, "", lost(), Reading::unreadable("GPU is lost (NVML error 15)")),
        ];
        let kernel = [
            located(0, "41:00.0", Reading::host("other".to_owned(), "/proc"), Reading::Unknown),
            located(1, "c1:00.0", Reading::host("NVIDIA L4".to_owned(), "/proc"), Reading::Unknown),
        ];
        let bus = [
            located(0, "01:00.0", Reading::Unknown, Reading::host(1, "/sys")),
            located(1, "41:00.0", Reading::Unknown, Reading::host(2, "/sys")),
            located(2, "c1:00.0", Reading::Unknown, Reading::host(3, "/sys")),
        ];
        let (gpus, first) = merge(&[&nvml, &kernel, &bus, &[]]).unwrap_or_default();
        assert_eq!(first, 0);
        assert_eq!(gpus.len(), 2);
        assert_eq!(gpus[0].name, Reading::host("NVIDIA A10".to_owned(), "NVML"));
        assert_eq!(gpus[0].pci_device.value(), Some(&2));
        // Lost to NVML, known to the kernel by number, and to the bus by the address that the kernel gave.
        assert_eq!(gpus[1].name, Reading::host("NVIDIA L4".to_owned(), "/proc"));
        assert_eq!(gpus[1].pci_device.value(), Some(&3));
        assert_eq!(merge(&[&[], &kernel]).map(|(gpus, first)| (gpus.len(), first)), Some((2, 1)));
        assert_eq!(merge(&[&[], &[]]), None);
    }
}
