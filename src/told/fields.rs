//! Lines of the form `name: value`, as every environment report prints them, each in its own words.
//!
//! torch's collect_env (`PyTorch version: 2.7.1+cu126`; since vLLM 0.9 in columns), SGLang's (`PyTorch: …`, `GPU 0,1: …`),
//! `transformers env` and `accelerate env` (``- `Accelerate` version: …``), `ds_report` (`torch version ....... 2.7.1`),
//! `python -m bitsandbytes`, `python -m xformers.info`, `nvidia-smi -q`, `lscpu`, and what people type into issue forms.

use super::Vocabulary;
use super::beside::{in_list_of_packages, is_own_extension, versioned};
use super::clean::Line;
use super::draft::Draft;
use super::field::{READER, field, heading, strip_marks};
use super::gpu_fields::{gpu, numbered_gpu};
use super::said::Rank;
use super::system_fields::{arch, glibc, kernel, os, platform, size};
use super::token::{branch, demands, is_driver, is_version};
use crate::facts::field::Field;
use crate::python::wheel::normalise_name;
use crate::version::{ComputeCapability, CudaVersion, DriverVersion, PythonVersion};

/// Linux passes no longer value to a program.
pub const LONGEST_VALUE: usize = 128 << 10;

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
                && (vocabulary.is_heading)(&name)
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
        let rank = if is_program(&name, vocabulary) { Rank::Running } else { Rank::Told };
        if !one(&name, value, line.number, rank, vocabulary, draft)
            && let Some((name, version)) = versioned(&name, value)
            && in_list_of_packages(lines, at, vocabulary)
        {
            draft.package(name, version, Rank::Listed, format!("{READER}, line {}", line.number));
            copies(name, value, line.number, draft);
            if value.split_once('(').is_some_and(|(_, remark)| is_own_extension(remark)) {
                draft.extension(name);
            }
            draft.saw(READER, line.number);
        }
    }
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

/// Names that only programs print.
fn is_program(name: &str, vocabulary: &Vocabulary<'_>) -> bool {
    let made_of = ["pytorch version (", "gpu ", "build."];
    (vocabulary.is_of_running)(name) || made_of.iter().any(|beginning| name.starts_with(beginning))
}

fn one(name: &str, value: &str, number: usize, rank: Rank, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> bool {
    let place = || format!("{READER}, line {number}");
    let first = value.split_whitespace().next().unwrap_or_default();
    let known = match (vocabulary.field)(name) {
        Some(Field::Torch) => {
            torch(value, number, rank, draft);
            true
        }
        Some(Field::TorchCuda) => {
            match first {
                "None" | "N/A" | "none" => draft.torch_cuda.add(None, rank, place()),
                text => {
                    if let Ok(cuda) = text.parse::<CudaVersion>() {
                        draft.torch_cuda.add(Some(cuda), rank, place());
                    }
                }
            }
            true
        }
        Some(Field::Available) => match first.trim_matches(['(', ')', '.']).to_ascii_lowercase().as_str() {
            "true" | "yes" => available(true, place(), draft),
            "false" | "no" | "flase" => available(false, place(), draft),
            _ => false,
        },
        Some(Field::XformersCuda) => match value {
            "available" => available(true, place(), draft),
            "not available" => available(false, place(), draft),
            _ => other(name, value, number, rank, vocabulary, draft),
        },
        Some(Field::DeepSpeed) => {
            draft.package("deepspeed", first.trim_end_matches(','), rank, place());
            true
        }
        Some(Field::Nvcc) => nvcc(value, number, draft),
        Some(Field::Driver) => driver(value, number, rank, draft),
        Some(Field::Gpu) => gpu(value, number, rank, vocabulary, draft),
        Some(Field::Capability) => {
            if let Ok(capability) = first.trim_end_matches([',', '.']).parse::<ComputeCapability>() {
                draft.capability(None, capability, place());
            }
            true
        }
        Some(Field::Python) => python(value, number, rank, draft),
        Some(Field::Platform) => platform(value, number, draft),
        Some(Field::Os) => os(value, number, rank, draft),
        Some(Field::Kernel) => {
            kernel(value, number, rank, draft);
            true
        }
        Some(Field::Glibc) => glibc(value, number, rank, draft),
        Some(Field::Arch) => arch(first, number, rank, draft),
        Some(Field::Jetson) => {
            draft.arch.add("aarch64".to_owned(), rank, place());
            draft.os.add("linux".to_owned(), rank, place());
            true
        }
        Some(Field::Shm) => {
            let bytes = value.split_once(' ').and_then(|(number, unit)| size(number, unit));
            bytes.is_some_and(|bytes| {
                draft.shm.add(bytes, rank, place());
                true
            })
        }
        Some(Field::NvmlLibrary) => true,
        Some(Field::XformersTorch) => {
            draft.built_for("xformers", first, place());
            true
        }
        Some(Field::Cuda) => is_cuda(first),
        Some(Field::Compat) => compat(value, number, rank, draft),
        None => other(name, value, number, rank, vocabulary, draft),
    };
    if known {
        draft.saw(READER, number);
    }
    known
}

fn available(is: bool, place: String, draft: &mut Draft) -> bool {
    draft.available(is, place);
    true
}

/// Names that are made of something: `gpu 0,1`, `` `accelerate` version``, an environment variable, a distribution.
fn other(name: &str, value: &str, number: usize, rank: Rank, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> bool {
    let place = || format!("{READER}, line {number}");
    if name.starts_with("pytorch version (") || name.starts_with("torch version (") {
        torch(value, number, Rank::Running, draft);
        // `2.7.1+cu126 (True)`.
        if name.contains("gpu?") && value.contains("(True)") {
            draft.available(true, place());
        } else if name.contains("gpu?") && value.contains("(False)") {
            draft.available(false, place());
        }
        return true;
    }
    if let Some(rest) = name.strip_prefix("gpu ") {
        return numbered_gpu(rest, value, number, vocabulary, draft);
    }
    let upper = name.trim_start_matches("export ").trim_start_matches("set ").to_ascii_uppercase();
    if (vocabulary.is_variable)(&upper) && !value.trim().is_empty() && value.len() <= LONGEST_VALUE {
        draft.environment.entry(upper).or_insert_with(|| value.trim().to_owned());
        return true;
    }
    let stem = name.strip_suffix(" version").or_else(|| name.strip_suffix("版本")).unwrap_or(name).trim();
    let stem = [" wheel", " package", " library", " build"].iter().fold(stem, |stem, word| stem.trim_end_matches(word));
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
fn nvcc(value: &str, number: usize, draft: &mut Draft) -> bool {
    let release = value.split("release ").nth(1).unwrap_or(value);
    let word = release.split([' ', ',', ';']).next().unwrap_or_default().trim_start_matches('V');
    let Ok(cuda) = word.parse::<CudaVersion>() else { return value.is_empty() || value.starts_with("Could not") };
    if cuda.major >= 7 {
        draft.nvcc(cuda, format!("{READER}, line {number}"));
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
    if let Some(branch) = words.first().and_then(|word| branch(word)).filter(|_| !demands(value)) {
        draft.driver_branch.add(branch, rank, place);
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
