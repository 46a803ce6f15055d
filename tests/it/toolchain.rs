//! Is what a machine has to compile with judged where a package needs it, and only there?

use gpudoc::check;
use gpudoc::facts::{Disk, Distribution, Facts, Gpu, Nvcc, Origin, Ptxas, Reading};
use gpudoc::rules;
use gpudoc::version::{ComputeCapability, CudaVersion};

/// torch 2.9.0+cu128 beside other packages, on a machine with nvcc 13.0, which takes gcc 15, and gcc 16.
fn facts(packages: &[&str]) -> Facts {
    let mut facts = Facts::unknown(Origin::Host);
    let installed = |name: &str, version: &str| Distribution {
        name: name.to_owned(),
        version: Reading::metadata(version.to_owned(), "METADATA"),
        ..Distribution::default()
    };
    let mut torch = installed("torch", "2.9.0+cu128");
    torch.build.cuda = Reading::metadata(CudaVersion::new(12, 8), "torch/version.py");
    facts.distributions = vec![torch];
    facts.distributions.extend(packages.iter().map(|name| installed(name, "3.5.0")));
    let nvcc =
        Nvcc { path: "/usr/local/cuda/bin/nvcc".to_owned(), cuda: Some(CudaVersion::new(13, 0)), newest_gcc: Some(15) };
    facts.toolchain.nvcc = Reading::host(nvcc, "PATH");
    facts.toolchain.gcc = Reading::host(16, "/usr/bin/gcc-16");
    facts.toolchain.python_h = Reading::host("/usr/include/python3.12/Python.h".to_owned(), "base prefix");
    facts
}

fn titles(facts: &Facts, uses: &[String]) -> String {
    let findings = check::findings(&check::run(
        facts,
        rules::embedded(),
        &rules::Workload { uses: uses.to_vec(), ..rules::Workload::default() },
    ));
    let ours = findings
        .into_iter()
        .filter(|finding| ["toolchain/", "system/"].iter().any(|kind| finding.id.to_string().starts_with(kind)));
    ours.map(|finding| format!("{:?} {}: {}", finding.severity, finding.id, finding.title))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn only_who_compiles_is_told() {
    assert_eq!(titles(&facts(&[]), &[]), "");
    assert_eq!(titles(&facts(&["triton"]), &[]), "");
    let told = titles(&facts(&["apex"]), &[]);
    insta::assert_snapshot!(told, @"
    Info toolchain/gcc: gcc 16 is newer than this nvcc takes, which is gcc 15
    Info toolchain/nvcc: nvcc is from CUDA 13.0, but torch 2.9.0+cu128 was built for CUDA 12.8
    ");
    assert!(told.contains("gcc 16") && told.contains("CUDA 12.8"), "{told}");
}

#[test]
fn triton_needs_a_compiler_and_headers() {
    let mut bare = facts(&["triton"]);
    bare.toolchain.python_h = Reading::absent("/usr/include/python3.12/Python.h");
    assert!(titles(&bare, &[]).starts_with("Info toolchain/triton: Triton finds no Python.h"));
    assert!(titles(&bare, &["torch.compile".to_owned()]).starts_with("Warn "));
    bare.toolchain.gcc = Reading::absent("gcc on PATH");
    assert!(titles(&bare, &[]).contains("no C compiler"));
}

#[test]
fn dockers_shared_memory_matters_to_several_gpus() {
    let mut small = facts(&[]);
    small.system.shm_bytes = Reading::host(64 << 20, "/dev/shm");
    assert!(titles(&small, &[]).starts_with("Info system/shm"));
    small.gpus = Reading::host((0..2).map(|index| Gpu { index, ..Gpu::default() }).collect(), "NVML");
    assert!(titles(&small, &[]).starts_with("Warn system/shm"));
    small.system.shm_bytes = Reading::host(16 << 30, "/dev/shm");
    assert_eq!(titles(&small, &[]), "");
    assert!(small.distributions.len() == 1 && small.gpus.value().unwrap().len() == 2);
}

#[test]
fn cuda_home_and_ninja_matter_to_who_compiles() {
    let mut machine = facts(&["apex"]);
    machine.toolchain.gcc = Reading::host(14, "/usr/bin/gcc-14");
    machine.toolchain.nvcc = Reading::absent("/opt/none/bin/nvcc");
    machine.toolchain.ninja = Reading::absent("PATH, the environment's bin");
    machine.system.environment.insert("CUDA_HOME".to_owned(), "/opt/none".to_owned());
    insta::assert_snapshot!(titles(&machine, &[]), @"
    Info toolchain/cuda-home: `CUDA_HOME=/opt/none` holds no nvcc
    Info toolchain/ninja: there is no `ninja`, with which torch builds extensions
    ");
    // Whoever says that he builds is warned, also without a package that was built.
    let stated = ["build-extensions".to_owned()];
    machine.distributions.retain(|distribution| distribution.name == "torch");
    assert_eq!(titles(&machine, &[]), "");
    assert_eq!(titles(&machine, &stated).matches("Warn toolchain/").count(), 2);
    machine.toolchain.ninja = Reading::host("/usr/bin/ninja".to_owned(), "PATH");
    assert_eq!(titles(&machine, &stated).matches("Warn toolchain/").count(), 1);
    // Two toolkits.
    let nvcc =
        |cuda: CudaVersion| Nvcc { path: format!("/opt/cuda-{cuda}/bin/nvcc"), cuda: Some(cuda), newest_gcc: None };
    machine.toolchain.nvcc = Reading::host(nvcc(CudaVersion::new(12, 8)), "CUDA_HOME");
    machine.toolchain.path_nvcc = Reading::host(nvcc(CudaVersion::new(13, 0)), "PATH");
    assert_eq!(
        titles(&machine, &stated),
        "Warn toolchain/cuda-home: `CUDA_HOME` is CUDA 12.8, and the nvcc on PATH is of CUDA 13.0"
    );
    machine.toolchain.path_nvcc = Reading::host(nvcc(CudaVersion::new(12, 8)), "PATH");
    assert_eq!(titles(&machine, &stated), "");
}

fn gpu(name: &str, major: u32, minor: u32) -> Reading<Vec<Gpu>> {
    let gpu = Gpu {
        name: Reading::host(name.to_owned(), "NVML"),
        compute_capability: Reading::host(ComputeCapability::new(major, minor), "NVML"),
        ..Gpu::default()
    };
    Reading::host(vec![gpu], "NVML")
}

#[test]
fn a_named_ptxas_must_be_there_and_know_the_gpu() {
    let mut machine = facts(&["triton"]);
    machine.distributions[1].version = Reading::metadata("3.6.0".to_owned(), "METADATA");
    machine.gpus = gpu("NVIDIA H100 80GB HBM3", 9, 0);
    let named = |variable: &str, found: bool, cuda: Option<CudaVersion>| {
        vec![Ptxas { variable: variable.to_owned(), path: "/opt/cuda/bin/ptxas".to_owned(), found, cuda }]
    };
    machine.toolchain.ptxas = named("TRITON_PTXAS_PATH", false, None);
    assert_eq!(
        titles(&machine, &[]),
        "Info toolchain/triton-ptxas-path: `TRITON_PTXAS_PATH` names no file: `/opt/cuda/bin/ptxas`"
    );
    // CUDA 11.7 came before Hopper, 11.8 with it.
    machine.toolchain.ptxas = named("TRITON_PTXAS_PATH", true, Some(CudaVersion::new(11, 7)));
    insta::assert_snapshot!(titles(&machine, &[]), @"Warn toolchain/triton-ptxas-path: the ptxas of `TRITON_PTXAS_PATH` is of CUDA 11.7, which has no sm_90 (GPU 0 NVIDIA H100 80GB HBM3)");
    machine.toolchain.ptxas = named("TRITON_PTXAS_PATH", true, Some(CudaVersion::new(11, 8)));
    assert_eq!(titles(&machine, &[]), "");
    // The other variable is for Blackwell, and for nothing else.
    machine.toolchain.ptxas = named("TRITON_PTXAS_BLACKWELL_PATH", true, Some(CudaVersion::new(12, 6)));
    assert_eq!(titles(&machine, &[]), "");
    machine.gpus = gpu("NVIDIA GeForce RTX 5090", 12, 0);
    assert!(titles(&machine, &[]).contains("which has no sm_120"), "{}", titles(&machine, &[]));
    machine.toolchain.ptxas = named("TRITON_PTXAS_PATH", true, Some(CudaVersion::new(12, 6)));
    assert_eq!(titles(&machine, &[]), "");
}

/// triton 3.2.0 has a ptxas that knows no sm_120; one that is named takes its place where it does.
#[test]
fn a_named_ptxas_takes_the_place_of_tritons_own() {
    let mut machine = facts(&["triton"]);
    machine.distributions[1].version = Reading::metadata("3.2.0".to_owned(), "METADATA");
    machine.system.os = Reading::host("linux".to_owned(), "os");
    machine.system.arch = Reading::host("x86_64".to_owned(), "arch");
    machine.gpus = gpu("NVIDIA GeForce RTX 5090", 12, 0);
    let says = |facts: &Facts| {
        let findings = check::findings(&check::run(facts, rules::embedded(), &rules::Workload::default()));
        findings.into_iter().any(|finding| finding.id.to_string() == "gpu-arch/triton")
    };
    assert!(says(&machine));
    let ptxas = Ptxas {
        variable: "TRITON_PTXAS_PATH".to_owned(),
        path: "/opt/cuda/bin/ptxas".to_owned(),
        found: true,
        cuda: Some(CudaVersion::new(12, 9)),
    };
    machine.toolchain.ptxas = vec![ptxas.clone()];
    assert!(!says(&machine));
    machine.toolchain.ptxas = vec![Ptxas { found: false, ..ptxas }];
    assert!(says(&machine));
}

#[test]
fn locked_memory_matters_with_infiniband_alone() {
    let mut machine = facts(&[]);
    machine.system.memlock_bytes = Reading::host(8 << 20, "RLIMIT_MEMLOCK");
    machine.system.infiniband = Reading::absent("/dev/infiniband");
    assert_eq!(titles(&machine, &[]), "");
    machine.system.disks = vec![disk("the environment", 1 << 40)];
    assert_eq!(titles(&machine, &[]), "");
    machine.system.infiniband = Reading::host(2, "/dev/infiniband");
    assert_eq!(
        titles(&machine, &[]),
        "Info system/memlock: a process may lock 8 MiB, which NCCL on InfiniBand outgrows"
    );
    assert!(titles(&machine, &["distributed".to_owned()]).starts_with("Warn system/memlock"));
    machine.system.memlock_bytes = Reading::host((8 << 20) + 1, "RLIMIT_MEMLOCK");
    assert_eq!(titles(&machine, &[]), "");
    machine.system.memlock_bytes = Reading::absent("CAP_IPC_LOCK");
    assert_eq!(titles(&machine, &[]), "");
}

fn disk(holds: &str, free_bytes: u64) -> Disk {
    Disk { holds: holds.to_owned(), path: "/x".to_owned(), free_bytes }
}

#[test]
fn a_full_disk_is_a_warning_and_a_small_one_is_told() {
    let mut machine = facts(&[]);
    let sizes = |machine: &mut Facts, environment, temporary, caches| {
        machine.system.disks =
            vec![disk("the environment", environment), disk("temporary files", temporary), disk("caches", caches)];
        titles(machine, &[])
    };
    assert_eq!(sizes(&mut machine, 5 << 30, 1, 1), "");
    insta::assert_snapshot!(sizes(&mut machine, 1 << 30, 0, 0), @"
    Warn system/disk-full: there is no room left on the disk for temporary files and caches
    Info system/disk: the disk that holds the environment has 1 GiB left: another build of torch takes 4.4 GiB
    ");
    assert!(
        sizes(&mut machine, 0, 1, 1)
            .starts_with("Warn system/disk-full: there is no room left on the disk for the environment")
    );
    // An environment without torch for CUDA is not judged.
    machine.distributions.clear();
    assert_eq!(titles(&machine, &[]), "");
}
