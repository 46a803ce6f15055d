//! The plan: ten stacks whose smallest change was worked out by hand from the design's measure, five of them the incidents that
//! gpudoc was asked for, and what must not move a plan.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

fn gpudoc(args: &[&str], input: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
    command.args(args).args(["--format", "json"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who needs no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().map(|list| list.iter().map(|one| one.as_str().unwrap().to_owned()).collect()).unwrap_or_default()
}

/// What the plan for a pasted text installs.
fn plan(text: &str) -> Vec<String> {
    let report = gpudoc(&["check", "--from", "-"], text);
    strings(&report["plan"]["requirements"])
}

/// Incident 0: the release stays, what decides is the CUDA variant; bitsandbytes has kernels for 12.0 from 0.45.3 on.
#[test]
fn an_rtx_5090_gets_the_variant_of_its_release() {
    let text = "✅ PyTorch Version: 2.7.1+cu126\n\n\
                NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current PyTorch installation.\n\n\
                ❌ BitsAndBytes import FAILED: No module named 'triton.ops'\n";
    let pins = plan(text);
    assert!(pins.contains(&"torch==2.7.1+cu128".to_owned()), "{pins:?}");
    let bits = pins.iter().find_map(|pin| pin.strip_prefix("bitsandbytes==")).unwrap();
    let bits: pep440_rs::Version = bits.parse().unwrap();
    assert!(bits >= "0.45.3".parse().unwrap(), "{pins:?}");
    // torch 2.7.1 pins it.
    assert!(pins.contains(&"triton==3.3.1".to_owned()), "{pins:?}");
}

/// Incident 1: torch 2.6.0 pins triton 3.2.0, so the constraint goes; nothing is installed, so nothing is kept.
#[test]
fn a_refused_set_is_mended_at_the_users_own_line() {
    let text = "ERROR: Cannot install bitsandbytes because these package versions have conflicting dependencies.\n\n\
                The conflict is caused by:\n    torch 2.6.0 depends on triton==3.2.0; platform_system == \"Linux\" and \
                platform_machine == \"x86_64\"\n    The user requested (constraint) triton<3.0.0,>=2.1.0\n";
    let report = gpudoc(&["check", "--from", "-"], text);
    let summary = report["plan"]["summary"].as_str().unwrap();
    assert!(summary.contains("`triton>=2.1.0,<3.0.0`") && summary.contains("take it out"), "{summary}");
    let pins = strings(&report["plan"]["requirements"]);
    assert!(["torch==2.6.0", "triton==3.2.0"].iter().all(|pin| pins.contains(&(*pin).to_owned())), "{pins:?}");
    assert!(report["facts"]["distributions"].as_array().unwrap().is_empty(), "what pip weighed is not installed");
}

/// What a release declares that the rules do not cover is nobody's line: the user's line that brings it is what may change.
#[test]
fn what_a_release_declares_is_mended_at_the_line_that_brings_it() {
    let text = "The conflict is caused by:\n    The user requested one-thing==1.0\n    The user requested other-thing==2.0\n    \
                The user requested torch\n    one-thing 1.0 depends on torch==2.6.0\n    other-thing 2.0 depends on torch==2.7.0\n\
                ERROR: ResolutionImpossible: for help visit https://pip.pypa.io\n";
    let report = gpudoc(&["check", "--from", "-"], text);
    assert_eq!(report["plan"]["summary"], "Change `one-thing==1.0` to another release, or take it out");
    assert_eq!(strings(&report["plan"]["requirements"]), ["torch==2.7.0"]);
    // Without such a line there is nothing to offer.
    let brought = text.replace("    The user requested one-thing==1.0\n    The user requested other-thing==2.0\n", "");
    assert!(gpudoc(&["check", "--from", "-"], &brought)["plan"].is_null());
}

/// Incident 2: a name that no release has is not mended by another release.
#[test]
fn a_name_that_no_release_has_asks_for_no_other_release() {
    let text = "torch 2.9.0, H100\nAttributeError: module 'torch.distributed.nn' has no attribute 'SymmetricMemory'\n";
    let report = gpudoc(&["check", "--from", "-"], text);
    assert!(report["plan"].is_null(), "{}", report["plan"]);
    let commands: Vec<_> =
        report["findings"].as_array().unwrap().iter().flat_map(|it| it["remedies"].as_array().unwrap()).collect();
    assert!(commands.iter().all(|remedy| !remedy["commands"].to_string().contains("--upgrade")), "{commands:?}");
}

/// Incident 2, whole: the triton that torch 2.9.0 brings is 3.5.0, which is what refuses sm_103a. To install it again mends nothing.
#[test]
fn what_the_stack_brings_already_is_no_cure() {
    let text = "torch 2.9.0, H100\nAttributeError: module 'torch.distributed.nn' has no attribute 'SymmetricMemory'\n\
                ptxas fatal   : Value 'sm_103a' is not defined for option 'gpu-name'\n";
    let report = gpudoc(&["check", "--from", "-"], text);
    assert!(report["plan"].is_null(), "{}", report["plan"]);
    assert!(!report["findings"].to_string().contains("triton==3.5.0"), "{report}");
}

/// Incident 3: no variant of torch 2.5 has sm_120. The nearest minor release whose partners all have it is 2.7: of 2.6 no build
/// has, and of 2.7 the last patch is 2.7.1, which torchvision 0.22.1 and xformers 0.0.31.post1 pin.
#[test]
fn an_upgrade_takes_the_family_along_and_names_what_is_compiled() {
    let text = "RuntimeError: CUDA error: no kernel image is available for execution on the device\n\
                GPU: NVIDIA GeForce RTX 5090, driver 575.64.03, Ubuntu 22.04, Python 3.10\n\
                PyTorch:      2.5.1+cu121\ntorchvision:  0.20.1+cu121\nCUDA:         12.1\nxformers:     0.0.29.post1\n\
                flash_attn:   2.8.3\ntriton:       3.1.0\ntorchsparse:  2.1.0 (custom CUDA extension)\n\
                transformers: 4.40.2\nutils3d (git)\n";
    let report = gpudoc(&["check", "--from", "-"], text);
    assert_eq!(
        strings(&report["plan"]["requirements"]),
        ["torch==2.7.1+cu128", "torchvision==0.22.1+cu128", "triton==3.3.1", "xformers==0.0.31.post1"]
    );
    let commands = strings(&report["plan"]["commands"]).join("\n");
    assert!(commands.contains("FLASH_ATTN_CUDA_ARCHS=120 "), "{commands}");
    assert!(commands.contains("TORCH_CUDA_ARCH_LIST=12.0 ") && commands.contains("torchsparse"), "{commands}");
    assert!(!commands.contains("transformers") && !commands.contains("utils3d"), "{commands}");
    assert_eq!(report["plan"]["verified"], false, "what a rebuild makes is not known before");
}

/// Incident 4: the serving application is the first anchor; vllm 0.11.0 pins torch 2.8.0 with torchvision 0.23.0 and
/// torchaudio 2.8.0. What agrees with it, xformers 0.0.32.post1 and triton 3.4.0, stays.
#[test]
fn the_serving_application_keeps_its_release() {
    let text = "OS: Ubuntu 24.04.3 LTS\nDriver: 570.133.20\nCUDA Forward Compat: 580.95.05\nPyTorch: 2.9.0+cu130\n\
                torchvision: 0.24.0+cu130\ntorchaudio: 2.9.0 (torchaudio 2.8.0+cu128 also present)\nxFormers: 0.0.32.post1\n\
                vLLM: 0.11.0\nTriton: 3.4.0\nPython: 3.12.3\nGPU: NVIDIA H100 80GB HBM3\nCompute Capability: 9.0\n\
                export LD_LIBRARY_PATH=/usr/local/cuda-13.0/compat:$LD_LIBRARY_PATH\n";
    let report = gpudoc(&["check", "--from", "-"], text);
    assert_eq!(
        strings(&report["plan"]["requirements"]),
        ["torch==2.8.0+cu128", "torchaudio==2.8.0+cu128", "torchvision==0.23.0+cu128"]
    );
    // They are the default index's own builds.
    assert!(strings(&report["plan"]["commands"]).iter().all(|command| !command.contains("index-url")));
}

/// A CPU build on a machine with a GPU: the same release, for CUDA, and the triton that it pins.
#[test]
fn a_cpu_build_keeps_its_release() {
    let report = gpudoc(&["check", "--root", "fixtures/hosts/cpu-torch-on-gpu"], "");
    assert_eq!(strings(&report["plan"]["requirements"]), ["torch==2.7.1+cu126", "triton==3.3.1"]);
    assert_eq!(report["plan"]["verified"], true);
}

/// An asked downgrade: all three exist for CUDA 13.0, the family's own, so none goes to another index.
#[test]
fn the_family_keeps_its_cuda() {
    let outlook = gpudoc(&["impact", "torch==2.10.0", "--from", "fixtures/snapshots/two-h200-sound.json"], "");
    let rows = outlook["distributions"].as_array().unwrap().iter();
    let changed: Vec<String> = rows
        .filter(|row| row["status"] == "must-change" && !row["name"].as_str().unwrap().starts_with("nvidia-"))
        .map(|row| format!("{}=={}", row["name"].as_str().unwrap(), row["after"].as_str().unwrap()))
        .collect();
    assert_eq!(changed, ["torch==2.10.0+cu130", "torchaudio==2.10.0+cu130", "torchvision==0.25.0+cu130"]);
}

/// torch 2.9.1 for CUDA 13 on driver 550: the release has a build for CUDA 12.8 on the default index, and minor-version
/// compatibility lets 550 run it.
#[test]
fn a_driver_too_old_for_a_major_changes_the_variant() {
    let text = std::fs::read_to_string("fixtures/reports/l4-cuda13-driver-550.txt").unwrap();
    let expected = ["torch==2.9.1+cu128", "torchvision==0.24.1+cu128"];
    assert_eq!(plan(&text), expected);
}

/// torchvision 0.20.1 is for torch 2.5.1; torch is the framework, so torchvision moves, to the one for 2.6.0.
#[test]
fn a_partner_follows_the_framework() {
    let text = "GPU 0: NVIDIA A100-SXM4-80GB\nDriver Version: 550.90.07\nPython version: 3.11.9\ntorch==2.6.0+cu124\n\
                torchvision==0.20.1+cu124\ntransformers==4.49.0\n";
    assert_eq!(plan(text), ["torchvision==0.21.0+cu124"]);
}

/// Nothing newer than branch 470 knows a K80, and torch 2.4.1 is also there for CUDA 11.8, which 470 runs.
#[test]
fn an_old_gpu_gets_another_variant_rather_than_a_driver_that_drops_it() {
    let text = "Driver Version: 470.82.01\nGPU 0: Tesla K80\nPython version: 3.10.12\ntorch==2.4.1+cu121\n";
    assert_eq!(plan(text), ["torch==2.4.1+cu118"]);
}

/// What a change does not touch never changes it, whether the rules cover it or not.
#[test]
fn an_installed_package_that_nothing_touches_changes_no_plan() {
    for name in [
        "b200-torch-cu126",
        "l4-cuda13-driver-550",
        "torchvision-of-another-torch",
        "xformers-other-torch",
        "nvidia-smi-table-driver-450",
    ] {
        let text = std::fs::read_to_string(format!("fixtures/reports/{name}.txt")).unwrap();
        let before = plan(&text);
        assert!(!before.is_empty(), "{name}");
        for line in [
            "[pip3] setuptools==80.9.0",
            "[pip3] einops==0.8.1",
            "[pip3] nvidia-ml-py==12.575.51",
            "[pip3] pandas==2.2.3",
        ] {
            assert_eq!(plan(&format!("{text}\n{line}\n")), before, "{name} with {line}");
        }
    }
}

/// A list that names some packages does not make the others absent: nothing is added that nobody blames.
#[test]
fn a_partial_list_brings_nothing_in() {
    let text = "GPU 0: NVIDIA GeForce RTX 5090\nDriver Version: 570.133.20\nPython version: 3.11.9\ntorch: 2.7.1+cu126\n\
                RuntimeError: CUDA error: no kernel image is available for execution on the device\n";
    assert_eq!(plan(text), ["torch==2.7.1+cu128"]);
}

/// transformers 4.57.1 wants huggingface-hub below 1.0; what 1.0.1 requires, httpx, is no matter once it is gone. uv made the
/// environment, so that it has no pip.
#[test]
fn what_goes_leaves_no_wishes_behind_and_uv_is_called_where_there_is_no_pip() {
    let folder = tempfile::tempdir().unwrap();
    let host = folder.path().join("host");
    let copied = Command::new("cp").args(["-a", "fixtures/hosts/empty-venv"]).arg(&host).status().unwrap();
    assert!(copied.success());
    let site = std::fs::read_dir(host.join("workspace/venv/lib")).unwrap().next().unwrap().unwrap().path();
    let site = site.join("site-packages");
    std::fs::remove_dir_all(site.join("pip-25.1.1.dist-info")).unwrap();
    let write = |path: std::path::PathBuf, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for (name, version, requires) in
        [("transformers", "4.57.1", "huggingface-hub<1.0,>=0.34.0"), ("huggingface_hub", "1.0.1", "httpx<1,>=0.23.0")]
    {
        let info = site.join(format!("{name}-{version}.dist-info"));
        let text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: {requires}\n");
        write(info.join("METADATA"), &text);
        write(info.join("INSTALLER"), "uv");
        write(info.join("RECORD"), "");
    }
    let report = gpudoc(&["check", "--root", host.to_str().unwrap()], "");
    assert_eq!(strings(&report["plan"]["requirements"]), ["huggingface-hub==0.36.2"], "{}", report["findings"]);
    let commands = strings(&report["plan"]["commands"]);
    assert!(commands.iter().all(|command| command.starts_with("uv pip install ")), "{commands:?}");
}

const RTX_4090: &str =
    "GPU 0: NVIDIA GeForce RTX 4090\nNvidia driver version: 570.133.20\nPython version: 3.11.9\nOS: Linux\n";

/// bitsandbytes 0.42.0 has libraries for CUDA 11.0 to 12.3 only, the framework is for 12.4. Nothing sets torch's whole family to
/// another CUDA for the sake of one extension. Up to 0.45.0 bitsandbytes imports `triton.ops`, which torch 2.6.0's triton 3.2.0 no
/// longer has; 0.45.5 is the last patch of the first minor release without.
#[test]
fn an_extension_follows_the_frameworks_cuda() {
    let stack = "torch==2.6.0+cu124\ntorchvision==0.21.0+cu124\nbitsandbytes==0.42.0\n";
    assert_eq!(plan(&format!("{RTX_4090}{stack}")), ["bitsandbytes==0.45.5"]);
}

/// torch alone was upgraded, to another CUDA too: it is what the others are built for, so they follow it.
#[test]
fn a_family_left_behind_follows_its_framework() {
    let text = "GPU 0: NVIDIA L40S\nNvidia driver version: 580.65.06\nPython version: 3.12.3\ntorch==2.10.0+cu130\n\
                torchvision==0.24.1+cu128\ntorchaudio==2.9.1+cu128\ntriton==3.6.0\n";
    assert_eq!(plan(text), ["torchaudio==2.10.0+cu130", "torchvision==0.25.0+cu130"]);
    // The driver has the last word: CUDA 13 needs 580.65.06, and an L40S on a data centre's 570 has no compat library here.
    let older = plan(&text.replace("580.65.06", "570.133.20"));
    assert!(older.contains(&"torch==2.10.0+cu128".to_owned()), "{older:?}");
}

/// trl 0.15.2 asks for transformers 4.46.0. One step forward of what it stands on, before it falls by three minor releases.
#[test]
fn what_is_built_on_a_library_takes_it_along() {
    let stack = "trl==0.15.2\ntransformers==4.45.2\ntorch==2.6.0\n";
    assert_eq!(plan(&format!("{RTX_4090}{stack}")), ["transformers==4.46.3"]);
    // trl 0.12.0 asks for accelerate 0.34.0: the helper goes forward.
    let stack = "trl==0.12.0\naccelerate==0.30.1\ntransformers==4.46.3\ntorch==2.5.1\n";
    assert_eq!(plan(&format!("{RTX_4090}{stack}")), ["accelerate==0.34.2"]);
}

/// autoawq 0.1.8 is one minor release before 0.2.9 and sixteen months older; transformers 4.56.2 is a month older than 4.57.0.
#[test]
fn a_minor_release_that_took_a_year_is_far_back() {
    let stack = "autoawq==0.2.9\ntransformers==4.57.0\ntorch==2.8.0\n";
    assert_eq!(plan(&format!("{RTX_4090}{stack}")), ["transformers==4.56.2"]);
}

/// PyPI's torch for Windows is a CPU build. Driver 566.36 runs CUDA 12; the index cu126 has 2.6.0 for Windows, cu128 does not.
#[test]
fn a_cpu_build_on_windows_is_exchanged_for_one_of_an_index() {
    let text = "OS: Windows 11\nGPU 0: NVIDIA GeForce RTX 3060\nNvidia driver version: 566.36\nPython version: 3.11.9\n\
                torch==2.6.0+cpu\ntorchvision==0.21.0+cpu\ntransformers==4.50.0\n";
    let report = gpudoc(&["check", "--from", "-"], text);
    let plan = &report["plan"];
    assert_eq!(strings(&plan["requirements"]), ["torch==2.6.0+cu126", "torchvision==0.21.0+cu126"]);
    assert!(plan["commands"][0].as_str().unwrap().contains("https://download.pytorch.org/whl/cu126"), "{plan}");
    assert_eq!(plan["verified"], true);
    // Of ctranslate2 nobody read a wheel for Windows; that of bitsandbytes has a library for CUDA 12.6.
    let verified = |more: &str| {
        let report = gpudoc(&["check", "--from", "-"], &format!("{text}{more}\n"));
        (strings(&report["plan"]["requirements"]).len(), report["plan"]["verified"] == true)
    };
    assert_eq!(verified("ctranslate2==4.6.0"), (2, false));
    assert_eq!(verified("bitsandbytes==0.45.5"), (2, true));
}

/// Incident 4's second answer: who upgraded torch on purpose moves vLLM instead, forward.
#[test]
fn a_second_plan_keeps_the_framework() {
    let text = "GPU 0: NVIDIA H100 80GB HBM3\nNvidia driver version: 570.133.20\nPython version: 3.12.3\nvllm==0.11.0\n\
                torch==2.9.0\ntorchvision==0.24.0\ntorchaudio==2.9.0\nxformers==0.0.32.post1\ntriton==3.5.0\n";
    let report = gpudoc(&["check", "--from", "-"], text);
    let first = strings(&report["plan"]["requirements"]);
    assert!(first.contains(&"torch==2.8.0+cu128".to_owned()), "{first:?}");
    let finding =
        report["findings"].as_array().unwrap().iter().find(|it| it["id"] == "requirement/vllm/torch").unwrap();
    let remedies = finding["remedies"].as_array().unwrap();
    let second = remedies.iter().find(|it| it["summary"].as_str().unwrap().starts_with("Or keep torch 2.9.0")).unwrap();
    let pins = strings(&second["requirements"]);
    // vLLM 0.11.1 to 0.13.0 want torch 2.9.0.
    let vllm = pins.iter().find_map(|pin| pin.strip_prefix("vllm==")).unwrap();
    assert!(["0.11.1", "0.11.2", "0.12.0", "0.13.0"].contains(&vllm), "{pins:?}");
    assert!(!pins.iter().any(|pin| pin.starts_with("torch==")), "{pins:?}");
}

/// What partners ask of each other without a line in their metadata, and what a message alone tells: the smallest change of it.
#[test]
fn the_odd_one_out_comes_to_the_others() {
    let host = "GPU 0: NVIDIA GeForce RTX 4090\nDriver Version: 580.95.05\nPython 3.12.11\n\n";
    let on = |lines: &str| plan(&format!("{host}{lines}\n"));
    // flashinfer compares the two versions when it is imported.
    assert_eq!(on("flashinfer-python==0.6.3\nflashinfer-cubin==0.6.4"), ["flashinfer-cubin==0.6.3"]);
    // sentence-transformers 5.1.2 asks for transformers below 5, 5.2 does not; transformers is what it extends.
    let pins = on("transformers==5.0.0\nsentence-transformers==5.1.2\ntorch==2.9.0");
    assert!(matches!(pins.as_slice(), [one] if one.starts_with("sentence-transformers==5.2.")), "{pins:?}");
    // PyPI's onnxruntime-gpu is for CUDA 13 from 1.27 on, torch 2.8.0 there is for CUDA 12.8.
    let pins = on("onnxruntime-gpu==1.28.0\ntorch==2.8.0");
    assert!(matches!(pins.as_slice(), [one] if one.starts_with("onnxruntime-gpu==1.26.")), "{pins:?}");
    // XLA was compiled with cuDNN 9.8, as the plugin's extra says; whoever installed cuDNN otherwise has to have as new a one.
    let jax = "jax==0.7.2\njaxlib==0.7.2\njax-cuda12-plugin==0.7.2\njax-cuda12-pjrt==0.7.2\nnvidia-cudnn-cu12==";
    let pins = on(&format!("{jax}9.5.1.17"));
    assert!(matches!(pins.as_slice(), [one] if one.starts_with("nvidia-cudnn-cu12")), "{pins:?}");
    assert_eq!(on(&format!("{jax}9.10.2.21")), [""; 0]);
    // tf-keras of TensorFlow's own minor release.
    let keras = "RuntimeError: Your currently installed version of Keras is Keras 3, but this is not yet supported in Transformers.\n\n\
                 keras==3.5.0\ntensorflow==2.16.2\ntransformers==4.44.2";
    assert_eq!(plan(&format!("Python 3.11.9\n\n{keras}\n")), ["tf-keras==2.16.0"]);
    // The message says that the program compiles; 2.10.0 is the first release that does on Python 3.14.
    let compiles = "RuntimeError: torch.compile is not supported on Python 3.14+\n\ntorch==2.9.1\ntorchvision==0.24.1";
    let pins = plan(&format!("RTX 4080 SUPER, driver 570.195.03, CPython 3.14.2\n\n{compiles}\n"));
    assert!(pins.iter().any(|pin| pin.starts_with("torch==2.10.0")), "{pins:?}");
    assert!(pins.iter().any(|pin| pin.starts_with("torchvision==0.25.0")), "{pins:?}");
}

/// A toolkit in front of the wheels' own libraries: the path is what changes, not torch, and nobody claims to have tried it.
#[test]
fn a_variable_goes_before_a_package_does() {
    let text = "ImportError: /venv/lib/python3.11/site-packages/torch/lib/../../nvidia/cusparse/lib/libcusparse.so.12: undefined \
                symbol: __nvJitLinkAddData_12_1, version libnvJitLink.so.12\n\ntorch==2.4.1\n";
    let report = gpudoc(&["check", "--from", "-"], text);
    assert_eq!(strings(&report["plan"]["commands"]), ["unset LD_LIBRARY_PATH"]);
    assert_eq!((strings(&report["plan"]["requirements"]), &report["plan"]["verified"]), (vec![], &Value::Bool(false)));
}

/// The release stays where its other variant has the GPU's code, on Windows too.
#[test]
fn windows_keeps_its_release() {
    let text = "Device: cuda:0 NVIDIA GeForce RTX 5060\nPython version: 3.12.10 (tags/v3.12.10:0cc8128) [MSC v.1943 64 bit (AMD64)]\n\
                NVIDIA-SMI 576.88    Driver Version: 576.88    CUDA Version: 12.9\n\ntorch==2.7.1+cu126\ntorchvision==0.22.1+cu126\n";
    assert_eq!(plan(text), ["torch==2.7.1+cu128", "torchvision==0.22.1+cu128"]);
}

/// torchcodec 0.7 is built for torch 2.8; 0.8 and 0.9 are for 2.9, and the table in its METADATA also offers to move both to torch
/// 2.11. One package that moves by a minor release is less than four.
#[test]
fn of_several_wishes_the_one_that_changes_least() {
    let host = "RTX 3090, driver 570.124.06, Python 3.12\n\n";
    let list = "torch==2.9.1\ntorchaudio==2.9.1\ntriton==3.5.1\n";
    let error = "RuntimeError: Could not load libtorchcodec. Likely causes:\n\n";
    assert_eq!(plan(&format!("{host}{error}{list}torchcodec==0.7.0\n")), ["torchcodec==0.8.1"]);
    assert!(plan(&format!("{host}{list}torchcodec==0.8.1\n")).is_empty(), "it fits");
}

/// basicsr needs a module that torchvision has up to 0.16: that is one minor release back, and torch 2.1 is torchvision 0.16's.
#[test]
fn a_range_takes_the_family_along() {
    let text = |torchvision: &str, torch: &str| {
        format!(
            "RTX 3060, driver 545.29.06, Python 3.10\n\nbasicsr==1.4.2\nnumpy==1.26.4\ntorch=={torch}\n\
             torchvision=={torchvision}\n"
        )
    };
    assert_eq!(plan(&text("0.17.2", "2.2.2")), ["torch==2.1.2+cu121", "torchvision==0.16.2+cu121"]);
    assert!(plan(&text("0.16.2", "2.1.2")).is_empty(), "it is there");
}

/// TensorFlow brings its libraries with an extra of the release that is there; the newest TensorFlow nobody asked for.
#[test]
fn an_extra_keeps_the_release() {
    let text = |more: &str| {
        format!(
            "Tesla T4, driver 535.161.07, Python 3.11.2\n\nCannot dlopen some GPU libraries. Please make sure the missing \
             libraries mentioned above are installed properly\n\nnumpy==1.26.4\ntensorflow==2.15.1\n{more}"
        )
    };
    let report = gpudoc(&["check", "--from", "-"], &text(""));
    assert_eq!(strings(&report["plan"]["requirements"]), ["tensorflow[and-cuda]==2.15.1"]);
    assert_eq!(strings(&report["plan"]["commands"]), ["pip install \"tensorflow[and-cuda]==2.15.1\""]);
    assert!(plan(&text("nvidia-cudnn-cu12==8.9.4.25\n")).is_empty(), "it was installed with them");
}

/// On Windows too: xformers 0.0.29.post3 requires torch 2.6.0, which has no kernels for 12.0, and 0.0.31.post1 requires 2.7.1.
#[test]
fn on_windows_what_requires_the_framework_moves_along() {
    let text = |torch: &str, torchvision: &str, xformers: &str| {
        format!(
            "Windows 11, driver 572.83, NVIDIA GeForce RTX 5070 Ti, Python 3.11.9\n\n{error}\n\ntorch=={torch}\n\
             torchvision=={torchvision}\nxformers=={xformers}\n",
            error = if torch.starts_with("2.6") {
                "RuntimeError: CUDA error: no kernel image is available for execution on the device"
            } else {
                ""
            }
        )
    };
    let moved = plan(&text("2.6.0+cu124", "0.21.0+cu124", "0.0.29.post3"));
    assert_eq!(moved, ["torch==2.7.1+cu128", "torchvision==0.22.1+cu128", "xformers==0.0.31.post1"]);
    assert!(plan(&text("2.7.1+cu128", "0.22.1+cu128", "0.0.31.post1")).is_empty());
}

/// numba 0.61.2 takes NumPy below 2.3: one plan with the build of torch, though Windows and no Python are named. numba 0.62, which
/// takes 2.3, needs another llvmlite.
#[test]
fn one_plan_for_what_is_judged_apart() {
    let text = |numpy: &str, more: &str| {
        format!("Windows 10, RTX 3060, driver 566.36\n\nnumba==0.61.2\nnumpy=={numpy}\ntorch==2.8.0+cpu\n{more}")
    };
    assert_eq!(plan(&text("2.3.3", "llvmlite==0.44.0\n")), ["numpy==2.2.6", "torch==2.8.0+cu128"]);
    assert_eq!(plan(&text("2.3.3", "")), ["numba==0.62.1", "torch==2.8.0+cu128"]);
    assert_eq!(plan(&text("2.2.6", "")), ["torch==2.8.0+cu128"]);
}

/// For aarch64 torch 2.8 is there with CUDA 12.9 and torchvision as a CPU build alone, which loads beside it: no other driver is
/// needed, which torch 2.11, whose partners are for CUDA 13, asks for.
#[test]
fn a_plan_that_needs_no_driver_comes_first() {
    let text = |more: &str| {
        format!(
            "GH200 480GB, driver 570.148.08, Linux aarch64, Python 3.12\n\ntorch==2.8.0+cpu\ntorchvision==0.23.0\n{more}"
        )
    };
    let report = gpudoc(&["check", "--from", "-"], &text("torchaudio==2.8.0\n"));
    assert_eq!(strings(&report["plan"]["requirements"]), ["torch==2.8.0+cu129"]);
    assert!(!report["plan"]["summary"].to_string().contains("driver"), "{}", report["plan"]);
    let report = gpudoc(
        &["check", "--from", "-"],
        "RTX 3090, driver 550.54.15\n\ntorch==2.8.0+cu128\ntorchvision==0.23.0+cpu\n",
    );
    assert_eq!(
        strings(&report["plan"]["requirements"]),
        ["torchvision==0.23.0+cu128"],
        "on x86_64 there is one for CUDA"
    );
}

/// cupy-cuda11x opens the libraries of CUDA 11; the machine has those of 12, for which cupy-cuda12x is the same release.
#[test]
fn the_name_for_another_cuda_where_only_that_is_there() {
    let text = |nvcc: &str, more: &str| {
        format!(
            "RTX 4080, driver 550.54.15, Python 3.11.9\n\nRuntimeError: CuPy failed to load libnvrtc.so.11.2: OSError: \
             libnvrtc.so.11.2: cannot open shared object file: No such file or directory\n\n`nvcc --version` -> Cuda compilation \
             tools, release {nvcc}\n\npip list:\nPackage      Version\n------------ -------\ncupy-cuda11x 13.3.0\n\
             numpy        1.26.4\n{more}"
        )
    };
    let report = gpudoc(&["check", "--from", "-"], &text("12.4, V12.4.131", ""));
    assert_eq!(strings(&report["plan"]["requirements"]), ["cupy-cuda12x==13.3.0"]);
    // Both fill the folder `cupy`.
    let commands = strings(&report["plan"]["commands"]);
    assert_eq!(commands, ["pip uninstall -y cupy-cuda11x", "pip install cupy-cuda12x==13.3.0"]);
    let twin = |text: String| plan(&text).contains(&"cupy-cuda12x==13.3.0".to_owned());
    assert!(!twin(text("11.8, V11.8.89", "")), "its own CUDA is there, and not found");
    assert!(!twin(text("12.4, V12.4.131", "nvidia-cuda-runtime-cu11 11.8.89\n")), "so it is in wheels");
}

/// TensorFlow 2.18 was compiled with cuDNN 9.3, torch 2.5.1 pins 9.1: 2.7 pins 9.5.1.17, and 2.7.1 is its last patch.
#[test]
fn a_torch_whose_cudnn_suits_tensorflow() {
    let text = |torch: &str, cudnn: &str| {
        format!(
            "RTX A6000, driver 560.35.03, Python 3.11\n\nnvidia-cudnn-cu12=={cudnn}\ntensorflow==2.18.0\ntf-keras==2.18.0\n\
             torch=={torch}\n"
        )
    };
    assert_eq!(plan(&text("2.5.1+cu124", "9.1.0.70")), ["torch==2.7.1+cu126"]);
    assert!(plan(&text("2.7.1+cu126", "9.5.1.17")).is_empty());
}

/// An index that does not answer leaves all as it was: what is taken out waits for what is installed, and files that both have are
/// written once more. torch 2.9.0+cu128 pins cuDNN 9.10.2.21; its wheel and the one for CUDA 13 hold the same `libcudnn.so.9`.
#[test]
fn what_is_taken_out_waits_for_what_is_installed() {
    let report = gpudoc(&["check", "--root", "fixtures/hosts/h100-570-cu130"], "");
    let commands = strings(&report["plan"]["commands"]);
    let parts: Vec<&str> = commands.iter().flat_map(|command| command.split(" && ")).collect();
    assert_eq!((commands.len(), parts.len()), (1, 3), "{commands:?}");
    assert!(parts[0].contains(" install torch==2.9.0+cu128 ") && parts[0].ends_with("/whl/cu128"), "{}", parts[0]);
    assert!(parts[1].contains(" uninstall -y nvidia-cublas ") && !parts[1].contains(" torch"), "{}", parts[1]);
    assert!(parts[2].contains(" --force-reinstall --no-deps nvidia-cudnn-cu12==9.10.2.21 "), "{}", parts[2]);
}

/// conda replaces what conda installed, and pip what pip installed in the same environment.
#[test]
fn what_conda_installed_is_condas_to_replace() {
    let with = |rows: &str| {
        let text = format!("# Name Version Build Channel\n{rows}\n\nGPU 0: NVIDIA GeForce RTX 5080\n");
        strings(&gpudoc(&["check", "--from", "-"], &text)["plan"]["commands"])
    };
    let by_conda = with("pytorch 2.4.1 cuda120_py311h1234567_300 conda-forge");
    let wanted = "conda install --yes -c conda-forge \"pytorch=2.7.1=cuda*\" \"cuda-version>=12.8,<13\"";
    assert_eq!(by_conda, [wanted]);
    let by_pip = with("numpy 1.26.4 py311h64a7726_0 conda-forge\ntorch 2.4.1 pypi_0 pypi");
    assert!(by_pip[0].starts_with("pip install torch==2.7.1+cu128 "), "{by_pip:?}");
}

/// The rules know torchvision 0.24.1+cu130 for x86_64, and nobody opened the one for aarch64: it is there, and stays.
#[test]
fn a_variant_that_was_read_for_another_platform_alone_stays() {
    let text = "NVIDIA GB10, driver 580.95.05, aarch64\nPython 3.12.3\ntorch 2.9.1+cu130\ntorchvision 0.24.1+cu130\ntriton 3.5.1\n";
    let changes = strings(&gpudoc(&["check", "--from", "-"], text)["plan"]["requirements"]);
    assert!(!changes.iter().any(|line| line.starts_with("torchvision==0.24.1")), "{changes:?}");
}
