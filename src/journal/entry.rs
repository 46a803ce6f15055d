//! What the journal remembers of a file, a folder or a link.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Seconds and nanoseconds since 1970.
pub type Time = (i64, i64);

/// One path of an environment, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Below the environment's folder, e.g. `lib/python3.11/site-packages/torch/version.py`.
    #[serde(with = "bytes")]
    pub path: PathBuf,
    /// The permission bits, e.g. `0o644`.
    pub mode: u32,
    /// User and group.
    pub owner: (u32, u32),
    /// When its content was last changed.
    pub modified: Time,
    /// What it is.
    pub kind: Kind,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A regular file.
    File {
        /// In bytes.
        size: u64,
        /// Which file of the file system it is: who replaces a file changes it.
        inode: u64,
        /// When anything about it was last changed, also its permissions or its number of names.
        changed: Time,
    },
    /// A symbolic link, and where it leads.
    Link(#[serde(with = "bytes")] PathBuf),
}

impl Entry {
    /// Whether a file, folder or link is still the one that it was, attributes of folders aside.
    #[must_use]
    pub fn is_untouched(&self, now: &Self) -> bool {
        match (&self.kind, &now.kind) {
            (Kind::Folder, Kind::Folder) => true,
            (Kind::Link(then), Kind::Link(now_leads)) => then == now_leads && self.modified == now.modified,
            (Kind::File { .. }, Kind::File { .. }) => self.kind == now.kind && self.modified == now.modified,
            _ => false,
        }
    }

    /// Whether somebody who reads both can tell no difference: all but which file of the file system it is.
    #[must_use]
    pub fn reads_as(&self, now: &Self) -> bool {
        let content = match (&self.kind, &now.kind) {
            (Kind::File { size: then, .. }, Kind::File { size: now, .. }) => then == now,
            (then, now) => then == now,
        };
        // Links have no permissions of their own.
        let mode = self.mode == now.mode || matches!(self.kind, Kind::Link(_));
        content && mode && self.modified == now.modified
    }
}

/// A path as its bytes: not every name is UTF-8.
mod bytes {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().as_bytes().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        Ok(OsString::from_vec(Vec::deserialize(deserializer)?).into())
    }
}
