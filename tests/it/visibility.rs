//! What CUDA would see of the GPUs, and whether CUDA itself agrees.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use gpudoc::check;
use gpudoc::facts::redact::{Identity, redact};
use gpudoc::facts::{CudaAnswer, DeviceNode, Facts, Gpu, LibCuda, NamedDevice, Nvml, Origin, Reading};
use gpudoc::finding::{Finding, Severity};
use gpudoc::rules;
use serde_json::Value;

/// A machine with so many H100, driver 580.65.06 and its libcuda.
fn machine(gpus: u32) -> Facts {
    let mut facts = Facts::unknown(Origin::Host);
    let gpu = |index| Gpu { index, name: Reading::host("NVIDIA H100 80GB HBM3".to_owned(), "NVML"), ..Gpu::default() };
    facts.gpus = Reading::host((0..gpus).map(gpu).collect(), "NVML");
    facts.driver.version = Reading::host("580.65.06".parse().unwrap(), "NVML");
    facts.driver.nvml = Reading::host(Nvml::default(), "NVML");
    facts.loader.libcuda = Reading::host(libcuda("/usr/lib/x86_64-linux-gnu", "580.65.06", false), "ld.so.cache");
    facts
}

fn libcuda(folder: &str, version: &str, compat: bool) -> LibCuda {
    LibCuda {
        path: format!("{folder}/libcuda.so.1"),
        found_by: "ld.so.cache".to_owned(),
        version: Reading::host(version.parse().unwrap(), folder),
        compat,
        stub: false,
    }
}

fn with_devices(gpus: u32, value: &str) -> Facts {
    let mut facts = machine(gpus);
    facts.system.environment.insert("CUDA_VISIBLE_DEVICES".to_owned(), value.to_owned());
    facts
}

fn findings(facts: &Facts) -> Vec<Finding> {
    let findings = check::findings(&check::run(facts, rules::embedded(), &rules::Workload::default()));
    findings.into_iter().filter(|finding| finding.id.to_string().starts_with("gpu-visibility/")).collect()
}

fn titles(facts: &Facts) -> String {
    let line = |finding: Finding| format!("{:?} {}: {}", finding.severity, finding.id, finding.title);
    findings(facts).into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_list_hides_what_follows_its_first_wrong_entry() {
    let facts = with_devices(2, "0,7,1");
    insta::assert_snapshot!(titles(&facts), @"Warn gpu-visibility/cuda-visible-devices: `CUDA_VISIBLE_DEVICES=0,7,1` hides what follows `7`, which names no GPU");
    assert!(findings(&facts)[0].message.ends_with("so 1 is visible."));
    assert_eq!(titles(&with_devices(2, "1,0")), "");
    assert!(titles(&with_devices(2, "-1")).starts_with("Fail "));
    assert!(titles(&with_devices(2, "")).contains("is empty"));
    assert!(titles(&with_devices(2, "0,0")).contains("names `0` twice"));
}

#[test]
fn a_stub_in_front_keeps_cuda_from_starting() {
    let mut facts = machine(1);
    let own = facts.loader.libcuda.value().cloned().unwrap();
    let mut stub = libcuda("/opt/build", "580.65.06", false);
    stub.found_by = "LD_LIBRARY_PATH".to_owned();
    (stub.stub, stub.version) = (true, Reading::absent("/opt/build/libcuda.so.1"));
    facts.system.environment.insert("LD_LIBRARY_PATH".to_owned(), "/opt/build:/opt/lib".to_owned());
    facts.loader.libcuda = Reading::host(stub, "LD_LIBRARY_PATH");
    facts.loader.others = vec![own];
    let stubs = |facts: &Facts| {
        let all = check::findings(&check::run(facts, rules::embedded(), &rules::Workload::default())).into_iter();
        all.filter(|finding| finding.id.to_string() == "cuda-libs/libcuda").collect::<Vec<_>>()
    };
    let [finding] = stubs(&facts).try_into().unwrap();
    assert_eq!(finding.severity, Severity::Fail);
    insta::assert_snapshot!(finding.title, @"the toolkit's stub, `/opt/build/libcuda.so.1`, is in front of the driver's libcuda");
    let [remedy] = finding.remedies.try_into().unwrap();
    assert_eq!(gpudoc::step::print(&remedy.steps, gpudoc::step::Shell::Sh), ["export LD_LIBRARY_PATH=/opt/lib"]);
    let mended = gpudoc::impact::apply(&facts, &remedy.change.unwrap(), rules::embedded());
    assert!(stubs(&mended).is_empty());
    // CUDA's own answer is foreseen.
    facts.visibility.cuda = Reading::host(CudaAnswer { error: 34, name: None, devices: None }, "libcuda");
    assert_eq!(titles(&facts), "Info gpu-visibility/cuda-init: CUDA's own answer agrees: it ends with error 34");
    // Where there is no driver it stands in nobody's way.
    facts.driver.version = Reading::absent("/proc/driver/nvidia/version");
    assert!(stubs(&facts).is_empty());
}

#[test]
fn a_uuid_is_judged_on_the_machine_and_forgotten_in_the_snapshot() {
    let uuid = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6";
    let mut facts = with_devices(2, &format!("{uuid},GPU-00000000"));
    let named = |entry, gpus: &[u32]| NamedDevice { entry, gpus: gpus.to_vec() };
    facts.visibility.named = Reading::host(vec![named(0, &[1]), named(1, &[])], "NVML");
    let redacted = redact(&facts, &Identity::default());
    let snapshot = serde_json::to_string(&redacted).unwrap();
    assert!(!snapshot.contains("8932f937"), "{snapshot}");
    let read: Facts = serde_json::from_str(&snapshot).unwrap();
    for facts in [facts, read] {
        let [finding] = findings(&facts).try_into().unwrap();
        assert_eq!(finding.severity, Severity::Warn);
        assert!(finding.message.ends_with("This machine has 2 GPUs, so 1 is visible."), "{}", finding.message);
    }
}

#[test]
fn a_container_without_device_files_was_given_no_gpu() {
    let mut facts = machine(1);
    facts.driver.nvml = Reading::unreadable("Driver Not Loaded (NVML error 9)");
    facts.system.container = Reading::host("docker".to_owned(), "/.dockerenv");
    facts.system.environment.insert("NVIDIA_VISIBLE_DEVICES".to_owned(), "void".to_owned());
    facts.visibility.nodes = Reading::absent("/dev/nvidia*");
    insta::assert_snapshot!(titles(&facts), @"Fail gpu-visibility/device-nodes: driver 580.65.06 is loaded, but this container was given no GPU: there is no /dev/nvidia0");
    assert_eq!(findings(&facts)[0].evidence[1].observed, "`void`");
    assert_eq!(answered(facts.clone(), 100, None), "Info");
    // NVML reached the GPU: then the files are somewhere.
    facts.driver.nvml = Reading::host(Nvml::default(), "NVML");
    assert_eq!(titles(&facts), "");
}

#[test]
fn a_file_that_this_user_may_not_open_is_named() {
    let mut facts = machine(1);
    let node = |path: &str, usable| DeviceNode { path: path.to_owned(), usable, outside_cgroup: false };
    let nodes = vec![node("/dev/nvidia-uvm", true), node("/dev/nvidia0", false), node("/dev/nvidiactl", true)];
    facts.visibility.nodes = Reading::host(nodes, "/dev");
    assert_eq!(titles(&facts), "Fail gpu-visibility/device-nodes: this user may not read and write /dev/nvidia0");
}

#[test]
fn a_device_outside_the_containers_cgroup_is_named() {
    let mut facts = machine(1);
    let lost = DeviceNode { path: "/dev/nvidia0".to_owned(), usable: false, outside_cgroup: true };
    let held = DeviceNode { path: "/dev/nvidiactl".to_owned(), usable: true, outside_cgroup: false };
    facts.visibility.nodes = Reading::host(vec![lost, held], "/dev");
    assert_eq!(titles(&facts), "Fail gpu-visibility/device-nodes: this container may no longer use /dev/nvidia0");
    assert!(findings(&facts)[0].remedies[0].summary.starts_with("Start the container anew"));
}

fn answered(mut facts: Facts, error: u32, devices: Option<u32>) -> String {
    facts.visibility.cuda = Reading::host(CudaAnswer { error, name: None, devices }, "cuInit");
    let found = findings(&facts);
    let answer = found.iter().find(|finding| finding.id.to_string() == "gpu-visibility/cuda-init").unwrap();
    format!("{:?}", answer.severity)
}

#[test]
fn cudas_own_answer_stands_beside_what_was_foreseen() {
    assert_eq!(answered(machine(2), 0, Some(2)), "Info");
    assert_eq!(answered(machine(2), 0, Some(1)), "Warn");
    assert_eq!(answered(machine(2), 802, None), "Fail");
    assert_eq!(answered(with_devices(2, "1"), 0, Some(1)), "Info");
    assert_eq!(answered(with_devices(2, "7"), 100, None), "Info");
    assert_eq!(answered(with_devices(2, "0,0"), 101, None), "Info");
    let mut compat = machine(1);
    compat.loader.libcuda = Reading::host(libcuda("/usr/local/cuda-12.8/compat", "570.86.10", true), "LD_LIBRARY_PATH");
    assert_eq!(answered(compat.clone(), 803, None), "Info");
    assert_eq!(answered(compat, 0, Some(1)), "Warn");
    let mut other = machine(1);
    other.loader.libcuda = Reading::host(libcuda("/opt", "575.57.08", false), "LD_LIBRARY_PATH");
    assert_eq!(answered(other, 803, None), "Info");
}

/// Compiles stand-ins for libcuda once: one that ends with 803, one that crashes.
fn libraries() -> &'static [PathBuf; 2] {
    static LIBRARIES: OnceLock<(tempfile::TempDir, [PathBuf; 2])> = OnceLock::new();
    let (_, folders) = LIBRARIES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cuda_standin/library.rs");
        let folders = ["mismatch", "crash"].map(|cfg| {
            let place = folder.path().join(cfg);
            std::fs::create_dir(&place).unwrap();
            let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
            let built = Command::new(rustc)
                .args(["--edition=2024", "--crate-type=cdylib", "--crate-name=standin", "-Cpanic=abort", "--cfg", cfg])
                .args(["--cap-lints=allow", "-o"])
                .arg(place.join("libcuda.so.1"))
                .arg(&source)
                .output()
                .unwrap();
            assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
            place
        });
        (folder, folders)
    });
    folders
}

fn asked(library: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_gpudoc"))
        .args(["check", "--cuda-init", "--format", "json"])
        .env("LD_LIBRARY_PATH", library)
        .env("GPUDOC_NVML", "/nowhere/libnvidia-ml.so.1")
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn cuda_is_started_in_a_process_of_its_own() {
    let [mismatch, crash] = libraries();
    let report = asked(mismatch);
    let answer = &report["facts"]["visibility"]["cuda"];
    assert_eq!(answer["value"]["error"], 803, "{answer}");
    assert_eq!(answer["value"]["name"], "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH");
    assert_eq!(answer["value"]["devices"], Value::Null);
    let answer = asked(crash)["facts"]["visibility"]["cuda"].clone();
    assert_eq!(answer["state"], "unreadable");
    assert!(answer["error"].as_str().unwrap().contains("crashed"), "{answer}");
}
