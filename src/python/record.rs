//! RECORD, the list of an installed distribution's files (PEP 376, PEP 627): `path,sha256=…,size` in CSV.
//!
//! By hand: a line has three fields, and a broken line costs itself only.

/// A file in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<'a> {
    /// Below the folder that holds the metadata, e.g. `torch/lib/libc10.so`; may begin with `../`.
    pub path: std::borrow::Cow<'a, str>,
    /// SHA-256 in URL-safe base64 without padding; none for RECORD itself and for compiled files.
    pub sha256: Option<&'a str>,
    /// In bytes.
    pub size: Option<u64>,
}

/// Reads the lines; what makes no sense is left out.
pub fn parse_record(text: &str) -> impl Iterator<Item = Recorded<'_>> {
    text.lines().filter_map(parse_line)
}

fn parse_line(line: &str) -> Option<Recorded<'_>> {
    let (path, rest) = match line.strip_prefix('"') {
        Some(quoted) => {
            let end = quoted.find("\",")?;
            (quoted.get(..end)?.replace("\"\"", "\"").into(), quoted.get(end + 2..)?)
        }
        None => line.split_once(',').map(|(path, rest)| (path.into(), rest))?,
    };
    let (hash, size) = rest.split_once(',').unwrap_or((rest, ""));
    Some(Recorded { path, sha256: hash.strip_prefix("sha256="), size: size.trim().parse().ok() })
}

/// Whether a path names a shared library: `libc10.so`, `libcudnn.so.9`, `_C.cpython-311-x86_64-linux-gnu.so`.
#[must_use]
pub fn is_library(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((_, rest)) = name.rsplit_once(".so") else { return false };
    rest.is_empty() || rest.starts_with('.') && rest.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_csv() {
        let text = "torch/lib/libc10.so,sha256=abc-_,1234\n\"odd,name \"\"x\"\".so\",,\ntorch-2.7.1.dist-info/RECORD,,\nnonsense\n";
        let found: Vec<_> = parse_record(text).collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0], Recorded { path: "torch/lib/libc10.so".into(), sha256: Some("abc-_"), size: Some(1234) });
        assert_eq!((found[1].path.as_ref(), found[1].sha256, found[1].size), ("odd,name \"x\".so", None, None));
    }

    #[test]
    fn libraries_are_told_by_their_names() {
        for name in ["a/libc10.so", "libcudnn.so.9", "x.cpython-311-x86_64-linux-gnu.so", "libz.so.1.2.11"] {
            assert!(is_library(name), "{name}");
        }
        for name in ["a.sourcemap", "libc10.so.md", "so", "a.so.py", "libx.solar", "a.so/readme.txt"] {
            assert!(!is_library(name), "{name}");
        }
    }
}
