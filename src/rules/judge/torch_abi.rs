//! Which torch the compiled libraries of an extension load beside, whatever its metadata says.

use std::borrow::Cow;

use crate::pep::Version;
use crate::rules::RuleDb;
use crate::rules::schema::TorchExtension;
use crate::rules::store::model::{ANY, Build, Package, Release};
use crate::text::list;

/// What an extension needs, in words: `is compiled for torch 2.5.0 to 2.5.1 with the old C++ ABI`.
#[must_use]
pub fn needs_torch(row: &TorchExtension) -> String {
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

/// What is known of a build. Of a release the wheel for x86_64 on PyPI was read; the others are compiled from the same source, so
/// that they need the same functions of the same torch, but the C++ ABI of libstdc++ is each build's own. None for packages that
/// work without their compiled code, and for wheels without any.
#[must_use]
pub fn row<'db>(
    package: &Package,
    release: &Release,
    build: &Build,
    db: &'db RuleDb,
) -> Option<Cow<'db, TorchExtension>> {
    let row = db.torch_abi(&package.name, &release.version)?;
    if build.platform == ANY || package.code_is_optional() {
        return None;
    }
    let read = build.index == "pypi" && build.platform == "linux_x86_64";
    match row.cxx11_abi {
        None => Some(Cow::Borrowed(row)),
        Some(_) if read => Some(Cow::Borrowed(row)),
        Some(true) if row.torch.is_empty() => None,
        Some(true) => Some(Cow::Owned(TorchExtension { cxx11_abi: None, ..row.clone() })),
        // Its releases end where torch left the old ABI, which another build need not have.
        Some(false) => None,
    }
}

/// Whether an extension loads beside a build of torch; none where it does, or where nobody knows.
#[must_use]
pub fn misfit(row: &TorchExtension, release: &Version, build: &Build, db: &RuleDb) -> Option<Misfit> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::store::embedded;

    /// The torch releases beside which a build does not load, of those that were compared.
    fn refused(name: &str, version: &str, is_it: impl Fn(&Build) -> bool) -> Option<Vec<String>> {
        let db = embedded();
        let version = version.parse().unwrap();
        let release = db.release(name, &version).unwrap();
        let build = release.builds.iter().find(|build| is_it(build)).unwrap();
        let row = row(db.package(name)?, release, build, db)?;
        let torch = db.package("torch")?;
        let refused = torch.releases.iter().filter(|torch| {
            let builds = torch.builds.iter().filter(|torch| torch.platform == build.platform);
            builds.into_iter().any(|torch_build| misfit(&row, &torch.version, torch_build, db) == Some(Misfit::Release))
        });
        Some(refused.map(|release| release.version.to_string()).collect())
    }

    #[test]
    fn every_build_of_a_release_needs_the_same_torch() {
        let of = |version: &str, is_it: &dyn Fn(&Build) -> bool| refused("torchaudio", version, is_it);
        let pypi = of("2.11.0", &|build| build.index == "pypi" && build.platform == "linux_x86_64").unwrap();
        // Its stable interface is that of torch 2.11: the release before is the last that it refuses.
        assert_eq!(pypi.last().map(String::as_str), Some("2.10.0"));
        assert_eq!(of("2.11.0", &|build| build.index == "cu126"), Some(pypi.clone()));
        assert_eq!(of("2.11.0", &|build| build.platform == "linux_aarch64"), Some(pypi));
    }

    #[test]
    fn the_abi_of_libstdcxx_is_each_builds_own() {
        let db = embedded();
        let version = "2.6.0".parse().unwrap();
        let release = db.release("torchaudio", &version).unwrap();
        let abi = |build: &&Build| row(db.package("torchaudio").unwrap(), release, build, db).map(|row| row.cxx11_abi);
        let pypi =
            release.builds.iter().find(|build| build.index == "pypi" && build.platform == "linux_x86_64").unwrap();
        assert_eq!(abi(&pypi), Some(Some(false)));
        let others: Vec<_> = release.builds.iter().filter(|build| build.index != "pypi").collect();
        assert!(!others.is_empty() && others.iter().all(|build| abi(build).is_none()));
    }

    #[test]
    fn wheels_without_compiled_code_and_code_that_may_be_missing_bind_to_no_torch() {
        assert_eq!(refused("torchao", "0.12.0", |build| build.platform == "linux_x86_64"), None);
        assert_eq!(refused("torchao", "0.12.0", |build| build.platform == ANY), None);
    }
}
