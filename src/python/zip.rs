//! The directory of a zip file, which lies at its end: enough of the format to fetch single members of a wheel.
//!
//! Layout after PKWARE's APPNOTE.TXT 6.3: local headers and data, then one central record for each member, then the end
//! record. Where a size or an offset does not fit into 32 bits it reads `0xFFFFFFFF` and stands in a zip64 record.
//!
//! By hand: of a wheel in an index only its last bytes are there, and single members are fetched by their place.

use crate::objects::{u16_at, u32_at, u64_at};

const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const END64_LOCATOR: u32 = 0x0706_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const LOCAL: u32 = 0x0403_4b50;

/// The bytes at the end of a zip file that always hold the end record: its 22 bytes, a comment of at most 65535, and
/// the zip64 locator. Most directories of wheels fit in too.
pub const TAIL: u64 = 256 << 10;

/// The directory of a wheel has some megabytes at most.
pub const MAX_DIRECTORY: u64 = 64 << 20;

/// How a member is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// As it is.
    Stored,
    /// Deflate (RFC 1951), without a zlib header.
    Deflated,
    /// Anything else, by its number.
    Other(u16),
}

/// A file inside a zip file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// E.g. `torch/lib/libtorch_cuda.so`.
    pub name: String,
    /// How it is packed.
    pub method: Method,
    /// Bytes in the zip file.
    pub packed: u64,
    /// Bytes when unpacked.
    pub size: u64,
    /// CRC-32 of the unpacked bytes.
    pub crc: u32,
    /// Where its local header starts.
    pub offset: u64,
}

/// Where the directory lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directory {
    /// Where its first record starts.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
}

/// Finds the directory from the last bytes of the file. None: this is no zip file, or these are too few bytes.
#[must_use]
pub fn find_directory(tail: &[u8], file_size: u64) -> Option<Directory> {
    let start = (0..=tail.len().checked_sub(22)?).rev().find(|&at| {
        u32_at(tail, at) == Some(END)
            && u16_at(tail, at + 20).is_some_and(|comment| at + 22 + usize::from(comment) <= tail.len())
    })?;
    let size = u64::from(u32_at(tail, start + 12)?);
    let offset = u64::from(u32_at(tail, start + 16)?);
    let directory = if offset == u64::from(u32::MAX) || size == u64::from(u32::MAX) {
        let locator = start.checked_sub(20).filter(|&at| u32_at(tail, at) == Some(END64_LOCATOR))?;
        let place = u64_at(tail, locator + 8)?.checked_sub(file_size.checked_sub(tail.len() as u64)?)?;
        let record = usize::try_from(place).ok().filter(|&at| u32_at(tail, at) == Some(END64))?;
        Directory { offset: u64_at(tail, record.checked_add(48)?)?, size: u64_at(tail, record.checked_add(40)?)? }
    } else {
        Directory { offset, size }
    };
    (directory.offset.checked_add(directory.size)? <= file_size).then_some(directory)
}

/// Reads the records of the directory; stops at the first that makes no sense.
#[must_use]
pub fn read_directory(bytes: &[u8]) -> Vec<Member> {
    let mut members = Vec::new();
    let mut rest = bytes;
    while let Some((member, after)) = read_record(rest) {
        members.push(member);
        rest = after;
    }
    members
}

fn read_record(bytes: &[u8]) -> Option<(Member, &[u8])> {
    if u32_at(bytes, 0)? != CENTRAL {
        return None;
    }
    let method = match u16_at(bytes, 10)? {
        0 => Method::Stored,
        8 => Method::Deflated,
        other => Method::Other(other),
    };
    let (name, extra, comment) = (u16_at(bytes, 28)?, u16_at(bytes, 30)?, u16_at(bytes, 32)?);
    let name_end = 46 + usize::from(name);
    let extra_end = name_end + usize::from(extra);
    let wide = zip64_fields(bytes.get(name_end..extra_end)?);
    let mut wide = wide.chunks_exact(8).map(|number| u64_at(number, 0).unwrap_or_default());
    // The zip64 field holds only those numbers that did not fit, in this order.
    let mut number = |short: u32| if short == u32::MAX { wide.next() } else { Some(u64::from(short)) };
    let size = number(u32_at(bytes, 24)?)?;
    let packed = number(u32_at(bytes, 20)?)?;
    let offset = number(u32_at(bytes, 42)?)?;
    let name = String::from_utf8_lossy(bytes.get(46..name_end)?).into_owned();
    let member = Member { name, method, packed, size, crc: u32_at(bytes, 16)?, offset };
    Some((member, bytes.get(extra_end + usize::from(comment)..)?))
}

fn zip64_fields(mut extra: &[u8]) -> &[u8] {
    while let (Some(id), Some(size)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let end = 4 + usize::from(size);
        if id == 1 {
            return extra.get(4..end).unwrap_or_default();
        }
        extra = extra.get(end..).unwrap_or_default();
    }
    &[]
}

/// The length of a local header, which precedes the data and may differ from the central record in its extra field.
/// `bytes` starts at the header.
#[must_use]
pub fn local_header_length(bytes: &[u8]) -> Option<u64> {
    if u32_at(bytes, 0)? != LOCAL {
        return None;
    }
    Some(30 + u64::from(u16_at(bytes, 26)?) + u64::from(u16_at(bytes, 28)?))
}
