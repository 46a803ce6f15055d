//! The dynamic loader's cache, `/etc/ld.so.cache`, which ldconfig(8) writes.
//!
//! The loader never reads `ld.so.conf`: a folder named there counts from the next ldconfig on. Layout
//! (`sysdeps/generic/dl-cache.h` in glibc), numbers in the machine's byte order:
//!
//! ```text
//! old    "ld.so-1.7.0" NUL  u32 count  count × { i32 flags, u32 name, u32 path }  texts
//! new    "glibc-ld.so.cache" "1.1"  u32 count  u32 length of texts  u8 byte order  3 bytes  u32 extensions  12 bytes
//!        count × { i32 flags, u32 name, u32 path, u32 unused, u64 hwcap }  texts
//! ```
//!
//! Up to glibc 2.31 a file holds both, the new part on the next multiple of eight after the old entries. A name or path
//! is the offset of a NUL-terminated text: in the old layout from the end of the entries, in the new one from the new
//! magic. The order of the entries is the order in which the loader considers them.
//!
//! By hand: two tables of records of one size.

/// One library that the cache knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    /// The name asked for, e.g. `libcuda.so.1`.
    pub soname: String,
    /// The file, e.g. `/lib/x86_64-linux-gnu/libcuda.so.1`.
    pub path: String,
    /// Type and machine, e.g. 0x0303 for a 64-bit x86 library; see [`CacheEntry::fits`].
    pub flags: u32,
    /// Meant for processors with certain features, e.g. in `glibc-hwcaps/x86-64-v3`.
    pub needs_features: bool,
}

impl CacheEntry {
    /// Tells whether the loader of this machine type (`x86_64`, `aarch64`) takes the entry. True for unknown machines.
    ///
    /// The low byte is 3 for glibc libraries; the high one names the machine: `FLAG_X8664_LIB64`, `FLAG_AARCH64_LIB64`.
    #[must_use]
    pub fn fits(&self, arch: &str) -> bool {
        match arch {
            "x86_64" => self.flags == 0x0303,
            "aarch64" => self.flags == 0x0a03,
            _ => self.flags & 0xff == 3,
        }
    }
}

const OLD_MAGIC: &[u8] = b"ld.so-1.7.0\0";
const NEW_MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const OLD_HEADER: usize = 16;
const OLD_ENTRY: usize = 12;
const NEW_HEADER: usize = 48;
const NEW_ENTRY: usize = 24;

/// Reads the entries in the file's order; entries that point outside the file are left out. None if it is no such cache.
#[must_use]
pub fn parse_ld_cache(bytes: &[u8]) -> Option<Vec<CacheEntry>> {
    if bytes.starts_with(NEW_MAGIC) {
        return parse_new(bytes);
    }
    if !bytes.starts_with(OLD_MAGIC) {
        return None;
    }
    let little = plausible_count(bytes, 12, OLD_HEADER, OLD_ENTRY)?;
    let count = number(bytes, 12, little)? as usize;
    let end = OLD_HEADER.checked_add(count.checked_mul(OLD_ENTRY)?)?;
    let embedded = bytes.get(end.checked_next_multiple_of(8)?..).filter(|rest| rest.starts_with(NEW_MAGIC));
    if let Some(entries) = embedded.and_then(parse_new) {
        return Some(entries);
    }
    let texts = bytes.get(end..)?;
    let entry = |index: usize| read_entry(bytes, OLD_HEADER + index * OLD_ENTRY, texts, little, false);
    Some(within_limit((0..count).filter_map(entry), bytes.len()))
}

fn parse_new(bytes: &[u8]) -> Option<Vec<CacheEntry>> {
    // Byte 28 states the order since glibc 2.33: 2 is little, 3 is big, 0 is not stated.
    let little = match bytes.get(28)? & 3 {
        2 => true,
        3 => false,
        _ => plausible_count(bytes, 20, NEW_HEADER, NEW_ENTRY)?,
    };
    let count = number(bytes, 20, little)? as usize;
    let end = NEW_HEADER.checked_add(count.checked_mul(NEW_ENTRY)?)?;
    bytes.get(..end)?;
    let entry = |index: usize| read_entry(bytes, NEW_HEADER + index * NEW_ENTRY, bytes, little, true);
    Some(within_limit((0..count).filter_map(entry), bytes.len()))
}

/// Entries may share texts, and a name is the end of its path; but where all of them name the same 4 KB, a cache of 64 MB
/// would ask for 20 GB. What comes after the limit is left out.
fn within_limit(entries: impl Iterator<Item = CacheEntry>, size: usize) -> Vec<CacheEntry> {
    let mut left = size.saturating_mul(4);
    let fits = |entry: &CacheEntry| {
        let rest = left.checked_sub(entry.soname.len() + entry.path.len());
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    entries.take_while(fits).collect()
}

/// The byte order in which the entries fit into the file: true for little endian.
fn plausible_count(bytes: &[u8], at: usize, header: usize, entry: usize) -> Option<bool> {
    let fits = |little: bool| {
        let count = number(bytes, at, little)? as usize;
        (header.checked_add(count.checked_mul(entry)?)? <= bytes.len()).then_some(little)
    };
    fits(true).or_else(|| fits(false))
}

fn read_entry(bytes: &[u8], at: usize, texts: &[u8], little: bool, new: bool) -> Option<CacheEntry> {
    let flags = number(bytes, at, little)?;
    let soname = text(texts, number(bytes, at + 4, little)?)?;
    let path = text(texts, number(bytes, at + 8, little)?)?;
    let needs_features = new && (number(bytes, at + 16, little)? != 0 || number(bytes, at + 20, little)? != 0);
    Some(CacheEntry { soname, path, flags, needs_features })
}

fn number(bytes: &[u8], at: usize, little: bool) -> Option<u32> {
    let field: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(if little { u32::from_le_bytes(field) } else { u32::from_be_bytes(field) })
}

/// The NUL-terminated text at an offset; paths are bounded by the kernel's 4096.
fn text(bytes: &[u8], at: u32) -> Option<String> {
    let rest = bytes.get(at as usize..)?;
    let end = rest.iter().take(4096).position(|&byte| byte == 0)?;
    std::str::from_utf8(&rest[..end]).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache of the new layout with two libraries, written by hand: the texts begin at 48 + 2 × 24 = 96.
    fn new_cache(little: bool) -> Vec<u8> {
        let u32 = |value: u32| if little { value.to_le_bytes() } else { value.to_be_bytes() };
        let mut bytes = NEW_MAGIC.to_vec();
        bytes.extend(u32(2));
        bytes.extend(u32(45));
        bytes.extend([if little { 2 } else { 3 }, 0, 0, 0]);
        bytes.extend([0; 16]);
        for (flags, name, path, hwcap) in [(0x0a03, 96, 109, 0), (0x0303, 96, 125, 1)] {
            for value in [flags, name, path, 0, hwcap, 0] {
                bytes.extend(u32(value));
            }
        }
        bytes.extend(b"libcuda.so.1\0/a/libcuda.so.1\0/b/libcuda.so.1\0");
        bytes
    }

    #[test]
    fn the_new_layout_is_read_in_both_byte_orders() {
        for little in [true, false] {
            let entries = parse_ld_cache(&new_cache(little)).unwrap();
            assert_eq!(entries.len(), 2);
            assert_eq!(entries[0].soname, "libcuda.so.1");
            assert_eq!(entries[0].path, "/a/libcuda.so.1");
            assert!(entries[0].fits("aarch64") && !entries[0].fits("x86_64"));
            assert!(entries[1].fits("x86_64") && entries[1].needs_features);
            assert_eq!(entries[1].path, "/b/libcuda.so.1");
        }
    }

    #[test]
    fn the_old_layout_is_read_alone_and_in_front_of_the_new_one() {
        let mut old = OLD_MAGIC.to_vec();
        old.extend(1_u32.to_le_bytes());
        for value in [0x0303_u32, 0, 13] {
            old.extend(value.to_le_bytes());
        }
        let mut alone = old.clone();
        alone.extend(b"libcuda.so.1\0/old/libcuda.so.1\0");
        assert_eq!(parse_ld_cache(&alone).unwrap()[0].path, "/old/libcuda.so.1");

        // 16 + 12 = 28: the new part begins at 32.
        old.extend([0; 4]);
        old.extend(new_cache(true));
        assert_eq!(parse_ld_cache(&old).unwrap()[0].path, "/a/libcuda.so.1");
    }

    #[test]
    fn damaged_caches_cost_what_is_damaged() {
        assert_eq!(parse_ld_cache(b""), None);
        assert_eq!(parse_ld_cache(b"\x7fELF"), None);
        let whole = new_cache(true);
        for end in 0..whole.len() {
            if let Some(entries) = parse_ld_cache(&whole[..end]) {
                assert!(entries.len() <= 2, "cut at {end}");
            }
        }
        let mut huge = whole;
        huge[20..24].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(parse_ld_cache(&huge), None);
    }
}
