//! Which GPUs does a value of `CUDA_VISIBLE_DEVICES` leave to CUDA?
//!
//! NVIDIA's guide has the rules: indices or UUIDs, a UUID by as many of its first digits as are unique, and nothing after
//! an entry that is invalid. That an entry repeated hides everything, and that digits are read as `strtoul` does, PyTorch's
//! copy of those rules says (`_parse_visible_devices` of `torch/cuda/__init__.py`). Both were seen on an H100 with driver
//! 580.159.04, and there that a list is of UUIDs or of indices, whichever its first entry is; the other kind ends it.

use crate::facts::{Entry, NamedDevice, visible_entries};

/// The page with the rules, read on 2026-11-21.
pub const GUIDE: &str =
    "https://docs.nvidia.com/cuda/cuda-programming-guide/05-appendices/environment-variables.html#cuda-visible-devices";

/// Why CUDA reads no further, with the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It names no device of this machine.
    NoGpu(String),
    /// It is the beginning of more than one UUID.
    Ambiguous(String),
    /// It is an index in a list of UUIDs, or a UUID in a list of indices.
    OtherKind(String),
    /// It names a device that an earlier entry names; the whole list counts for nothing.
    Repeated(String),
}

impl Stop {
    /// In words, e.g. "`7`, which names no GPU".
    pub fn why(&self) -> String {
        match self {
            Self::NoGpu(entry) => format!("`{entry}`, which names no GPU"),
            Self::Ambiguous(entry) => format!("`{entry}`, the beginning of more than one UUID"),
            Self::OtherKind(entry) => format!("`{entry}`, since indices and UUIDs do not mix"),
            Self::Repeated(entry) => format!("`{entry}`, which is there twice"),
        }
    }
}

/// What CUDA is left with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The driver's indices in CUDA's order; none for a UUID of which only the form is known (a report, a snapshot).
    pub devices: Vec<Option<u32>>,
    /// Where CUDA stopped reading, and whether entries follow.
    pub stop: Option<(Stop, bool)>,
}

impl Seen {
    /// How many devices CUDA counts.
    pub fn count(&self) -> usize {
        self.devices.len()
    }
}

/// Reads the value as CUDA does, on a machine with so many GPUs. `named` is what its UUIDs name, where that is known.
pub fn seen(value: &str, gpus: usize, named: Option<&[NamedDevice]>) -> Seen {
    let mut seen = Seen::default();
    let mut entries = (0_u32..).zip(visible_entries(value)).peekable();
    let mut names: Vec<&str> = Vec::new();
    let mut uuids = None;
    while let Some((place, (entry, kind))) = entries.next() {
        let matches =
            named.and_then(|named| named.iter().find(|named| named.entry == place)).map(|named| &named.gpus[..]);
        let uuid = matches!(kind, Entry::Device(_));
        let device = match (kind, matches) {
            (Entry::Index(_) | Entry::Device(_), _) if uuids.is_some_and(|uuids| uuids != uuid) => {
                Err(Stop::OtherKind(entry.to_owned()))
            }
            (Entry::Index(index), _) if usize::try_from(index).is_ok_and(|index| index < gpus) => Ok(Some(index)),
            (Entry::Device(_), Some([gpu])) => Ok(Some(*gpu)),
            (Entry::Device(_), Some([_, _, ..])) => Err(Stop::Ambiguous(entry.to_owned())),
            (Entry::Device(_), None) => Ok(None),
            _ => Err(Stop::NoGpu(entry.to_owned())),
        };
        // Two MIG instances of one GPU are two devices.
        let mig = entry.starts_with("MIG-");
        let repeated = |device: &Option<u32>| {
            names.contains(&entry) || (!mig && device.is_some() && seen.devices.contains(device))
        };
        match device {
            Ok(device) if repeated(&device) => {
                seen.devices.clear();
                seen.stop = Some((Stop::Repeated(entry.to_owned()), entries.peek().is_some()));
                break;
            }
            Ok(device) => seen.devices.push(device),
            Err(stop) => {
                seen.stop = Some((stop, entries.peek().is_some()));
                break;
            }
        }
        names.push(entry);
        uuids = Some(uuid);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(value: &str, named: &[(u32, &[u32])]) -> (Vec<u32>, Option<Stop>) {
        let named: Vec<_> =
            named.iter().map(|(entry, gpus)| NamedDevice { entry: *entry, gpus: gpus.to_vec() }).collect();
        let seen = seen(value, 3, Some(&named));
        (seen.devices.into_iter().flatten().collect(), seen.stop.map(|(stop, _)| stop))
    }

    #[test]
    fn the_examples_of_the_guide() {
        assert_eq!(indices("2,1", &[]), (vec![2, 1], None));
        assert_eq!(indices("0,2,-1,1", &[]), (vec![0, 2], Some(Stop::NoGpu("-1".to_owned()))));
        assert_eq!(indices("", &[]), (vec![], Some(Stop::NoGpu(String::new()))));
        assert_eq!(indices("GPU-8932f937", &[(0, &[1])]), (vec![1], None));
    }

    #[test]
    fn what_is_no_gpu_ends_the_list() {
        assert_eq!(indices("0,7,1", &[]), (vec![0], Some(Stop::NoGpu("7".to_owned()))));
        assert_eq!(indices("GPU-ff,0", &[(0, &[])]), (vec![], Some(Stop::NoGpu("GPU-ff".to_owned()))));
        assert_eq!(
            indices("GPU-1,GPU-8", &[(0, &[1]), (1, &[0, 2])]),
            (vec![1], Some(Stop::Ambiguous("GPU-8".to_owned())))
        );
        assert_eq!(indices("GPU-", &[]), (vec![], Some(Stop::NoGpu("GPU-".to_owned()))));
        assert_eq!(indices("all", &[]), (vec![], Some(Stop::NoGpu("all".to_owned()))));
        assert_eq!(indices("1gpu, 2", &[]), (vec![1, 2], None));
    }

    #[test]
    fn uuids_and_indices_do_not_mix() {
        assert_eq!(indices("GPU-8932,0", &[(0, &[0])]), (vec![0], Some(Stop::OtherKind("0".to_owned()))));
        assert_eq!(indices("0,GPU-8932", &[(1, &[1])]), (vec![0], Some(Stop::OtherKind("GPU-8932".to_owned()))));
    }

    #[test]
    fn what_is_there_twice_hides_everything() {
        assert_eq!(indices("0,1,0", &[]), (vec![], Some(Stop::Repeated("0".to_owned()))));
        assert_eq!(indices("GPU-89,GPU-8932", &[(0, &[1]), (1, &[1])]).0, Vec::<u32>::new());
        assert_eq!(indices("MIG-1,MIG-2", &[(0, &[1]), (1, &[1])]), (vec![1, 1], None));
    }

    #[test]
    fn of_a_snapshot_without_names_uuids_count_as_they_stand() {
        let seen = seen("GPU-redacted-0,GPU-redacted-1", 2, None);
        assert_eq!((seen.count(), seen.stop), (2, None));
    }
}
