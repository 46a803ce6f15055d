//! Files read at any place, without loading the rest.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::root::RootFs;
use crate::objects::ReadAt;

/// A file read by `pread`.
#[derive(Debug)]
pub struct FileAt {
    file: File,
    pub(super) size: u64,
}

impl FileAt {
    /// Opens a file of this machine.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn open(path: &std::path::Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }
}

impl ReadAt for FileAt {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

/// Opens a regular file.
///
/// # Errors
///
/// If it is not there or not a regular file.
pub fn open(root: &RootFs, path: &str) -> io::Result<FileAt> {
    let (file, size) = root.open(path)?;
    Ok(FileAt { file, size })
}
