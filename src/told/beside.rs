//! Whether what stands around a line is a list of packages, and which names in such lists are none.

use super::Vocabulary;
use super::clean::Line;
use super::field::field;
use super::token::{is_name, is_version};
use crate::python::wheel::normalise_name;

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
pub(super) fn versioned<'v>(name: &'v str, value: &'v str) -> Option<(&'v str, &'v str)> {
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

/// `custom CUDA extension`, `local, CUDA`: compiled by somebody, with code for GPUs.
pub fn is_own_extension(remark: &str) -> bool {
    let remark = remark.to_lowercase();
    let mut words = remark.split(|letter: char| !letter.is_alphanumeric());
    words.any(|word| word == "cuda") && origin(&remark)
}

/// `git`, `local build`, `custom CUDA extension`: what is not from an index.
pub fn origin(text: &str) -> bool {
    const WORDS: [&str; 11] =
        ["git", "local", "editable", "source", "custom", "compiled", "built", "fork", "patched", "extension", "wheel"];
    text.split(|letter: char| !letter.is_alphanumeric()).any(|word| WORDS.contains(&word))
}
