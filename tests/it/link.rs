//! In which order a library's needs are met: RPATH, LD_LIBRARY_PATH, RUNPATH, default folders, and what is loaded already.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use gpudoc::facts::Link;
use gpudoc::probe::link::{Known, Linker, Process};
use gpudoc::probe::loader::LibrarySearch;
use gpudoc::probe::root::RootFs;

const NEEDED: &str = "libcublas.so.12";
/// Where `$ORIGIN/../../nvidia/cublas/lib` of both fixtures leads from `/site/torch/lib`.
const OWN: &str = "/site/nvidia/cublas/lib/libcublas.so.12";
const IN_FRONT: &str = "/opt/cuda/lib64/libcublas.so.12";
const DEFAULT: &str = "/usr/lib/x86_64-linux-gnu/libcublas.so.12";

/// What `fixture` gets for its one need, if there are these files, with or without `LD_LIBRARY_PATH`.
fn gets(fixture: &str, there: &[&str], with_variable: bool) -> Link {
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str, from: &str| {
        let place = folder.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/objects").join(from), place).unwrap();
    };
    put(&format!("/site/torch/lib/{fixture}"), fixture);
    there.iter().for_each(|path| put(path, "libplain.so"));
    let root = RootFs::at(folder.path());
    let mut environment = BTreeMap::new();
    if with_variable {
        environment.insert("LD_LIBRARY_PATH".to_owned(), "/opt/cuda/lib64".to_owned());
    }
    let search = LibrarySearch::new(&root, "x86_64", &environment, None);
    let (known, wheels) = (Known::default(), HashMap::from([(NEEDED, "/site/elsewhere/libcublas.so.12")]));
    let follow = |name: &str| name == NEEDED;
    let linker = Linker { root: &root, search: &search, known: &known, follow: &follow, wheels: &wheels };
    let links = Process::default().open(linker, &format!("/site/torch/lib/{fixture}"));
    let [(_, link)] = links.as_slice() else { panic!("{links:?}") };
    link.clone()
}

fn found(link: &Link) -> (Option<&str>, &str) {
    (link.path.as_deref(), link.found_by.as_str())
}

#[test]
fn rpath_comes_before_the_variable_and_runpath_behind_it() {
    let rpath = gets("librpath.so", &[OWN, IN_FRONT, DEFAULT], true);
    assert_eq!((found(&rpath), &rpath.instead_of), ((Some(OWN), "RPATH"), &None));
    let runpath = gets("librunpath.so", &[OWN, IN_FRONT, DEFAULT], true);
    assert_eq!(found(&runpath), (Some(IN_FRONT), "LD_LIBRARY_PATH"));
    assert_eq!(runpath.instead_of.as_deref(), Some(OWN), "the wheel's own copy is passed over, and that is told");
    assert_eq!(found(&gets("librunpath.so", &[OWN, DEFAULT], true)), (Some(OWN), "RUNPATH"));
    assert_eq!(found(&gets("librunpath.so", &[OWN, IN_FRONT], false)), (Some(OWN), "RUNPATH"));
}

#[test]
fn what_no_path_names_comes_from_default_folders_or_a_wheel_or_nowhere() {
    assert_eq!(found(&gets("librpath.so", &[DEFAULT], false)), (Some(DEFAULT), "default folder"));
    let wheel = "/site/elsewhere/libcublas.so.12";
    assert_eq!(found(&gets("librpath.so", &[wheel], false)), (Some(wheel), "an installed wheel"));
    assert_eq!(found(&gets("librpath.so", &[], true)), (None, ""));
}
