//! Source distributions: what the `PKG-INFO` at the top of a `.tar.gz` says.
//!
//! The archive is a gzip stream of 512-byte blocks (POSIX ustar): a header with the name in bytes 0 to 99, the size in
//! octal digits in 124 to 135, the type in 156, then the content, filled up to a whole block. Only the member
//! `<name>-<version>/PKG-INFO` is unpacked; the rest goes by.

use std::io::{self, Read};

use flate2::read::GzDecoder;

const BLOCK: usize = 512;
/// A PKG-INFO, description included, is far smaller.
const MAX_MEMBER: u64 = 16 << 20;
/// No more than this is unpacked of any archive.
const MAX_UNPACKED: u64 = 1 << 30;

/// Reads the `PKG-INFO` of an archive; none where there is none.
///
/// # Errors
///
/// If the archive is damaged before its `PKG-INFO`.
pub fn pkg_info(archive: &[u8]) -> io::Result<Option<String>> {
    let mut unpacked = GzDecoder::new(archive).take(MAX_UNPACKED);
    let mut header = [0; BLOCK];
    loop {
        match unpacked.read_exact(&mut header) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        if header.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        let name = text(&header[..100]);
        let digits = text(&header[124..136]);
        let size = u64::from_str_radix(digits.trim(), 8).map_err(|_| io::Error::other("a member without a size"))?;
        let is_file = matches!(header[156], 0 | b'0');
        if is_file && name.ends_with("/PKG-INFO") && name.matches('/').count() == 1 && size <= MAX_MEMBER {
            let mut bytes = Vec::new();
            if unpacked.take(size).read_to_end(&mut bytes)? as u64 != size {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            return Ok(Some(String::from_utf8_lossy(&bytes).into_owned()));
        }
        let rest = size.div_ceil(BLOCK as u64) * BLOCK as u64;
        if io::copy(&mut unpacked.by_ref().take(rest), &mut io::sink())? < rest {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The bytes before the first zero.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn archive(members: &[(&str, &str)]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        for (name, content) in members {
            let mut header = [0; BLOCK];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
            header[156] = b'0';
            packed.write_all(&header).unwrap();
            packed.write_all(content.as_bytes()).unwrap();
            packed.write_all(&vec![0; content.len().next_multiple_of(BLOCK) - content.len()]).unwrap();
        }
        packed.write_all(&[0; 2 * BLOCK]).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn the_pkg_info_at_the_top_is_found() {
        let long = "x".repeat(2000);
        let members = [
            ("a-1.0/setup.py", long.as_str()),
            ("a-1.0/a.egg-info/PKG-INFO", "Name: egg\n"),
            ("a-1.0/PKG-INFO", "Name: a\n"),
        ];
        let bytes = archive(&members);
        assert_eq!(pkg_info(&bytes).unwrap().as_deref(), Some("Name: a\n"));
        assert_eq!(pkg_info(&archive(&members[..2])).unwrap(), None);
    }

    #[test]
    fn damage_is_an_error_and_no_panic() {
        let noise: String =
            (0..3000_u32).map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 27) as u8 % 26)).collect();
        let bytes = archive(&[("a-1.0/b", noise.as_str()), ("a-1.0/PKG-INFO", "Name: a\n")]);
        for end in 0..bytes.len() / 2 {
            assert!(!matches!(pkg_info(&bytes[..end]), Ok(Some(_))), "cut at {end}");
        }
        assert!(pkg_info(b"<html>no archive</html>").is_err());
    }
}
