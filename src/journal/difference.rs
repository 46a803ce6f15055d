//! Then and now: what came, and what is no longer as it was.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use super::entry::{Entry, Kind};

/// What it takes to go back.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference<'a> {
    /// What was not there: to remove, the innermost first.
    pub came: Vec<&'a Entry>,
    /// What is not as it was, or not there: to put back, parents first. With what stands there now.
    pub gone: Vec<(&'a Entry, Option<&'a Entry>)>,
}

impl Difference<'_> {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.came.is_empty() && self.gone.is_empty()
    }
}

/// Compares two listings, each sorted by path.
#[must_use]
pub fn difference<'a>(then: &'a [Entry], now: &'a [Entry]) -> Difference<'a> {
    let by_path = |entries: &'a [Entry]| -> BTreeMap<&'a Path, &'a Entry> {
        entries.iter().map(|entry| (entry.path.as_path(), entry)).collect()
    };
    let (was, is) = (by_path(then), by_path(now));
    let came = now.iter().rev().filter(|entry| !was.contains_key(entry.path.as_path())).collect();
    let gone = then.iter().filter_map(|entry| {
        let stands = is.get(entry.path.as_path()).copied();
        let same = stands.is_some_and(|now| entry.is_untouched(now));
        (!same).then_some((entry, stands))
    });
    Difference { came, gone: gone.collect() }
}

/// The distributions whose files differ, by the names of their metadata folders and of the folders that they install, e.g.
/// `numpy` and `numpy-2.4.6.dist-info`; compiled files do not count: running Python writes them.
#[must_use]
pub fn changed_names(then: &[Entry], now: &[Entry]) -> Vec<String> {
    let difference = difference(then, now);
    let gone = difference.gone.iter().map(|(entry, _)| *entry);
    let files = difference.came.iter().copied().chain(gone).filter(|entry| entry.kind != Kind::Folder);
    let names = files.filter(|entry| !is_compiled(&entry.path)).filter_map(|entry| below_site(&entry.path));
    let names: std::collections::BTreeSet<String> = names.collect();
    names.into_iter().collect()
}

fn is_compiled(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "__pycache__")
}

/// The name below `site-packages`; else that of the file.
fn below_site(path: &Path) -> Option<String> {
    let mut parts = path.components().skip_while(|part| part.as_os_str() != "site-packages");
    let name = parts.nth(1).map(Component::as_os_str).or(path.file_name())?;
    Some(name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, inode: u64) -> Entry {
        let kind = Kind::File { size: 1, inode, changed: (1, 0) };
        Entry { path: path.into(), mode: 0o644, owner: (0, 0), modified: (1, 0), kind }
    }

    fn folder(path: &str) -> Entry {
        Entry { kind: Kind::Folder, ..file(path, 0) }
    }

    #[test]
    fn what_came_goes_inside_out_and_what_went_returns_outside_in() {
        let then = [folder("lib"), folder("lib/a"), file("lib/a/x", 1), file("lib/b", 2), file("lib/c", 3)];
        let now =
            [folder("lib"), file("lib/a", 9), file("lib/b", 7), file("lib/c", 3), folder("lib/n"), file("lib/n/y", 8)];
        let found = difference(&then, &now);
        let paths = |entries: &[&Entry]| entries.iter().map(|it| it.path.display().to_string()).collect::<Vec<_>>();
        assert_eq!(paths(&found.came), ["lib/n/y", "lib/n"]);
        let gone: Vec<_> = found.gone.iter().map(|(it, now)| (it.path.display().to_string(), now.is_some())).collect();
        let expected = [("lib/a", true), ("lib/a/x", false), ("lib/b", true)].map(|(path, is)| (path.to_owned(), is));
        assert_eq!(gone, expected);
        assert!(difference(&then, &then).is_empty());
    }

    #[test]
    fn compiled_files_are_no_change() {
        let site = "lib/python3.11/site-packages";
        let now = [
            file(&format!("{site}/numpy/__pycache__/a.pyc"), 1),
            file(&format!("{site}/numpy/b.py"), 2),
            file("bin/f2py", 3),
        ];
        assert_eq!(changed_names(&[], &now), ["f2py", "numpy"]);
    }
}
