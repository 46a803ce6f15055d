//! Takes an environment back to what the journal remembers. Done twice, or after it was cut short, it comes to the same.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, utimensat};

use super::difference::difference;
use super::entry::{Entry, Kind};
use super::listing::{list_also, roots_of};
use super::scope::Sort;
use super::{JournalError, at};

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// How many files and folders were removed.
    pub removed: usize,
    /// How many were put back.
    pub put_back: usize,
    /// What could not be: written to in place, or refused by the file system.
    pub lost: Vec<PathBuf>,
}

/// Puts back.
///
/// # Errors
///
/// When a path cannot be removed or written; what was done so far stays done, and all can be done again.
pub fn restore(prefix: &Path, sort: Sort, files: &Path, then: &[Entry]) -> Result<Restored, JournalError> {
    let now = list_also(prefix, sort, &roots_of(then))?;
    let found = difference(then, &now);
    let mut restored = Restored::default();
    for entry in &found.came {
        remove(&prefix.join(&entry.path), entry)?;
        restored.removed += 1;
    }
    for (entry, stands) in &found.gone {
        if put_back(prefix, files, entry, *stands)? {
            restored.put_back += 1;
        }
    }
    // Innermost first: what happens in a folder changes its date.
    for entry in then.iter().rev().filter(|entry| entry.kind == Kind::Folder) {
        let path = prefix.join(&entry.path);
        let metadata = fs::symlink_metadata(&path).map_err(at("look at", &path))?;
        let is = (metadata.permissions().mode() & 0o7777, (metadata.mtime(), metadata.mtime_nsec()));
        if is != (entry.mode, entry.modified) {
            attributes(&path, entry)?;
        }
    }
    let now = list_also(prefix, sort, &roots_of(then))?;
    let left = difference(then, &now);
    restored.lost.extend(left.came.iter().map(|entry| entry.path.clone()));
    let differs = |(entry, now): &(&Entry, Option<&Entry>)| now.is_none_or(|now| !entry.reads_as(now));
    restored.lost.extend(left.gone.iter().filter(|it| differs(it)).map(|(entry, _)| entry.path.clone()));
    Ok(restored)
}

fn remove(path: &Path, entry: &Entry) -> Result<(), JournalError> {
    let removed = if entry.kind == Kind::Folder { fs::remove_dir(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Puts one path back; false where its copy is no longer what it was.
fn put_back(prefix: &Path, files: &Path, entry: &Entry, stands: Option<&Entry>) -> Result<bool, JournalError> {
    let path = prefix.join(&entry.path);
    // A file goes over a file in one step; anything else has to make room first.
    if let Some(now) = stands
        && !matches!((&entry.kind, &now.kind), (Kind::File { .. }, Kind::File { .. }))
    {
        remove(&path, now)?;
    }
    match &entry.kind {
        Kind::Folder => fs::create_dir(&path).map_err(at("create", &path))?,
        Kind::Link(target) => symlink(target, &path).map_err(at("link", &path))?,
        Kind::File { size, inode, .. } => {
            let kept = files.join(&entry.path);
            let copy = fs::symlink_metadata(&kept).map_err(at("look at", &kept))?;
            let is_link = copy.ino() == *inode;
            let written_to = is_link && (copy.mtime(), copy.mtime_nsec()) != entry.modified;
            if copy.size() != *size || written_to {
                return Ok(false);
            }
            let in_place =
                matches!(stands.map(|now| &now.kind), Some(Kind::File { inode, .. }) if *inode == copy.ino());
            if !in_place {
                place(&kept, &path)?;
            }
        }
    }
    attributes(&path, entry)?;
    Ok(true)
}

/// Puts a file in its place by a link beside it, which takes no room on a full disk, and a rename, so that the place is never
/// empty.
fn place(kept: &Path, path: &Path) -> Result<(), JournalError> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".gpudoc-part");
    let draft = PathBuf::from(draft);
    let _ = fs::remove_file(&draft);
    if fs::hard_link(kept, &draft).is_err() {
        fs::copy(kept, &draft).map_err(at("write", path))?;
    }
    fs::rename(&draft, path).map_err(at("write", path))
}

/// Permissions, owner and date as they were.
fn attributes(path: &Path, entry: &Entry) -> Result<(), JournalError> {
    let is = fs::symlink_metadata(path).map_err(at("look at", path))?;
    if (is.uid(), is.gid()) != entry.owner {
        let (user, group) = entry.owner;
        let own = if is.is_symlink() { lchown } else { chown };
        // Who may write to an environment of somebody else cannot give files away.
        let _ = own(path, Some(user), Some(group));
    }
    if !is.is_symlink() && is.permissions().mode() & 0o7777 != entry.mode {
        fs::set_permissions(path, Permissions::from_mode(entry.mode)).map_err(at("change", path))?;
    }
    let (seconds, nanoseconds) = entry.modified;
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: nanoseconds },
    };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| at("change", path)(error.into()))
}
