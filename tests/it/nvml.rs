//! Does the probe say what NVML and nvidia-smi said, refusals included?
//!
//! The library is a stand-in that the tests compile (`nvml_standin/library.rs`), so the real nvml-wrapper loads and calls
//! it. It reads its answers by an environment variable; therefore each case probes in a process of its own, which is this
//! test program again.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use gpudoc::facts::{
    ComputeMode, ConfidentialComputing, Driver, Fabric, Gpu, GpuProcess, GpuState, MigInstance, NvLinks, Reading,
    RemappedRows, Slowdown, Virtualization,
};
use gpudoc::probe::root::RootFs;
use gpudoc::probe::{Request, driver_and_gpus, smi};
use gpudoc::version::{ComputeCapability, CudaVersion};

/// Compiles the stand-in once for a run of the tests: `[today's, one of an old driver]`.
fn libraries() -> &'static [PathBuf; 2] {
    static LIBRARIES: OnceLock<(tempfile::TempDir, [PathBuf; 2])> = OnceLock::new();
    let (_, libraries) = LIBRARIES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/nvml_standin/library.rs");
        let libraries = [("new", "today"), ("old", "old_library")].map(|(name, cfg)| {
            let library = folder.path().join(name).join("libnvidia-ml.so.1");
            fs::create_dir(folder.path().join(name)).unwrap();
            let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
            let built = Command::new(rustc)
                .args([
                    "--edition=2024",
                    "--crate-type=cdylib",
                    "--crate-name=standin",
                    "-Cpanic=abort",
                    "--cap-lints=allow",
                ])
                .args(["--cfg", cfg, "-o"])
                .arg(&library)
                .arg(&source)
                .output()
                .unwrap();
            assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
            library
        });
        (folder, libraries)
    });
    libraries
}

/// The other half of [`ask`]: probes and writes what it found. Run alone it does nothing.
#[test]
fn child() {
    let Some(output) = std::env::var_os("GPUDOC_TEST_OUTPUT") else { return };
    let root = std::env::var_os("GPUDOC_TEST_ROOT").unwrap();
    // The library is real, the machine's own driver files are not looked at.
    let request = Request { root: RootFs::at(root), ..Request::host() };
    fs::write(output, serde_json::to_vec(&driver_and_gpus(&request)).unwrap()).unwrap();
}

struct Case {
    folder: tempfile::TempDir,
    old_library: bool,
}

impl Case {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), old_library: false }
    }

    /// Puts a program named nvidia-smi on the case's PATH.
    fn nvidia_smi(self, script: &str) -> Self {
        script_at(&self.folder.path().join("bin/nvidia-smi"), script);
        self
    }

    /// Puts a file into the machine that the probe sees.
    fn file(self, path: &str, text: &str) -> Self {
        let path = self.folder.path().join("root").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Probes with a library that gives these answers.
    fn ask(&self, answers: &str) -> (Driver, Reading<Vec<Gpu>>) {
        self.probe(&libraries()[usize::from(self.old_library)], answers)
    }

    fn probe(&self, library: &Path, answers: &str) -> (Driver, Reading<Vec<Gpu>>) {
        let at = |name: &str| self.folder.path().join(name);
        fs::write(at("answers"), answers).unwrap();
        fs::create_dir_all(at("root")).unwrap();
        let path = format!("{}:{}", at("bin").display(), std::env::var("PATH").unwrap());
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "nvml::child", "--nocapture"])
            .env("GPUDOC_TEST_OUTPUT", at("output"))
            .env("GPUDOC_TEST_ROOT", at("root"))
            .env("GPUDOC_NVML", library)
            .env("GPUDOC_NVML_ANSWERS", at("answers"))
            .env("PATH", path)
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        serde_json::from_slice(&fs::read(at("output")).unwrap()).unwrap()
    }
}

fn script_at(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

const TWO_GPUS: &str = "\
driver = 570.133.20
nvml = 12.570.133.20
cuda = 12080
count = 2
0.name = NVIDIA H100 80GB HBM3
0.capability = 9 0
0.memory = 85520809984
0.mig = 1
0.device = 233010de
0.bus = 00000000:41:00.0
1.name = NVIDIA GeForce RTX 5090
1.capability = 12 0
1.memory = 34190917632
1.device = 2b8510de
1.bus = 00000000:C1:00.0
";

#[test]
fn two_gpus_one_with_mig() {
    let (driver, gpus) = Case::new().ask(TWO_GPUS);
    assert_eq!(driver.version, Reading::host("570.133.20".parse().unwrap(), "NVML"));
    assert_eq!(driver.cuda, Reading::host(CudaVersion::new(12, 8), "NVML"));
    let nvml = driver.nvml.value().unwrap();
    assert!(nvml.library.ends_with("/new/libnvidia-ml.so.1"), "{}", nvml.library);
    assert_eq!(nvml.version, "12.570.133.20");

    let [h100, rtx5090] = gpus.value().unwrap().as_slice() else { panic!("{gpus:?}") };
    assert_eq!(h100.name, Reading::host("NVIDIA H100 80GB HBM3".to_owned(), "NVML"));
    assert_eq!(h100.compute_capability, Reading::host(ComputeCapability::new(9, 0), "NVML"));
    assert_eq!(h100.memory_bytes, Reading::host(85_520_809_984, "NVML"));
    assert_eq!(h100.mig, Reading::host(true, "NVML"));
    assert_eq!(h100.pci_device, Reading::host(0x2330, "NVML"));
    assert_eq!(rtx5090.index, 1);
    // A GeForce has no such mode.
    assert_eq!(rtx5090.mig, Reading::absent("NVML: Not Supported (NVML error 3)"));
}

#[test]
fn how_a_gpu_fares_is_told() {
    let answers = format!(
        "{TWO_GPUS}{}",
        "0.persistence = 0\n0.compute_mode = 3\n0.virtualization = 1\n0.used = 85000000000\n0.slowed = 73\n\
         0.uncorrected = 3\n0.144 = 1\n0.145 = 0\n0.links = 110\n0.fabric = 2 0\n\
         0.processes = 9:1048576 7:81604378624\nprocess 7 = /home/alice/venv/bin/python3 train.py --token x\n\
         0.instances = yes\n100.memory = 10468982784\n101.memory = 20937965568\n\
         1.fabric = 3 5\nconfidential = 1 0\n"
    );
    let (driver, gpus) = Case::new().ask(&answers);
    assert_eq!(driver.confidential.value(), Some(&ConfidentialComputing { enabled: true, ready: false }));
    let gpus = gpus.value().unwrap();
    let wanted = GpuState {
        persistence: Some(false),
        compute_mode: Some(ComputeMode::ExclusiveProcess),
        virtualization: Some(Virtualization::Passthrough),
        uncorrected: Some(3),
        rows: Some(RemappedRows { pending: true, failed: false }),
        // Idle, hardware, and heat as its cause.
        slowed_by: vec![Slowdown::HardwareThermal],
        used_bytes: Some(85_000_000_000),
        processes: vec![
            GpuProcess { name: Some("python3".to_owned()), bytes: Some(81_604_378_624) },
            GpuProcess { name: None, bytes: Some(1_048_576) },
        ],
        nvlinks: Some(NvLinks { active: 2, all: 3 }),
        fabric: Some(Fabric::InProgress),
        instances: [10_468_982_784, 20_937_965_568].map(|size| MigInstance { memory_bytes: Some(size) }).to_vec(),
        ..GpuState::default()
    };
    assert_eq!(gpus[0].state.value(), Some(&wanted));
    assert_eq!(gpus[1].state.value().unwrap().fabric, Some(Fabric::Failed(5)));
    // A GPU that tells none of it is no worse for that.
    let (_, silent) = Case { old_library: true, ..Case::new() }.ask(TWO_GPUS);
    let state = silent.value().unwrap()[0].state.value().unwrap().clone();
    assert_eq!(GpuState { used_bytes: None, ..state }, GpuState::default());
}

#[test]
fn nvmls_refusals_are_facts_with_its_words() {
    for (code, words) in [
        (4, "Insufficient Permissions (NVML error 4)"),
        (9, "Driver Not Loaded (NVML error 9)"),
        (12, "NVML Shared Library Not Found (NVML error 12)"),
        (18, "Driver/library version mismatch (NVML error 18)"),
        (999, "Unknown Error (NVML error 999)"),
        (77, "Unexpected error (NVML error 77)"),
    ] {
        let (driver, gpus) = Case::new().nvidia_smi("exit 9").ask(&format!("error nvmlInit_v2 = {code}"));
        assert_eq!(driver.nvml, Reading::unreadable(words), "{code}");
        assert_eq!(driver.version, Reading::Unknown);
        assert_eq!(gpus.value(), None);
    }
}

#[test]
fn after_a_mismatch_the_kernel_still_names_its_version() {
    let case = Case::new().nvidia_smi("exit 18").file("sys/module/nvidia/version", "580.65.06\n");
    let (driver, gpus) = case.ask("error nvmlInit_v2 = 18");
    assert_eq!(driver.version, Reading::host("580.65.06".parse().unwrap(), "/sys/module/nvidia/version"));
    assert_eq!(gpus, Reading::unreadable("Driver/library version mismatch (NVML error 18)"));
}

#[test]
fn a_lost_gpu_costs_only_itself_and_the_kernel_names_it() {
    let answers = format!("{TWO_GPUS}error 1.nvmlDeviceGetHandleByIndex_v2 = 15\n");
    let (_, gpus) = Case::new().ask(&answers);
    let gpus = gpus.value().unwrap();
    assert_eq!(gpus[0].name.value().unwrap(), "NVIDIA H100 80GB HBM3");
    assert_eq!(gpus[1].name, Reading::unreadable("GPU is lost (NVML error 15)"));
    assert_eq!(gpus[1].compute_capability, Reading::unreadable("GPU is lost (NVML error 15)"));

    let mut case = Case::new();
    for (bus, model) in [("0000:41:00.0", "NVIDIA H100 80GB HBM3"), ("0000:c1:00.0", "NVIDIA GeForce RTX 5090")] {
        let text = format!("Model: \t\t {model}\nBus Location: \t {bus}\n");
        case = case.file(&format!("proc/driver/nvidia/gpus/{bus}/information"), &text);
    }
    let (_, gpus) = case.ask(&answers);
    let lost = &gpus.value().unwrap()[1];
    assert_eq!(lost.name.value().unwrap(), "NVIDIA GeForce RTX 5090");
    assert_eq!(lost.name.source().unwrap().place(), "/proc/driver/nvidia/gpus/0000:c1:00.0/information");
}

#[test]
fn one_function_may_fail_alone() {
    let answers =
        format!("{TWO_GPUS}error 0.nvmlDeviceGetMemoryInfo_v2 = 999\nerror nvmlSystemGetCudaDriverVersion_v2 = 13\n");
    let (driver, gpus) = Case::new().ask(&answers);
    assert_eq!(driver.cuda, Reading::unreadable("Function Not Found (NVML error 13)"));
    assert_eq!(driver.version.value().unwrap().to_string(), "570.133.20");
    let gpu = &gpus.value().unwrap()[0];
    assert_eq!(gpu.memory_bytes, Reading::unreadable("Unknown Error (NVML error 999)"));
    assert_eq!(gpu.compute_capability.value(), Some(&ComputeCapability::new(9, 0)));
}

#[test]
fn an_old_library_lacks_functions() {
    let (driver, gpus) = Case { old_library: true, ..Case::new() }.ask(TWO_GPUS);
    assert_eq!(driver.version.value().unwrap().to_string(), "570.133.20");
    let lacks = |reading: &Reading<bool>| matches!(reading, Reading::Unreadable { error } if error.contains("lacks a function"));
    let gpus = gpus.value().unwrap();
    assert!(lacks(&gpus[0].mig), "{:?}", gpus[0].mig);
    assert!(matches!(&driver.cuda, Reading::Unreadable { error } if error.contains("lacks a function")));
    assert_eq!(gpus[1].name.value().unwrap(), "NVIDIA GeForce RTX 5090");
}

#[test]
fn without_nvml_nvidia_smi_answers() {
    let case =
        Case::new().nvidia_smi("echo '0, NVIDIA A10, 8.6, 23028 MiB, 570.133.20, [N/A], 0x223610DE, 00000000:00:1E.0'");
    let (driver, gpus) = case.probe(Path::new("/nowhere/libnvidia-ml.so.1"), "");
    assert_eq!(driver.nvml, Reading::absent("/nowhere/libnvidia-ml.so.1"));
    assert_eq!(driver.version, Reading::host("570.133.20".parse().unwrap(), "nvidia-smi"));
    let gpu = &gpus.value().unwrap()[0];
    assert_eq!(gpu.name, Reading::host("NVIDIA A10".to_owned(), "nvidia-smi"));
    assert_eq!(gpu.compute_capability, Reading::host(ComputeCapability::new(8, 6), "nvidia-smi"));
}

#[test]
fn with_nvml_nvidia_smi_is_not_run() {
    let case = Case::new();
    let mark = case.folder.path().join("ran");
    let case = case.nvidia_smi(&format!("touch {}", mark.display()));
    case.ask(TWO_GPUS);
    assert!(!mark.exists());
    case.ask("error nvmlInit_v2 = 9");
    assert!(mark.exists());
}

#[test]
fn an_old_nvidia_smi_is_asked_again_without_the_column_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    script_at(
        &folder.path().join("nvidia-smi"),
        "case \"$1\" in *compute_cap*) echo 'Field \"compute_cap\" is not a valid field to query.'; exit 2;; esac\n\
         echo '0, Tesla T4, 15109 MiB, 470.57.02, [N/A], 0x1EB810DE, 00000000:00:1E.0'",
    );
    let environment = [("PATH".to_owned(), folder.path().to_str().unwrap().to_owned())].into();
    let report = smi::probe(&environment, Duration::from_secs(5)).unwrap();
    assert_eq!(report.gpus[0].gpu.name.value().unwrap(), "Tesla T4");
    assert_eq!(report.gpus[0].gpu.compute_capability, Reading::Unknown);
}

#[test]
fn a_hanging_nvidia_smi_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    script_at(&folder.path().join("nvidia-smi"), "sleep 60; echo late");
    let environment = [("PATH".to_owned(), format!("{}:/usr/bin:/bin", folder.path().display()))].into();
    let start = Instant::now();
    let failure = smi::probe(&environment, Duration::from_millis(300)).unwrap_err();
    assert_eq!(failure.to_string(), "nvidia-smi did not answer within 0.3 s");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
