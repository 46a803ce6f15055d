//! The programs beside the files that make an environment.

use std::path::Path;

use super::file;
use crate::lint::kind::FileKind;
use crate::project::requirements::decode;
use crate::session::lint::{File, asks_for_versions, folders_that_make};

/// So many programs are looked at in a folder.
const MOST_PROGRAMS: usize = 200;

/// The programs in the folders of Dockerfiles and scripts that ask for versions, `files` themselves apart: what runs in the environment
/// may stop at another release. What cannot be read is left out.
pub fn programs(files: &[File]) -> Vec<File> {
    let mut found = Vec::new();
    for folder in folders_that_make(files) {
        let mut walk = ignore::WalkBuilder::new(if folder.is_empty() { "." } else { folder });
        walk.max_depth(Some(1)).require_git(false);
        let entries =
            walk.build().filter_map(Result::ok).filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
        let names = entries.filter_map(|entry| entry.file_name().to_str().map(str::to_owned));
        let mut names: Vec<String> = names.filter(|name| FileKind::of(name) == Some(FileKind::Python)).collect();
        names.sort();
        let path = |name: String| if folder.is_empty() { name } else { format!("{folder}/{name}") };
        found.extend(names.into_iter().take(MOST_PROGRAMS).map(path));
    }
    found.retain(|path| files.iter().all(|(known, ..)| known != path));
    let read = |path: String| Some((path.clone(), FileKind::Python, decode(&file::read_bytes(Path::new(&path)).ok()?)));
    found.into_iter().filter_map(read).filter(|(.., text)| asks_for_versions(text)).collect()
}
