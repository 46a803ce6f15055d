//! Which files a library's needs would be met by, without loading anything.
//!
//! The order is that of ld.so(8) and glibc's `elf/dl-load.c`, for each name in `DT_NEEDED`:
//!
//! 1. what is loaded already under that name,
//! 2. `DT_RPATH` of the library, then of those that brought it in, each only if it has no `DT_RUNPATH`; none of them if the
//!    library itself has a `DT_RUNPATH`,
//! 3. `LD_LIBRARY_PATH`,
//! 4. `DT_RUNPATH` of the library itself,
//! 5. `/etc/ld.so.cache` and the default folders,
//! 6. and, though no loader would, an installed wheel that brings it: packages open such files by their path before they
//!    load what needs them, as torch, cupy, jax and onnxruntime do.
//!
//! Only names that matter are followed: the C library and its like are of no interest here.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use super::file_at::{FileAt, open};
use super::loader::LibrarySearch;
use super::python_path::join;
use super::root::RootFs;
use crate::facts::Link;
use crate::objects::elf::lookup::{Dynamic, Object};

/// What has been read of dynamic sections, by path.
#[derive(Debug, Default)]
pub struct Known(Mutex<HashMap<String, Dynamic>>);

impl Known {
    /// Remembers what somebody read.
    pub fn put(&self, path: &str, dynamic: Dynamic) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), dynamic);
    }

    fn get(&self, root: &RootFs, path: &str) -> Dynamic {
        if let Some(dynamic) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path) {
            return dynamic.clone();
        }
        let dynamic = open(root, path).ok().and_then(|file: FileAt| Object::open(&file).ok()?.dynamic().ok());
        let dynamic = dynamic.unwrap_or_default();
        self.put(path, dynamic.clone());
        dynamic
    }
}

/// Where libraries are looked for.
#[derive(Clone, Copy)]
pub struct Linker<'a> {
    /// The file system.
    pub root: &'a RootFs,
    /// The loader's own folders.
    pub search: &'a LibrarySearch<'a>,
    /// Dynamic sections read so far.
    pub known: &'a Known,
    /// Whether a name is worth following, e.g. `libcudnn.so.9`.
    pub follow: &'a (dyn Fn(&str) -> bool + Sync),
    /// Files of installed distributions by their name.
    pub wheels: &'a HashMap<&'a str, &'a str>,
}

/// The libraries of a process: the name that was asked for, and the file.
#[derive(Debug, Clone, Default)]
pub struct Process {
    loaded: BTreeMap<String, String>,
}

struct Step {
    path: String,
    /// The RPATHs of those that brought it in, nearest first, `$ORIGIN` replaced.
    inherited: Vec<String>,
}

impl Process {
    /// The file that a name stands for in this process.
    #[must_use]
    pub fn path(&self, soname: &str) -> Option<&str> {
        self.loaded.get(soname).map(String::as_str)
    }

    /// All files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.loaded.values().map(String::as_str)
    }

    /// Opens a library by its path, with all that it needs; returns a link for every name that was followed, each with the
    /// library that asks for it.
    pub fn open(&mut self, linker: Linker<'_>, path: &str) -> Vec<(String, Link)> {
        let dynamic = linker.known.get(linker.root, path);
        if let Some(soname) = &dynamic.soname {
            if self.loaded.contains_key(soname) {
                return Vec::new();
            }
            self.loaded.insert(soname.clone(), path.to_owned());
        }
        let mut links = Vec::new();
        let mut queue = std::collections::VecDeque::from([Step { path: path.to_owned(), inherited: Vec::new() }]);
        while let Some(step) = queue.pop_front() {
            let dynamic = linker.known.get(linker.root, &step.path);
            let mut own = if dynamic.runpath.is_empty() { folders(&dynamic.rpath, &step.path) } else { Vec::new() };
            own.extend(step.inherited);
            for soname in dynamic.needed.iter().filter(|soname| (linker.follow)(soname)) {
                if self.loaded.contains_key(soname) {
                    let link = Link {
                        soname: soname.clone(),
                        path: self.loaded.get(soname).cloned(),
                        found_by: "loaded before".to_owned(),
                        instead_of: None,
                    };
                    links.push((step.path.clone(), link));
                    continue;
                }
                let link = find(linker, soname, &step.path, &dynamic, &own);
                if let Some(path) = &link.path {
                    self.loaded.insert(soname.clone(), path.clone());
                    let inherited = own.clone();
                    queue.push_back(Step { path: path.clone(), inherited });
                }
                links.push((step.path.clone(), link));
            }
        }
        links
    }

    /// What a library that is loaded would get for a name that it opens while it runs (`dlopen`).
    #[must_use]
    pub fn would_get(&self, linker: Linker<'_>, path: &str, soname: &str) -> Link {
        let dynamic = linker.known.get(linker.root, path);
        let own = if dynamic.runpath.is_empty() { folders(&dynamic.rpath, path) } else { Vec::new() };
        find(linker, soname, path, &dynamic, &own)
    }
}

fn find(linker: Linker<'_>, soname: &str, path: &str, dynamic: &Dynamic, rpath: &[String]) -> Link {
    let here = |folders: &[String]| {
        folders.iter().map(|folder| format!("{folder}/{soname}")).find(|path| linker.root.exists(path))
    };
    let rpath = if dynamic.runpath.is_empty() { here(rpath) } else { None };
    let runpath = || here(&folders(&dynamic.runpath, path));
    let mut link = Link { soname: soname.to_owned(), ..Link::default() };
    if let Some(path) = rpath {
        (link.path, link.found_by) = (Some(path), "RPATH".to_owned());
        return link;
    }
    let found = linker.search.find(soname);
    let (first, rest): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|found| matches!(found.found_by, "LD_PRELOAD" | "LD_LIBRARY_PATH"));
    let runpath = runpath();
    if let Some(first) = first.into_iter().next() {
        let other = runpath.filter(|path| linker.root.real_path(path).as_deref() != Some(first.real_path.as_str()));
        (link.path, link.found_by, link.instead_of) = (Some(first.path), first.found_by.to_owned(), other);
    } else if let Some(path) = runpath {
        (link.path, link.found_by) = (Some(path), "RUNPATH".to_owned());
    } else if let Some(found) = rest.into_iter().next() {
        (link.path, link.found_by) = (Some(found.path), found.found_by.to_owned());
    } else if let Some(path) = linker.wheels.get(soname).filter(|path| linker.root.exists(path)) {
        (link.path, link.found_by) = (Some((*path).to_owned()), "an installed wheel".to_owned());
    }
    link
}

/// The folders of an RPATH or RUNPATH: `$ORIGIN` is the folder of the library that has it.
fn folders(entries: &[String], path: &str) -> Vec<String> {
    let origin = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let replaced = entries.iter().map(|entry| entry.replace("${ORIGIN}", origin).replace("$ORIGIN", origin));
    replaced.filter(|folder| folder.starts_with('/')).map(|folder| join("/", &folder)).collect()
}
