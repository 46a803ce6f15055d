//! Puts aside what is in the files of an environment.

use std::fs;
use std::path::Path;

use super::entry::{Entry, Kind};
use super::listing::look;
use super::{JournalError, at};
use crate::parallel::in_parallel;

/// How an installer puts a file in the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// As a new file: links to the old one keep it.
    NewFiles,
    /// Perhaps into the old one.
    InPlace,
}

/// From this size on a link is worth it, in bytes; what people and tools edit in place is smaller.
const LARGE: u64 = 256 << 10;
/// conda appends to a file here.
const CONDA: &str = "conda-meta";
/// A thread is worth this many files.
const PER_THREAD: usize = 64;

/// Whether a link keeps a file.
#[must_use]
pub fn is_kept_by_link(path: &Path, size: u64, writes: Writes) -> bool {
    writes == Writes::NewFiles && size >= LARGE && !path.starts_with(CONDA)
}

/// Keeps each file of a listing below `files`, and returns the listing as it is then: a link more changes a file's own dates.
///
/// # Errors
///
/// When a file cannot be read or there is no room for its copy; when `stop` says so.
pub fn keep(
    prefix: &Path,
    files: &Path,
    entries: &[Entry],
    writes: Writes,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<Entry>, JournalError> {
    for folder in entries.iter().filter(|entry| entry.kind == Kind::Folder) {
        let folder = files.join(&folder.path);
        fs::create_dir_all(&folder).map_err(at("create", &folder))?;
    }
    let kept = in_parallel(entries, PER_THREAD, |entry| {
        if stop() {
            return Err(JournalError::Stopped);
        }
        let Kind::File { size, .. } = entry.kind else { return Ok(entry.clone()) };
        let (from, to) = (prefix.join(&entry.path), files.join(&entry.path));
        // Some file systems have no links, and a file has only so many.
        if !is_kept_by_link(&entry.path, size, writes) || fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to).map_err(at("copy", &from))?;
        }
        // Gone meanwhile: somebody else changes this environment.
        let gone = || at("copy", &from)(std::io::ErrorKind::NotFound.into());
        look(prefix, entry.path.clone())?.ok_or_else(gone)
    });
    kept.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_edited_in_place_is_copied() {
        let library = Path::new("lib/python3.11/site-packages/torch/lib/libtorch_cuda.so");
        assert!(is_kept_by_link(library, 1 << 30, Writes::NewFiles));
        assert!(!is_kept_by_link(library, 1 << 30, Writes::InPlace));
        assert!(!is_kept_by_link(Path::new("lib/python3.11/site-packages/easy-install.pth"), 80, Writes::NewFiles));
        assert!(!is_kept_by_link(Path::new("conda-meta/history"), 1 << 20, Writes::NewFiles));
    }
}
