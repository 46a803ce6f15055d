//! Is what a machine has to compile with judged where a package needs it, and only there?

use gpudoc::check;
use gpudoc::facts::{Distribution, Facts, Gpu, Nvcc, Origin, Reading};
use gpudoc::rules;
use gpudoc::version::CudaVersion;

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
        .filter(|finding| ["toolchain/", "system/"].iter().any(|kind| finding.id.starts_with(kind)));
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
    Info toolchain/nvcc: nvcc is of CUDA 13.0, and torch 2.9.0+cu128 is built for CUDA 12.8
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
