//! Does the probe get through every recorded host and through this machine, whatever it is?

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

use gpudoc::facts::redact::{Identity, redact};
use gpudoc::facts::{Facts, Gpu, Reading};
use gpudoc::objects::ld_cache::parse_ld_cache;
use gpudoc::probe::{PythonFacts, Request, probe};

fn recorded() -> Vec<(String, Facts)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hosts");
    let mut names: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let facts = |name: &String| probe(&Request::folder(folder.join(name)), |_| PythonFacts::default());
    names.iter().map(|name| (name.clone(), facts(name))).collect()
}

#[test]
fn every_recorded_host_tells_its_gpu_driver_and_libcuda() {
    let rows: Vec<String> = recorded()
        .iter()
        .map(|(name, facts)| {
            let gpus = facts.gpus.value().map_or(&[][..], Vec::as_slice);
            let gpu = gpus.iter().map(Gpu::label).collect::<Vec<_>>().join(", ");
            let driver = facts.driver.version.value().map_or("-".to_owned(), ToString::to_string);
            let library = facts.loader.libcuda.value();
            let cuda = library.and_then(|found| found.version.value()).map_or("-".to_owned(), ToString::to_string);
            let compat = if library.is_some_and(|found| found.compat) { " compat" } else { "" };
            format!("{name}: {} | {driver} | {cuda}{compat}", gpu.replace(['(', ')'], ""))
        })
        .collect();
    assert_eq!(
        rows,
        [
            "a100-direct3d: GPU 0 NVIDIA A100-SXM4-80GB | 570.133.20 | 570.133.20",
            "broken-metadata: GPU 0 NVIDIA A10 | 570.133.20 | 570.133.20",
            "cpu-torch-on-gpu: GPU 0 NVIDIA A10 | 570.133.20 | 570.133.20",
            "empty-venv: GPU 0 NVIDIA A10 | 570.133.20 | 570.133.20",
            "h100-570-cu130: GPU 0 NVIDIA H100 80GB HBM3 | 570.133.20 | 570.133.20",
            "h100-570-cu130-compat: GPU 0 NVIDIA H100 80GB HBM3 | 570.133.20 | 580.65.06 compat",
            "h100-580-cu130-compat: GPU 0 NVIDIA H100 80GB HBM3 | 580.159.04 | 580.65.06 compat",
            "no-gpu:  | - | -",
            "rtx4090-570-cu130: GPU 0 NVIDIA GeForce RTX 4090 | 570.133.20 | 570.133.20",
            "rtx4090-570-cu130-compat: GPU 0 NVIDIA GeForce RTX 4090 | 570.133.20 | 580.65.06 compat",
            "rtx5090-cu126: GPU 0 NVIDIA GeForce RTX 5090 | 570.133.20 | 570.133.20",
            "rtx5090-cu128: GPU 0 NVIDIA GeForce RTX 5090 | 570.133.20 | 570.133.20",
            "two-torches: GPU 0 NVIDIA A10 | 570.133.20 | 570.133.20",
        ]
    );
}

#[test]
fn a_snapshot_of_a_recorded_host_reads_back_and_has_nothing_to_redact() {
    for (name, facts) in recorded() {
        let text = serde_json::to_string(&facts).unwrap();
        assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts, "{name}");
        let identity = Identity { hosts: vec!["build07".to_owned()], users: vec!["ada".to_owned()] };
        assert_eq!(redact(&facts, &identity), facts, "{name}");
    }
}

#[test]
fn a_mounted_image_has_unknown_gpus() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["etc", "proc", "sys"] {
        fs::create_dir(folder.path().join(path)).unwrap();
    }
    let facts = probe(&Request::folder(folder.path()), |_| PythonFacts::default());
    assert_eq!(facts.gpus, Reading::Unknown);
    assert_eq!(facts.driver.version, Reading::Unknown);
}

#[test]
fn a_part_that_panics_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let facts = probe(&Request::folder(folder.path()), |_| panic!("on purpose"));
    assert!(matches!(facts.python, Reading::Unreadable { .. }));
    assert!(facts.loader.libcuda.is_absent());
}

#[test]
fn this_machine_is_probed_without_harm() {
    let facts = probe(&Request::host(), |_| PythonFacts::default());
    assert_eq!(facts.system.os.value().unwrap(), std::env::consts::OS);
    assert_ne!(facts.driver.nvml, Reading::Unknown);
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        assert!(facts.system.glibc.value().is_some(), "{:?}", facts.system.glibc);
        assert!(facts.system.kernel.value().is_some());
    }
}

#[test]
fn this_machines_cache_reads_as_ldconfig_prints_it() {
    let Ok(bytes) = fs::read("/etc/ld.so.cache") else { return };
    let Ok(printed) = Command::new("/sbin/ldconfig").arg("-p").output() else { return };
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    let expected: Vec<(&str, &str)> = printed
        .lines()
        .filter_map(|line| line.trim().split_once(" => "))
        .map(|(left, path)| (left.split(' ').next().unwrap(), path))
        .collect();
    let entries = parse_ld_cache(&bytes).unwrap();
    let read: Vec<(&str, &str)> = entries.iter().map(|entry| (entry.soname.as_str(), entry.path.as_str())).collect();
    assert_eq!(read, expected);
}
