//! Is what NVML tells of a GPU's state judged, and a sound GPU left in peace?

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use gpudoc::check;
use gpudoc::facts::{
    ComputeMode, ConfidentialComputing, CudaAnswer, Fabric, Facts, Gpu, GpuProcess, GpuState, MigInstance, NvLinks,
    Origin, Reading, RemappedRows, Slowdown, Virtualization,
};
use gpudoc::finding::Finding;
use gpudoc::rules;
use gpudoc::version::ComputeCapability;

const GIB: u64 = 1 << 30;

/// A machine with two H100, of which each was changed so.
fn facts(change: impl Fn(u32, &mut Gpu, &mut GpuState)) -> Facts {
    let mut facts = Facts::unknown(Origin::Host);
    facts.driver.version = Reading::host("580.159.04".parse().unwrap(), "NVML");
    let gpu = |index| {
        let mut gpu = Gpu {
            index,
            name: Reading::host("NVIDIA H100 80GB HBM3".to_owned(), "NVML"),
            compute_capability: Reading::host(ComputeCapability::new(9, 0), "NVML"),
            memory_bytes: Reading::host(80 * GIB, "NVML"),
            mig: Reading::host(false, "NVML"),
            ..Gpu::default()
        };
        let mut state = GpuState {
            persistence: Some(true),
            compute_mode: Some(ComputeMode::Default),
            virtualization: Some(Virtualization::Passthrough),
            ecc: Some(true),
            uncorrected: Some(0),
            rows: Some(RemappedRows::default()),
            used_bytes: Some(GIB),
            nvlinks: Some(NvLinks { active: 18, all: 18 }),
            fabric: Some(Fabric::Completed),
            ..GpuState::default()
        };
        change(index, &mut gpu, &mut state);
        gpu.state = Reading::host(state, "NVML");
        gpu
    };
    facts.gpus = Reading::host((0..2).map(gpu).collect(), "NVML");
    facts
}

fn findings(facts: &Facts) -> Vec<Finding> {
    let found = check::findings(&check::run(facts, rules::embedded(), &rules::Workload::default()));
    found.into_iter().filter(|finding| !finding.id.to_string().starts_with("toolchain/")).collect()
}

fn titles(facts: &Facts) -> Vec<String> {
    let words = |finding: &Finding| format!("{:?} {}: {}", finding.severity, finding.id, finding.title);
    findings(facts).iter().map(words).collect()
}

#[test]
fn a_sound_machine_is_left_in_peace() {
    assert_eq!(titles(&facts(|_, _, _| ())), Vec::<String>::new());
    // A card that has neither links nor fabric, and says little.
    assert_eq!(titles(&facts(|_, _, state| *state = GpuState::default())), Vec::<String>::new());
    // All links of a card without a bridge are down.
    let no_bridge = |_, _: &mut Gpu, state: &mut GpuState| state.nvlinks = Some(NvLinks { active: 0, all: 12 });
    assert_eq!(titles(&facts(no_bridge)), Vec::<String>::new());
}

#[test]
fn each_trouble_has_a_word() {
    let mut told = Vec::new();
    let changes: [fn(u32, &mut Gpu, &mut GpuState); 13] = [
        |_, _, state| state.fabric = Some(Fabric::InProgress),
        |index, _, state| state.fabric = Some(if index == 1 { Fabric::Failed(5) } else { Fabric::Completed }),
        |index, _, state| {
            let mode = if index == 0 { ComputeMode::Prohibited } else { ComputeMode::ExclusiveProcess };
            state.compute_mode = Some(mode);
            state.processes = vec![GpuProcess { name: Some("python3".to_owned()), bytes: Some(GIB) }];
        },
        |index, _, state| state.rows = Some(RemappedRows { pending: true, failed: index == 0 }),
        |index, _, state| state.uncorrected = Some(u64::from(index) * 2),
        |index, _, state| state.slowed_by.extend((index == 1).then_some(Slowdown::HardwareThermal)),
        |_, _, state| state.slowed_by.push(Slowdown::SoftwareThermal),
        |index, _, state| state.used_bytes = Some(if index == 0 { 45 * GIB } else { GIB }),
        |_, _, state| state.used_bytes = Some(79 * GIB),
        |index, _, state| state.nvlinks = Some(NvLinks { active: 18 - index, all: 18 }),
        |_, _, state| state.persistence = Some(false),
        |_, gpu, _| gpu.mig = Reading::host(true, "NVML"),
        |_, gpu, state| {
            gpu.mig = Reading::host(true, "NVML");
            state.instances = vec![MigInstance { memory_bytes: Some(10 * GIB) }; 2];
        },
    ];
    for change in changes {
        told.extend(titles(&facts(change)));
    }
    let mut confidential = facts(|_, _, _| ());
    confidential.driver.confidential = Reading::host(ConfidentialComputing { enabled: true, ready: false }, "NVML");
    told.extend(titles(&confidential));
    confidential.driver.confidential = Reading::host(ConfidentialComputing { enabled: true, ready: true }, "NVML");
    told.extend(titles(&confidential));
    insta::assert_snapshot!(told.join("\n"), @"
    Fail system/fabric: GPUs 0 and 1 are not registered with the NVLink fabric
    Fail system/fabric: GPU 1 NVIDIA H100 80GB HBM3 is not registered with the NVLink fabric
    Fail system/compute-mode: GPU 0 NVIDIA H100 80GB HBM3 is in compute mode Prohibited
    Warn system/compute-mode: GPU 1 NVIDIA H100 80GB HBM3 takes one process at a time, and has one
    Warn system/gpu-memory-errors: memory of GPU 0 NVIDIA H100 80GB HBM3 failed, and no spare row was left for it
    Info system/gpu-memory-errors: GPUs 0 and 1 wait for a reset to replace damaged memory
    Warn system/gpu-memory-errors: GPU 1 NVIDIA H100 80GB HBM3 had memory errors that could not be corrected
    Warn system/slow-gpu: GPU 1 NVIDIA H100 80GB HBM3 is slowed down at this moment
    Info system/slow-gpu: GPUs 0 and 1 are slowed down at this moment
    Info system/gpu-memory: the memory of GPU 0 NVIDIA H100 80GB HBM3 is half or more in use
    Warn system/gpu-memory: the memory of GPUs 0 and 1 is nearly all in use
    Info system/nvlink: some NVLinks of GPU 1 NVIDIA H100 80GB HBM3 are down
    Info system/persistence: persistence mode of GPUs 0 and 1 is off
    Fail gpu-visibility/mig: GPUs 0 and 1 are in MIG mode without an instance
    Info gpu-visibility/mig: GPUs 0 and 1 are split by MIG: a process sees one instance
    Fail system/confidential-computing: confidential computing is on, and the GPUs are not set to take work
    ");
    assert_eq!(told.len(), 16, "one each, two where both GPUs differ");
}

#[test]
fn a_container_is_not_told_of_what_its_host_decides() {
    let mut inside = facts(|_, _, state| state.persistence = Some(false));
    assert_eq!(findings(&inside).len(), 1);
    inside.system.container = Reading::host("docker".to_owned(), "/.dockerenv");
    assert_eq!(findings(&inside), []);
}

#[test]
fn what_cuda_answers_is_foreseen() {
    let agrees = |facts: &mut Facts, answer: CudaAnswer| {
        facts.visibility.cuda = Reading::host(answer, "cuInit");
        let found = findings(facts);
        found
            .iter()
            .find(|finding| finding.id.to_string() == "gpu-visibility/cuda-init")
            .unwrap()
            .title
            .contains("answer agrees")
    };
    let counts = |devices| CudaAnswer { devices: Some(devices), ..CudaAnswer::default() };
    let ends = |error| CudaAnswer { error, ..CudaAnswer::default() };
    assert!(agrees(&mut facts(|_, _, _| ()), counts(2)));
    assert!(agrees(&mut facts(|_, _, state| state.fabric = Some(Fabric::NotStarted)), ends(802)));
    let split = |_, gpu: &mut Gpu, state: &mut GpuState| {
        gpu.mig = Reading::host(true, "NVML");
        state.instances = vec![MigInstance::default(); 7];
    };
    assert!(agrees(&mut facts(split), counts(1)), "a process sees one instance, of whatever number");
    assert!(!agrees(&mut facts(split), counts(2)));
    assert!(agrees(&mut facts(|_, gpu, _| gpu.mig = Reading::host(true, "NVML")), ends(100)));
}
