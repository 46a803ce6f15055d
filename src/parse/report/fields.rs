//! Lines of the form `name: value`, as every environment report prints them, each in its own words.
//!
//! torch's collect_env (`PyTorch version: 2.7.1+cu126`; since vLLM 0.9 in columns), SGLang's (`PyTorch: …`, `GPU 0,1: …`),
//! `transformers env` and `accelerate env` (``- `Accelerate` version: …``), `ds_report` (`torch version ....... 2.7.1`),
//! `python -m bitsandbytes`, `python -m xformers.info`, `nvidia-smi -q`, `lscpu`, and what people type into issue forms.

use super::Vocabulary;
use super::clean::Line;
use super::draft::{Draft, Rank, is_version};
use super::lists::is_name;
use super::smi::is_driver;
use super::words::Word;
use crate::facts::{Gpu, Reading};
use crate::parse::wheel::normalise_name;
use crate::version::{ComputeCapability, CudaVersion, DriverVersion, GlibcVersion, PythonVersion};

const READER: &str = "environment report";
/// A name is no longer than this.
const LONGEST: usize = 64;
/// Linux passes no longer value to a program.
pub const LONGEST_VALUE: usize = 128 << 10;

/// Environment variables that decide what CUDA and torch see; others may be secrets.
const VARIABLES: [&str; 18] = [
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
    "NVIDIA_REQUIRE_CUDA",
    "CUDA_HOME",
    "CUDA_PATH",
    "CUDA_DEVICE_ORDER",
    "CUDA_MODULE_LOADING",
    "TORCH_CUDA_ARCH_LIST",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_NVML_BASED_CUDA_CHECK",
    "TRITON_PTXAS_PATH",
    "NCCL_P2P_DISABLE",
    "NCCL_CUMEM_ENABLE",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
];

/// Reads every line that looks like a field.
pub fn read(lines: &[Line<'_>], vocabulary: &Vocabulary<'_>, draft: &mut Draft) {
    let mut gpu_list = false;
    let mut below_torch = false;
    for (at, line) in lines.iter().enumerate() {
        let Some((name, value)) = field(line) else {
            // Issue forms put the value below the heading.
            if let Some(name) = heading(&line.text)
                && let Some(next) = lines.get(at + 1)
                && heading(&next.text).is_none()
                && field(next).is_none()
                && told(&name)
            {
                one(&name, strip_marks(&next.text), next.number, Rank::Told, vocabulary, draft);
            }
            gpu_list &= line.text.starts_with("MIG ");
            below_torch = false;
            continue;
        };
        // bitsandbytes indents `CUDA: 13.0` below `PyTorch: 2.11.0+cu130`.
        let name = if below_torch && name == "cuda" { "torch cuda version".to_owned() } else { name };
        below_torch = name == "pytorch";
        gpu_list = (gpu_list && name.starts_with("gpu ")) || name == "gpu models and configuration";
        let rank = if is_program(&name) { Rank::Running } else { Rank::Told };
        if !one(&name, value, line.number, rank, vocabulary, draft)
            && let Some((name, version)) = versioned(&name, value)
            && in_list_of_packages(lines, at, vocabulary)
        {
            draft.package(name, version, Rank::Listed, format!("{READER}, line {}", line.number));
            copies(name, value, line.number, draft);
            draft.saw(READER, line.number);
        }
    }
}

/// Whether the lines around one are a list of names with versions, among them a distribution that the rules know.
pub fn in_list_of_packages(lines: &[Line<'_>], at: usize, vocabulary: &Vocabulary<'_>) -> bool {
    const FURTHEST: usize = 24;
    let is_row = |line: &&Line<'_>| {
        is_remarked(&line.text) || field(line).is_some_and(|(name, value)| versioned(&name, value).is_some())
    };
    let known = |line: &Line<'_>| names_package(line, vocabulary);
    let before = lines.get(..at).unwrap_or_default().iter().rev().take(FURTHEST);
    let after = lines.iter().skip(at + 1).take(FURTHEST);
    before.take_while(is_row).any(known) || after.take_while(is_row).any(known)
}

/// `voxelize 0.1 (local)`, `voxelize: 0.1 (local)`, `utils3d (git)`.
fn is_remarked(text: &str) -> bool {
    let remark = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    remark.is_some_and(|(name, remark)| name.split_whitespace().count() <= 3 && origin(&remark.to_lowercase()))
}

/// Whether a line gives the version of a distribution that the rules know: what stands beside it is of the same list.
fn names_package(line: &Line<'_>, vocabulary: &Vocabulary<'_>) -> bool {
    let Some((name, value)) = field(line) else { return false };
    let stem = name.strip_suffix(" version").unwrap_or(&name).trim();
    let known = || (vocabulary.distribution_of)(stem).is_some() || (vocabulary.is_package)(&normalise_name(stem));
    versioned("any", value).is_some() && !stem.contains(' ') && (matches!(stem, "torch" | "pytorch") || known())
}

/// `torchsparse:  2.1.0 (custom CUDA extension)`: a name in one word, its version, and at most a remark in brackets.
fn versioned<'v>(name: &'v str, value: &'v str) -> Option<(&'v str, &'v str)> {
    let (version, rest) = value.split_once(' ').unwrap_or((value, ""));
    let rest = rest.trim();
    let alone = rest.is_empty() || rest.starts_with('(') && rest.ends_with(')');
    let version = version.trim_start_matches(['v', '=']);
    (is_name(name) && is_version(version) && alone && !is_system(name)).then_some((name, version))
}

/// Names in people's lists that are no distributions.
pub fn is_system(name: &str) -> bool {
    const NAMES: [&str; 18] = [
        "cuda",
        "cudnn",
        "nccl",
        "driver",
        "nvidia",
        "nvidia-smi",
        "ubuntu",
        "debian",
        "centos",
        "os",
        "version",
        "glibc",
        "libc",
        "gcc",
        "g++",
        "clang",
        "kernel",
        "linux",
    ];
    NAMES.contains(&name) || matches!(name, "python" | "docker" | "conda" | "wsl" | "bogomips" | "rocm" | "release")
}

/// What stands in brackets behind a version: another copy of the distribution.
fn copies(name: &str, value: &str, number: usize, draft: &mut Draft) {
    let Some((_, inside)) = value.split_once('(') else { return };
    let inside = inside.trim_end_matches(')').trim();
    let words: Vec<&str> = inside.split([' ', ',', ':', ';', '=']).filter(|word| !word.is_empty()).collect();
    let is_here =
        |word: &&&str| matches!(**word, "also" | "too" | "second" | "another" | "duplicate" | "both" | "shadowed");
    if words.iter().find(is_here).is_some() {
        for version in words.iter().map(|word| word.trim_start_matches('v')).filter(|word| is_version(word)) {
            draft.copy(name, version, format!("{READER}, line {number}"));
            // The words of this line are not those of a person who says which version is in use.
            draft.set_aside(number);
        }
    }
}

/// `git`, `local build`, `custom CUDA extension`: what is not from an index.
pub fn origin(text: &str) -> bool {
    const WORDS: [&str; 11] =
        ["git", "local", "editable", "source", "custom", "compiled", "built", "fork", "patched", "extension", "wheel"];
    text.split(|letter: char| !letter.is_alphanumeric()).any(|word| WORDS.contains(&word))
}

/// Takes a line apart: the name in lower case without decoration, and the value.
///
/// `- **PyTorch Version**: 2.7.1` is `pytorch version`, `2.7.1`; `torch version ...... 2.0.1` is `torch version`, `2.0.1`.
fn field<'l>(line: &'l Line<'_>) -> Option<(String, &'l str)> {
    let text = &*line.text;
    let dotted = line.has(Word::Dots).then(|| text.find(" ....")).flatten();
    let dotted = dotted.filter(|at| text.get(*at..).is_some_and(|rest| rest.contains(".. ")));
    let (name, value) = match dotted {
        Some(at) => {
            let rest = text.get(at..)?.trim_start_matches([' ', '.']);
            (text.get(..at)?, rest)
        }
        None if text.starts_with('|') => {
            // A Markdown table of two columns.
            let cells: Vec<&str> = text.trim_matches('|').split('|').collect();
            let [name, value] = cells.as_slice() else { return None };
            (*name, *value)
        }
        None => {
            let colon = text.find(':').filter(|at| !text.get(at + 1..).unwrap_or_default().starts_with([':', '\\']));
            let equals = text.find('=').filter(|at| {
                let after = text.get(at + 1..).unwrap_or_default();
                !after.starts_with('=') && !text.get(..*at).unwrap_or_default().ends_with(['!', '<', '>', '~', '='])
            });
            match [colon, equals].into_iter().flatten().min() {
                Some(at) => (text.get(..at)?, text.get(at + 1..)?),
                // `torch.version.cuda → None`.
                None => text.split_once('→').or_else(|| text.split_once("->"))?,
            }
        }
    };
    if name.len() > LONGEST {
        return None;
    }
    let name = lower(strip_marks(name).trim_end_matches([' ', '\'', '`', '*']));
    let value = strip_marks(value);
    // Both colons of `NVIDIA driver's version:384.130` are gone by now; an empty value may follow below.
    (!name.is_empty()).then_some((name, value))
}

/// In lower case, with single spaces, without marks.
fn lower(name: &str) -> String {
    let mut lower = String::with_capacity(name.len());
    let mut space = true;
    for letter in name.chars() {
        match letter {
            '`' | '*' | '\'' | '"' => space = false,
            letter if letter.is_whitespace() => {
                if !std::mem::replace(&mut space, true) {
                    lower.push(' ');
                }
            }
            letter => {
                lower.extend(letter.to_lowercase());
                space = false;
            }
        }
    }
    lower
}

/// `### GPU model` is `gpu model`.
fn heading(text: &str) -> Option<String> {
    let name = text.strip_prefix('#')?.trim_start_matches('#').trim().trim_end_matches(':');
    (name.len() <= LONGEST && !name.is_empty()).then(|| name.replace(['*', '`'], "").to_lowercase())
}

/// Without bullets, bold and code marks, check boxes and trailing commas.
fn strip_marks(text: &str) -> &str {
    let text = text.trim().trim_start_matches(['-', '*', '+', '•', '#', '·', '●']).trim_start();
    let text = text.strip_prefix("[x]").or_else(|| text.strip_prefix("[ ]")).unwrap_or(text);
    text.trim().trim_matches(['`', '*', '"', '\'']).trim().trim_end_matches(',').trim()
}

/// Names that only programs print.
fn is_program(name: &str) -> bool {
    matches!(
        name,
        "pytorch version"
            | "cuda used to build pytorch"
            | "is cuda available"
            | "cuda runtime version"
            | "gpu models and configuration"
            | "nvidia driver version"
            | "libc version"
            | "python version"
            | "python platform"
            | "cuda available"
            | "nvcc"
            | "cuda driver version"
            | "pytorch"
            | "python"
            | "vllm version"
            | "sglang"
            | "pytorch.version"
            | "gpu.name"
            | "gpu.compute_capability"
            | "build.torch_version"
            | "pytorch.cuda"
            | "torch version"
            | "torch cuda version"
            | "deepspeed info"
            | "torch.__version__"
            | "torch.cuda.is_available()"
            | "product name"
            | "driver version"
            | "platform"
            | "gpu type"
    ) || name.starts_with("pytorch version (")
        || name.starts_with("gpu ")
        || name.starts_with("build.")
}

/// Names in issue forms whose value stands below.
fn told(name: &str) -> bool {
    name.contains("gpu")
        || name.contains("operating system")
        || name.contains("version")
        || name.contains("driver")
        || matches!(name, "os" | "gpu" | "python" | "pytorch" | "torch" | "cuda" | "platform" | "显卡" | "操作系统")
}

#[expect(clippy::too_many_lines, reason = "one table of names")]
fn one(name: &str, value: &str, number: usize, rank: Rank, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> bool {
    let place = || format!("{READER}, line {number}");
    let first = value.split_whitespace().next().unwrap_or_default();
    let mut known = true;
    match name {
        "pytorch version" | "pytorch" | "torch version" | "torch" | "torch.__version__" | "pytorch.version"
        | "pytorch 版本" | "torch 版本" | "pytorch版本" | "torch_version" | "pytorch/torch" => {
            torch(value, number, rank, draft);
        }
        "cuda used to build pytorch" | "torch cuda version" | "torch.version.cuda" | "torch cuda" => {
            let place = place();
            match first {
                "None" | "N/A" | "none" => {
                    draft.torch_cuda.add(None, rank, place);
                }
                text => {
                    if let Ok(cuda) = text.parse::<CudaVersion>() {
                        draft.torch_cuda.add(Some(cuda), rank, place);
                    }
                }
            }
        }
        "is cuda available"
        | "cuda available"
        | "torch.cuda.is_available()"
        | "torch.cuda.is_available"
        | "cuda is available" => match first.trim_matches(['(', ')', '.']).to_ascii_lowercase().as_str() {
            "true" | "yes" => draft.pasted.cuda_available = Some(true),
            "false" | "no" | "flase" => {
                draft.pasted.cuda_available.get_or_insert(false);
            }
            _ => known = false,
        },
        // xformers.info.
        "pytorch.cuda" if value == "available" => draft.pasted.cuda_available = Some(true),
        "pytorch.cuda" if value == "not available" => {
            draft.pasted.cuda_available.get_or_insert(false);
        }
        // `0.18.2, unknown, unknown`: with the commit and the branch, where it was built from a repository.
        "deepspeed info" => draft.package("deepspeed", first.trim_end_matches(','), rank, place()),
        "cuda runtime version"
        | "nvcc"
        | "nvcc version"
        | "cuda toolkit"
        | "cuda toolkit version"
        | "nvcc cuda version" => {
            known = nvcc(value, draft);
        }
        "nvidia driver version"
        | "cuda driver version"
        | "driver version"
        | "nvidia driver"
        | "driver"
        | "gpu driver"
        | "nvidia driver's version"
        | "nvidia drivers version"
        | "gpu driver version"
        | "nvidia-driver"
        | "驱动版本"
        | "驱动"
        | "nvidia driver版本"
        | "显卡驱动"
        | "kmd version"
        | "driver_version"
        | "nvidia drivers" => {
            known = driver(value, number, rank, draft);
        }
        "gpu models and configuration"
        | "gpu"
        | "gpus"
        | "gpu model"
        | "gpu type"
        | "gpu name"
        | "gpu(s)"
        | "gpu.name"
        | "graphics card"
        | "product name"
        | "显卡"
        | "显卡型号"
        | "gpu型号"
        | "accelerator"
        | "video card"
        | "card"
        | "gpu device"
        | "device"
        | "hardware"
        | "gpu hardware"
        | "gpu models"
        | "device name"
        | "gpu info" => {
            known = gpu(value, number, rank, vocabulary, draft);
        }
        "gpu.compute_capability" | "compute capability" | "highest compute capability among gpus detected" => {
            if let Ok(capability) = first.trim_end_matches([',', '.']).parse::<ComputeCapability>() {
                draft.capability(None, capability, place());
            }
        }
        "python version" | "python" | "python_version" | "python 版本" => {
            known = python(value, number, rank, draft);
        }
        "python platform" | "platform" => known = platform(value, number, draft),
        "os"
        | "operating system"
        | "system"
        | "os version"
        | "distro"
        | "distribution"
        | "distro version"
        | "系统"
        | "操作系统"
        | "os platform and distribution"
        | "operating system & cpu architecture"
        | "description"
        | "linux distribution"
        | "os / node image"
        | "windows version"
        | "linux" => known = os(value, number, rank, draft),
        "kernel" | "kernel version" | "uname -r" | "linux kernel" => kernel(value, number, rank, draft),
        "libc version" | "glibc version" | "glibc" | "libc" | "glibc 版本" => {
            known = glibc(value, number, rank, draft);
        }
        "architecture" | "cpu architecture" | "machine" | "arch" => {
            known = arch(first, number, rank, draft);
        }
        "jetpack" | "jetpack version" | "l4t release" | "l4t" | "jetson" => {
            draft.arch.add("aarch64".to_owned(), rank, place());
            draft.os.add("linux".to_owned(), rank, place());
        }
        "shared memory (/dev/shm) size" | "shared memory size" | "/dev/shm" => {
            known = value.split_once(' ').and_then(|(number, unit)| size(number, unit)).is_some_and(|bytes| {
                draft.shm.add(bytes, rank, place());
                true
            });
        }
        "nvml library version" => {}
        "build.torch_version" => draft.built_for("xformers", first, place()),
        "cuda" | "cuda version" => known = is_cuda(first),
        "cuda forward compat"
        | "cuda forward compatibility"
        | "forward compat"
        | "forward compatibility"
        | "cuda compat"
        | "cuda-compat"
        | "cuda compat driver"
        | "cuda compat version"
        | "compat libcuda"
        | "compat driver"
        | "cuda forward compat version"
        | "cuda-compat version" => {
            known = compat(value, number, rank, draft);
        }
        _ => known = other(name, value, number, rank, vocabulary, draft),
    }
    if known {
        draft.saw(READER, number);
    }
    known
}

/// Names that are made of something: `gpu 0,1`, `` `accelerate` version``, an environment variable, a distribution.
fn other(name: &str, value: &str, number: usize, rank: Rank, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> bool {
    let place = || format!("{READER}, line {number}");
    if name.starts_with("pytorch version (") || name.starts_with("torch version (") {
        torch(value, number, Rank::Running, draft);
        // `2.7.1+cu126 (True)`.
        if name.contains("gpu?") && value.contains("(True)") {
            draft.pasted.cuda_available = Some(true);
        } else if name.contains("gpu?") && value.contains("(False)") {
            draft.pasted.cuda_available.get_or_insert(false);
        }
        return true;
    }
    if let Some(rest) = name.strip_prefix("gpu ") {
        return numbered_gpu(rest, value, number, vocabulary, draft);
    }
    let upper = name.trim_start_matches("export ").trim_start_matches("set ").to_ascii_uppercase();
    if VARIABLES.contains(&upper.as_str()) && !value.trim().is_empty() && value.len() <= LONGEST_VALUE {
        draft.environment.entry(upper).or_insert_with(|| value.trim().to_owned());
        return true;
    }
    let stem = name.strip_suffix(" version").or_else(|| name.strip_suffix("版本")).unwrap_or(name).trim();
    let stem = stem.trim_end_matches(" wheel").trim_end_matches(" package").trim_end_matches(" library");
    if stem.contains(' ') || stem.len() > 40 || stem.is_empty() {
        return false;
    }
    let version =
        value.trim_start_matches(['v', '=', '<', '>', '~']).split([' ', ',', ')', '(']).next().unwrap_or_default();
    let name = (vocabulary.distribution_of)(stem).unwrap_or_else(|| normalise_name(stem));
    if !(vocabulary.is_package)(&name) || !is_version(version) {
        return false;
    }
    let rank = if rank == Rank::Running { rank } else { Rank::Told };
    draft.package(&name, version, rank.max(Rank::Listed), place());
    copies(&name, value, number, draft);
    true
}

/// `CUDA: 12.1` in a list, which does not say whose: torch's, the toolkit's, or the driver's.
fn is_cuda(word: &str) -> bool {
    word.trim_start_matches('v').parse::<CudaVersion>().is_ok_and(|cuda| (7..=20).contains(&cuda.major))
}

/// `CUDA Forward Compat: 580.95.05`: the driver's user-mode part of a cuda-compat package.
fn compat(value: &str, number: usize, rank: Rank, draft: &mut Draft) -> bool {
    let words = value.split([' ', ',', '(', ')', '=', '-']);
    let Some(version) = words.into_iter().find(|word| is_driver(word)).and_then(|word| word.parse().ok()) else {
        return matches!(value.to_ascii_lowercase().as_str(), "no" | "none" | "n/a" | "not installed" | "off");
    };
    draft.compat.add(version, rank, format!("{READER}, line {number}"));
    true
}

fn torch(value: &str, number: usize, rank: Rank, draft: &mut Draft) {
    let word = value.trim_start_matches(['v', '=']).split([' ', ',', '(', ';']).next().unwrap_or_default();
    draft.package("torch", word.trim_matches(['\'', '"']), rank, format!("{READER}, line {number}"));
    copies("torch", value, number, draft);
    if rank == Rank::Running && value.contains("+cpu") {
        draft.torch_cuda.add(None, rank, format!("{READER}, line {number}"));
    }
}

/// `12.2.140`, `Cuda compilation tools, release 12.2, V12.2.140`, `Could not collect`.
fn nvcc(value: &str, draft: &mut Draft) -> bool {
    let release = value.split("release ").nth(1).unwrap_or(value);
    let word = release.split([' ', ',', ';']).next().unwrap_or_default().trim_start_matches('V');
    let Ok(cuda) = word.parse::<CudaVersion>() else { return value.is_empty() || value.starts_with("Could not") };
    if cuda.major >= 7 {
        draft.pasted.nvcc.get_or_insert(cuda);
    }
    true
}

/// A driver's version, or the CUDA version that people mistake for one.
fn driver(value: &str, number: usize, rank: Rank, draft: &mut Draft) -> bool {
    let place = format!("{READER}, line {number}");
    // One line for each GPU of the machine, some forms in brackets.
    let words = value.split([' ', ',', '[', ']', '(', ')', '\n', ';']).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.map(|word| word.trim_start_matches(['v', 'V'])).collect();
    if let Some(version) = words.iter().find(|word| is_driver(word)).and_then(|word| word.parse::<DriverVersion>().ok())
    {
        draft.driver.add(version, rank, place);
        return true;
    }
    if let Some(cuda) =
        words.first().and_then(|word| word.parse::<CudaVersion>().ok()).filter(|it| (9..=20).contains(&it.major))
    {
        draft.driver_cuda.add(cuda, Rank::Told, place);
        return true;
    }
    if matches!(value, "Could not collect" | "N/A" | "None") {
        draft.no_driver.get_or_insert(place);
        return true;
    }
    // torch's collect_env says so where CUDA does not answer, and it found neither nvcc, nor nvidia-smi, nor a driver.
    if value == "No CUDA" && rank == Rank::Running {
        draft.no_driver.get_or_insert(place);
    }
    value == "No CUDA"
}

fn python(value: &str, number: usize, rank: Rank, draft: &mut Draft) -> bool {
    let word = value.trim_start_matches(['v', 'P', 'y', 't', 'h', 'o', 'n', ' ']).split([' ', ',', '|', '(']).next();
    let Some(version) = word.and_then(|word| word.parse::<PythonVersion>().ok()) else { return false };
    if version.major != 3 && version.major != 2 {
        return false;
    }
    let place = format!("{READER}, line {number}");
    draft.python.add(version, rank, place.clone());
    for (mark, os) in [("MSC v.", "windows"), ("win_amd64", "windows"), ("Clang", ""), ("GCC", "linux")] {
        if value.contains(mark) && !os.is_empty() {
            draft.os.add(os.to_owned(), Rank::Running, place.clone());
        }
    }
    true
}

/// `Linux-6.8.0-51-generic-x86_64-with-glibc2.39`, `Windows-10-10.0.19045-SP0`, `macOS-14.5-arm64-arm-64bit`.
pub fn platform(value: &str, number: usize, draft: &mut Draft) -> bool {
    let place = format!("{READER}, line {number}");
    let Some((os, rest)) = value.split_once('-') else { return false };
    let os = match os {
        "Linux" => "linux",
        "Windows" => "windows",
        "macOS" | "Darwin" => "macos",
        _ => return false,
    };
    draft.os.add(os.to_owned(), Rank::Running, place.clone());
    let lower = rest.to_ascii_lowercase();
    if lower.contains("microsoft") {
        draft.wsl.add(if lower.contains("wsl2") { 2 } else { 1 }, Rank::Running, place.clone());
    }
    for machine in ["x86_64", "aarch64", "arm64"] {
        if rest.contains(machine) {
            draft.arch.add(machine.to_owned(), Rank::Running, place.clone());
        }
    }
    if os == "windows" {
        draft.arch.add("x86_64".to_owned(), Rank::Listed, place.clone());
    }
    if let Some(kernel) = rest.split("-x86_64").next().and_then(|text| text.split("-aarch64").next())
        && os == "linux"
    {
        draft.kernel.add(kernel.to_owned(), Rank::Running, place.clone());
    }
    // Python names the glibc that it was compiled with, which may be older than the one that is there.
    if let Some(glibc) = rest.split("glibc").nth(1).and_then(|text| text.parse::<GlibcVersion>().ok()) {
        draft.glibc.add(glibc, Rank::Told, place);
    }
    true
}

fn os(value: &str, number: usize, rank: Rank, draft: &mut Draft) -> bool {
    let place = format!("{READER}, line {number}");
    let lower = value.to_ascii_lowercase();
    if platform(value, number, draft) {
        return true;
    }
    // Names of distributions, as os-release and people write them.
    let linux = [
        "ubuntu",
        "debian",
        "centos",
        "red hat",
        "rhel",
        "rocky",
        "alma",
        "fedora",
        "arch",
        "suse",
        "linux",
        "amazon",
        "mint",
        "gentoo",
        "nixos",
        "manjaro",
        "pop!_os",
        "tencentos",
        "kylin",
        "anolis",
    ];
    let os = match () {
        () if lower.contains("wsl") => "linux",
        () if lower.contains("windows") || lower.starts_with("win1") => "windows",
        () if lower.contains("macos") => "macos",
        () if linux.iter().any(|name| lower.contains(name)) => "linux",
        () => return false,
    };
    draft.os.add(os.to_owned(), rank, place.clone());
    if lower.contains("wsl") {
        draft.wsl.add(if lower.contains("wsl1") { 1 } else { 2 }, rank, place.clone());
    }
    for machine in ["x86_64", "aarch64", "arm64"] {
        if lower.contains(machine) {
            draft.arch.add(machine.to_owned(), rank, place.clone());
        }
    }
    let name = value.split(" (").next().unwrap_or(value).trim();
    if name.len() < 60 {
        draft.distro.add(name.to_owned(), rank, place);
    }
    true
}

fn kernel(value: &str, number: usize, rank: Rank, draft: &mut Draft) {
    let place = format!("{READER}, line {number}");
    let word = value.split_whitespace().find(|word| word.bytes().next().is_some_and(|byte| byte.is_ascii_digit()));
    let Some(word) = word.filter(|word| word.contains('.')) else { return };
    draft.kernel.add(word.to_owned(), rank, place.clone());
    draft.os.add("linux".to_owned(), Rank::Told, place.clone());
    if word.contains("microsoft") {
        draft.wsl.add(2, rank, place.clone());
    }
    for machine in ["x86_64", "aarch64"] {
        if value.contains(machine) {
            draft.arch.add(machine.to_owned(), rank, place.clone());
        }
    }
}

/// `glibc-2.35`, `2.28`, `N/A`.
fn glibc(value: &str, number: usize, rank: Rank, draft: &mut Draft) -> bool {
    let word = value.split([' ', '(', ',']).next().unwrap_or_default();
    let Ok(version) = word.trim_start_matches("glibc").trim_start_matches('-').parse::<GlibcVersion>() else {
        return value == "N/A";
    };
    let place = format!("{READER}, line {number}");
    draft.glibc.add(version, rank, place.clone());
    draft.os.add("linux".to_owned(), rank, place);
    true
}

fn arch(word: &str, number: usize, rank: Rank, draft: &mut Draft) -> bool {
    let machine = match word.trim_matches(['(', ')', ',']) {
        "x86_64" | "amd64" | "AMD64" | "x64" => "x86_64",
        "aarch64" | "arm64" | "ARM64" => "aarch64",
        _ => return false,
    };
    draft.arch.add(machine.to_owned(), rank, format!("{READER}, line {number}"));
    true
}

/// `62.81`, `GB` in bytes.
fn size(number: &str, unit: &str) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let factor: u64 = match unit.trim().get(..2)? {
        "GB" | "Gi" => 1 << 30,
        "MB" | "Mi" => 1 << 20,
        "KB" | "Ki" => 1 << 10,
        _ => return None,
    };
    let tenth: u64 = fraction.get(..1)?.parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(factor)?.checked_add(tenth * (factor / 10))
}

/// What stands behind `GPU models and configuration:`, and in forms behind `GPU:`.
fn gpu(value: &str, number: usize, rank: Rank, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> bool {
    let place = format!("{READER}, line {number}");
    if matches!(value, "Could not collect" | "N/A" | "None") {
        if rank == Rank::Running {
            draft.no_gpu.get_or_insert(place);
        }
        return true;
    }
    if value == "No CUDA" && rank == Rank::Running {
        draft.no_gpu.get_or_insert(place);
        return true;
    }
    if value.is_empty() || value == "No CUDA" {
        return true;
    }
    if let Some(rest) = value.strip_prefix("GPU ")
        && let Some((index, name)) = rest.split_once(':')
    {
        return numbered_gpu(index, name.trim(), number, vocabulary, draft);
    }
    // Several in one line, as people write them: `2x RTX 4090`, `A100 80GB, RTX 3090`.
    let name = value.split([',', ';', '(']).next().unwrap_or_default().trim();
    let name = without_count(name);
    if !(vocabulary.is_gpu)(name) {
        return false;
    }
    // What stands behind `GPU:` in a form is meant as the answer.
    let rank = if rank == Rank::Running { Rank::Running } else { Rank::Listed };
    let source = if rank == Rank::Running { place } else { format!("the report's words, line {number}") };
    draft.gpu(Gpu { name: Reading::host(name.to_owned(), source.clone()), ..Gpu::default() }, rank, &source);
    true
}

/// `2x RTX 4090`, `8 x H100` without the number.
fn without_count(name: &str) -> &str {
    let rest = name.trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start();
    let rest = rest.strip_prefix(['x', 'X', '*', '×']).map(str::trim_start);
    match rest {
        Some(rest) if rest.len() < name.len() => rest,
        _ => name,
    }
}

/// `GPU 0: NVIDIA A10G (UUID: …)`, `GPU 0,1,2,3: NVIDIA H100 80GB HBM3`, `GPU 0 Compute Capability: 7.5`.
fn numbered_gpu(index: &str, value: &str, number: usize, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> bool {
    if draft.is_full() {
        return true;
    }
    let place = format!("{READER}, line {number}");
    let (indices, what) = match index.find(|letter: char| !letter.is_ascii_digit() && letter != ',' && letter != ' ') {
        Some(at) => (index.get(..at).unwrap_or_default(), index.get(at..).unwrap_or_default()),
        None => (index, ""),
    };
    let indices: Vec<u32> = indices.split(',').filter_map(|text| text.trim().parse().ok()).take(64).collect();
    if indices.is_empty() {
        return false;
    }
    if what.trim().eq_ignore_ascii_case("compute capability") {
        let Ok(capability) = value.split(',').next().unwrap_or_default().trim().parse::<ComputeCapability>() else {
            return false;
        };
        for index in indices {
            let capability = Reading::host(capability, place.clone());
            draft.gpu(Gpu { index, compute_capability: capability, ..Gpu::default() }, Rank::Running, &place);
        }
        return true;
    }
    if !what.trim().is_empty() {
        return false;
    }
    // The UUID names one card in the world.
    let name = value.split(" (UUID").next().unwrap_or(value).split(" (nvgpu").next().unwrap_or(value).trim();
    if name.is_empty() || name.len() > 80 {
        return false;
    }
    let plausible =
        (vocabulary.is_gpu)(name) || name.contains("NVIDIA") || name.contains("Tesla") || name.contains("GeForce");
    if !plausible && !name.contains("Orin") {
        return false;
    }
    for index in indices {
        let name = Reading::host(name.to_owned(), place.clone());
        draft.gpu(Gpu { index, name, ..Gpu::default() }, Rank::Running, &place);
    }
    true
}
