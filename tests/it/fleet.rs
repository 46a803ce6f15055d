//! Targets of gpudoc.toml: one file for all of them, one for each, or the pair that cannot share.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;
use std::process::{Command, Output};

const TARGETS: &str = "\
[target.train]
gpu = [\"H100\"]
driver = \"570.133.20\"
python = \"3.12\"
cuda-compat = true

[target.laptop]
gpu = [\"RTX 4090\"]
driver = \"550.120\"
python = \"3.11\"

[target.desk]
gpu = [\"RTX 5090\"]
driver = \"570.133.20\"
python = \"3.12\"

[target.old]
gpu = [\"GTX 1080 Ti\"]
driver = \"535.183.01\"
python = \"3.10\"
";

fn resolve(folder: &Path, args: &[&str]) -> Output {
    std::fs::write(folder.join("gpudoc.toml"), TARGETS).unwrap();
    Command::new(env!("CARGO_BIN_EXE_gpudoc")).arg("resolve").args(args).current_dir(folder).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn pins(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.contains("==")).filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn one_file_suits_all_targets_that_share() {
    let folder = tempfile::tempdir().unwrap();
    let output = resolve(folder.path(), &["torch<2.9", "torchvision", "--target", "train", "--target", "laptop"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = stdout(&output);
    // Driver 550 runs CUDA 12 by minor version compatibility: the default index's own builds, for CUDA 12.8, do for both.
    assert_eq!(pins(&text), ["torch==2.8.0", "torchvision==0.23.0", "triton==3.4.0"]);
    assert!(text.contains("# laptop: RTX 4090") && text.contains("# train: H100"), "{text}");
}

#[test]
fn the_targets_that_cannot_share_are_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let output = resolve(folder.path(), &["torch", "--all-targets"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Older releases of torch exist than the rules know, so they do not say that nothing fits.
    assert!(flat.starts_with("the rules know torch from 1.13.0 on, and none of that fits `desk` (RTX 5090"), "{text}");
    // sm_120 is in builds for CUDA 12.8 and newer; sm_60 and PTX below it are in builds up to 12.6.
    assert!(flat.contains("`old` (GTX 1080 Ti"), "{text}");
    assert!(!flat.contains("`train`") && !flat.contains("`laptop`"), "{text}");
    assert!(flat.contains("on `old` every build of torch"), "{text}");
    assert!(flat.contains("give each target a file of its own (`--per-target`)"), "{text}");
}

#[test]
fn each_target_gets_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let output = resolve(folder.path(), &["torch", "--all-targets", "--per-target", "-o", "constraints-{target}.txt"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(format!("constraints-{name}.txt"))).unwrap();
    let old = read("old");
    assert!(pins(&old).iter().any(|pin| pin.starts_with("torch==") && pin.ends_with("+cu126")), "{old}");
    assert!(read("train").contains("cuda-compat"), "{}", read("train"));
    let output = resolve(folder.path(), &["torch", "--all-targets", "--per-target"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`{target}`"));
}

#[test]
fn mistakes_in_the_declaration_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = resolve(folder.path(), &["torch", "--target", "trian"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(message.contains("no target `trian`; did you mean `train`?"), "{message}");
    let wrong = folder.path().join("wrong.toml");
    std::fs::write(&wrong, "[target.a]\ngpu = [\"RTX 4090\"]\ndriver = \"570.133.20\"\ncuda-compat = true\n").unwrap();
    let output = resolve(folder.path(), &["torch", "--target", "a", "--config", wrong.to_str().unwrap()]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(message.contains("no cuda-compat package works on these GPUs"), "{message}");
}
