//! Each reader on the form that it knows, with a vocabulary of three packages.

mod changes;
mod in_part;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::*;
use crate::facts::{Distribution, Facts};

/// The pipeline of the program, where no error message is known.
fn read(readers: &[Reader], text: &Clean<'_>, vocabulary: &Vocabulary<'_>) -> Report {
    super::read(readers, text, vocabulary, |_| ((), Vec::new())).0
}

/// What is read of a text by someone who knows six packages, of which two by their modules, and GPUs by a part of their names.
fn facts(text: &str) -> Facts {
    let is_gpu = |name: &str| name.contains("RTX") || name.contains("A100") || name.contains("T4");
    facts_with(text, &is_gpu)
}

/// What `rules/platform/report_fields.toml` says.
static FIELDS: LazyLock<toml::Table> =
    LazyLock::new(|| include_str!("../../rules/platform/report_fields.toml").parse().expect("a table"));

/// The rows of its fields by their names.
static NAMES: LazyLock<HashMap<&str, &toml::Value>> = LazyLock::new(|| {
    let rows = FIELDS["field"].as_array().expect("rows").iter();
    rows.flat_map(|row| texts(&row["names"]).map(move |name| (name, row))).collect()
});

fn texts(list: &toml::Value) -> impl Iterator<Item = &str> {
    list.as_array().expect("a list").iter().filter_map(toml::Value::as_str)
}

fn about(name: &str) -> Option<Field> {
    NAMES.get(name)?.get("about").map(|about| about.clone().try_into().expect("a field"))
}

fn is_heading(name: &str) -> bool {
    let heading = &FIELDS["heading"];
    texts(&heading["names"]).any(|own| own == name) || texts(&heading["parts"]).any(|part| name.contains(part))
}

/// The same as [`facts`], where other names are those of GPUs.
fn facts_with(text: &str, is_gpu: &(dyn Fn(&str) -> bool + Sync)) -> Facts {
    let is_package = |name: &str| matches!(name, "torch" | "triton" | "flash-attn" | "numpy" | "xformers" | "vllm");
    let distribution_of = |module: &str| match module {
        "flash_attn_2_cuda" => Some("flash-attn".to_owned()),
        "vllm" => Some("vllm".to_owned()),
        _ => None,
    };
    let variant = |url: &str, name: &str| {
        let label = url.rsplit('/').next().filter(|label| label.starts_with("cu"));
        label.filter(|_| name.starts_with("torch")).map(str::to_owned)
    };
    let other_vendor = |line: &str| line.contains("gfx").then(|| "AMD ROCm".to_owned());
    let begins = ["10", "16", "20", "30", "40", "50"].map(str::to_owned);
    let series = [("GTX", "GeForce GTX", ..2), ("RTX", "GeForce RTX", ..6)];
    let series = series.map(|(word, brand, end)| Series { word, brand, begins: &begins[end] });
    let vocabulary = Vocabulary {
        is_package: &is_package,
        distribution_of: &distribution_of,
        variant: &variant,
        field: &about,
        is_of_running: &|name| NAMES.get(name).is_some_and(|row| row.get("running").is_some()),
        is_heading: &is_heading,
        is_variable: &|name| name.starts_with("CUDA_") || name.starts_with("LD_") || name.ends_with("_CONF"),
        series: &series,
        boards: &["Jetson", "AGX"],
        is_gpu,
        other_vendor: &other_vendor,
    };
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
        assert_eq!(facts.visibility.available.value(), Some(&true));
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
    assert_eq!(transformers.visibility.available.value(), Some(&false));
    let deepspeed = facts("torch version .................... 2.1.0+cu118\nnvcc version ..................... 12.1");
    assert_eq!(version(&deepspeed, "torch"), "2.1.0+cu118");
    assert_eq!(deepspeed.toolchain.nvcc.value().unwrap().cuda.unwrap().to_string(), "12.1");
}

#[test]
fn a_module_is_no_second_distribution() {
    let names = |told: &str, listed: &str| {
        let facts = facts(&format!(
            "OS : Linux\nxformers Version : {told}\nPython version : 3.11\n\n{listed}\nnumpy==1.26.4\n"
        ));
        facts.distributions.into_iter().map(|it| it.name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("13.3.0", "xformers-cuda11x==13.3.0"), "numpy xformers-cuda11x");
    assert_eq!(
        names("12.0.0", "xformers-cuda11x==13.3.0"),
        "numpy xformers xformers-cuda11x",
        "another copy is in use"
    );
    assert_eq!(names("13.3.0", "xformers==13.3.0\nxformers-cu11==13.3.0"), "numpy xformers xformers-cu11");
    assert_eq!(names("13.3.0", "xformers-cuda12-plugin==13.3.0"), "numpy xformers xformers-cuda12-plugin");
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

/// conda's torchvision 0.18.1 of build `py310_cu118` is for CUDA 11.8, and PyPI's of that version is not.
#[test]
fn condas_build_says_the_variant() {
    let list = "# Name  Version  Build  Channel\nxformers  0.0.27  py310_cu118  pytorch\nnumpy  1.26.4  py310h5f9d8c6_0  defaults";
    let facts = facts(list);
    assert_eq!((version(&facts, "xformers").as_str(), version(&facts, "numpy").as_str()), ("0.0.27+cu118", "1.26.4"));
}

#[test]
fn the_python_of_a_sentence_is_there_unless_its_own_words_ask_for_it() {
    let python = |text: &str| {
        let facts = facts(&format!("{text}\n\ntorch==2.5.1"));
        facts.python.value().and_then(|python| python.version.value().map(ToString::to_string))
    };
    let there = Some("3.11.11".to_owned());
    assert_eq!(python("Errors since someone ran pip install in the venv (RTX 3090, Python 3.11.11):"), there);
    assert_eq!(python("After pip install torch, Python 3.11.11 stops"), there);
    assert_eq!(python("You may install Python 3.11.11 first"), None);
    assert_eq!(python("X requires Python 3.11.11"), None);
}

#[test]
fn lists_of_live_tools() {
    // uv, with its heading and its tree; pipdeptree; poetry, which describes each in words; pip freeze of a local wheel.
    for text in [
        "Using Python 3.12.1 environment at: .venv\naccelerate v1.10.1\n├── torch v2.4.0\n│   ├── numpy v1.26.4 (*)\n└── tqdm v4.70.1",
        "accelerate==1.10.1\n├── numpy [required: >=1.17,<3.0.0, installed: 1.26.4, extra: all]\n└── torch [required: >=2.0.0, installed: 2.4.0]",
        "accelerate==1.10.1\n  - torch [required: >=2.0.0, installed: 2.4.0]\n    - numpy [required: Any, installed: 1.26.4]",
        "numpy    1.26.4     Fundamental package for array computing in Python\n\
         tokenizers 0.22\ntriton 3.0.0\ntorch    2.4.0      Tensors and Dynamic neural networks in Python with strong GPU acceler...",
        " name         : torch\n version      : 2.4.0\n description  : Tensors\n\n name : numpy\n version : 1.26.4",
        "torch @ file:///wheels/torch-2.4.0-cp312-cp312-linux_x86_64.whl#sha256=00\n# Editable install with no version control (numpy==1.26.4)\n-e /src/numpy",
    ] {
        let facts = facts(text);
        assert_eq!(
            (version(&facts, "torch"), version(&facts, "numpy")),
            ("2.4.0".to_owned(), "1.26.4".to_owned()),
            "{text}"
        );
    }
    let told = facts("Using Python 3.12.1 environment at: .venv\ntokenizers v0.22.2\n└── rich v15.0.0");
    assert_eq!(told.python.value().unwrap().version.value().unwrap().to_string(), "3.12.1");
    assert_eq!((version(&told, "tokenizers"), version(&told, "rich")), ("0.22.2".to_owned(), "15.0.0".to_owned()));
    // Words in columns, of distributions that no rule knows; not all of them have words.
    let told = facts(
        "safetensors  0.8.0\ntokenizers   0.22.2   Fast tokenizers for research and production\nurllib3      2.8.0    HTTP library with thread-safe pooling",
    );
    assert_eq!((version(&told, "tokenizers"), version(&told, "urllib3")), ("0.22.2".to_owned(), "2.8.0".to_owned()));
    assert_eq!(version(&told, "safetensors"), "0.8.0");
    assert!(facts("gpudoc 0.1.0 is what I ran on this machine\nIt was no use").distributions.is_empty());
    let wheel = facts("flash_attn @ https://host/flash_attn-2.7.4.post1+cu12torch2.6-cp312-cp312-linux_x86_64.whl");
    assert_eq!(version(&wheel, "flash-attn"), "2.7.4.post1+cu12torch2.6");
}

#[test]
fn a_list_in_json_is_a_list() {
    let rows: Vec<String> = (0..30).map(|at| format!("{{\"name\": \"p{at}\", \"version\": \"1.{at}\"}}")).collect();
    let told = facts(&format!("[{}]\nIt does not work", rows.join(", ")));
    assert_eq!((version(&told, "p29"), told.distributions.len()), ("1.29".to_owned(), 30));
    assert!(told.lists_all());
    assert_eq!(told.pasted.unwrap().not_read, 1);
    // Over many lines, each of them counts as read.
    let told = facts(
        "[\n  {\n    \"name\": \"torch\",\n    \"version\": \"2.4.0\"\n  },\n  {\n    \"name\": \"numpy\",\n    \"version\": \"1.26.4\"\n  }\n]",
    );
    assert_eq!((version(&told, "torch"), version(&told, "numpy")), ("2.4.0".to_owned(), "1.26.4".to_owned()));
    let inspected = facts(
        "{\"installed\": [{\"metadata\": {\"name\": \"torch\", \"version\": \"2.4.0\", \"requires_dist\": [\"triton==3.0.0\"]}}],\n\
        \"environment\": {\"platform_machine\": \"x86_64\", \"platform_release\": \"6.8.0\", \"platform_system\": \"Linux\",\n\
        \"python_full_version\": \"3.12.1\"}}",
    );
    assert_eq!((version(&inspected, "torch"), version(&inspected, "triton")), ("2.4.0".to_owned(), "-".to_owned()));
    assert_eq!(inspected.python.value().unwrap().version.value().unwrap().to_string(), "3.12.1");
    assert_eq!(inspected.system.kernel.value().unwrap(), "6.8.0");
}

#[test]
fn what_pip_brings_for_itself_is_not_installed() {
    let text = "pip version: pip 26.3\nvendored library versions:\n  CacheControl==0.14.4 (Unable to locate actual module version)\n  \
                numpy==1.2.4 (using vendor.txt)\nCompatible tags: 5090\n  cp312-cp312-linux_x86_64\n[pip3] torch==2.4.0";
    assert!(facts(text).gpus.is_unknown());
    let names: Vec<String> = facts(text).distributions.into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["torch"]);
}

#[test]
fn pip_check_complains_as_the_installer_does() {
    let text = "vllm 0.9.2 requires xgrammar, which is not installed.\nvllm 0.9.2 has requirement torch==2.7.0, but you have torch 2.7.1.";
    let told = facts(text);
    let unmet = told.installing.unmet.clone();
    let said = |at: usize| (unmet[at].requirement.as_str(), unmet[at].found.as_deref());
    assert_eq!((said(0), said(1)), (("xgrammar", None), ("torch==2.7.0", Some("2.7.1"))));
    assert_eq!((version(&told, "vllm"), version(&told, "torch")), ("0.9.2".to_owned(), "2.7.1".to_owned()));
}

#[test]
fn live_tools_without_a_gpu() {
    // lscpu names the levels of a processor's cache as NVIDIA names a GPU.
    let text = "GPU models and configuration: No CUDA\nL1d cache:    96 KiB (2 instances)\nL2 cache:    4 MiB (2 instances)\nL2:     4 MiB\nL3 cache: 105 MiB";
    let is_gpu = |name: &str| matches!(name, "L2" | "L4");
    assert!(facts_with(text, &is_gpu).gpus.value().is_none());
    assert_eq!(gpus(&facts_with("two L4 24 GB cards, an L4 cache node", &is_gpu)), ["L4"]);
    let available = |text: &str| facts(text).visibility.available.value().copied();
    assert_eq!(available("CUDA specs: None\nTorch says CUDA is not available. Possible reasons:"), Some(false));
    assert_eq!(available("RuntimeError: Found no NVIDIA driver on your system."), Some(false));
    assert_eq!(available("pytorch.cuda:                                      not available"), Some(false));
    assert_eq!(available("pytorch.cuda:                                      available"), Some(true));
    let deepspeed = facts("deepspeed info ................... 0.18.2, unknown, unknown");
    assert_eq!(version(&deepspeed, "deepspeed"), "0.18.2");
    let bitsandbytes = facts("Python: 3.13.0\nPyTorch: 2.11.0+cu130\n  CUDA: 13.0\n  HIP: N/A");
    assert_eq!(bitsandbytes.distribution("torch").unwrap().build.cuda.value().unwrap().to_string(), "13.0");
    let ldd = facts("\tlibc10.so => not found\n\tlibm.so.6 => /lib/libm.so.6 (0x00007f03ffb20000)").pasted.unwrap();
    assert_eq!((ldd.recognised, ldd.not_read), (vec!["ldd, lines 1 to 2".to_owned()], 0));
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
    assert_eq!(version(&facts("torch 2.6.0 here, torch 2.5.1 there"), "torch"), "?");
    assert_eq!(version(&facts("torch 2.6.0 fails, torch 2.5.1 works"), "torch"), "2.6.0");
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

/// pip complained, the package was put back, and a list taken afterwards says so.
#[test]
fn a_later_list_outlives_what_pip_complained_of() {
    let complaint = "transformers 4.57.1 requires huggingface-hub<1.0,>=0.34.0, but you have huggingface-hub 0.25.2 which is incompatible.";
    let list = "Package  Version\n-------- -------\nhuggingface-hub 0.36.0\ntransformers 4.57.1\n";
    let now = facts(&format!("{complaint}\n{list}"));
    assert_eq!(version(&now, "huggingface-hub"), "0.36.0");
    assert!(now.installing.unmet.is_empty() && now.pasted.unwrap().contradictions.is_empty());
    // What pip says after a list was taken may be of a later day.
    let before = facts(&format!("{list}\n{complaint}"));
    assert_eq!((before.installing.unmet.len(), before.pasted.unwrap().contradictions.len()), (1, 1));
}

#[test]
fn ticks_and_crosses_are_no_part_of_a_line() {
    let told = facts("✅ PyTorch Version: 2.8.0+cu129\n✔ numpy: 2.1.3\n[OK] Python: 3.12.4\n❌ xformers");
    assert_eq!((version(&told, "torch"), version(&told, "numpy")), ("2.8.0+cu129".to_owned(), "2.1.3".to_owned()));
    assert_eq!(told.python.value().unwrap().version.value().unwrap().to_string(), "3.12.4");
}

#[test]
fn what_fails_to_import_is_there_unless_it_is_what_is_missing() {
    let told = facts("❌ xFormers import FAILED: No module named 'triton.ops'");
    assert_eq!((version(&told, "xformers"), told.distributions.len()), ("?".to_owned(), 1));
    assert_eq!(version(&facts("Failed to import vllm: libcudart.so.12: cannot open shared object file"), "vllm"), "?");
    assert!(facts("flash-attn import error: No module named 'flash_attn_2_cuda'").distributions.is_empty());
    assert!(facts("Failed to import vllm: No module named 'vllm'").distributions.is_empty());
}

#[test]
fn people_list_names_with_versions_and_remarks() {
    let told = facts(
        "torch:        2.4.1+cu124\npointnet2:    3.0.0 (built from source)\nspconv-cu120: 2.3.6\nkaolin        (git)\nCUDA:         12.4",
    );
    assert_eq!(version(&told, "torch"), "2.4.1+cu124");
    assert_eq!((version(&told, "pointnet2"), version(&told, "spconv-cu120")), ("3.0.0".to_owned(), "2.3.6".to_owned()));
    assert_eq!(version(&told, "kaolin"), "?");
    // A list names some of what is there.
    assert!(!told.lists_all());
    assert_eq!(told.pasted.unwrap().not_read, 0);
    let told = facts("* nvdiffrast (git)\n* my_ops: 0.3.1 (local build)\n* numpy: 1.26.4\n* cuDNN: 9.1.0");
    assert_eq!((version(&told, "nvdiffrast"), version(&told, "my-ops")), ("?".to_owned(), "0.3.1".to_owned()));
    assert_eq!(told.distributions.len(), 3);
    // Names with numbers that nothing says to be of a list of packages.
    assert!(facts("BogoMIPS: 5999.99\nscore: 0.75\nbest (git)\nstep: 1.5").distributions.is_empty());
}

#[test]
fn a_second_copy_stands_behind_the_first() {
    let copies = |text: &str| -> Vec<String> {
        let told = facts(text).distributions;
        told.iter().map(|one| format!("{} {}", one.name, one.full_version())).collect()
    };
    assert_eq!(copies("torch: 2.3.0 (2.2.1+cu118 also installed)"), ["torch 2.3.0", "torch 2.2.1+cu118"]);
    assert_eq!(
        copies("numpy: 1.26.4 (second copy: numpy 2.1.0)\nTorch: 2.6.0"),
        ["numpy 1.26.4", "numpy 2.1.0", "torch 2.6.0"]
    );
    assert_eq!(copies("torch: 2.3.0 (was 2.2.1)"), ["torch 2.3.0"]);
}

#[test]
fn the_compat_library_has_the_version_that_the_report_gives_it() {
    let compat = |text: &str| {
        let library = facts(text).loader.libcuda.value().cloned()?;
        Some((library.path, library.version.value()?.to_string()))
    };
    let path = "/usr/local/cuda-13.0/compat/libcuda.so.1".to_owned();
    let export = "export LD_LIBRARY_PATH=/usr/local/cuda-13.0/compat:$LD_LIBRARY_PATH";
    let text = format!("Driver: 570.133.20\nCUDA Forward Compat: 580.95.05\n{export}");
    assert_eq!(compat(&text), Some((path.clone(), "580.95.05".to_owned())));
    // A package says which version it has, and not that it is in use.
    let package = "ii  cuda-compat-13-0  580.82.07-0ubuntu1  amd64  CUDA Compatibility Platform";
    assert_eq!(compat(&format!("{package}\n{export}")), Some((path, "580.82.07".to_owned())));
    assert_eq!(compat(package), None);
    assert_eq!(compat("CUDA Forward Compat: not installed"), None);
}

#[test]
fn what_an_installer_weighed_is_not_installed() {
    for text in [
        "ERROR: Cannot install vllm because these package versions have conflicting dependencies.\n\nThe conflict is caused by:\n    \
         vllm 0.6.3 depends on torch==2.4.0\n    The user requested torch==2.5.1",
        "  × No solution found when resolving dependencies:\n  ╰─▶ Because vllm==0.6.3 depends on torch==2.4.0 and you require\n      \
         vllm==0.6.3, we can conclude that you require torch==2.4.0.\n      And because you require torch==2.5.1, we can\n      conclude \
         that your requirements are unsatisfiable.",
        "$ pip install vllm==0.6.3 torch==2.5.1\nERROR: Cannot install torch==2.5.1 and vllm==0.6.3 because these package versions have conflicting dependencies.",
        "ERROR: No matching distribution found for torch==2.6.2",
    ] {
        let told = facts(text);
        assert!(told.distributions.is_empty(), "{text}: {:?}", told.distributions);
    }
    let told = facts(
        "vllm 0.6.3 depends on torch==2.4.0\nThe user requested (constraint) torch>=2.5\nPyTorch version: 2.3.1+cu121",
    );
    assert_eq!(version(&told, "torch"), "2.3.1+cu121");
    assert_eq!(told.installing.candidates.len(), 2);
}

#[test]
fn every_line_that_tells_something_is_read() {
    let not_read = |text: &str| facts(text).pasted.unwrap().not_read;
    assert_eq!(
        not_read(
            "our torch 2.6.0 job hangs\non 8x RTX 4090\nfrom triton.ops.blocksparse import matmul\nand nobody knows why"
        ),
        1
    );
    // Between two sentences of errors nothing was read.
    let sentence =
        "NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current PyTorch installation.";
    assert_eq!(not_read(&format!("{sentence}\nfour score\nand seven\n{sentence}")), 2);
    assert_eq!(facts("GPU 0: gfx1100").vendor, Reading::told("AMD ROCm".to_owned(), "the report, line 1"));
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

/// One line is read as a field and as prose; a compiler's build is no release of Ubuntu.
#[test]
fn a_distribution_is_named_once() {
    let distro = |text: &str| facts(text).system.distro.value().cloned();
    let text = "OS: Ubuntu 24.04.2 LTS (x86_64)\nGCC version: (Ubuntu 11.4.0-1ubuntu1~22.04) 11.4.0\ntorch==2.7.1\n";
    assert_eq!(distro(text).unwrap(), "Ubuntu 24.04.2 LTS");
    assert_eq!(distro("we run Ubuntu 22.04 on the other machine, too\ntorch==2.7.1\n").unwrap(), "Ubuntu 22.04");
}

#[test]
fn a_gpu_on_the_bus_is_there_though_no_driver_lists_it() {
    let text = "No devices were found\n\
                01:00.0 VGA compatible controller: NVIDIA Corporation GB203 [GeForce RTX 5080] (rev a1)\n\
                01:00.1 Audio device: NVIDIA Corporation Device 22e9 (rev a1)\n";
    assert_eq!(gpus(&facts(text)), ["NVIDIA GeForce RTX 5080"]);
    assert!(facts("No devices were found\n").gpus.is_absent());
}

#[test]
fn a_python_below_home_is_one_of_linux_also_below_a_prompt_of_powershell() {
    let os = |rest: &str| facts(&format!("PS C:\\> wsl\n{rest}")).system.os.value().cloned();
    assert_eq!(
        os("  File \"/home/me/llm/lib/python3.11/site-packages/x.py\", line 1, in <module>\n").as_deref(),
        Some("linux")
    );
    assert_eq!(os("torch 2.8.0\n").as_deref(), Some("windows"));
}
