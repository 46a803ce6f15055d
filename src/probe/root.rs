//! Reading files of this machine, or of a folder that stands for one.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// A file system to inspect: this machine's, or a folder that holds another machine's (`--root DIR`).
///
/// Inside a folder, absolute links and `..` stay inside it: `/usr/lib/libcuda.so.1 -> /opt/libcuda.so` names the
/// folder's `/opt`. Paths are those of the inspected machine, absolute and with `/`; every read is bounded.
#[derive(Debug, Clone, Default)]
pub struct RootFs {
    root: Option<PathBuf>,
}

/// As many links as Linux follows before it says ELOOP.
const MAX_LINKS: usize = 40;

impl RootFs {
    /// This machine's file system.
    #[must_use]
    pub fn host() -> Self {
        Self { root: None }
    }

    /// The file system inside a folder.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { root: Some(folder.into()) }
    }

    /// Whether this is the machine on which gpudoc runs.
    #[must_use]
    pub fn is_host(&self) -> bool {
        self.root.is_none()
    }

    /// The path without links, as the inspected machine names it; none if nothing is there.
    #[must_use]
    pub fn real_path(&self, path: &str) -> Option<String> {
        let Some(root) = &self.root else {
            return fs::canonicalize(path).ok()?.into_os_string().into_string().ok();
        };
        let inside = resolve(root, path)?;
        let below = inside.strip_prefix(root).ok()?.to_str()?;
        Some(format!("/{below}"))
    }

    /// Whether something is there.
    #[must_use]
    pub fn exists(&self, path: &str) -> bool {
        self.open_path(path).is_some_and(|path| path.exists())
    }

    /// Whether a folder is there, or a link to one.
    #[must_use]
    pub fn is_folder(&self, path: &str) -> bool {
        self.open_path(path).is_some_and(|path| path.is_dir())
    }

    /// Whether a regular file is there, or a link to one.
    #[must_use]
    pub fn is_file(&self, path: &str) -> bool {
        self.open_path(path).is_some_and(|path| path.is_file())
    }

    /// What a link says, e.g. `python3.11` or `/usr/bin/python3`, whether or not something is there; none if the path
    /// is not a link.
    #[must_use]
    pub fn link(&self, path: &str) -> Option<String> {
        let (folder, name) = path.trim_end_matches('/').rsplit_once('/')?;
        let at = self.open_path(if folder.is_empty() { "/" } else { folder })?;
        fs::read_link(at.join(name)).ok()?.into_os_string().into_string().ok()
    }

    /// The first bytes of a file, at most `limit`.
    pub fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let (file, length) = self.open(path)?;
        // Enough to read the file at once; /proc says 0, and a length is not trusted beyond a page's worth of pages.
        let length = length.min(1 << 20);
        let mut bytes = Vec::with_capacity(usize::try_from(length.min(limit)).unwrap_or(0).saturating_add(1));
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Opens a regular file and tells its size in bytes.
    pub fn open(&self, path: &str) -> io::Result<(File, u64)> {
        let path = self.open_path(path).ok_or(io::ErrorKind::NotFound)?;
        // A FIFO or a device could block for ever or never end.
        let metadata = fs::metadata(&path)?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok((File::open(path)?, metadata.len()))
    }

    /// The size in bytes of a file, or of what a link leads to.
    pub fn size(&self, path: &str) -> io::Result<u64> {
        let path = self.open_path(path).ok_or(io::ErrorKind::NotFound)?;
        fs::metadata(path).map(|metadata| metadata.len())
    }

    /// The text of a small file, such as those in /proc and /etc; bytes that are not UTF-8 become `�`.
    pub fn read_text(&self, path: &str) -> io::Result<String> {
        self.read(path, 1 << 20).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The names in a folder, sorted; none if it is not there or not readable.
    #[must_use]
    pub fn list(&self, folder: &str) -> Vec<String> {
        let Some(entries) = self.open_path(folder).and_then(|path| fs::read_dir(path).ok()) else {
            return Vec::new();
        };
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).take(100_000).collect();
        names.sort();
        names
    }

    /// Where the path lies on the machine that runs gpudoc.
    fn open_path(&self, path: &str) -> Option<PathBuf> {
        match &self.root {
            None => Some(PathBuf::from(path)),
            Some(root) => resolve(root, path),
        }
    }
}

/// Follows every link inside `root`. None if a part is missing or the links go round.
fn resolve(root: &Path, path: &str) -> Option<PathBuf> {
    let mut todo: Vec<std::ffi::OsString> = parts(Path::new(path));
    let mut at = root.to_path_buf();
    let mut links = 0;
    while let Some(part) = todo.pop() {
        if part == ".." {
            if at != root {
                at.pop();
            }
            continue;
        }
        let next = at.join(&part);
        let kind = fs::symlink_metadata(&next).ok()?;
        if !kind.is_symlink() {
            at = next;
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return None;
        }
        let target = fs::read_link(&next).ok()?;
        if target.is_absolute() {
            at = root.to_path_buf();
        }
        todo.extend(parts(&target));
    }
    Some(at)
}

/// The names of a path from last to first, `..` kept.
fn parts(path: &Path) -> Vec<std::ffi::OsString> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    let mut names: Vec<_> = names.collect();
    names.reverse();
    names
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_stay_inside_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("usr/lib")).unwrap();
        fs::write(folder.path().join("usr/lib/a.so"), "a").unwrap();
        symlink("/usr/lib", folder.path().join("lib")).unwrap();
        symlink("../../../../../../lib/a.so", folder.path().join("usr/lib/b.so")).unwrap();
        symlink("/etc/passwd", folder.path().join("outside")).unwrap();
        symlink("round", folder.path().join("round")).unwrap();

        let root = RootFs::at(folder.path());
        assert_eq!(root.real_path("/lib/b.so").as_deref(), Some("/usr/lib/a.so"));
        assert_eq!(root.read_text("/lib/b.so").unwrap(), "a");
        assert_eq!(root.list("/lib"), ["a.so", "b.so"]);
        assert!(root.exists("/lib/../lib/a.so"));
        assert!(root.is_folder("/lib") && root.is_file("/lib/b.so") && !root.is_file("/lib"));
        assert_eq!(root.link("/lib").as_deref(), Some("/usr/lib"));
        assert_eq!(root.link("/outside").as_deref(), Some("/etc/passwd"));
        assert_eq!(root.link("/usr/lib/a.so"), None);
        assert!(!root.exists("/outside") && !root.exists("/round") && !root.exists("/none"));
        assert_eq!(root.read("/lib", 1).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
