//! Each reader on the form that it knows, with a vocabulary of three packages.

use super::*;
use crate::facts::{Distribution, Facts};

fn facts(text: &str) -> Facts {
    let is_package = |name: &str| matches!(name, "torch" | "triton" | "flash-attn" | "numpy" | "xformers" | "vllm");
    let distribution_of = |module: &str| match module {
        "flash_attn_2_cuda" => Some("flash-attn".to_owned()),
        "vllm" => Some("vllm".to_owned()),
        _ => None,
    };
    let is_gpu = |name: &str| name.contains("RTX") || name.contains("A100") || name.contains("T4");
    let variant = |url: &str, name: &str| {
        let label = url.rsplit('/').next().filter(|label| label.starts_with("cu"));
        label.filter(|_| name.starts_with("torch")).map(str::to_owned)
    };
    let vocabulary =
        Vocabulary { is_package: &is_package, distribution_of: &distribution_of, variant: &variant, is_gpu: &is_gpu };
    read(&Reader::ALL, &clean(text), &vocabulary).facts
}

fn version(facts: &Facts, name: &str) -> String {
    facts.distribution(name).map_or("-", Distribution::full_version).to_owned()
}

fn gpus(facts: &Facts) -> Vec<String> {
    let gpus = facts.gpus.value().map(Vec::as_slice).unwrap_or_default();
    gpus.iter().map(|gpu| gpu.name.value().cloned().unwrap_or_default()).collect()
}

#[test]
fn collect_env_of_two_generations() {
    for text in [
        "PyTorch version: 2.3.1+cu121\nLibc version: glibc-2.31\nPython version: 3.10.4 (main) [GCC 9.4.0]\n\
         Python platform: Linux-5.4.0-x86_64-with-glibc2.27\nIs CUDA available: True\n\
         GPU models and configuration: \nGPU 0: NVIDIA A100\nGPU 1: NVIDIA A100\nNvidia driver version: 535.54.03\n\
         [pip3] torch==2.3.1\n[pip3] triton==2.3.1",
        "PyTorch version              : 2.3.1+cu121\nLibc version                 : glibc-2.31\n\
         Python version               : 3.10.4 (main) [GCC 9.4.0]\n\
         Python platform              : Linux-5.4.0-x86_64-with-glibc2.27\nIs CUDA available            : True\n\
         GPU models and configuration :\nGPU 0: NVIDIA A100\nGPU 1: NVIDIA A100\n\n\
         Nvidia driver version        : 535.54.03\n[pip3] torch==2.3.1\n[pip3] triton==2.3.1",
    ] {
        let facts = facts(text);
        assert_eq!(version(&facts, "torch"), "2.3.1+cu121");
        assert_eq!(version(&facts, "triton"), "2.3.1");
        assert_eq!(gpus(&facts), ["NVIDIA A100", "NVIDIA A100"]);
        assert_eq!(facts.driver.version.value().unwrap().to_string(), "535.54.03");
        // The C library that is there, not the one that Python was compiled with.
        assert_eq!(facts.system.glibc.value().unwrap().to_string(), "2.31");
        assert_eq!(facts.system.arch.value().unwrap(), "x86_64");
        assert_eq!(facts.pasted.unwrap().cuda_available, Some(true));
    }
}

#[test]
fn reports_of_other_tools() {
    let sglang = facts(
        "PyTorch: 2.5.1+cu124\nGPU 0,1: NVIDIA A100\nGPU 0,1 Compute Capability: 8.0\nCUDA Driver Version: 550.54.15",
    );
    assert_eq!(gpus(&sglang).len(), 2);
    assert_eq!(sglang.gpus.value().unwrap()[1].compute_capability.value().unwrap().to_string(), "8.0");
    assert_eq!(sglang.driver.version.value().unwrap().to_string(), "550.54.15");
    let transformers = facts("- PyTorch version (GPU?): 2.2.0+cu118 (False)\n- Platform: Windows-10-10.0.1-SP0");
    assert_eq!(version(&transformers, "torch"), "2.2.0+cu118");
    assert_eq!(transformers.system.os.value().unwrap(), "windows");
    assert_eq!(transformers.pasted.unwrap().cuda_available, Some(false));
    let deepspeed = facts("torch version .................... 2.1.0+cu118\nnvcc version ..................... 12.1");
    assert_eq!(version(&deepspeed, "torch"), "2.1.0+cu118");
    assert_eq!(deepspeed.pasted.unwrap().nvcc.unwrap().to_string(), "12.1");
}

#[test]
fn lists_in_every_form() {
    for text in [
        "torch==2.4.0\nnumpy==1.26.4",
        "Package Version\n------- -------\ntorch   2.4.0\nnumpy   1.26.4",
        "[{\"name\": \"torch\", \"version\": \"2.4.0\"}, {\"name\": \"numpy\", \"version\": \"1.26.4\"}]",
        "Name: torch\nVersion: 2.4.0\nSummary: x\n\nName: numpy\nVersion: 1.26.4",
        "Successfully installed numpy-1.26.4 torch-2.4.0",
        "# Name  Version  Build  Channel\npytorch  2.4.0  py3.11_cuda12.1_cudnn9.1.0_0  pytorch\nnumpy  1.26.4  py311_0  defaults",
    ] {
        let facts = facts(text);
        assert_eq!(
            (version(&facts, "torch"), version(&facts, "numpy")),
            ("2.4.0".to_owned(), "1.26.4".to_owned()),
            "{text}"
        );
    }
}

#[test]
fn errors_state_facts() {
    let facts = facts(
        "ImportError: /v/site-packages/flash_attn_2_cuda.cpython-311-x86_64-linux-gnu.so: undefined symbol: _ZN3c104testEv\n\
         NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current PyTorch installation.\n\
         The current PyTorch install supports CUDA capabilities sm_80 sm_90.\n\
         ImportError: libc.so.6: version `GLIBC_2.32' not found (required by /v/site-packages/vllm/_C.abi3.so)",
    );
    let library = &facts.distribution("flash-attn").unwrap().libraries.value().unwrap()[0];
    assert_eq!(library.unresolved[0].symbol, "_ZN3c104testEv");
    assert_eq!(facts.distribution("vllm").unwrap().libraries.value().unwrap()[0].versions, ["GLIBC_2.32"]);
    let code = &facts.distribution("torch").unwrap().libraries.value().unwrap()[0].code[0];
    assert_eq!(code.targets.iter().map(ToString::to_string).collect::<Vec<_>>(), ["sm_80", "sm_90"]);
    assert_eq!(gpus(&facts), ["NVIDIA GeForce RTX 5090"]);
}

#[test]
fn words_are_weak() {
    assert_eq!(version(&facts("I run torch 2.6.0 on it"), "torch"), "2.6.0");
    // Two versions in words tell nothing, and a program's statement counts more.
    assert_eq!(version(&facts("torch 2.6.0 fails, torch 2.5.1 works"), "torch"), "?");
    assert_eq!(version(&facts("torch 2.6.0 fails\nPyTorch version: 2.5.1+cu124"), "torch"), "2.5.1+cu124");
    // What a command was to install is not what is installed.
    assert_eq!(version(&facts("pip install torch==2.0.0\ntorch==2.1.0"), "torch"), "2.1.0");
    assert!(facts("see page 5090 of 2080 tokens").gpus.is_unknown());
}

#[test]
fn two_programs_that_disagree_are_told() {
    let pasted = facts("PyTorch version: 2.5.1+cu124\nPackage  Version\ntorch    2.4.0").pasted.unwrap();
    assert_eq!(pasted.contradictions.len(), 1);
    assert_eq!(pasted.contradictions[0].used.0, "2.5.1+cu124");
    assert_eq!(pasted.contradictions[0].other.0, "2.4.0");
    assert!(facts("PyTorch version: 2.5.1+cu124\n[pip3] torch==2.5.1").pasted.unwrap().contradictions.is_empty());
}

#[test]
fn nothing_is_made_of_nothing() {
    for text in ["", "\n\n", "hello", "| | |", "GPU 0:", "torch==", "Name:\nVersion:"] {
        let facts = facts(text);
        assert!(facts.distributions.is_empty() && facts.gpus.value().is_none(), "{text}");
    }
}

#[test]
fn commands_tell_variant_interpreter_and_libcuda() {
    let text = "FROM nvidia/cuda:12.4.1-devel-ubuntu22.04\nRUN pip install torch==2.6.0 numpy==1.26.4 \\\n    --index-url https://download.pytorch.org/whl/cu124\n";
    let told = facts(text);
    let torch = told.distribution("torch").unwrap();
    assert_eq!(torch.full_version(), "2.6.0+cu124");
    assert_eq!(told.distribution("numpy").unwrap().full_version(), "1.26.4");
    let trace = "  File \"/home/x/.venv/lib/python3.12/site-packages/torch/__init__.py\", line 405, in <module>\nImportError: x\n";
    let told = facts(trace);
    assert_eq!(told.python.value().unwrap().version.value().unwrap().to_string(), "3.12");
    let ldd = "\tlibcuda.so.1 => /usr/local/cuda-13.0/compat/libcuda.so.1 (0x00007f5c5a200000)\n";
    assert!(facts(ldd).loader.libcuda.value().unwrap().compat);
    let path = "container sets LD_LIBRARY_PATH=/usr/local/cuda-12.8/compat:/usr/local/cuda/lib64\n";
    let library = facts(path).loader.libcuda.value().unwrap().clone();
    assert_eq!((library.path.as_str(), library.compat), ("/usr/local/cuda-12.8/compat/libcuda.so.1", true));
}
