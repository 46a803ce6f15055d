//! A copy of an environment at another place, to try something out on: nothing that happens to it reaches the original.
//!
//! All files are copied, none linked: an installer may write into a file, and the original has to stay as it is. File systems
//! that can (btrfs, xfs) share the blocks. A virtual environment works wherever its `pyvenv.cfg` lies beside it; what would
//! lead back by its path is led to the copy: links, and lines of RECORD that name a file by its whole path.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::entry::{Entry, Kind};
use super::listing::list;
use super::scope::Sort;
use super::{JournalError, at};
use crate::parallel::in_parallel;

/// A thread is worth this many files.
const PER_THREAD: usize = 64;
/// What makes a folder a virtual environment.
const PYVENV: &str = "pyvenv.cfg";

/// Copies the environment at `from` to `to`, an empty folder.
///
/// # Errors
///
/// When a file cannot be read, or there is no room; when `stop` says so. What was copied stays for the caller to remove.
pub fn replicate(from: &Path, sort: Sort, to: &Path, stop: &(dyn Fn() -> bool + Sync)) -> Result<(), JournalError> {
    let entries = list(from, sort)?;
    for entry in &entries {
        let path = to.join(&entry.path);
        match &entry.kind {
            Kind::Folder => fs::create_dir(&path).map_err(at("create", &path))?,
            Kind::Link(target) => symlink(led(target, from, to), &path).map_err(at("link", &path))?,
            Kind::File { .. } => {}
        }
    }
    let copied = in_parallel(&entries, PER_THREAD, |entry| match entry.kind {
        _ if stop() => Err(JournalError::Stopped),
        Kind::File { .. } => copy(entry, from, to),
        _ => Ok(()),
    });
    copied.into_iter().collect::<Result<Vec<()>, _>>()?;
    let pyvenv = from.join(PYVENV);
    if sort == Sort::Shared {
        fs::copy(&pyvenv, to.join(PYVENV)).map_err(at("copy", &pyvenv))?;
    }
    Ok(())
}

fn copy(entry: &Entry, from: &Path, to: &Path) -> Result<(), JournalError> {
    let (source, target) = (from.join(&entry.path), to.join(&entry.path));
    fs::copy(&source, &target).map_err(at("copy", &source))?;
    if !entry.path.ends_with("RECORD") {
        return Ok(());
    }
    let text = fs::read(&source).map_err(at("read", &source))?;
    let Ok(text) = String::from_utf8(text) else { return Ok(()) };
    if let Some(led) = record_led(&text, from, to) {
        fs::write(&target, led).map_err(at("write", &target))?;
    }
    Ok(())
}

/// Where a link of the copy leads: into the copy, where the original's led into the original.
fn led(target: &Path, from: &Path, to: &Path) -> PathBuf {
    target.strip_prefix(from).map_or_else(|_| target.to_owned(), |below| to.join(below))
}

/// A RECORD without whole paths into the original; none where there are none.
fn record_led(text: &str, from: &Path, to: &Path) -> Option<String> {
    let (from, to) = (format!("{}/", from.to_str()?), format!("{}/", to.to_str()?));
    let line = |line: &str| {
        let (quote, path) = line.strip_prefix('"').map_or(("", line), |path| ("\"", path));
        Some(format!("{quote}{to}{}", path.strip_prefix(&from)?))
    };
    let lines: Vec<Option<String>> = text.split('\n').map(line).collect();
    if lines.iter().all(Option::is_none) {
        return None;
    }
    let all = text.split('\n').zip(lines).map(|(old, new)| new.unwrap_or_else(|| old.to_owned()));
    Some(all.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_back() {
        let (from, to) = (Path::new("/v"), Path::new("/t"));
        assert_eq!(led(Path::new("/v/bin/python3"), from, to), Path::new("/t/bin/python3"));
        assert_eq!(led(Path::new("/usr/bin/python3"), from, to), Path::new("/usr/bin/python3"));
        assert_eq!(led(Path::new("python3"), from, to), Path::new("python3"));
        let record = "a.py,,\n/v/bin/a,sha256=x,1\n\"/v/share/a,b\",,\n/vv/x,,\n";
        assert_eq!(record_led(record, from, to).unwrap(), "a.py,,\n/t/bin/a,sha256=x,1\n\"/t/share/a,b\",,\n/vv/x,,\n");
        assert_eq!(record_led("a.py,,\n", from, to), None);
    }

    #[test]
    fn the_original_stays_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let (from, to) = (home.path().join("v"), home.path().join("t"));
        fs::create_dir_all(from.join("lib/python3.11/site-packages")).unwrap();
        fs::create_dir_all(&to).unwrap();
        fs::write(from.join(PYVENV), "home = /usr/bin\n").unwrap();
        fs::write(from.join("lib/python3.11/site-packages/a.py"), "a").unwrap();
        symlink(from.join("lib"), from.join("lib64")).unwrap();
        replicate(&from, Sort::Venv, &to, &|| false).unwrap();
        fs::write(to.join("lib64/python3.11/site-packages/a.py"), "other").unwrap();
        assert_eq!(fs::read_to_string(from.join("lib/python3.11/site-packages/a.py")).unwrap(), "a");
        assert_eq!(fs::read_to_string(to.join(PYVENV)).unwrap(), "home = /usr/bin\n");
        let mut other = home.path().join("u");
        fs::create_dir_all(&other).unwrap();
        assert!(matches!(replicate(&from, Sort::Venv, &other, &|| true), Err(JournalError::Stopped)));
        other.push("none");
        assert!(replicate(&from, Sort::Venv, &other, &|| false).is_err());
    }
}
