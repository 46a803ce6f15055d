//! Files named on the command line: read whole, written whole or not at all.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::session::asked::Files;

/// The files and variables of this machine.
pub struct Disk;

impl Files for Disk {
    fn bytes(&self, path: &Path) -> anyhow::Result<Vec<u8>> {
        read_bytes(path)
    }

    fn one_path(&self, path: &Path) -> PathBuf {
        std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
    }

    fn variable(&self, name: &str) -> Option<String> {
        #[expect(clippy::disallowed_methods, reason = "a command reads the environment")]
        std::env::var(name).ok()
    }
}

/// Reads a text file, or standard input for `-`.
///
/// # Errors
///
/// When the file cannot be read; the error names it.
pub fn read(path: &Path) -> anyhow::Result<String> {
    Ok(String::from_utf8(read_bytes(path)?).unwrap_or_else(|error| lossy(error.as_bytes())))
}

/// What is no UTF-8 becomes one `U+FFFD` for each run of it.
fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let goes_on = chunk.valid().is_empty() && text.ends_with('\u{fffd}');
        if !goes_on && !chunk.invalid().is_empty() {
            text.push('\u{fffd}');
        }
    }
    text
}

/// The same without a look at its encoding.
///
/// # Errors
///
/// When the file cannot be read; the error names it.
pub fn read_bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).context("failed to read standard input")?;
        return Ok(bytes);
    }
    #[expect(clippy::disallowed_methods, reason = "a command reads the files that its arguments name")]
    std::fs::read(path).with_context(|| format!("failed to read `{}`", path.display()))
}

/// Writes a file through a neighbour that takes its place when it is complete, so that no half-written file is ever seen.
///
/// # Errors
///
/// When the file cannot be written; what was there before stays.
pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    write_bytes(path, text.as_bytes())
}

/// The same for bytes.
///
/// # Errors
///
/// When the file cannot be written; what was there before stays.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let failed = || format!("failed to write `{}`", path.display());
    let name = path.file_name().with_context(failed)?.to_string_lossy();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = folder.join(format!(".{name}.{}.part", std::process::id()));
    let written = std::fs::File::create(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| std::fs::rename(&draft, path)) {
        let _ = std::fs::remove_file(&draft);
        return Err(error).with_context(failed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_one_mark() {
        assert_eq!(lossy(b"a\xff\xfe\xffb\xffc\xff\xff"), "a\u{fffd}b\u{fffd}c\u{fffd}");
        assert_eq!(lossy("für".as_bytes()), "für");
    }
}
