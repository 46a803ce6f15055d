//! Source distributions: what the texts at the top of a `.tar.gz` say.
//!
//! The archive is a gzip stream of 512-byte blocks (POSIX ustar): a header with the name in bytes 0 to 99, the size in
//! octal digits in 124 to 135, the type in 156, the folder of a long name in 345 to 499, then the content, filled up to a
//! whole block; blocks of zeros end it. A few texts are kept, in one pass; the rest goes by:
//!
//! ```text
//! demo-1.0/PKG-INFO
//! demo-1.0/demo.egg-info/requires.txt      or below demo-1.0/src/
//! demo-1.0/pyproject.toml
//! demo-1.0/setup.cfg
//! ```
//!
//! By hand: of a stream a few members are kept and the rest goes by; `flate2` unpacks it.

use std::io::{self, Read};

use flate2::read::GzDecoder;

use super::wheel::normalise_name;

const BLOCK: usize = 512;
/// A PKG-INFO, description included, is far smaller.
const MAX_MEMBER: u64 = 16 << 20;
/// No more than this is unpacked of any archive.
const MAX_UNPACKED: u64 = 1 << 30;

/// The texts of an archive that say what the distribution requires, as far as it has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sdist {
    /// `PKG-INFO`.
    pub pkg_info: Option<String>,
    /// setuptools left an `*.egg-info` folder of this distribution.
    pub egg_info: bool,
    /// `requires.txt` in it, which setuptools leaves out where nothing is required.
    pub requires_txt: Option<String>,
    /// `pyproject.toml`.
    pub pyproject: Option<String>,
    /// `setup.cfg`.
    pub setup_cfg: Option<String>,
}

impl Sdist {
    /// Reads an archive.
    ///
    /// # Errors
    ///
    /// If it is damaged, cut short, or unpacks to more than 1 GiB.
    pub fn read(archive: &[u8]) -> io::Result<Self> {
        Self::unpacked(GzDecoder::new(archive))
    }

    /// Reads what is in the archive's gzip stream.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn unpacked(blocks: impl Read) -> io::Result<Self> {
        let mut unpacked = blocks.take(MAX_UNPACKED);
        let mut header = [0; BLOCK];
        let mut found = Self::default();
        loop {
            unpacked.read_exact(&mut header)?;
            if header.iter().all(|&byte| byte == 0) {
                return Ok(found);
            }
            let name = text(&header[..100]);
            let name = if header[257..262] == *b"ustar" && header[345] != 0 {
                format!("{}/{name}", text(&header[345..500]))
            } else {
                name
            };
            let digits = text(&header[124..136]);
            let size =
                u64::from_str_radix(digits.trim(), 8).map_err(|_| io::Error::other("a member without a size"))?;
            let is_file = matches!(header[156], 0 | b'0');
            let mut rest = size.div_ceil(BLOCK as u64) * BLOCK as u64;
            if let Some(place) = found.place(&name).filter(|_| is_file && size <= MAX_MEMBER) {
                let mut bytes = Vec::new();
                if unpacked.by_ref().take(size).read_to_end(&mut bytes)? as u64 != size {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                *place = Some(String::from_utf8_lossy(&bytes).into_owned());
                rest -= size;
            }
            if io::copy(&mut unpacked.by_ref().take(rest), &mut io::sink())? < rest {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Where the text of a member belongs.
    fn place(&mut self, name: &str) -> Option<&mut Option<String>> {
        let (top, path) = name.strip_prefix("./").unwrap_or(name).split_once('/')?;
        match path {
            "PKG-INFO" => return Some(&mut self.pkg_info),
            "pyproject.toml" => return Some(&mut self.pyproject),
            "setup.cfg" => return Some(&mut self.setup_cfg),
            _ => {}
        }
        // Other projects may lie inside, with folders of theirs.
        let (egg, file) = path.strip_prefix("src/").unwrap_or(path).split_once(".egg-info/")?;
        if normalise_name(egg) != normalise_name(top.rsplit_once('-')?.0) {
            return None;
        }
        self.egg_info = true;
        (file == "requires.txt").then_some(&mut self.requires_txt)
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
    fn the_texts_at_the_top_are_found() {
        let long = "x".repeat(2000);
        let members = [
            ("a_b-1.0/setup.py", long.as_str()),
            ("a_b-1.0/A.b.egg-info/PKG-INFO", "Name: egg\n"),
            ("a_b-1.0/A.b.egg-info/requires.txt", "torch\n"),
            ("a_b-1.0/vendored/c.egg-info/requires.txt", "no\n"),
            ("a_b-1.0/c.egg-info/requires.txt", "no\n"),
            ("a_b-1.0/vendored/pyproject.toml", "no"),
            ("./a_b-1.0/setup.cfg", "[options]\n"),
            ("a_b-1.0/PKG-INFO", "Name: a\n"),
        ];
        let owned = |text: &str| Some(text.to_owned());
        let expected = Sdist {
            pkg_info: owned("Name: a\n"),
            egg_info: true,
            requires_txt: owned("torch\n"),
            pyproject: None,
            setup_cfg: owned("[options]\n"),
        };
        assert_eq!(Sdist::read(&archive(&members)).unwrap(), expected);
        let source = archive(&[("a-1.0/src/a.egg-info/requires.txt", "torch\n")]);
        assert_eq!(Sdist::read(&source).unwrap().requires_txt, owned("torch\n"));
        assert_eq!(Sdist::read(&archive(&members[..1])).unwrap(), Sdist::default());
    }

    #[test]
    fn damage_is_an_error_and_no_panic() {
        let noise: String =
            (0..3000_u32).map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 27) as u8 % 26)).collect();
        let bytes = archive(&[("a-1.0/PKG-INFO", "Name: a\n"), ("a-1.0/b", noise.as_str())]);
        assert!(Sdist::read(&bytes).is_ok());
        // What comes after the cut might have been its list.
        for end in 0..bytes.len() / 2 {
            assert!(Sdist::read(&bytes[..end]).is_err(), "cut at {end}");
        }
        assert!(Sdist::read(b"<html>no archive</html>").is_err());
    }
}
