//! Which torch the compiled libraries of an extension load beside, whatever its metadata says.

use pep440_rs::Version;

use super::RuleDb;
use super::model::{Build, Package, Release};
use super::raw_platform::RawExtension;
use crate::text::list;

/// What an extension needs, in words: `is compiled for torch 2.5.0 to 2.5.1 with the old C++ ABI`.
#[must_use]
pub fn needs_torch(row: &RawExtension) -> String {
    let releases = if row.torch.is_empty() { "a torch".to_owned() } else { format!("torch {}", list(&row.torch)) };
    let abi = match row.cxx11_abi {
        Some(true) => " with the new C++ ABI of libstdc++",
        Some(false) => " with the old C++ ABI of libstdc++",
        None => "",
    };
    format!("is compiled for {releases}{abi}")
}

/// What stands between an extension and a torch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// That torch does not export all that it needs.
    Release,
    /// One of them has the new C++ ABI of libstdc++, the other the old one; `true` where the extension has the new one.
    Cxx11(bool),
}

/// What is known of a build: the wheels for x86_64 on PyPI were read, and those of other indexes are others. None for packages
/// that work without their compiled code.
#[must_use]
pub fn row<'db>(package: &Package, release: &Release, build: &Build, db: &'db RuleDb) -> Option<&'db RawExtension> {
    let read = build.index == "pypi" && build.platform == "linux_x86_64" && !package.code_is_optional();
    db.torch_abi(&package.name, &release.version).filter(|_| read)
}

/// Whether an extension loads beside a build of torch; none where it does, or where nobody knows.
#[must_use]
pub fn misfit(row: &RawExtension, release: &Version, build: &Build, db: &RuleDb) -> Option<Misfit> {
    if let (Some(own), Some(torchs)) = (row.cxx11_abi, build.cxx11_abi)
        && own != torchs
    {
        return Some(Misfit::Cxx11(own));
    }
    let version = |text: &str| text.parse::<Version>().ok();
    let compared = db.torch_abi_releases().contains(&release.to_string());
    let within = |run: &String| {
        let (first, last) = run.split_once(" to ").unwrap_or((run, run));
        matches!((version(first), version(last)), (Some(first), Some(last)) if first <= *release && *release <= last)
    };
    let exported = row.torch.is_empty() || !compared || row.torch.iter().any(within);
    (!exported).then_some(Misfit::Release)
}
