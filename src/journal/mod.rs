//! The way back: copies of an environment's files, made before anything changes them, and their return to their places.
//!
//! `gpudoc fix --apply` runs an installer on an environment. Before its first command the journal holds what every file was:
//! [`scope`] says which folders an installer writes to, [`listing`] what is in them, [`keep`] puts the contents aside, [`store`]
//! writes the journal so that it is there in whole or not at all, [`difference`] compares then and now, and [`restore`] takes
//! the environment back. It works after the program was killed at any point: each step can be done twice.
//!
//! ```text
//! VENV/.gpudoc/lock                 who holds it, changes the environment; an installer holds it too, as its standard input
//! VENV/.gpudoc/journal/state.json   how far it went
//! VENV/.gpudoc/journal/manifest     each file, folder and link as it was
//! VENV/.gpudoc/journal/files/…      what was in the files
//! ```
//!
//! It lies inside the environment, so that both move together, and on its file system, so that large files can be kept and
//! put back by a hard link, which costs no room: a disk that is full is no obstacle on the way back.
//!
//! # A link or a copy
//!
//! A hard link keeps what was in a file only if whoever changes it writes a new file in its place. pip does (it unlinks
//! first), conda does, and uv does where it links from its cache. uv before 0.9 truncates the file of another distribution where it
//! copies. What is small may be edited in place (`.pth` files, conda's history). So small files are copied, large ones linked
//! where the installer is known to make new files, and at the way back a link whose file was written to is told, not trusted.

#![expect(clippy::disallowed_methods, reason = "the edge that copies and restores an environment's files")]

pub mod difference;
pub mod entry;
pub mod keep;
pub mod listing;
pub mod lock;
pub mod replica;
pub mod restore;
pub mod scope;
pub mod store;

use std::io;
use std::path::{Path, PathBuf};

pub use crate::own::FOLDER;
pub use keep::Writes;
pub use restore::Restored;
pub use scope::Sort;
pub use store::{About, Journal, Stage};

/// Whether two folders lie on one file system, so that a file can have names in both; of one that is not there yet, the folder
/// above it.
#[must_use]
pub fn on_one_device(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| path.ancestors().find_map(|folder| Some(std::fs::metadata(folder).ok()?.dev()));
    device(one).is_some() && device(one) == device(other)
}

/// Why a file could not be read, kept or put back.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error("failed to {action} `{}`", path.display())]
    Io {
        /// E.g. `copy`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The journal is not one, or not whole.
    #[error("`{}` is damaged: {error}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: String,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Stopped,
}

/// Says what was tried on which file.
fn at<'p>(action: &'static str, path: &'p Path) -> impl Fn(io::Error) -> JournalError + 'p {
    move |source| JournalError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
