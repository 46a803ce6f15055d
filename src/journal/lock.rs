//! One at a time: who changes an environment holds its lock.
//!
//! The lock belongs to the open file, and an installer that gpudoc starts gets that file as its standard input. So the lock is
//! held as long as the installer lives, or anything that it started, also after gpudoc itself was killed.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::process::Stdio;

use super::{FOLDER, JournalError, at};

/// The lock of an environment, held until it is dropped.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Takes the lock; none where somebody else has it.
    ///
    /// # Errors
    ///
    /// When the file cannot be made, e.g. in an environment that only another user may change.
    pub fn take(prefix: &Path) -> Result<Option<Self>, JournalError> {
        let folder = prefix.join(FOLDER);
        fs::create_dir_all(&folder).map_err(at("create", &folder))?;
        let path = folder.join("lock");
        let file = File::options().read(true).append(true).create(true).open(&path).map_err(at("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(at("lock", &path)(error)),
        }
    }

    /// The same lock as a program's standard input, which is empty.
    ///
    /// # Errors
    ///
    /// When no more files can be opened.
    pub fn stdin(&self) -> std::io::Result<Stdio> {
        Ok(self.0.try_clone()?.into())
    }
}
