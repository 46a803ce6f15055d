//! Values of fields about the system: its name, kernel, glibc, machine type.

use super::draft::Draft;
use super::field::READER;
use super::said::Rank;
use crate::version::GlibcVersion;

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

pub(super) fn os(value: &str, number: usize, rank: Rank, draft: &mut Draft) -> bool {
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

pub(super) fn kernel(value: &str, number: usize, rank: Rank, draft: &mut Draft) {
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
pub(super) fn glibc(value: &str, number: usize, rank: Rank, draft: &mut Draft) -> bool {
    let word = value.split([' ', '(', ',']).next().unwrap_or_default();
    let Ok(version) = word.trim_start_matches("glibc").trim_start_matches('-').parse::<GlibcVersion>() else {
        return value == "N/A";
    };
    let place = format!("{READER}, line {number}");
    draft.glibc.add(version, rank, place.clone());
    draft.os.add("linux".to_owned(), rank, place);
    true
}

pub(super) fn arch(word: &str, number: usize, rank: Rank, draft: &mut Draft) -> bool {
    let machine = match word.trim_matches(['(', ')', ',']) {
        "x86_64" | "amd64" | "AMD64" | "x64" => "x86_64",
        "aarch64" | "arm64" | "ARM64" => "aarch64",
        _ => return false,
    };
    draft.arch.add(machine.to_owned(), rank, format!("{READER}, line {number}"));
    true
}

/// `62.81`, `GB` in bytes.
pub(super) fn size(number: &str, unit: &str) -> Option<u64> {
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
