use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use super::bytes::Bytes;
use super::judged::Judged;
use super::model::{Build, Package, Release};
use super::overlay::Overlay;
use super::pack::Packed;
use super::shelf::Shelf;
use crate::pep::{Version, VersionSpecifiers};
use crate::rules::judge::requirement::{name_of, normalise, satisfied};
use crate::rules::judge::symbols::TorchSymbols;
use crate::rules::judge::symptom::Matcher;
use crate::rules::schema::{Advisory, CondaName, Tables};

/// The rules, ready to be asked. Packages are decoded when they are first asked for.
pub struct RuleDb {
    pub(super) packed: Packed,
    pub(super) packages: BTreeMap<String, OnceLock<Package>>,
    pub(super) symbols: OnceLock<TorchSymbols>,
    pub(super) matcher: Matcher,
    pub(super) known: OnceLock<BTreeSet<String>>,
    /// The patterns of device names, compiled when the first name is asked for.
    pub(super) names: OnceLock<Vec<Option<regex_lite::Regex>>>,
    pub(super) vendor_words: super::vendor::Words,
    /// Releases newer than the packed ones, ascending.
    pub(super) newer: BTreeMap<String, Vec<Release>>,
    /// What [`Self::releases_within`] answered: solving asks the same of the same rules again and again.
    pub(super) within: Mutex<HashMap<Within, Arc<[u32]>>>,
    /// What [`Self::mentioned_by`] answered.
    pub(super) mentioned: Mutex<HashMap<String, Arc<[String]>>>,
    /// The builds that were judged, by target.
    pub(super) judged: Shelf<Judged>,
    /// What [`Self::stand_in`] made.
    pub(super) stand_ins: Shelf<Package>,
}

/// A package and specifiers.
type Within = (String, String);

impl RuleDb {
    /// Makes the database from packed rules.
    #[must_use]
    pub fn new(packed: Packed) -> Self {
        let packages = packed.packages.keys().map(|name| (name.clone(), OnceLock::new())).collect();
        Self::new_with(packed, packages)
    }

    fn new_with(packed: Packed, packages: BTreeMap<String, OnceLock<Package>>) -> Self {
        Self {
            packed,
            packages,
            symbols: OnceLock::new(),
            matcher: Matcher::default(),
            known: OnceLock::new(),
            names: OnceLock::new(),
            vendor_words: super::vendor::Words::default(),
            newer: BTreeMap::new(),
            within: Mutex::default(),
            mentioned: Mutex::default(),
            judged: Shelf::default(),
            stand_ins: Shelf::default(),
        }
    }

    /// The same, but that nobody read what the releases of a package require: for what may be said then.
    #[cfg(test)]
    pub(crate) fn without_requirements(self, name: &str) -> Self {
        let Some(mut package) = self.package(name).cloned() else { return self };
        for release in &mut package.releases {
            (release.requires, release.stated) = (Vec::new(), false);
            for build in &mut release.builds {
                build.requires = Vec::new();
                build.source = super::model::RowSource::Page { page: "nobody's".to_owned(), read: String::new() };
            }
        }
        let mut packages = self.packages;
        packages.insert(name.to_owned(), OnceLock::from(package));
        Self { newer: self.newer, ..Self::new_with(self.packed, packages) }
    }

    /// Makes the database from packed rules and newer releases over them.
    #[must_use]
    pub fn with_overlay(mut packed: Packed, overlay: Overlay) -> Self {
        packed.newest = packed.newest.max(overlay.newest);
        Self { newer: overlay.releases, ..Self::new(packed) }
    }

    /// The releases of one of its packages that satisfy specifiers, counted from 1, ascending.
    #[must_use]
    pub fn releases_within(&self, package: &Package, specifiers: &VersionSpecifiers) -> Arc<[u32]> {
        let key = (package.name.clone(), specifiers.to_string());
        if let Some(known) = self.within.lock().ok().and_then(|within| within.get(&key).cloned()) {
            return known;
        }
        let fit = (1..).zip(&package.releases).filter(|(_, release)| satisfied(specifiers, &release.version));
        let found: Arc<[u32]> = fit.map(|(number, _)| number).collect();
        if let Ok(mut within) = self.within.lock() {
            within.insert(key, Arc::clone(&found));
        }
        found
    }

    /// A package that the rules do not cover, with versions that stand for its releases; made once for these.
    pub fn stand_in(&self, name: &str, versions: &[Version], make: impl FnOnce() -> Package) -> &Package {
        let is_like = |other: &Package| {
            other.name == name && other.releases.iter().map(|release| &release.version).eq(versions.iter())
        };
        self.stand_ins.get_or_put(is_like, make)
    }

    /// The normalised names that one of its packages names in the requirements of any release.
    #[must_use]
    pub fn mentioned_by(&self, package: &Package) -> Arc<[String]> {
        if let Some(known) = self.mentioned.lock().ok().and_then(|all| all.get(&package.name).cloned()) {
            return known;
        }
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for release in &package.releases {
            names.extend(release.requires.iter().map(|line| name_of(line)));
            names.extend(release.builds.iter().flat_map(|build| &build.requires).map(|line| name_of(line)));
        }
        let names: BTreeSet<String> = names.into_iter().map(normalise).collect();
        let found: Arc<[String]> = names.into_iter().collect();
        if let Ok(mut all) = self.mentioned.lock() {
            all.insert(package.name.clone(), Arc::clone(&found));
        }
        found
    }

    /// The newest packed release of a package, whatever lies over it.
    #[must_use]
    pub fn own_last(&self, name: &str) -> Option<Version> {
        let newer = self.newer.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut releases = self.package(name)?.releases.iter().rev().map(|release| &release.version);
        releases.find(|version| newer.iter().all(|release| release.version != **version)).cloned()
    }

    /// The day on which the newest row was read, e.g. `2026-11-21`.
    #[must_use]
    pub fn newest(&self) -> &str {
        &self.packed.newest
    }

    /// Names of the packages that the rules cover, sorted.
    pub fn package_names(&self) -> impl Iterator<Item = &str> {
        self.packages.keys().map(String::as_str)
    }

    /// A package by normalised name.
    #[must_use]
    pub fn package(&self, name: &str) -> Option<&Package> {
        let slot = self.packages.get(name)?;
        if slot.get().is_none() {
            // The build script packed it; a failure here would be caught by the test that unpacks every package.
            let mut package: Package = postcard::from_bytes(&self.packed.packages.get(name)?.0).ok()?;
            package.share_extras();
            super::windows::add_builds(&mut package, &self.packed.tables.indexes.windows);
            let last = package.releases.last().map(|release| release.version.clone());
            let newer = self.newer.get(name).into_iter().flatten();
            let newer = newer.filter(|release| last.as_ref().is_none_or(|last| release.version > *last));
            package.releases.extend(newer.cloned());
            let _ = slot.set(package);
        }
        slot.get()
    }

    /// A release by public version.
    #[must_use]
    pub fn release(&self, name: &str, version: &Version) -> Option<&Release> {
        let public = version.clone().without_local();
        let releases = &self.package(name)?.releases;
        let at = releases.binary_search_by(|release| release.version.cmp(&public)).ok()?;
        releases.get(at)
    }

    /// The build that an installed version is, e.g. `2.7.1+cu126` on `linux_x86_64`; without a local label PyPI's.
    #[must_use]
    pub fn build(&self, name: &str, version: &Version, platform: &str) -> Option<(&Release, &Build)> {
        let (release, builds) = self.builds(name, version, platform)?;
        Some((release, builds.into_iter().next()?))
    }

    /// The builds that an installed version may be: as an installer takes them, those for this very platform first, then those
    /// for any.
    #[must_use]
    pub fn builds(&self, name: &str, version: &Version, platform: &str) -> Option<(&Release, Vec<&Build>)> {
        let release = self.release(name, version)?;
        let local = version.local().iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
        let same = |build: &&Build| match local.is_empty() {
            true => build.index == "pypi",
            false => build.local.as_deref() == Some(&local),
        };
        let mut builds: Vec<_> = release.builds.iter().filter(|build| build.is_for(platform)).filter(same).collect();
        builds.sort_by_key(|build| build.platform != platform);
        Some((release, builds))
    }

    /// The tables of `rules/platform/`, which say themselves what can be asked of them.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.packed.tables
    }

    /// How conda is asked for a package that it calls otherwise.
    #[must_use]
    pub fn conda(&self, package: &str) -> Option<&CondaName> {
        self.packed.beside.get(package)?.conda.as_ref()
    }

    /// The same platform rules with other packages and advisories, e.g. a small universe for a question of `what if`.
    #[must_use]
    pub fn with_packages(&self, packages: Vec<Package>, advisories: Vec<Advisory>) -> Self {
        let mut packed = self.packed.clone();
        packed.packages = packages.iter().map(|package| (package.name.clone(), Bytes::default())).collect();
        packed.advisories = advisories;
        packed.imports.clear();
        let packages = packages.into_iter().map(|package| (package.name.clone(), OnceLock::from(package))).collect();
        Self::new_with(packed, packages)
    }

    /// Advisories in the order of their ids, without those withdrawn; then the names that packages take from each other.
    pub fn advisories(&self) -> impl Iterator<Item = &Advisory> {
        self.packed.advisories.iter().filter(|advisory| advisory.withdrawn.is_none()).chain(&self.packed.imports)
    }

    /// All advisories in the order of their ids, those withdrawn too.
    #[must_use]
    pub fn all_advisories(&self) -> &[Advisory] {
        &self.packed.advisories
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::store::embedded;

    #[test]
    fn every_package_unpacks() {
        let db = embedded();
        for name in db.package_names() {
            assert!(db.package(name).is_some_and(|package| !package.releases.is_empty()), "{name}");
        }
    }

    #[test]
    fn every_pattern_of_device_names_is_understood() {
        for row in &embedded().packed.tables.gpus.patterns {
            assert!(regex_lite::Regex::new(&row.regex).is_ok(), "{}: no look-around", row.regex);
        }
    }

    #[test]
    fn gpus_are_found_by_any_of_their_names() {
        let db = embedded();
        for (text, capability) in [
            ("RTX 5090", "12.0"),
            ("rtx5090", "12.0"),
            ("NVIDIA GeForce RTX 4070 Ti SUPER", "8.9"),
            ("H100", "9.0"),
            ("A100-SXM4-80GB", "8.0"),
            ("Tesla T4", "7.5"),
            ("T4", "7.5"),
            ("GB10", "12.1"),
            ("Quadro RTX 6000", "7.5"),
            ("L40S", "8.9"),
            ("3090", "8.6"),
            ("NVIDIA Thor", "11.0"),
            ("NVIDIA T1000 8GB", "7.5"),
            ("Quadro M5000", "5.2"),
            ("NVIDIA GeForce GTX 970", "5.2"),
            ("Tesla M10", "5.0"),
            ("GeForce GTX 770", "3.0"),
            ("GeForce GTX 650 Ti BOOST", "3.0"),
            ("GeForce GT 750M", "3.0"),
            ("NVIDIA Tegra K1", "3.2"),
        ] {
            let found = db.gpu_by_loose_name(text).map(|model| model.capability.to_string());
            assert_eq!(found.as_deref(), Some(capability), "{text}");
        }
        assert_eq!(db.gpu_by_loose_name("RTX 9999"), None);
        assert!(db.gpu_suggestions("RTX 5009").contains(&"RTX 5090"));
        assert_eq!(db.gpu_by_pci(0x2b85).map(|model| model.capability.to_string()).as_deref(), Some("12.0"));
    }

    #[test]
    fn what_compiles_against_torch_says_how() {
        let db = embedded();
        let row = db.source_build("flash-attn").expect("a row");
        assert!(row.cuda && !row.isolation && row.only_with.is_none());
        assert_eq!(row.arch_variable.as_deref(), Some("FLASH_ATTN_CUDA_ARCHS"));
        assert_eq!(row.source.page, "https://github.com/Dao-AILab/flash-attention/blob/v2.8.3/setup.py");
        // Its list of GPUs is fixed, and its build requirements name torch.
        let row = db.source_build("causal-conv1d").expect("a row");
        assert!(row.cuda && row.isolation && row.arch_variable.is_none());
        assert!(db.source_build("transformer-engine-torch").is_some_and(|row| !row.cuda));
        let only_with = db.source_build("deepspeed").and_then(|row| row.only_with.as_deref());
        assert_eq!(only_with, Some("DS_BUILD_OPS=1"));
        assert_eq!(db.source_build("flash_attn"), None);
        assert_eq!(db.source_build("numpy"), None);
    }

    #[test]
    fn a_cuda_library_is_shipped_by_the_wheel_of_its_cuda() {
        let db = embedded();
        assert!(db.is_cuda_library("libcudnn.so.9") && !db.is_cuda_library("libcuda.so.1"));
        let first = |soname, cuda| db.distributions_with(soname, cuda).first().copied();
        assert_eq!(first("libcurand.so.10", Some(13)), Some("nvidia-curand"));
        assert_eq!(first("libcurand.so.10", Some(12)), Some("nvidia-curand-cu12"));
        assert_eq!(first("libcudnn.so.8", Some(11)), Some("nvidia-cudnn-cu11"));
        assert_eq!(first("libcudart.so.12", None), Some("nvidia-cuda-runtime-cu12"));
        assert_eq!(first("libc.so.6", None), None);
    }
}
