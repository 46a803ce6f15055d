//! Packages that only work in one release or for one CUDA: does check see what the solver refuses?

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What `check --from -` says of a pasted text, as JSON.
fn check(text: &str) -> Value {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gpudoc"))
        .args(["check", "--format", "json", "--from", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap()
}

fn findings<'a>(report: &'a Value, kind: &str) -> Vec<&'a str> {
    let all = report["findings"].as_array().unwrap().iter();
    all.filter(|finding| finding["kind"] == kind).map(|finding| finding["title"].as_str().unwrap()).collect()
}

fn plan(report: &Value) -> Vec<&str> {
    report["plan"]["requirements"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
}

/// The lines of a resolved set; nothing where none fits.
fn resolve(arguments: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_gpudoc")).arg("resolve").args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| line.contains("==") && !line.starts_with('#'));
    lines.map(|line| line.split_whitespace().next().unwrap().to_owned()).filter(|_| output.status.success()).collect()
}

const H100: &str = "Python 3.12.3\nNVIDIA-SMI 550.54.15    Driver Version: 550.54.15\nGPU 0: NVIDIA H100 80GB HBM3\n";
const TARGET: [&str; 6] = ["--gpu", "H100", "--python", "3.12", "--driver", "550.54.15"];

#[test]
fn a_jax_plugin_of_another_release_than_jaxlib_is_not_used() {
    let set = "jax==0.9.1\njaxlib==0.9.1\njax-cuda12-plugin==0.9.0\njax-cuda12-pjrt==0.9.0\n";
    let report = check(&format!("{H100}{set}"));
    assert_eq!(findings(&report, "pairing"), ["jaxlib 0.9.1 needs jax-cuda12-plugin 0.9.1, but 0.9.0 is installed"]);
    assert_eq!(plan(&report), ["jax-cuda12-pjrt==0.9.1", "jax-cuda12-plugin==0.9.1"]);
    let sound = check(&format!("{H100}{}", set.replace("0.9.0", "0.9.1")));
    assert_eq!(findings(&sound, "pairing"), Vec::<&str>::new());
    assert_eq!(resolve(&[&["jaxlib==0.9.1", "jax-cuda12-plugin==0.9.0"], TARGET.as_slice()].concat()), [""; 0]);
}

/// jaxlib compares from 0.5.3 on; before, the extra of jax says which plugin goes with it: 0.4.35 takes 0.4.34 too.
#[test]
fn before_jaxlib_compares_the_extra_of_jax_says_which_plugin_it_takes() {
    let set = |plugin: &str| {
        format!("{H100}jax==0.4.35\njaxlib==0.4.34\njax-cuda12-plugin=={plugin}\njax-cuda12-pjrt=={plugin}\n")
    };
    let report = check(&set("0.4.31"));
    assert_eq!(
        findings(&report, "pairing"),
        ["jax 0.4.35 needs jax-cuda12-plugin >=0.4.34,<=0.4.35, but 0.4.31 is installed"]
    );
    assert_eq!(findings(&check(&set("0.4.34")), "pairing"), Vec::<&str>::new());
}

/// CUDA 13 needs driver 580, and no jax without the extra stands in for one with it.
#[test]
fn the_cuda_of_an_extra_is_held_against_the_driver() {
    assert!(
        resolve(&[&["jax[cuda12]"], TARGET.as_slice()].concat()).iter().any(|line| line.starts_with("jax-cuda12-"))
    );
    assert_eq!(resolve(&[&["jax[cuda13]"], TARGET.as_slice()].concat()), [""; 0]);
    let report = check(&format!("{H100}jax==0.9.1\njaxlib==0.9.1\njax-cuda13-plugin==0.9.1\njax-cuda13-pjrt==0.9.1\n"));
    assert_eq!(findings(&report, "driver").len(), 1);
}

/// 0.19 and older need libcudart.so.12, 0.20 and newer libcudart.so.13.
#[test]
fn vllm_for_one_cuda_does_not_go_with_a_torch_for_another() {
    let report = check(&format!("{H100}torch==2.9.0+cu130\nvllm==0.12.0\n"));
    let finding =
        report["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == "pairing/vllm").unwrap();
    assert_eq!(finding["title"], "vllm 0.12.0 is built for CUDA 12.9, but torch 2.9.0+cu130 for CUDA 13.0");
    assert!(finding["message"].as_str().unwrap().ends_with("vllm is built for CUDA 13 from 0.20.0 on."), "{finding}");
    let target = ["--gpu", "H100", "--python", "3.12", "--driver", "580.65.06"];
    assert_eq!(resolve(&[&["vllm==0.12.0", "torch==2.9.0+cu130"], target.as_slice()].concat()), [""; 0]);
    let newest = resolve(&[&["vllm"], target.as_slice()].concat());
    assert!(newest.iter().any(|line| line.starts_with("vllm==0.")), "{newest:?}");
}

/// TensorFlow's one wheel serves the CPU too: asking for CPU builds does not refuse it.
#[test]
fn one_build_for_all_is_taken_for_the_cpu() {
    let found = resolve(&["tensorflow", "--cuda", "cpu", "--python", "3.12"]);
    assert!(found.iter().any(|line| line.starts_with("tensorflow==2.")), "{found:?}");
}
