//! The version of the GNU C library, from its file.

use crate::version::GlibcVersion;

/// Reads the version in the real name of `libc.so.6`, e.g. `libc-2.31.so`. Since 2.34 the file is just `libc.so.6`.
#[must_use]
pub fn parse_library_name(name: &str) -> Option<GlibcVersion> {
    name.strip_prefix("libc-")?.strip_suffix(".so")?.parse().ok()
}

/// Finds the banner inside `libc.so.6`, which running that file prints, e.g.
/// `GNU C Library (Ubuntu GLIBC 2.35-0ubuntu3.8) stable release version 2.35.`
#[must_use]
pub fn find_banner(bytes: &[u8]) -> Option<GlibcVersion> {
    let start = find(bytes, b"GNU C Library ")?;
    let line = bytes.get(start..)?.split(|&byte| byte == b'\n' || byte == 0).next()?;
    let after = line.get(find(line, b" version ")? + b" version ".len()..)?;
    let end = after.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').unwrap_or(after.len());
    std::str::from_utf8(&after[..end]).ok()?.trim_end_matches('.').parse().ok()
}

/// The first place of `needle`.
fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(step) = bytes.get(from..)?.iter().position(|&byte| byte == first) {
        from += step;
        if bytes[from..].starts_with(needle) {
            return Some(from);
        }
        from += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_in_the_old_name_or_in_the_banner() {
        let version = |text: &str| text.parse::<GlibcVersion>().ok();
        assert_eq!(parse_library_name("libc-2.31.so"), version("2.31"));
        assert_eq!(parse_library_name("libc.so.6"), None);
        let bytes =
            b"\x7fELF GNU C\0GNU C Library (Ubuntu GLIBC 2.35-0ubuntu3.8) stable release version 2.35.\nCopyright";
        assert_eq!(find_banner(bytes), version("2.35"));
        assert_eq!(find_banner(b"GNU C Library (x) development release version 2.39.9000.\n"), version("2.39"));
        assert_eq!(find_banner(b"musl libc (x86_64)\nVersion 1.2.4\n"), None);
        assert_eq!(find_banner(b"GNU C Library version "), None);
    }
}
