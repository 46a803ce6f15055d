//! What people paste, from the text to what is said of it: proofs of installers, names that no release has, targets that a
//! ptxas refuses, stacks of other vendors, and words.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

fn check(text: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
    command.args(["check", "--from", "-", "--format", "json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap()
}

fn explain(text: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_gpudoc")).args(["explain", text]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn ids(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

/// All that the first finding says.
fn first(report: &Value) -> String {
    report["findings"][0].to_string()
}

#[test]
fn a_constraint_that_forbids_what_a_release_pins_is_named_and_to_be_taken_out() {
    let report = check(
        "ERROR: Cannot install bitsandbytes because these package versions have conflicting dependencies.\n\n\
         The conflict is caused by:\n    torch 2.7.1 depends on triton==3.3.1; platform_system == \"Linux\"\n    \
         The user requested (constraint) triton<3,>=2.2\n",
    );
    assert_eq!(ids(&report), ["requirement/refused/triton"]);
    let finding = &report["findings"][0];
    assert_eq!(finding["title"], "torch 2.7.1 requires triton==3.3.1, which the constraint `triton<3,>=2.2` forbids");
    let remedy = finding["remedies"][0]["summary"].as_str().unwrap();
    assert_eq!(remedy, "Take the constraint `triton<3,>=2.2` out: torch 2.7.1 brings triton 3.3.1 itself");
    // What forcing it breaks is said, and what waits behind it.
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains("Do not override it with triton 2.3.1") && message.contains("torch.compile"), "{message}");
    assert!(message.contains("GPUDOC-2026-0001"), "{message}");
    assert_eq!(report["facts"]["distributions"].as_array().unwrap().len(), 0);
}

#[test]
fn two_releases_that_exclude_each_other_are_named_by_uv() {
    let report = check(
        "  × No solution found when resolving dependencies:\n  ╰─▶ Because xformers==0.0.29.post1 depends on torch==2.5.1 and\n      \
         vllm==0.8.5 depends on torch==2.6.0, we can conclude that\n      xformers==0.0.29.post1 and vllm==0.8.5 are incompatible.\n      \
         And because you require xformers==0.0.29.post1 and vllm==0.8.5, we can\n      conclude that your requirements are unsatisfiable.\n",
    );
    let title = "xformers 0.0.29.post1 requires torch==2.5.1, but vllm 0.8.5 requires torch==2.6.0";
    assert_eq!(report["findings"][0]["title"], title);
    assert_eq!((ids(&report).len(), report["facts"]["pasted"]["not_read"].as_u64()), (1, Some(0)));
    let agreed = check("torch 2.6.0 depends on triton==3.2.0\nThe user requested triton>=3\n");
    assert!(ids(&agreed).is_empty(), "{agreed}");
}

#[test]
fn a_name_that_no_release_has_is_not_answered_by_an_upgrade() {
    for text in [
        "ImportError: cannot import name 'symmetric_memory' from 'torch.distributed' (/v/torch/distributed/__init__.py)",
        "AttributeError: module 'torch.distributed' has no attribute 'SymmetricMemory'\ntorch==2.15.0+cu130",
        "AttributeError: module 'torch.distributed.nn' has no attribute 'SymmetricMemory'\nPyTorch version: 2.4.1+cu121",
    ] {
        for told in [first(&check(text)), explain(text.lines().next().unwrap())] {
            assert!(told.contains("torch.distributed._symmetric_memory") && told.contains("2.6.0"), "{told}");
            let lower = told.to_lowercase();
            assert!(!lower.contains("upgrade torch") && !lower.contains("pip install"), "{told}");
        }
    }
    let later = explain("cannot import name 'get_mem_pool' from 'torch.distributed._symmetric_memory'");
    assert!(later.contains("`get_mem_pool` with 2.10.0"), "{later}");
}

#[test]
fn a_refused_target_tells_which_triton_takes_it() {
    for (line, words) in [
        ("ptxas fatal   : Value 'sm_100a' is not defined for option 'gpu-name'", ["CUDA 12.8", "TRITON_PTXAS_PATH"]),
        ("ptxas-blackwell fatal: Value 'sm_121a' is not defined for option 'gpu-name'", ["3.6.0", "2.10.0"]),
        ("ptxas fatal : Value 'sm_103a' is not defined for option 'gpu-name'", ["3.6.0", "2.10.0"]),
        ("PTXASError: ptxas fatal : Value 'sm_110a' is not defined for option 'gpu-name'", ["3.7.0", "2.12.0"]),
    ] {
        for told in [first(&check(line)), explain(line)] {
            assert!(words.iter().all(|word| told.contains(word)), "{line}: {told}");
        }
    }
    // Triton's own assembler takes it: another one ran.
    let report =
        check("triton==3.5.1\nGPU 0: NVIDIA B200\nptxas fatal : Value 'sm_100a' is not defined for option 'gpu-name'");
    assert_eq!(
        (ids(&report)[0], &report["findings"][0]["kind"]),
        ("symptom/triton-ptxas-cuda-12-8", &Value::from("toolchain"))
    );
    // Triton 3.5.1 is the one that does not know it.
    let report =
        check("triton==3.5.1\nGPU 0: NVIDIA GB10\nptxas fatal : Value 'sm_121a' is not defined for option 'gpu-name'");
    assert_eq!(ids(&report)[0], "gpu-arch/triton");
}

#[test]
fn a_compilation_that_seems_to_hang_is_told_to_compile_the_block() {
    for text in [
        "our 70B model is stuck in torch.compile since this morning (torch 2.6.0, 8x A100)",
        "torch.compile never finishes on GB200, torch==2.11.0, RAM fills up",
    ] {
        let report = check(text);
        assert!(
            first(&report).contains("from torch 2.5.0 on") || first(&report).contains("From torch 2.5.0 on"),
            "{report}"
        );
        assert!(first(&report).contains("layer.compile()"), "{report}");
        // Another torch is no cure.
        assert!(!first(&report).contains("pip install"), "{report}");
    }
}

#[test]
fn words_lead_to_the_advisories() {
    for (words, id) in [
        ("torch.compile hangs", "GPUDOC-2026-0089"),
        ("compiling hangs", "GPUDOC-2026-0089"),
        ("symmetric memory", "GPUDOC-2026-0003"),
        ("sm_100a", "GPUDOC-2026-0006"),
        ("sm_103a", "GPUDOC-2026-0090"),
        ("sm_121a", "GPUDOC-2026-0117"),
        ("triton_key", "GPUDOC-2026-0087"),
    ] {
        assert!(explain(words).contains(&format!("{id}:")), "{words}: {}", explain(words));
    }
    assert_eq!((explain("memory"), explain("a printer on fire")), (String::new(), String::new()));
}

#[test]
fn a_stack_of_another_vendor_is_named_and_not_judged() {
    for (text, vendor) in [
        (
            "PyTorch version: 2.8.0+rocm6.4\nIs CUDA available: True\nGPU models and configuration: AMD Instinct MI300X (gfx942)\n\
             RuntimeError: HIP error: invalid device function",
            "AMD ROCm",
        ),
        ("torch==2.5.1+rocm6.2\ntorchvision==0.20.1+rocm6.2\nGPU 0 Compute Capability: 11.0", "AMD ROCm"),
        (
            "PyTorch version: 2.7.0\nOS: macOS 15.1 (arm64)\nIs CUDA available: False\nAssertionError: Torch not compiled with CUDA enabled",
            "Apple MPS",
        ),
        ("torch==2.9.0+cpu\ntorch-npu==2.9.0\nNPU 0: Ascend 910B3", "Huawei Ascend"),
        ("torch: 2.6.0+xpu\nRuntimeError: Found no NVIDIA driver on your system.", "Intel XPU"),
        (
            "PyTorch version: 2.6.0+cu124\nGPU models and configuration: No CUDA\nNeuron SDK Version: (0, 'instance-type: inf2.xlarge')",
            "AWS Neuron",
        ),
        ("torch==2.6.0+cpu\nlibtpu==0.0.7\nIs CUDA available: False", "Google TPU"),
    ] {
        let report = check(text);
        assert_eq!(ids(&report), ["system/vendor"], "{text}: {report}");
        assert_eq!(report["verdict"], "unknown", "{text}");
        let checks = report["checks"].as_array().unwrap();
        let reason = |id: &str| checks.iter().find(|row| row["id"] == id).unwrap()["reason"].as_str().unwrap();
        assert!(reason("gpu-visibility").contains(vendor) && reason("cpu-build").contains(vendor), "{text}: {report}");
    }
}

#[test]
fn an_nvidia_gpu_beside_another_vendors_words_is_judged() {
    let report = check(
        "torch==2.7.1+cu126\nGPU 0: NVIDIA GeForce RTX 5090\nGraphics: AMD Radeon 780M\nROCM used to build PyTorch: N/A\n\
         RuntimeError: CUDA error: no kernel image is available for execution on the device",
    );
    assert_eq!((ids(&report)[0], &report["verdict"]), ("gpu-arch/torch", &Value::from("fail")));
    assert!(
        ids(&check("torch==2.6.0+cpu\nGPU: NVIDIA GeForce RTX 4090\nit ran on my Mac with an Apple M2"))
            .contains(&"cpu-build/torch")
    );
}
