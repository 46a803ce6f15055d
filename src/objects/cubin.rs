//! Cubins, the ELF files that hold machine code of a GPU: which one, told by the header.
//!
//! In a fat binary the image header says it, and better; only for a cubin that lies by itself this is asked. Checked with
//! cubins of ptxas 13.5 and with those in the fat binaries of nvidia-cusparselt-cu12 0.7.1 and 0.8.1:
//!
//! ```text
//!   4  u8  2: 64-bit          32  u64 segment table, 40  u64 section table
//!   5  u8  1: little-endian   48  u32 flags
//!   8  u8  ABI version            ABI 7: target in bits 0-7, e.g. 0x5a, sm_90; 0x800: `a`
//!  18  u16 190, EM_CUDA           ABI 8: target in bits 8-15, e.g. 0x78, sm_120; 0x8: `a`
//! ```
//!
//! ABI 8 is that of CUDA 13, and of sm_100 and above before. CUDA 13 leaves that last bit clear where a kernel uses nothing
//! specific, and has none for `f`.
//!
//! By hand: a few bytes of a header that nobody documents.

use crate::objects::{u16_at, u32_at, u64_at};
use crate::version::{CodeTarget, ComputeCapability, Reach};

/// Bytes of the header.
pub const HEAD: usize = 64;

const EM_CUDA: u16 = 190;
const SECTION: u64 = 64;
const SEGMENT: u64 = 56;

/// A cubin, as its header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cubin {
    /// The GPU, e.g. `sm_90a`.
    pub target: CodeTarget,
    /// Its bytes, as far as its tables reach, which lie at its end.
    pub size: u64,
}

impl Cubin {
    /// Reads the first 64 bytes; none if they are not those of a cubin.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"\x7fELF\x02\x01") || u16_at(bytes, 18)? != EM_CUDA {
            return None;
        }
        let flags = u32_at(bytes, 48)?;
        let (sm, exact) =
            if *bytes.get(8)? >= 8 { (flags >> 8 & 0xff, flags & 0x8) } else { (flags & 0xff, flags & 0x800) };
        if sm < 10 {
            return None;
        }
        let end = |offset: usize, count: usize, record: u64| {
            u64_at(bytes, offset)?.checked_add(u64::from(u16_at(bytes, count)?) * record)
        };
        let size = end(40, 60, SECTION)?.max(end(32, 56, SEGMENT)?).max(HEAD as u64);
        let reach = if exact == 0 { Reach::Forward } else { Reach::Exact };
        Some(Self { target: CodeTarget { ptx: false, capability: ComputeCapability::from_sm(sm), reach }, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(abi: u8, flags: u32) -> Vec<u8> {
        let mut bytes = vec![0; HEAD];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[8] = abi;
        bytes[18..20].copy_from_slice(&EM_CUDA.to_le_bytes());
        bytes[40..48].copy_from_slice(&1000_u64.to_le_bytes());
        bytes[48..52].copy_from_slice(&flags.to_le_bytes());
        bytes[60] = 10;
        bytes
    }

    #[test]
    fn the_flags_name_the_gpu_in_two_ways() {
        let target = |abi, flags| Cubin::parse(&head(abi, flags)).map(|cubin| cubin.target.to_string());
        assert_eq!(target(7, 0x50_0550).as_deref(), Some("sm_80"));
        assert_eq!(target(7, 0x5a_0d5a).as_deref(), Some("sm_90a"));
        assert_eq!(target(8, 0x600_6402).as_deref(), Some("sm_100"));
        assert_eq!(target(8, 0x600_780a).as_deref(), Some("sm_120a"));
        assert_eq!(Cubin::parse(&head(8, 0x600_780a)).map(|cubin| cubin.size), Some(1640));
        let mut other = head(8, 0x600_6402);
        other[18] = 62;
        assert_eq!((Cubin::parse(&other), target(7, 0), Cubin::parse(&head(8, 0x600_6402)[..60])), (None, None, None));
    }
}
