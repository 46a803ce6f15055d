//! The headers of a container and of the images in it.

use super::{Compression, Image};
use crate::objects::{u16_at, u32_at, u64_at};
use crate::version::{CodeTarget, ComputeCapability, Reach};

pub(super) const MAGIC: u32 = 0xBA55_ED50;

pub(super) const PTX: u16 = 1;

pub(super) const CUBIN: u16 = 2;

pub(super) const FLAG_LZ4: u64 = 0x2000;

pub(super) const FLAG_ZSTD: u64 = 0x8000;

pub(super) const FLAG_ARCHITECTURE: u64 = 0x10_0000;

pub(super) const FLAG_FAMILY: u64 = 0x20_0000;

/// Bytes of an image header that we look at.
pub(super) const IMAGE_HEAD: usize = 64;

/// Bytes from the start of a container that suffice to judge it: its header and that of its first image.
pub(super) const CONTAINER_HEAD: usize = MAX_CONTAINER_HEADER as usize + IMAGE_HEAD;

pub(super) const MAX_CONTAINER_HEADER: u64 = 64;

const MAX_IMAGE_HEADER: u64 = 1 << 16;

pub(super) struct ImageHead {
    pub image: Image,
    /// Header and payload.
    pub length: u64,
}

pub(super) fn parse_image(bytes: &[u8]) -> Option<ImageHead> {
    let kind = u16_at(bytes, 0)?;
    let header_size = u64::from(u32_at(bytes, 4)?);
    let size = u64_at(bytes, 8)?;
    let sm = u32_at(bytes, 28)?;
    let flags = u64_at(bytes, 40)?;
    if !(kind == PTX || kind == CUBIN) || !(48..=MAX_IMAGE_HEADER).contains(&header_size) || !(10..1000).contains(&sm) {
        return None;
    }
    let reach = match (flags & FLAG_ARCHITECTURE != 0, flags & FLAG_FAMILY != 0) {
        (true, _) => Reach::Exact,
        (_, true) => Reach::Family,
        _ => Reach::Forward,
    };
    let compression = match (flags & FLAG_ZSTD != 0, flags & FLAG_LZ4 != 0) {
        (true, _) => Some(Compression::Zstd),
        (_, true) => Some(Compression::Lz4),
        _ => None,
    };
    let unpacked_size = match compression {
        Some(_) if header_size >= 64 => u64_at(bytes, 56),
        Some(_) => None,
        None => Some(size),
    };
    let target = CodeTarget { ptx: kind == PTX, capability: ComputeCapability::from_sm(sm), reach };
    Some(ImageHead {
        image: Image { target, compression, size, unpacked_size },
        length: header_size.checked_add(size)?,
    })
}

/// The sizes of a container's header and of its images, if this looks like one and its first image makes sense.
pub(super) fn parse_container(bytes: &[u8]) -> Option<(u64, u64)> {
    let header_size = u64::from(u16_at(bytes, 6)?);
    let size = u64_at(bytes, 8)?;
    let sane =
        u32_at(bytes, 0)? == MAGIC && u16_at(bytes, 4)? == 1 && (16..=MAX_CONTAINER_HEADER).contains(&header_size);
    let first = parse_image(bytes.get(usize::try_from(header_size).ok()?..)?)?;
    (sane && first.length <= size).then_some((header_size, size))
}

pub(super) fn align(offset: u64) -> u64 {
    offset.checked_next_multiple_of(8).unwrap_or(u64::MAX)
}
