//! Kinds of faults that trials with fresh stacks showed, one small report each.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

fn check(input: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
    command.args(["check", "--from", "-", "--format", "json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn plan(report: &Value) -> Vec<&str> {
    let pins = report["plan"]["requirements"].as_array().into_iter().flatten();
    pins.filter_map(Value::as_str).collect()
}

fn failures(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|it| it["severity"] == "fail");
    findings.filter_map(|it| it["id"].as_str()).collect()
}

/// NVIDIA's containers hold builds of commits: torchvision 0.22.0 pins torch 2.7, this one was built for the torch beside it.
#[test]
fn a_build_of_a_commit_is_not_the_release_that_metadata_names() {
    let report = check(
        "$ pip list\nPackage Version\n------- -------\ntorch 2.8.0a0+5228986c39.nv25.06\n\
         torchvision 0.22.0a0+95f10a4e\n",
    );
    assert_eq!(failures(&report), Vec::<&str>::new());
    // A candidate of the index pairs as its release does.
    let report =
        check("$ pip list\nPackage Version\n------- -------\ntorch 2.8.0+cu128\ntorchvision 0.22.0rc1+cu128\n");
    assert!(failures(&report).contains(&"requirement/torchvision/torch"), "{report}");
}

/// No release of JAX for CUDA 13 has code for Volta, and jax-cuda12-plugin is published for each.
#[test]
fn packages_that_say_their_cuda_give_way_to_those_for_an_older_one() {
    let report = check(
        "GPU: Tesla V100-SXM2-32GB, driver 580.95.05, Python 3.12\n$ pip list\nPackage Version\n------- -------\n\
         jax 0.8.1\njaxlib 0.8.1\njax-cuda13-plugin 0.8.1\njax-cuda13-pjrt 0.8.1\nnumpy 2.4.1\n",
    );
    assert_eq!(plan(&report), ["jax-cuda12-pjrt==0.8.1", "jax-cuda12-plugin[with-cuda]==0.8.1"]);
    let commands = report["plan"]["commands"].to_string();
    assert!(commands.contains("uninstall -y jax-cuda13-pjrt jax-cuda13-plugin"), "{commands}");
}

/// The image's tag says torch 2.6.0 and CUDA 12.4; the fault is the command that starts it.
#[test]
fn an_image_is_named_with_its_torch_and_cuda() {
    let report = check(
        "FROM pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime\n\nNVIDIA RTX A5000, driver 550.144.03\n\
         RuntimeError: Found no NVIDIA driver on your system.\n",
    );
    let torch = &report["facts"]["distributions"][0];
    assert_eq!((torch["name"].as_str(), torch["version"]["value"].as_str()), (Some("torch"), Some("2.6.0")));
    assert_eq!(plan(&report), Vec::<&str>::new());
}

/// Wheels of torch ask for glibc 2.28 from 2.7 on; 2.6.0+cu118 is the last with 2.17, and driver 470 runs CUDA 11.8.
#[test]
fn the_c_library_that_ldd_tells_decides_which_torch_there_is() {
    let report = check(
        "$ ldd --version | head -1\nldd (GNU libc) 2.17\n| NVIDIA-SMI 470.182.03   Driver Version: 470.182.03   CUDA Version: 11.4 |\n\
         NVIDIA A100-PCIE-40GB\nPython 3.10.4\ntorch 2.7.1, torchvision 0.22.1\n\
         ImportError: /lib64/libc.so.6: version `GLIBC_2.28' not found (required by \
         /e/lib/python3.10/site-packages/torch/lib/libtorch_cpu.so)\n",
    );
    assert_eq!(report["facts"]["system"]["glibc"]["value"], "2.17");
    assert!(plan(&report).contains(&"torch==2.6.0+cu118"), "{:?}", plan(&report));
}

/// No solver chooses a release of mmcv; the advisory's own words are the plan.
#[test]
fn what_the_rules_do_not_cover_is_planned_in_the_words_of_the_finding() {
    let report = check(
        "$ pip list\nPackage Version\n------- -------\nmmcv 2.2.0\nmmdet 3.3.0\ntorch 2.1.2+cu121\ntorchvision 0.16.2+cu121\n",
    );
    assert_eq!(plan(&report), ["mmcv>=2.0.0rc4,<2.2.0"]);
    assert_eq!(report["plan"]["verified"], false);
}

/// torchtext 0.18.0 is the last and wants torch 2.3: for its sake torch and its family do not go back by two minor releases.
#[test]
fn a_framework_does_not_go_back_for_what_ended() {
    let report = check(
        "RTX 3090, driver 550.54.15, Python 3.11\n$ pip list\nPackage Version\n------- -------\n\
         torch 2.5.1+cu124\ntorchtext 0.18.0\ntorchvision 0.20.1+cu124\n",
    );
    assert_eq!(plan(&report), Vec::<&str>::new());
    let first = &report["findings"][0]["remedies"][0]["summary"];
    assert!(first.as_str().is_some_and(|summary| summary.starts_with("Remove torchtext")), "{first}");
}
