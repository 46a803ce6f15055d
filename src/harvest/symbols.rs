//! Which wheels tell which torch an extension was compiled for: of the torch releases and of the extensions' listings, those to open.

use std::collections::{BTreeMap, BTreeSet};

use super::wheels::Published;
use crate::facts::TORCH;
use crate::pep::{Requirement, Version, pinned};
use crate::python::wheel::WheelName;
use crate::rules::requirement::{parse, specifiers};
use crate::rules::schema::{PackageFile, ReleaseRow};

/// The machine whose wheels are read: their symbols are the same on others.
pub const PLATFORM: &str = "x86_64";

/// The torch releases that are published with the old and with the new C++ ABI.
#[must_use]
pub fn mixed(torch: &PackageFile) -> Vec<Version> {
    let both = torch.releases.iter().filter(|release| {
        let abis: BTreeSet<bool> = release.builds.iter().filter_map(|build| build.cxx11_abi).collect();
        abis.len() > 1
    });
    both.filter_map(|release| release.version.parse().ok()).collect()
}

/// Whether its metadata binds a release to one torch, which is published with one ABI: symbols would say nothing new.
fn is_bound(release: &ReleaseRow, mixed: &[Version]) -> bool {
    let lines = release.requires.iter().chain(release.builds.iter().flat_map(|build| &build.requires));
    let wanted = lines.filter_map(|line| parse(line).ok()).filter(|wanted| wanted.name.as_ref() == TORCH);
    let exact = |wanted: &Requirement| pinned(&specifiers(wanted)?).cloned();
    wanted.filter_map(|wanted| exact(&wanted)).any(|version| !mixed.contains(&version))
}

/// The wheel of the newest release of each minor, for one Python, from a day on.
#[must_use]
pub fn newest_of_minors<'f>(files: &'f [Published], from: &str) -> Vec<&'f str> {
    let mut minors: BTreeMap<(u64, u64), (Version, &str)> = BTreeMap::new();
    for file in files.iter().filter(|file| !file.yanked) {
        let Some(version) = stable_wheel(file) else { continue };
        let release = version.release();
        let minor = (release.first().copied().unwrap_or(0), release.get(1).copied().unwrap_or(0));
        if file.day.as_deref().is_some_and(|day| day < from) {
            continue;
        }
        // xformers keeps 0.0 and counts in the third place.
        let minor = if minor == (0, 0) { (0, 1000 + release.get(2).copied().unwrap_or(0)) } else { minor };
        if minors.get(&minor).is_none_or(|(known, _)| *known < version) {
            minors.insert(minor, (version, &file.file));
        }
    }
    minors.into_values().map(|(_, file)| file).collect()
}

/// One wheel of every release that is wanted, oldest first.
#[must_use]
pub fn one_each(files: &[Published], wanted: impl Fn(&Version) -> bool) -> Vec<(Version, &str)> {
    let mut releases: BTreeMap<Version, &str> = BTreeMap::new();
    for file in files {
        if let Some(version) = stable_wheel(file).filter(&wanted) {
            releases.entry(version).or_insert(&file.file);
        }
    }
    releases.into_iter().collect()
}

/// The releases that their metadata binds to no torch: those whose symbols say something.
#[must_use]
pub fn loose(rows: &PackageFile, mixed: &[Version]) -> BTreeSet<Version> {
    let loose = rows.releases.iter().filter(|release| !is_bound(release, mixed));
    loose.filter_map(|release| release.version.parse().ok()).collect()
}

/// The version of a wheel of a final release for Linux on x86_64.
fn stable_wheel(file: &Published) -> Option<Version> {
    let name = file.file.parse::<WheelName>().ok()?;
    let fits = file.file.ends_with(&format!("linux_{PLATFORM}.whl")) || file.file.contains(&format!("_{PLATFORM}."));
    (fits && file.file.contains("linux") && !name.version.any_prerelease()).then_some(name.version)
}

/// Whether a library is one of several, of which that for the torch beside it is loaded: `…_torch28-cuda.so`.
#[must_use]
pub fn states_its_torch(member: &str) -> bool {
    let digits = member.split(['/', '_', '-', '.']).filter_map(|word| word.strip_prefix("torch"));
    digits.into_iter().any(|digits| digits.len() > 1 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(file: &str, day: &str) -> Published {
        Published {
            file: file.to_owned(),
            sha256: None,
            requires_python: None,
            yanked: file.contains("yanked"),
            day: Some(day.to_owned()),
        }
    }

    #[test]
    fn of_each_minor_the_newest_wheel_is_read() {
        let files = [
            published("a-2.7.1-cp311-cp311-manylinux_2_28_x86_64.whl", "2025-06-04"),
            published("a-2.7.0-cp311-cp311-manylinux_2_28_x86_64.whl", "2025-04-23"),
            published("a-2.7.2-cp311-cp311-win_amd64.whl", "2025-07-04"),
            published("a-2.8.0rc1-cp311-cp311-manylinux_2_28_x86_64.whl", "2025-08-01"),
            published("a-2.6.0-cp311-cp311-manylinux1_x86_64.whl", "2025-01-29"),
            published("a-0.0.31-cp311-cp311-manylinux_2_28_x86_64.whl", "2025-06-04"),
            published("a-0.0.32-cp39-abi3-manylinux_2_28_x86_64.whl", "2025-08-04"),
        ];
        assert_eq!(newest_of_minors(&files, "2025-02-01"), [&files[5].file, &files[6].file, &files[0].file]);
        let since: Version = "2.6".parse().expect("a version");
        let versions =
            |found: Vec<(Version, &str)>| found.into_iter().map(|(it, _)| it.to_string()).collect::<Vec<_>>();
        assert_eq!(versions(one_each(&files, |version| *version >= since)), ["2.6.0", "2.7.0", "2.7.1"]);
    }

    #[test]
    fn a_release_that_pins_its_torch_says_nothing_new() {
        let mut rows = PackageFile::new("it");
        for (version, line) in
            [("1.0", "torch==2.6.0"), ("1.1", "torch==2.7.0"), ("1.2", "torch>=2.6"), ("1.3", "numpy==1.0")]
        {
            rows.releases.push(ReleaseRow {
                version: version.to_owned(),
                requires: vec![line.to_owned()],
                date: "2025-06-04".to_owned(),
                yanked: false,
                requires_python: None,
                requires_known: None,
                builds: Vec::new(),
            });
        }
        // 2.7.0 has both ABIs: which of them it was built for its symbols say.
        let loose: Vec<String> =
            loose(&rows, &["2.7.0".parse().expect("a version")]).iter().map(ToString::to_string).collect();
        assert_eq!(loose, ["1.1", "1.2", "1.3"]);
    }

    #[test]
    fn a_library_for_one_torch_says_so() {
        assert!(
            states_its_torch("lib/_torch28-cuda.so") && states_its_torch("torch29-cxx11-cu128-x86_64-linux/_it.so")
        );
        assert!(!states_its_torch("lib/libtorch_cuda.so") && !states_its_torch("torch2/it.so"));
    }
}
