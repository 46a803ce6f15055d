//! Are the Python modules of a distribution there, and as long as RECORD says?
//!
//! One `stat` for each, which thousands of them survive; their hashes are `--deep`'s. What people take out to save space
//! (tests, examples) is passed over, and what was replaced by its compiled form.

use std::collections::HashSet;
use std::io::ErrorKind;

use super::root::RootFs;
use crate::facts::{Changed, ChangedFile, Distribution};
use crate::python::record::parse_record;

/// More than these are not listed: that the distribution is damaged is clear by then.
const MOST: usize = 100;
/// Folders that no program needs.
const ASIDE: [&str; 5] = ["tests", "test", "benchmarks", "examples", "docs"];

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
        let Some(folders) = path.strip_suffix(".py").filter(|_| !path.starts_with("../")) else { continue };
        let top = path.split('/').next().unwrap_or_default();
        if gone.contains(top) || folders.split('/').any(|part| ASIDE.contains(&part)) {
            continue;
        }
        let place = format!("{}/{path}", distribution.location);
        let (path, how) = match root.size(&place) {
            Ok(found) => match file.size.filter(|recorded| *recorded != found) {
                Some(recorded) if found < recorded && found > 0 && breaks_off(root, &place, found) => {
                    (path, Changed::Cut { recorded, found })
                }
                Some(recorded) => (path, Changed::Size { recorded, found }),
                None => continue,
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

/// Whether a file ends in the middle of a line, as one that was cut off does.
fn breaks_off(root: &RootFs, place: &str, size: u64) -> bool {
    root.read(place, size.saturating_add(1)).is_ok_and(|bytes| bytes.last() != Some(&b'\n'))
}

/// Names the other distribution that lists a changed module, where there is one. What several share by design, the
/// `__init__.py` of a namespace, is nobody's fault.
pub fn name_other_owners(root: &RootFs, distributions: &mut [Distribution], limit: u64) {
    let is_module = |file: &ChangedFile| file.path.ends_with(".py");
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
        let record = "a/__init__.py,sha256=x,12\na/cut.py,sha256=x,40\na/edited.py,sha256=x,40\na/same.py,sha256=x,5\n\
                      a/compiled.py,sha256=x,5\na/gone.py,sha256=x,5\na/tests/gone.py,sha256=x,5\nb/one.py,,\nb/two.py,,\n\
                      ../../bin/x.py,,\na/data.json,sha256=x,5\n";
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
        ];
        assert_eq!(told, expected);
        let editable = Distribution { editable: true, ..distribution };
        assert_eq!(changed(&root, &editable, record), Vec::new());
    }
}
