//! What an opened wheel tells of its build: device code, its CUDA, the C++ ABI.

use std::collections::BTreeMap;

use super::wheels::MOST_PERCENT;
use crate::objects::elf::Linkage;
use crate::objects::fatbin::Tally;
use crate::rules::kernel::is_nvidias;
use crate::rules::schema::{CodeRow, SpecialAgreement};
use crate::version::{CodeTarget, CudaVersion, Reach};

/// Sorts targets into those of most containers (`sass`, `ptx`) and those that not all have (`special`, with counts).
#[must_use]
pub fn code(tally: &Tally, for_cuda: Option<CudaVersion>) -> CodeRow {
    let general = u64::from(tally.containers - tally.exact_only.min(tally.containers));
    let mut code = CodeRow {
        for_cuda,
        containers: Some(tally.containers),
        sass: Vec::new(),
        ptx: Vec::new(),
        special: Vec::new(),
    };
    for (&target, &containers) in &tally.targets {
        let most_of = |all: u64| u64::from(containers) * 100 > all * MOST_PERCENT;
        let most =
            most_of(tally.containers.into()) || (general > 0 && target.reach != Reach::Exact && most_of(general));
        match (most, target.ptx) {
            (true, false) => code.sass.push(target),
            (true, true) => code.ptx.push(target),
            (false, _) => {}
        }
        if containers < tally.containers {
            code.special.push(SpecialAgreement { target, containers });
        }
    }
    code
}

/// Puts together what the libraries of a wheel hold: those whose name ends in a CUDA version (`libbitsandbytes_cuda126.so`)
/// exclude each other and are kept apart, all others are loaded together.
///
/// `libbitsandbytes_cuda118_nocublaslt.so`, which old releases load instead on GPUs before 7.5, counts as a part of the one
/// without `_nocublaslt`: its targets are added, its containers are not.
#[must_use]
pub fn codes(libraries: &BTreeMap<String, Tally>) -> Vec<CodeRow> {
    const NO_CUBLASLT: &str = "_nocublaslt";
    let mut together = Tally::default();
    let mut apart: BTreeMap<CudaVersion, CodeRow> = BTreeMap::new();
    // The plain name sorts after the long one only by its full file name, so two rounds.
    let stems = || libraries.iter().map(|(path, tally)| (stem(path), tally));
    for (stem, tally) in stems().filter(|(_, tally)| tally.containers > 0) {
        match cuda_of_stem(stem) {
            Some(cuda) => drop(apart.insert(cuda, code(tally, Some(cuda)))),
            None if stem.ends_with(NO_CUBLASLT) => {}
            None => together.add(tally),
        }
    }
    for (stem, tally) in stems() {
        let cuda = stem.strip_suffix(NO_CUBLASLT).and_then(cuda_of_stem);
        if let Some(plain) = cuda.and_then(|cuda| apart.get_mut(&cuda)) {
            add_targets(plain, &code(tally, None).sass);
        }
    }
    let together = (together.containers > 0).then(|| code(&together, None));
    together.into_iter().chain(apart.into_values()).collect()
}

fn add_targets(code: &mut CodeRow, targets: &[CodeTarget]) {
    code.sass.extend(targets);
    code.sass.sort_unstable();
    code.sass.dedup();
}

fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split(".so").next().unwrap_or(file)
}

fn cuda_of_stem(stem: &str) -> Option<CudaVersion> {
    let digits = stem.rsplit_once("_cuda")?.1;
    CudaVersion::from_variant(&format!("cu{digits}"))
}

/// Tells whether a member of a wheel is a library whose device code is the package's own: a shared object, but not one of
/// NVIDIA's (`libcudart`, `libcublas`, `libnvrtc`, `libnccl`, `libnppig`), which wheels may bring along.
#[must_use]
pub fn is_own_library(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    let shared_object = file.ends_with(".so") || file.contains(".so.");
    shared_object && !is_nvidias("", path)
}

/// Tells with which C++ ABI torch was built, from what its `libc10.so` exports: the constructor of `c10::Error` takes a
/// `std::string`, which the old ABI mangles as `Ss` and the new one as `NSt7__cxx1112basic_string…`.
#[must_use]
pub fn cxx11_abi(libc10: &Linkage) -> Option<bool> {
    let string = |symbol: &String| symbol.strip_prefix("_ZN3c105ErrorC1ENS_14SourceLocationE").map(str::to_owned);
    let argument = libc10.exported.iter().find_map(string)?;
    match argument {
        _ if argument.starts_with("NSt7__cxx11") => Some(true),
        _ if argument.starts_with("Ss") => Some(false),
        _ => None,
    }
}

/// Reads the local label and the CUDA version from a `version.py`: `__version__ = '2.7.1+cu126'`, `cuda = '12.6'`.
#[must_use]
pub fn read_version_py(text: &str) -> (Option<String>, Option<CudaVersion>) {
    let value = |name: &str| {
        text.lines().find_map(|line| {
            let (left, right) = line.split_once('=')?;
            let left = left.split(':').next()?.trim();
            let right = right.trim();
            let quote = right.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            (left == name).then(|| right.get(1..)?.split_once(quote)).flatten().map(|(value, _)| value.to_owned())
        })
    };
    let local = value("__version__").and_then(|version| Some(version.split_once('+')?.1.to_owned()));
    (local, value("cuda").and_then(|cuda| cuda.parse().ok()))
}

/// Modules that state the CUDA that a wheel was built for: TensorFlow's and ONNX Runtime's.
pub const BUILD_INFO: [&str; 2] =
    ["tensorflow/python/platform/build_info.py", "onnxruntime/capi/build_and_package_info.py"];

/// Reads the CUDA version from such a module: `cuda_version = '12.2'`, or `('cuda_version', '12.5.1')` in a list of pairs.
#[must_use]
pub fn read_build_info(text: &str) -> Option<CudaVersion> {
    let rest = text.split_once("cuda_version")?.1;
    let rest = rest.trim_start_matches(['\'', '"', ',', '=', ' ']);
    let number = rest.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    number.splitn(3, '.').take(2).collect::<Vec<_>>().join(".").parse().ok()
}

/// Reads the CUDA version from NVIDIA's `cuda_runtime_api.h`: `#define CUDART_VERSION  12080`.
#[must_use]
pub fn read_cudart_header(text: &str) -> Option<CudaVersion> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix("#define CUDART_VERSION"))?;
    let number: u32 = value.split_whitespace().next()?.parse().ok()?;
    Some(CudaVersion::new(number / 1000, number % 1000 / 10))
}

/// Reads the CUDA version from the `cpp_lib.json` of xformers: `{"version": {"cuda": 1208, "torch": "2.10.0+cu128"}}`.
#[must_use]
pub fn read_cpp_lib(text: &str) -> Option<CudaVersion> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let cuda = u32::try_from(value.get("version")?.get("cuda")?.as_u64()?).ok()?;
    (cuda >= 100).then(|| CudaVersion::new(cuda / 100, cuda % 100))
}
