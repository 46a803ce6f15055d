//! Sentences of errors and warnings that state a fact: which GPU, which driver, which symbol, which library.

use memchr::memmem;

use super::Vocabulary;
use super::clean::Clean;
use super::draft::{Draft, MESSAGES};
use super::import_failed::import_failed;
use super::said::Rank;
use super::targets;
use crate::facts::{Gpu, KERNEL, Reading};
use crate::version::{ComputeCapability, CudaVersion, DriverVersion, PythonVersion};

const READER: &str = MESSAGES;
/// So many of one sentence are looked at: logs repeat themselves.
const MOST: usize = 24;

/// Reads every sentence that is known, wherever it stands.
pub fn read(text: &Clean<'_>, vocabulary: &Vocabulary<'_>, draft: &mut Draft) {
    for (words, reader) in SENTENCES {
        for place in memmem::find_iter(text.log.flat.as_bytes(), words.as_bytes()).take(MOST) {
            let number = text.log.line_at(place);
            let Some(before) = text.log.flat.get(floor(&text.log.flat, place.saturating_sub(400))..place) else {
                continue;
            };
            let after = place + words.len();
            let Some(after) = text.log.flat.get(after..floor(&text.log.flat, (after + 600).min(text.log.flat.len())))
            else {
                continue;
            };
            let at = Place { before, after, number, line: format!("{READER}, line {number}") };
            if reader(&at, vocabulary, draft).is_some() {
                draft.saw(READER, number);
            }
        }
    }
}

/// The next lower place that is not inside a letter.
fn floor(text: &str, mut place: usize) -> usize {
    while !text.is_char_boundary(place) {
        place -= 1;
    }
    place
}

/// What stands around a sentence.
struct Place<'a> {
    before: &'a str,
    after: &'a str,
    number: usize,
    line: String,
}

type Reader = fn(&Place<'_>, &Vocabulary<'_>, &mut Draft) -> Option<()>;

const SENTENCES: [(&str, Reader); 52] = [
    (" with CUDA capability sm_", not_compatible),
    ("The current PyTorch install supports CUDA capabilities ", |at, _, draft| {
        targets::supports(at.after, &at.line, draft)
    }),
    ("['sm_", |at, _, draft| targets::arch_list(at.before, at.after, &at.line, draft)),
    (" which is of cuda capability ", too_old_gpu),
    (" which is of compute capability (CC) ", too_old_gpu),
    ("The minimum cuda capability that we support is ", |at, _, draft| targets::least(number(at.after), draft)),
    ("is too old (found version ", old_driver),
    ("xFormers was built for: PyTorch ", xformers),
    ("The detected CUDA version (", detected_cuda),
    ("GLIBC_2.", glibc_needed),
    ("GLIBCXX_3.", glibcxx_needed),
    ("ldd (", ldd),
    ("undefined symbol: ", undefined_symbol),
    (": cannot open shared object file", missing_library),
    ("/dev/shm has only ", shm),
    ("Value 'sm_", target_named),
    ("--gpu-name=sm_", target_named),
    ("Unsupported gpu architecture 'compute_", target_named),
    ("highest_compute_capability=(", cuda_specs),
    ("Highest Compute Capability: ", highest),
    ("Highest compute capability among GPUs detected: ", highest),
    ("your GPU has capability (", has_capability),
    (" (sm_", own_capability),
    ("CUDA_VERSION=", bnb_cuda),
    ("Detected CUDA version ", bnb_cuda),
    ("Torch says CUDA is not available", no_cuda),
    ("Found no NVIDIA driver on your system", no_cuda),
    ("Cuda compilation tools, release ", nvcc),
    ("docker run ", docker),
    ("NVIDIA-Linux-x86_64-", driver_file),
    (" was detected and compatibility mode is UNAVAILABLE", detected_driver),
    ("-microsoft-standard-WSL2", wsl),
    ("/usr/lib/wsl/lib", wsl),
    ("nvidia-driver-", driver_package),
    ("ii nvidia-smi ", driver_package),
    ("ii libnvidia-compute-", driver_package),
    ("ii nvidia-utils-", driver_package),
    ("API mismatch: the client has the version ", api_mismatch),
    (" 32 bit (Intel)]", narrow),
    ("python-32\\python.exe", narrow),
    ("Using CPython ", interpreter),
    ("You require CPython ", interpreter),
    ("FROM python:", interpreter),
    ("has capability sm_", not_compatible),
    ("Linux-", platform),
    (" import FAILED: ", named_before),
    (" import failed: ", named_before),
    (" import error: ", named_before),
    ("ailed to import ", named_after),
    ("rror importing ", named_after),
    ("Could not import ", named_after),
    ("cuda-compat-", compat_package),
];

fn number(text: &str) -> &str {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit() && byte != b'.').unwrap_or(text.len());
    text.get(..end).unwrap_or_default().trim_end_matches('.')
}

/// `BitsAndBytes import FAILED: No module named 'triton.ops'`: bitsandbytes is there, in a version that nobody tells.
fn named_before(at: &Place<'_>, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    import_failed(at.before.split_whitespace().next_back()?, at.after, vocabulary, draft)
}

/// `Failed to import bitsandbytes: No module named 'triton.ops'`.
fn named_after(at: &Place<'_>, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let (name, rest) = at.after.split_once([':', ' '])?;
    import_failed(name, rest, vocabulary, draft)
}

/// `cuda-compat-13-0 580.95.05-1`, `cuda-compat-12-8=570.124.06-1`: the driver's user-mode part in the package.
fn compat_package(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let mut words = at.after.split([' ', '=', '-', ':', '~']).filter(|word| !word.is_empty());
    let toolkit = [words.next()?, words.next()?];
    if toolkit.iter().any(|part| part.len() > 2 || part.parse::<u8>().is_err()) {
        return None;
    }
    let version = words.take(2).find(|word| super::token::is_driver(word))?.parse().ok()?;
    draft.compat_package.add(version, Rank::Listed, at.line.clone());
    Some(())
}

/// `NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current PyTorch installation.`
fn not_compatible(at: &Place<'_>, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let capability: ComputeCapability = number(at.after).parse().ok()?;
    if let Some(name) = gpu_before(at.before, vocabulary) {
        draft.capability(Some(&name), capability, at.line.clone());
    } else {
        draft.capability(None, capability, at.line.clone());
    }
    Some(())
}

/// The product at the end of a text, which may begin anywhere: `UserWarning: NVIDIA GeForce RTX 5090`.
fn gpu_before(before: &str, vocabulary: &Vocabulary<'_>) -> Option<String> {
    let brands = ["NVIDIA ", "GeForce ", "Tesla ", "Quadro ", "GPU0 ", "GPU1 ", "GPU2 ", "GPU3 "];
    let last = brands.iter().filter_map(|brand| before.rfind(brand).map(|at| (at, *brand)));
    let (mut start, mut brand) = last.max()?;
    // `NVIDIA GeForce RTX 5090` begins with the first of both.
    while let Some((at, other)) = brands
        .iter()
        .filter_map(|other| before.get(..start)?.strip_suffix(other).map(|rest| (rest.len(), *other)))
        .next()
    {
        (start, brand) = (at, other);
    }
    let name = before.get(start..)?.trim();
    let name = if brand.starts_with("GPU") { name.get(brand.len() - 1..)?.trim() } else { name };
    (name.len() < 60 && (vocabulary.is_gpu)(name)).then(|| name.to_owned())
}

/// `Found GPU0 GeForce GTX 660 Ti which is of cuda capability 3.0.`
fn too_old_gpu(at: &Place<'_>, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let capability: ComputeCapability = number(at.after).parse().ok()?;
    let name = gpu_before(at.before, vocabulary);
    draft.capability(name.as_deref(), capability, at.line.clone());
    Some(())
}

/// `The NVIDIA driver on your system is too old (found version 11060)`: CUDA 11.6.
fn old_driver(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let cuda = number(at.after).parse().ok().and_then(CudaVersion::from_driver_int)?;
    draft.driver_cuda.add(cuda, Rank::Running, at.line.clone());
    draft.available(false, at.line.clone());
    Some(())
}

/// `xFormers was built for: PyTorch 2.1.2+cu121 with CUDA 1201 (you have 2.0.1+cu118)`.
fn xformers(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let built = at.after.split_whitespace().next()?;
    let (_, have) = at.after.split_once("(you have ")?;
    let have = have.split(')').next()?.trim();
    draft.built_for("xformers", built, at.line.clone());
    draft.package("torch", have, Rank::Running, at.line.clone());
    if have.ends_with("+cpu") {
        draft.torch_cuda.add(None, Rank::Running, at.line.clone());
    }
    if let Some((_, python)) = at.after.split_once("Python ")
        && let Some((_, have)) = python.split_once("(you have ")
        && let Ok(version) = have.split(')').next().unwrap_or_default().trim().parse()
    {
        draft.python.add(version, Rank::Running, at.line.clone());
    }
    Some(())
}

/// `The detected CUDA version (12.2) mismatches the version that was used to compile PyTorch (11.7).`
fn detected_cuda(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    draft.nvcc = Reading::told(number(at.after).parse().ok()?, at.line.clone());
    if let Some((_, rest)) = at.after.split_once("PyTorch (")
        && let Ok(cuda) = number(rest).parse()
    {
        draft.torch_cuda.add(Some(cuda), Rank::Running, at.line.clone());
        draft.present("torch");
    }
    Some(())
}

/// ``version `GLIBC_2.32' not found (required by /venv/lib/python3.12/site-packages/flash_attn_2_cuda.so)``.
fn glibc_needed(at: &Place<'_>, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    symbol_version("GLIBC_2.", at, vocabulary, draft)
}

/// `ldd (GNU libc) 2.17`, `ldd (Ubuntu GLIBC 2.35-0ubuntu3.8) 2.35`: the C library that is there.
fn ldd(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let (name, version) = at.after.split_once(") ")?;
    let is_glibc = ["GNU libc", "GLIBC"].iter().any(|word| name.contains(word));
    draft.glibc.add(number(version).parse().ok().filter(|_| is_glibc)?, Rank::Running, at.line.clone());
    Some(())
}

fn glibcxx_needed(at: &Place<'_>, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    symbol_version("GLIBCXX_3.", at, vocabulary, draft)
}

fn symbol_version(family: &str, at: &Place<'_>, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let minor = number(at.after);
    if minor.is_empty() || !at.after.get(..80.min(at.after.len())).unwrap_or(at.after).contains("not found") {
        return None;
    }
    let (path, name) = at.after.split([' ', '(', ')', '"', '\'', ',']).find_map(|word| library(word, vocabulary))?;
    let version = format!("{family}{minor}");
    draft.library(&name, &path, |library| {
        if !library.versions.contains(&version) && library.versions.len() < 16 {
            library.versions.push(version);
        }
    });
    Some(())
}

/// A path to a library of a distribution, as a path below site-packages, and the distribution.
fn library(word: &str, vocabulary: &Vocabulary<'_>) -> Option<(String, String)> {
    let word = word.trim_matches([':', '`', '\'', '"', '.', ';']);
    if !word.contains(".so") && !word.contains(".pyd") && !word.contains(".dll") && !word.contains("site-packages") {
        return None;
    }
    let path = word.replace('\\', "/");
    let inside = path.split("site-packages/").last().or(path.split("dist-packages/").last())?;
    let first = inside.split('/').next()?.split('.').next()?;
    let file = inside.rsplit('/').next()?.split('.').next()?;
    let of = |module: &str| {
        let name = (vocabulary.distribution_of)(module);
        name.or_else(|| Some(crate::python::wheel::normalise_name(module)).filter(|name| (vocabulary.is_package)(name)))
    };
    let name = of(first).or_else(|| of(file))?;
    Some((inside.to_owned(), name))
}

/// The last library of a distribution that a text names.
fn library_before(before: &str, vocabulary: &Vocabulary<'_>) -> Option<(String, String)> {
    before.rsplit([' ', '(', '"', '\'']).take(40).find_map(|word| library(word, vocabulary))
}

/// `…/flash_attn_2_cuda.cpython-311-x86_64-linux-gnu.so: undefined symbol: _ZN3c104cuda9SetDeviceEi`.
fn undefined_symbol(at: &Place<'_>, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let symbol = at.after.split([' ', ',', '\'', '"', ')', '`']).next()?.trim_end_matches('.');
    // Torch's own symbols are what the rules know, in C++ and in the C of its stable ABI; those of the driver and of CUDA
    // libraries are told as they are.
    const OF_TORCH: [&str; 3] = ["_Z", "aoti_torch_", "torch_"];
    if !OF_TORCH.iter().any(|start| symbol.starts_with(start)) || symbol.len() > 512 {
        return None;
    }
    let (path, name) = library_before(at.before, vocabulary)?;
    draft.unresolved(&name, &path, symbol, None);
    Some(())
}

/// `ImportError('libcudart.so.12: cannot open shared object file`, said of `vllm._C`.
fn missing_library(at: &Place<'_>, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let soname = at.before.rsplit([' ', '(', '\'', '"', '`']).next()?;
    if !soname.starts_with("lib") || !soname.contains(".so") || soname.contains('/') {
        return None;
    }
    if let Some((_, module)) = at.before.rsplit_once("Failed to import from ")
        && let Some(module) = module.split_whitespace().next()
    {
        let name = (vocabulary.distribution_of)(module.split('.').next()?)
            .unwrap_or_else(|| crate::python::wheel::normalise_name(module.split('.').next().unwrap_or_default()));
        if (vocabulary.is_package)(&name) {
            draft.missing(&name, &format!("{}.so", module.replace('.', "/")), soname);
            return Some(());
        }
    }
    None
}

/// `/dev/shm has only 47824896 bytes available`.
fn shm(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    draft.shm.add(number(at.after).parse().ok()?, Rank::Running, at.line.clone());
    Some(())
}

/// NVIDIA's images: `built for NVIDIA Driver Release 555.42 or later, but version 535.183.06 was detected and compatibility mode
/// is UNAVAILABLE`.
fn detected_driver(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    draft.driver.add(at.before.split_whitespace().next_back()?.parse().ok()?, Rank::Running, at.line.clone());
    Some(())
}

/// `ptxas fatal : Value 'sm_121a' is not defined`, `--gpu-name=sm_120`: the GPU that is compiled for.
fn target_named(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let capability: ComputeCapability = number(at.after).parse().ok()?;
    // What nvcc does not compile for need not be there.
    if !at.before.ends_with("compute_") {
        draft.capability(None, capability, at.line.clone());
    }
    Some(())
}

/// `CUDASpecs(highest_compute_capability=(8, 9), cuda_version_string='124', …)`.
fn cuda_specs(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let mut numbers = at.after.split([',', ')']).map(str::trim);
    let (major, minor) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    draft.capability(None, ComputeCapability::new(major, minor), at.line.clone());
    if let Some((_, text)) = at.after.split_once("cuda_version_string='")
        && let Some(cuda) = CudaVersion::from_variant(&format!("cu{}", number(text)))
    {
        draft.torch_cuda.add(Some(cuda), Rank::Running, at.line.clone());
    }
    Some(())
}

fn highest(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    draft.capability(None, number(at.after).parse().ok()?, at.line.clone());
    Some(())
}

/// `requires device with capability > (8, 0) but your GPU has capability (7, 0) (too old)`.
fn has_capability(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let mut numbers = at.after.split([',', ')']).map(str::trim);
    let (major, minor) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    draft.capability(None, ComputeCapability::new(major, minor), at.line.clone());
    Some(())
}

/// `my card (sm_70)`, `our GPU (sm_61)`: whoever says so has it.
fn own_capability(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let mut words = at.before.split_whitespace().rev().map(str::to_lowercase);
    let (thing, whose) = (words.next()?, words.next()?);
    if !matches!(thing.as_str(), "card" | "gpu" | "device") || !matches!(whose.as_str(), "my" | "our" | "this" | "the")
    {
        return None;
    }
    let sm = number(at.after);
    let (major, minor) = sm.split_at_checked(sm.len().checked_sub(1)?)?;
    draft.capability(None, ComputeCapability::new(major.parse().ok()?, minor.parse().ok()?), at.line.clone());
    Some(())
}

/// bitsandbytes up to 0.42: `PyTorch settings found: CUDA_VERSION=117`, `Detected CUDA version 121`.
fn bnb_cuda(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let cuda = CudaVersion::from_variant(&format!("cu{}", number(at.after)))?;
    draft.torch_cuda.add(Some(cuda), Rank::Running, at.line.clone());
    Some(())
}

/// `Torch says CUDA is not available. Possible reasons:` of bitsandbytes; torch's own words when CUDA is asked for.
fn no_cuda(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    draft.available(false, at.line.clone());
    Some(())
}

/// `Cuda compilation tools, release 12.3, V12.3.107`.
fn nvcc(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let cuda = number(at.after).parse().ok()?;
    draft.nvcc(cuda, at.line.clone());
    Some(())
}

/// A container that is started without GPUs: `docker run -it image`.
fn docker(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let end = at.after.find(['`', '\n', ';', '"']).unwrap_or(at.after.len().min(200));
    let arguments = at.after.get(..floor(at.after, end))?;
    let gives = ["--gpus", "--runtime", "--device", "nvidia", "-e NVIDIA", "cdi", "\\"];
    if gives.iter().any(|word| at.after.contains(word)) || !arguments.trim_start().starts_with('-') {
        return None;
    }
    let words: Vec<_> = arguments.split_whitespace().take(6).collect();
    if draft.without_gpus.is_unknown() {
        draft.without_gpus = Reading::told(format!("docker run {}", words.join(" ")), at.line.clone());
    }
    draft.container.add("docker".to_owned(), Rank::Told, at.line.clone());
    Some(())
}

/// The first package that is named counts.
fn driver_installed(version: DriverVersion, at: &Place<'_>, draft: &mut Draft) {
    if draft.driver_package.is_unknown() {
        draft.driver_package = Reading::told(version, at.line.clone());
    }
}

/// `NVIDIA-Linux-x86_64-570.124.04.run`: the driver's user-mode part was installed from this.
fn driver_file(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let version: DriverVersion = number(at.after).parse().ok()?;
    driver_installed(version, at, draft);
    Some(())
}

/// `nvidia-driver-550:amd64 550.107.02-0ubuntu0.24.04.1`: the version of the package.
fn driver_package(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let word = at.after.split_whitespace().take(3).find_map(|word| {
        let version = word.split('-').next()?;
        super::token::is_driver(version).then_some(version)
    });
    let Some(word) = word else {
        // `installed nvidia-driver-550-server`: a branch. What a command is to install need not be there.
        let branch = at.after.split(|letter: char| !letter.is_ascii_digit()).next().and_then(super::token::branch)?;
        let line = at.before.rsplit('\n').next().unwrap_or_default();
        let is_told = !super::token::demands(line) && !line.contains("recommended");
        is_told.then(|| draft.driver_branch.add(branch, Rank::Told, at.line.clone()))?;
        return Some(());
    };
    driver_installed(word.parse().ok()?, at, draft);
    Some(())
}

/// `NVRM: API mismatch: the client has the version 535.54.03, but NVRM: this kernel module has the version 530.30.02.`
fn api_mismatch(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let client: DriverVersion = number(at.after).parse().ok()?;
    let (_, module) = at.after.split_once("kernel module has the version ")?;
    let module: DriverVersion = number(module).parse().ok()?;
    draft.driver_package = Reading::told(client, at.line.clone());
    draft.driver.add(module, Rank::Running, format!("{KERNEL}'s log, line {}", at.number));
    Some(())
}

/// `Python 3.10.6 (…) [MSC v.1932 32 bit (Intel)]`.
fn narrow(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    draft.bits = Reading::told(32, at.line.clone());
    Some(())
}

/// The interpreter that uv takes, or an image brings: `Using CPython 3.13.0`, `FROM python:3.13-slim`.
fn interpreter(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let version: PythonVersion = number(at.after).parse().ok()?;
    if version.major != 3 {
        return None;
    }
    draft.python.add(version, Rank::Listed, at.line.clone());
    Some(())
}

fn wsl(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    draft.wsl.add(2, Rank::Running, at.line.clone());
    draft.os.add("linux".to_owned(), Rank::Running, at.line.clone());
    Some(())
}

/// `Linux-5.15.0-1022-aws-x86_64-with-glibc2.29` without its label.
fn platform(at: &Place<'_>, _: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let word = at.after.split_whitespace().next()?;
    if !word.contains("-with-") {
        return None;
    }
    super::system_fields::platform(&format!("Linux-{word}"), at.number, draft).then_some(())
}

/// A GPU that a sentence names, for lists of one.
#[must_use]
pub fn gpu(name: &str, place: &str) -> Gpu {
    Gpu { name: Reading::told(name.to_owned(), place), ..Gpu::default() }
}
