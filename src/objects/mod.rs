//! Shared libraries: ELF, the device code in them, what they link with.
//!
//! Nothing here opens a file. Big binaries come in through [`ReadAt`] (any place, few bytes) or as chunks of a stream, so the same
//! code reads an installed library, a member of a wheel on an index, and a test's byte array. Input is hostile until proven
//! otherwise: lengths are checked, allocations are bounded, nothing panics.

pub mod c_library;
pub mod cubin;
pub mod elf;
pub mod fatbin;
pub mod ld_cache;
pub mod library;
pub mod pieces;
pub mod symbol;

use std::io;

/// Bytes that can be read at any place: a slice, a file by `pread`, parts of a stream that were kept.
pub trait ReadAt {
    /// The number of bytes.
    fn size(&self) -> u64;

    /// Fills `buf` from `offset` on and returns how many bytes there were: fewer than asked for only at the end.
    ///
    /// # Errors
    ///
    /// If the bytes cannot be read.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Fills `buf` from `offset` on.
    ///
    /// # Errors
    ///
    /// If the bytes cannot be read, or end before `buf` is full.
    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        if self.read_at(offset, buf)? == buf.len() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl ReadAt for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.get(start..)).unwrap_or_default();
        let count = rest.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

/// A little-endian number of two bytes at a place, if it lies inside.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes.get(offset..offset.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

/// A little-endian number of four bytes at a place, if it lies inside.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..offset.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

/// A little-endian number of eight bytes at a place, if it lies inside.
pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes.get(offset..offset.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}
