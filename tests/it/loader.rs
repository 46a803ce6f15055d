//! Which `libcuda.so.1` would a process get on the recorded hosts?

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use gpudoc::facts::{Facts, KernelModule, Reading};
use gpudoc::probe::loader::{self, LibrarySearch};
use gpudoc::probe::root::RootFs;
use gpudoc::probe::{PythonFacts, Request, probe};

fn host(name: &str) -> Facts {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hosts").join(name);
    assert!(folder.is_dir(), "{}", folder.display());
    let is_recorded = |name: &str| gpudoc::rules::embedded().variable(name).is_some();
    probe(&Request { is_recorded, ..Request::folder(folder) }, |_| PythonFacts::default())
}

#[test]
fn the_compat_folder_in_front_wins() {
    let facts = host("h100-570-cu130-compat");
    let first = facts.loader.libcuda.value().unwrap();
    assert_eq!(first.path, "/usr/local/cuda-13.0/compat/libcuda.so.1");
    assert_eq!(first.found_by, "LD_LIBRARY_PATH");
    assert_eq!(first.version.value().unwrap().to_string(), "580.65.06");
    assert!(first.compat && !first.stub);
    // /usr/local/cuda/compat is the same file; the driver's own comes from the cache.
    let [other] = facts.loader.others.as_slice() else { panic!("{:?}", facts.loader.others) };
    assert_eq!(other.path, "/lib/x86_64-linux-gnu/libcuda.so.1");
    assert_eq!(other.found_by, "ld.so.cache");
    assert_eq!(other.version.value().unwrap().to_string(), "570.133.20");
    assert!(!other.compat);
}

#[test]
fn without_it_the_cache_decides() {
    let facts = host("rtx5090-cu126");
    let first = facts.loader.libcuda.value().unwrap();
    assert_eq!((first.path.as_str(), first.found_by.as_str()), ("/lib/x86_64-linux-gnu/libcuda.so.1", "ld.so.cache"));
    assert_eq!(first.version.value().unwrap().to_string(), "570.133.20");
    assert!(facts.loader.others.is_empty());
}

#[test]
fn the_recorded_hosts_tell_driver_gpu_and_system() {
    let facts = host("rtx5090-cu126");
    assert_eq!(facts.driver.version, Reading::host("570.133.20".parse().unwrap(), "/sys/module/nvidia/version"));
    assert_eq!(facts.driver.module.value(), Some(&KernelModule::Open));
    assert_eq!(facts.driver.nvml, Reading::Unknown);
    let [gpu] = facts.gpus.value().unwrap().as_slice() else { panic!("one GPU") };
    assert_eq!(gpu.name.value().unwrap(), "NVIDIA GeForce RTX 5090");
    assert_eq!(gpu.pci_device.value(), Some(&0x2b85));
    assert_eq!(gpu.compute_capability, Reading::Unknown);
    assert_eq!(facts.system.distro.value().unwrap(), "Ubuntu 22.04.5 LTS");
    assert_eq!(facts.system.glibc.value().unwrap().to_string(), "2.35");
    assert_eq!(facts.system.container.value().unwrap(), "docker");
    assert_eq!(facts.system.shm_bytes.value(), Some(&67_108_864));
    assert_eq!(facts.system.environment["VIRTUAL_ENV"], "/workspace/venv");
    assert!(!facts.system.environment.contains_key("PATH"));
}

#[test]
fn a_host_without_a_gpu_says_where_it_was_looked_for() {
    let facts = host("no-gpu");
    assert_eq!(facts.gpus, Reading::absent("/proc/driver/nvidia/gpus, /sys/bus/pci/devices"));
    assert!(facts.driver.version.is_absent() && facts.loader.libcuda.is_absent() && facts.system.container.is_absent());
}

/// A machine with libraries at these paths, each an x86-64 one.
fn machine(libraries: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in libraries {
        put(folder.path(), path, b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0");
    }
    folder
}

fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path.trim_start_matches('/'));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A cache of the new layout with these libraries, in this order.
fn cache(libraries: &[(&str, &str)]) -> Vec<u8> {
    let (mut entries, mut texts) = (Vec::new(), Vec::new());
    let start = 48 + 24 * libraries.len();
    for (soname, path) in libraries {
        entries.extend(0x0303_u32.to_le_bytes());
        for text in [soname, path] {
            entries.extend(u32::try_from(start + texts.len()).unwrap().to_le_bytes());
            texts.extend(text.as_bytes());
            texts.push(0);
        }
        entries.extend([0; 12]);
    }
    let mut bytes = b"glibc-ld.so.cache1.1".to_vec();
    bytes.extend(u32::try_from(libraries.len()).unwrap().to_le_bytes());
    bytes.extend(u32::try_from(texts.len()).unwrap().to_le_bytes());
    bytes.extend([2, 0, 0, 0]);
    bytes.extend([0; 16]);
    [bytes, entries, texts].concat()
}

fn found(folder: &Path, variables: &[(&str, &str)], current_dir: Option<&str>) -> Vec<(String, &'static str)> {
    let root = RootFs::at(folder);
    let environment: BTreeMap<_, _> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let search = LibrarySearch::new(&root, "x86_64", &environment, current_dir);
    search.find("libx.so.1").into_iter().map(|library| (library.path, library.found_by)).collect()
}

#[test]
fn the_order_is_the_loaders() {
    let folder = machine(&[
        "/a/libx.so.1",
        "/b/libx.so.1",
        "/c/libx.so.1",
        "/usr/lib/libx.so.1",
        "/work/libx.so.1",
        "/p/libx.so.1",
    ]);
    put(folder.path(), "/etc/ld.so.cache", &cache(&[("libx.so.1", "/c/libx.so.1"), ("liby.so.1", "/b/libx.so.1")]));
    let variables = [("LD_LIBRARY_PATH", "/b::/none:/a"), ("LD_PRELOAD", "/p/libx.so.1")];
    assert_eq!(
        found(folder.path(), &variables, Some("/work")),
        [
            ("/p/libx.so.1".to_owned(), "LD_PRELOAD"),
            ("/b/libx.so.1".to_owned(), "LD_LIBRARY_PATH"),
            ("/work/libx.so.1".to_owned(), "LD_LIBRARY_PATH"),
            ("/a/libx.so.1".to_owned(), "LD_LIBRARY_PATH"),
            ("/c/libx.so.1".to_owned(), "ld.so.cache"),
            ("/usr/lib/libx.so.1".to_owned(), "default folder"),
        ]
    );
}

#[test]
fn a_stale_cache_entry_sends_the_loader_to_the_default_folders() {
    let folder = machine(&["/second/libx.so.1", "/usr/lib/libx.so.1"]);
    put(
        folder.path(),
        "/etc/ld.so.cache",
        &cache(&[("libx.so.1", "/gone/libx.so.1"), ("libx.so.1", "/second/libx.so.1")]),
    );
    assert_eq!(found(folder.path(), &[], None)[0], ("/usr/lib/libx.so.1".to_owned(), "default folder"));
}

#[test]
fn libraries_of_another_machine_type_and_folders_are_passed_over() {
    let folder = machine(&["/good/libx.so.1"]);
    // 32-bit x86: class 1, machine 3.
    put(folder.path(), "/narrow/libx.so.1", b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x03\0");
    fs::create_dir_all(folder.path().join("folder/libx.so.1")).unwrap();
    let variables = [("LD_LIBRARY_PATH", "/narrow:/folder:/good")];
    assert_eq!(found(folder.path(), &variables, None), [("/good/libx.so.1".to_owned(), "LD_LIBRARY_PATH")]);
}

/// A copy of the stub under the loader's name, in a folder that does not say so; and libraries that are none.
#[test]
fn a_stub_is_known_by_what_its_cuinit_returns() {
    let folder = machine(&["/opt/driver/libcuda.so.580.65.06"]);
    symlink("libcuda.so.580.65.06", folder.path().join("opt/driver/libcuda.so.1")).unwrap();
    let object =
        |name: &str| fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/objects").join(name)).unwrap();
    let mut other = object("libcuda_stub.so");
    let number = other.windows(6).position(|code| code == b"\xb8\x22\0\0\0\xc3").unwrap();
    put(folder.path(), "/copy/libcuda.so.1", &other);
    other[number + 1] = 35;
    put(folder.path(), "/other/libcuda.so.1", &other);
    // The shim of WSL has no version in its name either.
    put(folder.path(), "/usr/lib/wsl/lib/libcuda.so.1", &object("libgnu_hash.so"));
    put(folder.path(), "/usr/local/nvidia/lib/libcuda.so.1", b"\x7fELF\x02\x01\x01\0 cut off");
    let root = RootFs::at(folder.path());
    let environment = BTreeMap::from([("LD_LIBRARY_PATH".to_owned(), "/copy:/other:/opt/driver".to_owned())]);
    let loader = loader::probe(&LibrarySearch::new(&root, "x86_64", &environment, None), None);
    let first = loader.libcuda.value().unwrap();
    assert!(first.path == "/copy/libcuda.so.1" && first.stub && first.version.is_absent(), "{first:?}");
    let others: Vec<_> = loader.others.iter().map(|library| (library.path.as_str(), library.stub)).collect();
    let expected = [
        ("/opt/driver/libcuda.so.1", false),
        ("/other/libcuda.so.1", false),
        ("/usr/lib/wsl/lib/libcuda.so.1", false),
        ("/usr/local/nvidia/lib/libcuda.so.1", false),
    ];
    assert_eq!(others, expected);
}

#[test]
fn compat_and_stub_are_told_apart() {
    let folder = machine(&[
        "/opt/forward/libcuda.so.580.65.06",
        "/opt/forward/libnvidia-ptxjitcompiler.so.580.65.06",
        "/opt/driver/libcuda.so.570.133.20",
        "/opt/driver/libnvidia-ptxjitcompiler.so.570.133.20",
        "/opt/driver/libnvidia-ml.so.1",
        "/usr/local/cuda-12.8/lib64/stubs/libcuda.so",
        "/usr/local/cuda-12.8/compat-orin/libcuda.so.1",
    ]);
    symlink("libcuda.so.580.65.06", folder.path().join("opt/forward/libcuda.so.1")).unwrap();
    symlink("libcuda.so.570.133.20", folder.path().join("opt/driver/libcuda.so.1")).unwrap();
    let root = RootFs::at(folder.path());
    let environment = BTreeMap::from([("LD_LIBRARY_PATH".to_owned(), "/opt/driver:/opt/forward".to_owned())]);
    let search = LibrarySearch::new(&root, "x86_64", &environment, None);
    let marks = |kernel: &str| {
        let loader = loader::probe(&search, Some(&kernel.parse().unwrap()));
        let first = loader.libcuda.value().cloned().unwrap();
        let all = std::iter::once(first).chain(loader.others);
        all.map(|library| (library.path, library.compat, library.stub)).collect::<Vec<_>>()
    };
    let expected = [
        ("/opt/driver/libcuda.so.1".to_owned(), false, false),
        ("/opt/forward/libcuda.so.1".to_owned(), true, false),
        ("/usr/local/cuda-12.8/compat-orin/libcuda.so.1".to_owned(), true, false),
        ("/usr/local/cuda-12.8/lib64/stubs/libcuda.so".to_owned(), false, true),
    ];
    assert_eq!(marks("570.133.20"), expected);
    // A half-finished upgrade is no compat library: NVML lies beside.
    assert!(!marks("560.35.03")[0].1);
}
