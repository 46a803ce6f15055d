//! What is in the folders of an environment: one look at each path, without following links.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::entry::{Entry, Kind};
use super::scope::{self, Sort};
use super::{JournalError, at};

/// Everything below the folders that an installer of this environment may change: parents before what is in them, then by name.
///
/// # Errors
///
/// When a folder cannot be read: what was not seen could not be put back.
pub fn list(prefix: &Path, sort: Sort) -> Result<Vec<Entry>, JournalError> {
    list_also(prefix, sort, &BTreeSet::new())
}

/// The same with folders that the environment had once.
///
/// # Errors
///
/// As [`list`].
pub fn list_also(prefix: &Path, sort: Sort, others: &BTreeSet<String>) -> Result<Vec<Entry>, JournalError> {
    let names = names(prefix)?;
    let mut recorded = others.clone();
    if sort == Sort::Shared {
        recorded.extend(recorded_in(prefix)?);
    }
    let mut found = Vec::new();
    for name in scope::roots(sort, &names, &recorded) {
        walk(prefix, PathBuf::from(name), &mut found)?;
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}

/// The first names of the paths of some entries, e.g. `bin` and `lib`.
#[must_use]
pub fn roots_of(entries: &[Entry]) -> BTreeSet<String> {
    let first = |entry: &Entry| entry.path.components().next()?.as_os_str().to_str().map(str::to_owned);
    entries.iter().filter_map(first).collect()
}

/// One path as it is now; none where nothing is there, or what is there is neither file nor folder nor link.
///
/// # Errors
///
/// When it cannot be looked at.
pub fn look(prefix: &Path, path: PathBuf) -> Result<Option<Entry>, JournalError> {
    let full = prefix.join(&path);
    let found = match fs::symlink_metadata(&full) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(at("look at", &full))?,
    };
    let kind = if found.is_dir() {
        Kind::Folder
    } else if found.is_symlink() {
        Kind::Link(fs::read_link(&full).map_err(at("read", &full))?)
    } else if found.is_file() {
        Kind::File { size: found.size(), inode: found.ino(), changed: (found.ctime(), found.ctime_nsec()) }
    } else {
        return Ok(None);
    };
    Ok(Some(Entry {
        path,
        mode: found.permissions().mode() & 0o7777,
        owner: (found.uid(), found.gid()),
        modified: (found.mtime(), found.mtime_nsec()),
        kind,
    }))
}

fn walk(prefix: &Path, path: PathBuf, found: &mut Vec<Entry>) -> Result<(), JournalError> {
    // What vanishes while one looks is not there.
    let Some(entry) = look(prefix, path)? else { return Ok(()) };
    let folder = (entry.kind == Kind::Folder).then(|| entry.path.clone());
    found.push(entry);
    let Some(folder) = folder else { return Ok(()) };
    let full = prefix.join(&folder);
    for inner in fs::read_dir(&full).map_err(at("read", &full))? {
        let inner = inner.map_err(at("read", &full))?;
        walk(prefix, folder.join(inner.file_name()), found)?;
    }
    Ok(())
}

/// Which sort of virtual environment lies in a folder.
///
/// # Errors
///
/// When it cannot be read.
pub fn venv(prefix: &Path) -> Result<Sort, JournalError> {
    Ok(scope::venv(&names(prefix)?, &recorded_in(prefix)?))
}

fn names(folder: &Path) -> Result<BTreeSet<String>, JournalError> {
    let entries = fs::read_dir(folder).map_err(at("read", folder))?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
}

/// Where the RECORDs of a virtual environment have files.
fn recorded_in(prefix: &Path) -> Result<BTreeSet<String>, JournalError> {
    let mut found = BTreeSet::new();
    let lib = prefix.join("lib");
    for python in names(&lib).unwrap_or_default() {
        let site = Path::new("lib").join(python).join("site-packages");
        let full = prefix.join(&site);
        if !full.is_dir() {
            continue;
        }
        for name in names(&full)?.into_iter().filter(|name| name.ends_with(".dist-info")) {
            let record = full.join(name).join("RECORD");
            let Ok(text) = fs::read(&record) else { continue };
            found.extend(scope::recorded(&String::from_utf8_lossy(&text), &site));
        }
    }
    Ok(found)
}
