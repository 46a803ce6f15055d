//! Are the Python modules of a distribution there, and as long as RECORD says, and the data that they read?
//!
//! One `stat` for each, which thousands of them survive; their hashes are `--deep`'s. What people take out to save space
//! (tests, examples) is passed over, and what was replaced by its compiled form. Of the module that is imported first the
//! beginning is read, too: a file that never reached the disk has its size and holds zeros.

use std::collections::HashSet;
use std::io::ErrorKind;

use super::root::RootFs;
use crate::facts::{Changed, ChangedFile, Distribution};
use crate::python::record::parse_record;

/// More than these are not listed: that the distribution is damaged is clear by then.
const MOST: usize = 100;
/// Folders that no program needs.
const ASIDE: [&str; 5] = ["tests", "test", "benchmarks", "examples", "docs"];
/// Data that programs read while they run: certificates, tables, settings. Headers, stubs and licences are often taken out.
const READ: [&str; 6] = ["pem", "json", "yaml", "yml", "toml", "jinja"];
/// So much of a file tells whether it holds anything.
const BEGINNING: u64 = 64;

/// The modules of a distribution that are not as its RECORD says; of a folder that is gone the folder alone.
pub fn changed(root: &RootFs, distribution: &Distribution, record: &str) -> Vec<ChangedFile> {
    let mut changed: Vec<ChangedFile> = Vec::new();
    let mut gone: HashSet<String> = HashSet::new();
    // conda rewrites files after RECORD was made, and the modules of a development installation lie elsewhere.
    let rewritten = distribution.installer.value().is_some_and(|installer| installer == "conda");
    if rewritten || distribution.editable {
        return changed;
    }
    for file in parse_record(record) {
        let path = file.path.as_ref();
        let Some((stem, extension)) = path.rsplit_once('.').filter(|_| !path.starts_with("../")) else { continue };
        let is_module = extension == "py";
        let top = path.split('/').next().unwrap_or_default();
        let is_wanted = is_module || (READ.contains(&extension) && !top.ends_with(".dist-info"));
        if !is_wanted || gone.contains(top) || stem.split('/').any(|part| ASIDE.contains(&part)) {
            continue;
        }
        let place = format!("{}/{path}", distribution.location);
        let (path, how) = match root.size(&place) {
            Ok(found) => match file.size.filter(|recorded| *recorded != found) {
                Some(recorded) if is_module && found < recorded && found > 0 && breaks_off(root, &place, found) => {
                    (path, Changed::Cut { recorded, found })
                }
                // What a program keeps in its data is its own affair.
                Some(recorded) if is_module => (path, Changed::Size { recorded, found }),
                None if is_module && found > 0 && is_first(path) && is_zeros(root, &place) => (path, Changed::Zeros),
                _ => continue,
            },
            Err(error) if error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::NotADirectory => {
                if root.exists(&format!("{place}c")) {
                    continue;
                }
                let whole = path.contains('/') && !root.exists(&format!("{}/{top}", distribution.location));
                if whole {
                    gone.insert(top.to_owned());
                }
                (if whole { top } else { path }, Changed::Missing)
            }
            // What may not be read is not accused.
            Err(_) => continue,
        };
        changed.push(ChangedFile { path: path.to_owned(), how, also_of: None });
        if changed.len() == MOST {
            break;
        }
    }
    changed
}

/// Whether a module is what `import` reads first: a package's own, or one that is a file by itself.
fn is_first(path: &str) -> bool {
    !path.contains('/') || path.strip_suffix("/__init__.py").is_some_and(|folder| !folder.contains('/'))
}

/// Whether the beginning of a file is nothing but zeros.
fn is_zeros(root: &RootFs, place: &str) -> bool {
    root.read(place, BEGINNING).is_ok_and(|bytes| !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0))
}

/// The modules that a RECORD lists at the top: `pynvml` of `pynvml.py`, and those that are folders, of `pynvml/__init__.py`.
#[derive(Debug, Default)]
pub struct Tops {
    files: Vec<String>,
    folders: Vec<String>,
}

impl Tops {
    /// Reads them from a RECORD.
    pub fn of(record: &str) -> Self {
        let mut tops = Self::default();
        for file in parse_record(record) {
            let Some(stem) = file.path.strip_suffix(".py").filter(|_| is_first(&file.path)) else { continue };
            match stem.strip_suffix("/__init__") {
                Some(folder) => tops.folders.push(folder.to_owned()),
                None => tops.files.push(stem.to_owned()),
            }
        }
        tops
    }
}

/// Marks the modules that another distribution in the same folder hides by a package of their name: Python takes a folder
/// before a file.
pub fn mark_hidden(root: &RootFs, distributions: &mut [Distribution], tops: &[(usize, Tops)]) {
    let mut hidden: Vec<(usize, ChangedFile)> = Vec::new();
    for (owner, own) in tops.iter().filter(|(_, own)| !own.files.is_empty()) {
        let Some(distribution) = distributions.get(*owner) else { continue };
        let beside = tops.iter().filter_map(|(other, tops)| Some((distributions.get(*other)?, tops)));
        let others: Vec<_> = beside
            .filter(|(other, _)| other.name != distribution.name && other.location == distribution.location)
            .collect();
        for module in &own.files {
            let by = others.iter().find(|(_, tops)| tops.folders.contains(module));
            let is_there = || root.is_file(&format!("{}/{module}/__init__.py", distribution.location));
            let Some((other, _)) = by.filter(|_| is_there()) else { continue };
            let file = format!("{module}.py");
            hidden.push((*owner, ChangedFile { path: file, how: Changed::Hidden, also_of: Some(other.name.clone()) }));
        }
    }
    for (owner, file) in hidden {
        if let Some(distribution) = distributions.get_mut(owner) {
            distribution.changed.retain(|other| other.path != file.path);
            distribution.changed.push(file);
        }
    }
}

/// Whether a file ends in the middle of a line, as one that was cut off does.
fn breaks_off(root: &RootFs, place: &str, size: u64) -> bool {
    root.read(place, size.saturating_add(1)).is_ok_and(|bytes| bytes.last() != Some(&b'\n'))
}

/// Names the other distribution that lists a changed module, where there is one. What several share by design, the
/// `__init__.py` of a namespace, is nobody's fault.
pub fn name_other_owners(root: &RootFs, distributions: &mut [Distribution], limit: u64) {
    let is_module = |file: &ChangedFile| file.path.ends_with(".py") && file.how != Changed::Hidden;
    if !distributions.iter().any(|it| it.changed.iter().any(is_module)) {
        return;
    }
    let records: Vec<(String, String, String)> = distributions
        .iter()
        .filter_map(|it| {
            let bytes = root.read(&format!("{}/{}/RECORD", it.location, it.metadata_dir), limit).ok()?;
            Some((it.name.clone(), it.location.clone(), String::from_utf8_lossy(&bytes).into_owned()))
        })
        .collect();
    for distribution in distributions.iter_mut() {
        for file in distribution.changed.iter_mut().filter(|file| is_module(file)) {
            let line = format!("{},", file.path);
            let lists = |text: &str| text.lines().any(|it| it.starts_with(&line));
            let other = records.iter().find(|(name, location, text)| {
                *name != distribution.name && *location == distribution.location && lists(text)
            });
            file.also_of = other.map(|(name, ..)| name.clone());
        }
        distribution.changed.retain(|file| file.also_of.is_none() || !file.path.ends_with("__init__.py"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn modules_that_are_lost_are_told_and_what_is_often_taken_out_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |file: &str, text: &str| {
            let path = folder.path().join("s").join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        write("a/__init__.py", "");
        write("a/cut.py", "import os\nx = 'ab");
        write("a/edited.py", "import os\n");
        write("a/same.py", "12345");
        write("a/compiled.pyc", "");
        write("zeros.py", "\0\0\0\0\0");
        let record = "a/__init__.py,sha256=x,12\na/cut.py,sha256=x,40\na/edited.py,sha256=x,40\na/same.py,sha256=x,5\n\
                      a/compiled.py,sha256=x,5\na/gone.py,sha256=x,5\na/tests/gone.py,sha256=x,5\nb/one.py,,\nb/two.py,,\n\
                      ../../bin/x.py,,\na/ca.pem,sha256=x,5\na/a.h,sha256=x,5\nzeros.py,sha256=x,5\n";
        let distribution = Distribution { location: "/s".to_owned(), ..Distribution::default() };
        let root = RootFs::at(folder.path());
        let found = changed(&root, &distribution, record);
        let told: Vec<(&str, &Changed)> = found.iter().map(|file| (file.path.as_str(), &file.how)).collect();
        let expected = [
            ("a/__init__.py", &Changed::Size { recorded: 12, found: 0 }),
            ("a/cut.py", &Changed::Cut { recorded: 40, found: 17 }),
            ("a/edited.py", &Changed::Size { recorded: 40, found: 10 }),
            ("a/gone.py", &Changed::Missing),
            ("b", &Changed::Missing),
            ("a/ca.pem", &Changed::Missing),
            ("zeros.py", &Changed::Zeros),
        ];
        assert_eq!(told, expected);
        let editable = Distribution { editable: true, ..distribution };
        assert_eq!(changed(&root, &editable, record), Vec::new());
    }

    /// nvidia-ml-py is the file `pynvml.py`, and the old pynvml a folder of that name beside it.
    #[test]
    fn a_module_behind_a_folder_of_its_name_is_hidden() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("s/pynvml")).expect("a folder");
        fs::write(folder.path().join("s/pynvml/__init__.py"), "").expect("a file");
        let of =
            |name: &str| Distribution { name: name.to_owned(), location: "/s".to_owned(), ..Distribution::default() };
        let mut all = [of("nvidia-ml-py"), of("pynvml"), of("six")];
        let tops = ["pynvml.py,,\nexample.py,,\n", "pynvml/__init__.py,,\npynvml/nvml.py,,\n", "six.py,,\n"];
        let tops: Vec<(usize, Tops)> = tops.iter().map(|record| Tops::of(record)).enumerate().collect();
        mark_hidden(&RootFs::at(folder.path()), &mut all, &tops);
        let hidden =
            ChangedFile { path: "pynvml.py".to_owned(), how: Changed::Hidden, also_of: Some("pynvml".to_owned()) };
        assert_eq!(all.map(|it| it.changed), [vec![hidden], vec![], vec![]]);
    }
}
