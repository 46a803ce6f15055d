//! `gpudoc impact`: the upgrade of a stack with xformers, flash-attn and a self-built torchsparse, and what it must not break.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::process::{Command, Output};

use serde_json::Value;

fn gpudoc(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gpudoc")).args(args).output().unwrap()
}

/// A snapshot of a recorded host.
fn snapshot(host: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let root = format!("{}/fixtures/hosts/{host}", env!("CARGO_MANIFEST_DIR"));
    let output = gpudoc(&["probe", "--root", &root, "-o", file.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    file
}

fn impact(host: &str, args: &[&str]) -> (Option<i32>, Value) {
    let file = snapshot(host);
    let all = [&["impact", "--from", file.path().to_str().unwrap(), "--format", "json"], args].concat();
    let output = gpudoc(&all);
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), document)
}

/// `name: status: before -> after`
fn rows(document: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let rows = document["distributions"].as_array().unwrap().iter();
    rows.map(|row| {
        format!("{}: {}: {} -> {}", text(&row["name"]), text(&row["status"]), text(&row["before"]), text(&row["after"]))
    })
    .collect()
}

#[test]
fn the_direct3d_upgrade_is_told_part_by_part() {
    let (code, document) =
        impact("a100-direct3d", &["torch==2.7.1+cu128", "--gpu", "RTX 5090", "--driver", "570.133.20"]);
    assert_eq!(code, Some(0));
    let rows = rows(&document);
    let of =
        |status: &str| rows.iter().filter(|row| row.contains(&format!(": {status}:"))).cloned().collect::<Vec<_>>();
    // torch 2.7.1 pins triton 3.3.1 and needs sympy 1.13.3; torchvision 0.22.1 and xformers 0.0.31(.post1) pin torch 2.7.1.
    insta::assert_snapshot!(of("must-change").join("\n"), @"
    sympy: must-change: 1.13.1 -> >=1.13.3
    torch: must-change: 2.5.1+cu121 -> 2.7.1+cu128
    torchvision: must-change: 0.20.1+cu121 -> 0.22.1+cu128
    triton: must-change: 3.1.0 -> 3.3.1
    xformers: must-change: 0.0.29.post1 -> 0.0.31.post1
    ");
    assert_eq!(
        of("must-rebuild"),
        ["flash-attn: must-rebuild: 2.8.3 -> 2.8.3", "torchsparse: must-rebuild: 2.1.0 -> 2.1.0"]
    );
    assert!(rows.contains(&"transformers: unchanged: 4.40.2 -> 4.40.2".to_owned()), "{rows:#?}");
    assert!(rows.contains(&"utils3d: unchanged: 0.0.2 -> 0.0.2".to_owned()), "{rows:#?}");
    let rebuilt =
        document["distributions"].as_array().unwrap().iter().find(|row| row["name"] == "torchsparse").unwrap();
    assert_eq!(rebuilt["rebuild"]["toolkit"], "12.8");
    let command = rebuilt["rebuild"]["command"].as_str().unwrap();
    assert!(command.starts_with("TORCH_CUDA_ARCH_LIST=12.0 ") && command.contains("--no-build-isolation"), "{command}");
    assert!(command.contains("torchsparse @ git+https://github.com/mit-han-lab/torchsparse.git"), "{command}");
    let ids = |list: &str| {
        let findings = document[list].as_array().unwrap().iter();
        findings.map(|finding| finding["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("fixed"), ["gpu-arch/torch", "gpu-arch/triton"]);
    assert!(ids("introduced").is_empty());
}

#[test]
fn what_is_there_already_changes_nothing() {
    let (code, document) = impact("rtx5090-cu128", &["torch"]);
    assert_eq!(code, Some(0));
    let rows = rows(&document);
    assert!(rows.iter().all(|row| row.contains(": unchanged:") || row.contains(": unknown:")), "{rows:#?}");
    assert!(document["commands"].as_array().unwrap().is_empty());
}

#[test]
fn an_upgrade_that_the_driver_cannot_run_is_refused_with_its_proof() {
    let (code, document) = impact("rtx5090-cu128", &["torch==2.9.0+cu130"]);
    assert_eq!(code, Some(1));
    assert_eq!(document["status"], "unsolvable");
    let steps: Vec<_> =
        document["proof"].as_array().unwrap().iter().map(|step| step["text"].as_str().unwrap()).collect();
    assert!(steps.iter().any(|step| step.contains("needs driver 580.65.06")), "{steps:#?}");
}

#[test]
fn what_has_no_release_for_the_new_torch_is_a_conflict() {
    // xformers below 0.0.30 was built for torch 2.6 and older.
    let file = snapshot("a100-direct3d");
    let path = file.path().to_str().unwrap();
    let output = gpudoc(&[
        "impact",
        "torch==2.9.0",
        "--from",
        path,
        "--gpu",
        "RTX 5090",
        "--driver",
        "580.65.06",
        "-c",
        "no-such",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let constraint = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(constraint.path(), "xformers<0.0.30\n").unwrap();
    let output = gpudoc(&[
        "impact",
        "torch==2.9.0",
        "--from",
        path,
        "--gpu",
        "RTX 5090",
        "--driver",
        "580.65.06",
        "--format",
        "json",
        "-c",
        constraint.path().to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = rows(&document);
    assert!(rows.contains(&"xformers: conflict: 0.0.29.post1 -> none".to_owned()), "{rows:#?}");
    assert!(rows.iter().any(|row| row.starts_with("torch: must-change")), "{rows:#?}");
}

#[test]
fn the_projects_files_are_edited_in_place() {
    let file = snapshot("a100-direct3d");
    let folder = tempfile::tempdir().unwrap();
    let from = format!("{}/fixtures/projects/upgrade", env!("CARGO_MANIFEST_DIR"));
    for name in ["Dockerfile", "requirements.txt"] {
        std::fs::copy(format!("{from}/{name}"), folder.path().join(name)).unwrap();
    }
    let args = ["impact", "torch==2.7.1+cu128", "--gpu", "RTX 5090", "--driver", "570.133.20", "--from"];
    let edit = ["--edit", "Dockerfile", "--edit", "requirements.txt"];
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
        command.args(args).arg(file.path()).args(edit).args(more).current_dir(folder.path());
        command.output().unwrap()
    };
    let output = run(&["--format", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    // The image, the GPU list, two pins with their index; the index and two pins. Comments, layout and other lines stay.
    let changed = |at: usize| {
        let diff = document["edits"][at]["diff"].as_str().unwrap();
        diff.lines().filter(|line| line.starts_with(['+', '-'])).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(changed(0), @r#"
    --- a/Dockerfile
    +++ b/Dockerfile
    -FROM nvidia/cuda:${CUDA}-devel-ubuntu22.04
    +FROM nvidia/cuda:12.8.1-devel-ubuntu22.04
    -ENV TORCH_CUDA_ARCH_LIST="8.0;8.6" \
    +ENV TORCH_CUDA_ARCH_LIST="8.0;8.6;12.0" \
    -RUN pip install torch==2.5.1+cu121 torchvision==0.20.1+cu121 \
    -        --extra-index-url https://download.pytorch.org/whl/cu121
    +RUN pip install torch==2.7.1+cu128 torchvision==0.22.1+cu128 \
    +        --extra-index-url https://download.pytorch.org/whl/cu128
    -RUN pip install --no-build-isolation flash-attn==2.8.3 \
    +RUN FLASH_ATTN_CUDA_ARCHS=120 pip install --no-build-isolation flash-attn==2.8.3 \
    "#);
    insta::assert_snapshot!(changed(1), @"
    --- a/requirements.txt
    +++ b/requirements.txt
    ---extra-index-url https://download.pytorch.org/whl/cu121
    -xformers==0.0.29.post1   # attention
    -triton==3.1.0
    +--extra-index-url https://download.pytorch.org/whl/cu128
    +xformers==0.0.31.post1   # attention
    +triton==3.3.1
    ");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("Dockerfile").contains("torch==2.5.1+cu121"), "nothing is written without --write");
    assert_eq!(run(&["--write"]).status.code(), Some(0));
    assert!(read("Dockerfile").contains("FROM nvidia/cuda:12.8.1-devel-ubuntu22.04\n"), "{}", read("Dockerfile"));
    assert_eq!(read("requirements.txt").lines().nth(1), Some("xformers==0.0.31.post1   # attention"));
    let again = run(&["--format", "json"]);
    let document: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert!(document["edits"].as_array().unwrap().is_empty(), "what is written needs no further edit");
}

#[test]
fn what_the_rules_do_not_cover_is_asked_for_all_the_same() {
    let (code, document) = impact("rtx5090-cu128", &["some-package>=2", "torch"]);
    assert_eq!(code, Some(0));
    assert!(rows(&document).contains(&"some-package: unknown: none -> >=2".to_owned()), "{:#?}", rows(&document));
    let commands = document["commands"].to_string();
    assert!(commands.contains("some-package>=2"), "{commands}");
}

/// torch 2.4.0 pins nvidia-cusolver-cu12 11.4.5.107, which requires nvidia-nvjitlink-cu12: an installer brings that too.
#[test]
fn what_runtime_wheels_require_comes_with_them() {
    let snapshot = format!("{}/fixtures/snapshots/h100-sound.json", env!("CARGO_MANIFEST_DIR"));
    let output = gpudoc(&["impact", "torch==2.4.0", "--from", &snapshot, "--format", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let new = document["introduced"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap());
    assert_eq!(new.collect::<Vec<_>>(), ["GPUDOC-2026-0049"]);
    assert!(
        rows(&document).iter().any(|row| row.starts_with("nvidia-nvjitlink-cu12: added")),
        "{:#?}",
        rows(&document)
    );
}
