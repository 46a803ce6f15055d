//! Which torch the compiled libraries of an extension load beside, whatever its metadata says.

use pep440_rs::Version;

use super::RuleDb;
use super::model::Build;
use super::raw_platform::RawExtension;

/// What stands between an extension and a torch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// That torch does not export all that it needs.
    Release,
    /// One of them has the new C++ ABI of libstdc++, the other the old one; `true` where the extension has the new one.
    Cxx11(bool),
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
    let compared = db.torch_abi_releases().iter().filter_map(|text| version(text)).any(|known| known == *release);
    let within = |run: &String| {
        let (first, last) = run.split_once(" to ").unwrap_or((run, run));
        matches!((version(first), version(last)), (Some(first), Some(last)) if first <= *release && *release <= last)
    };
    let exported = row.torch.is_empty() || !compared || row.torch.iter().any(within);
    (!exported).then_some(Misfit::Release)
}
