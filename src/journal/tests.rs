//! Environments that are changed in every way, and taken back.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::{About, FOLDER, Journal, JournalError, Sort, Stage, Writes};

const SITE: &str = "lib/python3.11/site-packages";
const LARGE: usize = 300 << 10;

/// All that can be told of a tree from outside: what each path is, its mode, date and content.
fn photograph(folder: &Path) -> BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)> {
    fn walk(at: &Path, from: &Path, seen: &mut BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)>) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(from).unwrap().to_owned();
            if relative == Path::new(FOLDER) {
                continue;
            }
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = if metadata.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else if metadata.is_dir() {
                walk(&path, from, seen);
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            seen.insert(relative, (metadata.mode(), metadata.mtime(), metadata.mtime_nsec(), content));
        }
    }
    let mut seen = BTreeMap::new();
    walk(folder, folder, &mut seen);
    seen
}

fn write(root: &Path, path: &str, content: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A small environment with a library, a script, a link, a read-only file, an empty folder and a project around it.
fn environment() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "pyvenv.cfg", b"home = /usr/bin\n");
    write(root, "data/mine.txt", b"not the installer's");
    write(root, "bin/tool", b"#!python\n");
    fs::set_permissions(root.join("bin/tool"), Permissions::from_mode(0o755)).unwrap();
    write(root, &format!("{SITE}/torch/libtorch.so"), &vec![7; LARGE]);
    write(root, &format!("{SITE}/torch/version.py"), b"__version__ = '2.7.1'\n");
    write(root, &format!("{SITE}/torch-2.7.1.dist-info/RECORD"), b"torch/version.py,,\n../../../nb/a.json,,\n");
    write(root, "nb/a.json", b"{}");
    write(root, &format!("{SITE}/easy-install.pth"), b"/src/a\n");
    write(root, &format!("{SITE}/odd \u{fffd}\n.py"), b"odd");
    fs::set_permissions(root.join(SITE).join("torch/version.py"), Permissions::from_mode(0o444)).unwrap();
    fs::create_dir(root.join(SITE).join("empty")).unwrap();
    symlink("lib", root.join("lib64")).unwrap();
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::new(1_700_000_000, 123_456_789);
    for path in ["bin/tool", SITE, "nb/a.json"] {
        File::open(root.join(path)).unwrap().set_modified(old).unwrap();
    }
    folder
}

fn about() -> About {
    About { summary: "Install it".to_owned(), commands: vec![vec!["pip".to_owned()]], day: "2026-11-30".to_owned() }
}

fn prepared(root: &Path) -> Journal {
    Journal::prepare(root, Sort::Shared, Writes::NewFiles, about(), &|| false).unwrap()
}

/// As pip replaces a file.
fn replace(path: &Path, content: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, content).unwrap();
}

/// Everything that an installer may do.
fn disturb(root: &Path) {
    let site = root.join(SITE);
    replace(&site.join("torch/libtorch.so"), b"other");
    replace(&site.join("torch/version.py"), b"__version__ = '2.8.0'\n");
    fs::rename(site.join("torch-2.7.1.dist-info"), site.join("torch-2.8.0.dist-info")).unwrap();
    write(root, &format!("{SITE}/new/deep/er.py"), b"new");
    File::options().append(true).open(site.join("easy-install.pth")).unwrap().write_all(b"/src/b\n").unwrap();
    fs::set_permissions(root.join("bin/tool"), Permissions::from_mode(0o600)).unwrap();
    fs::remove_dir(site.join("empty")).unwrap();
    fs::write(site.join("empty"), b"a file now").unwrap();
    fs::remove_file(root.join("lib64")).unwrap();
    fs::create_dir(root.join("lib64")).unwrap();
    write(root, "lib64/x", b"x");
    fs::remove_dir_all(root.join("nb")).unwrap();
    write(root, "share/man/man1/new.1", b"new");
}

#[test]
fn an_environment_goes_back_to_the_byte() {
    let folder = environment();
    let root = folder.path();
    let before = photograph(root);
    let mut journal = prepared(root);
    assert_eq!(photograph(root), before, "to keep it changes nothing");
    disturb(root);
    write(root, "data/mine.txt", b"mine, and changed");
    assert_ne!(photograph(root), before);
    journal.reach(Stage::Running(0)).unwrap();
    drop(journal);

    let mut journal = Journal::last(root).unwrap().unwrap();
    assert_eq!((journal.stage(), journal.about()), (Stage::Running(0), &about()));
    let restored = journal.restore().unwrap();
    assert_eq!(restored.lost, Vec::<PathBuf>::new());
    let mut after = photograph(root);
    assert_eq!(
        after.remove(Path::new("data/mine.txt")).unwrap().3,
        b"mine, and changed",
        "what is not the installer's"
    );
    let mut before = before;
    before.remove(Path::new("data/mine.txt"));
    assert_eq!(after, before);

    let journal = Journal::last(root).unwrap().unwrap();
    assert_eq!(journal.stage(), Stage::Restored);
    assert!(!journal.folder().join("files").exists(), "the copies are gone");
}

/// A program that is killed while it puts back leaves some paths done and a draft beside one: the next one goes on.
#[test]
fn going_back_can_be_cut_short_anywhere() {
    let folder = environment();
    let root = folder.path();
    let before = photograph(root);
    drop(prepared(root));
    for round in 0..3 {
        disturb_again(root, round);
        let mut journal = Journal::last(root).unwrap().unwrap();
        let files = journal.folder().join("files");
        // What a killed one leaves: a draft, a file that is back, a folder that is back empty.
        write(root, &format!("{SITE}/torch/version.py.gpudoc-part"), b"half");
        if round < 2 {
            super::restore::restore(root, Sort::Shared, &files, &manifest(&journal)).unwrap();
        } else {
            journal.restore().unwrap();
        }
        assert_eq!(photograph(root), before, "round {round}");
    }
}

fn disturb_again(root: &Path, round: usize) {
    let library = root.join(SITE).join("torch/libtorch.so");
    match round {
        0 => disturb(root),
        1 => replace(&library, &vec![9; LARGE]),
        _ => fs::remove_dir_all(root.join(SITE)).unwrap(),
    }
}

fn manifest(journal: &Journal) -> Vec<super::entry::Entry> {
    postcard::from_bytes(&fs::read(journal.folder().join("manifest")).unwrap()).unwrap()
}

/// Who writes into a linked file writes into its copy: that is told.
#[test]
fn a_large_file_written_in_place_is_told_as_lost() {
    let folder = environment();
    let root = folder.path();
    let library = root.join(SITE).join("torch/libtorch.so");
    let mut journal = prepared(root);
    fs::write(&library, vec![8; LARGE]).unwrap();
    let restored = journal.restore().unwrap();
    assert_eq!(restored.lost, [Path::new(SITE).join("torch/libtorch.so")]);
    assert_eq!(journal.stage(), Stage::Prepared, "not taken for done");

    let folder = environment();
    let before = photograph(folder.path());
    let mut journal = Journal::prepare(folder.path(), Sort::Shared, Writes::InPlace, about(), &|| false).unwrap();
    fs::write(folder.path().join(SITE).join("torch/libtorch.so"), vec![8; LARGE]).unwrap();
    assert_eq!(journal.restore().unwrap().lost, Vec::<PathBuf>::new());
    assert_eq!(photograph(folder.path()), before, "a copy keeps it");
}

#[test]
fn a_moved_environment_takes_its_journal_along() {
    let folder = environment();
    let before = photograph(folder.path());
    drop(prepared(folder.path()));
    disturb(folder.path());
    let home = tempfile::tempdir().unwrap();
    let moved = home.path().join("moved");
    fs::rename(folder.keep(), &moved).unwrap();
    let mut journal = Journal::last(&moved).unwrap().unwrap();
    assert_eq!(journal.restore().unwrap().lost, Vec::<PathBuf>::new());
    assert_eq!(photograph(&moved), before);
}

#[test]
fn a_journal_that_was_not_finished_changed_nothing() {
    let folder = environment();
    let root = folder.path();
    let stopped = Journal::prepare(root, Sort::Shared, Writes::NewFiles, about(), &|| true);
    assert!(matches!(stopped, Err(JournalError::Stopped)));
    assert!(Journal::last(root).unwrap().is_none());
    // Killed while it copied.
    write(root, ".gpudoc/journal.new/files/bin/tool", b"half");
    assert!(Journal::last(root).unwrap().is_none());
    assert!(!root.join(".gpudoc/journal.new").exists());
    // Killed between two renames: the journal before it is still the last one.
    drop(prepared(root));
    fs::rename(root.join(".gpudoc/journal"), root.join(".gpudoc/journal.old")).unwrap();
    assert_eq!(Journal::last(root).unwrap().unwrap().stage(), Stage::Prepared);
    write(root, ".gpudoc/journal/state.json", b"{}");
    assert!(matches!(Journal::last(root), Err(JournalError::Damaged { .. })));
}

#[test]
fn what_was_changed_since_is_named() {
    let folder = environment();
    let root = folder.path();
    let mut journal = prepared(root);
    replace(&root.join(SITE).join("torch/version.py"), b"new");
    journal.finish().unwrap();
    assert_eq!(journal.changed_since().unwrap(), Vec::<String>::new());
    write(root, &format!("{SITE}/numpy/a.py"), b"later");
    write(root, &format!("{SITE}/torch/__pycache__/version.pyc"), b"compiled");
    assert_eq!(journal.changed_since().unwrap(), ["numpy"]);
}

#[test]
fn one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let lock = Lock::take(folder.path()).unwrap().unwrap();
    assert!(Lock::take(folder.path()).unwrap().is_none());
    // A program that has it as its input holds it on.
    let mut child = std::process::Command::new("sleep").arg("60").stdin(lock.stdin().unwrap()).spawn().unwrap();
    drop(lock);
    assert!(Lock::take(folder.path()).unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(Lock::take(folder.path()).unwrap().is_some());
}
