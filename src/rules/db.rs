use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use pep440_rs::{Version, VersionSpecifiers};

use super::Target;
use super::bytes::Bytes;
use super::model::{Build, Package, Release};
use super::obstacle::{Obstacle, obstacles};
use super::overlay::Overlay;
use super::pack::Packed;
use super::requirement::{name_of, normalise, satisfied};
use super::schema::{
    CompatSupport, GpuClass, LibraryPick, Matter, Place, RawAdvisory, RawCompatPackage, RawExtension, RawFamily,
    RawGpuPattern, RawGpuProduct, RawImages, RawInstall, RawJetson, RawLibrary, RawLifetime, RawMachineCode,
    RawOldRelease, RawPage, RawPrebuilt, RawPtxas, RawSourceBuild, RawSymptom, RawTask, RawToolkit, RawToolkitInstall,
    RawTorchAbi, RawWorkload, RawWsl, RawXid, RawXidAction, Stop,
};
use super::shelf::Shelf;
use super::symbols::TorchSymbols;
use super::symptom::{Heard, Matcher};
use crate::facts::Facts;
use crate::step::{Step, Written};
use crate::version::{ComputeCapability, CudaVersion, DriverVersion};

/// The rules, ready to be asked. Packages are decoded when they are first asked for.
pub struct RuleDb {
    pub(super) packed: Packed,
    packages: BTreeMap<String, OnceLock<Package>>,
    symbols: OnceLock<TorchSymbols>,
    matcher: Matcher,
    known: OnceLock<BTreeSet<String>>,
    /// The patterns of device names, compiled when the first name is asked for.
    names: OnceLock<Vec<Option<regex_lite::Regex>>>,
    pub(super) vendor_words: super::vendor::Words,
    /// Releases newer than the packed ones, ascending.
    newer: BTreeMap<String, Vec<Release>>,
    /// What [`Self::releases_within`] answered: solving asks the same of the same rules again and again.
    within: Mutex<HashMap<Within, Arc<[u32]>>>,
    /// What [`Self::mentioned_by`] answered.
    mentioned: Mutex<HashMap<String, Arc<[String]>>>,
    /// What [`Self::obstacles_of`] answered.
    judged: Mutex<HashMap<Judged, Arc<[Obstacle]>>>,
    /// What [`Self::stand_in`] made.
    stand_ins: Shelf<Package>,
}

/// A target, as a hash, and a build, by its place in memory: it stays there as long as the rules do.
type Judged = (u64, usize);

/// A package and specifiers.
type Within = (String, String);

/// What is known of a GPU by its name or PCI id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuModel {
    /// E.g. `12.0`.
    pub capability: ComputeCapability,
    /// E.g. `geforce`; unknown for a board of which only the chip is known.
    pub class: Option<GpuClass>,
    /// The page and the day.
    pub citation: String,
}

/// A row's page in one line.
#[must_use]
pub fn cite(page: &RawPage) -> String {
    format!("{}, read {}", page.page, page.read)
}

/// A distribution whose name says its CUDA, see [`RuleDb::cuda_name`].
pub struct CudaName<'a> {
    /// The CUDA of the name, e.g. 13.
    pub major: u32,
    /// Its name with `{}` for the major, e.g. `cudf-cu{}`.
    pattern: &'a str,
    /// The majors that there are names for, ascending.
    majors: &'a [u32],
    /// It only comes along with others.
    pub is_part: bool,
    /// The extra that brings NVIDIA's libraries along.
    pub extra: Option<&'a str>,
}

impl CudaName<'_> {
    /// The next older CUDA that it has a name for, e.g. 12.
    #[must_use]
    pub fn older(&self) -> Option<u32> {
        self.majors.iter().rev().find(|other| **other < self.major).copied()
    }

    /// Its name for another CUDA, e.g. `cudf-cu12` for 12; none where there is none.
    #[must_use]
    pub fn named_for(&self, major: u32) -> Option<String> {
        self.majors.contains(&major).then(|| self.pattern.replace("{}", &major.to_string()))
    }
}

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
            judged: Mutex::default(),
            stand_ins: Shelf::default(),
        }
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

    /// What [`obstacles`] says of a build of one of its packages, by the target's [`super::obstacle::target_key`].
    #[must_use]
    pub fn obstacles_of(
        &self,
        package: &Package,
        release: &Release,
        build: &Build,
        (key, target): (u64, &Target),
    ) -> Arc<[Obstacle]> {
        let key = (key, std::ptr::from_ref(build).addr());
        if let Some(known) = self.judged.lock().ok().and_then(|judged| judged.get(&key).cloned()) {
            return known;
        }
        let found: Arc<[Obstacle]> = obstacles(package, release, build, target, self).into();
        if let Ok(mut judged) = self.judged.lock() {
            judged.insert(key, Arc::clone(&found));
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

    /// Whether a soname is that of a CUDA library, e.g. `libcudnn.so.9`; `libcuda.so.1` belongs to the driver.
    #[must_use]
    pub fn is_cuda_library(&self, soname: &str) -> bool {
        self.packed.tables.libraries.libraries.iter().any(|row| row.sonames.iter().any(|name| name == soname))
    }

    /// The distributions that ship a CUDA library, by its soname, e.g. `nvidia-cudnn-cu12` for `libcudnn.so.9`; those for a
    /// CUDA major come first, the newest before the others.
    #[must_use]
    pub fn distributions_with(&self, soname: &str, cuda: Option<u32>) -> Vec<&str> {
        let rows = self.libraries_with(soname, cuda);
        let mut names: Vec<_> = rows.into_iter().map(|row| row.distribution.as_str()).collect();
        names.dedup();
        names
    }

    /// The rows of [`Self::distributions_with`]: which versions of them ship it.
    #[must_use]
    pub fn libraries_with(&self, soname: &str, cuda: Option<u32>) -> Vec<&RawLibrary> {
        let rows = self.packed.tables.libraries.libraries.iter();
        let mut rows: Vec<_> = rows.filter(|row| row.sonames.iter().any(|name| name == soname)).collect();
        rows.sort_by_key(|row| (cuda.is_some() && row.cuda != cuda, std::cmp::Reverse(row.cuda)));
        rows
    }

    /// How a package compiles against the installed torch, by normalised name; none where it does not, or where nobody looked.
    #[must_use]
    pub fn source_build(&self, name: &str) -> Option<&RawSourceBuild> {
        self.packed.tables.source_builds.packages.iter().find(|row| row.name == name)
    }

    /// A library that two distributions install at the same place, e.g. `nvidia/nccl/lib/libnccl.so.2` of `nvidia-nccl-cu12` and
    /// `nvidia-nccl-cu13`, with the wheel in which it was seen; none for distributions that can lie side by side.
    #[must_use]
    pub fn shared_file(&self, one: &str, other: &str) -> Option<(String, String)> {
        let of = |name: &'_ str| {
            let rows = self.packed.tables.libraries.libraries.iter();
            rows.filter(move |row| row.distribution == name).collect::<Vec<_>>()
        };
        let others = of(other);
        of(one).into_iter().filter(|_| one != other).find_map(|row| {
            let same = others.iter().filter(|other| other.folder == row.folder);
            let soname = same.flat_map(|other| &other.sonames).find(|soname| row.sonames.contains(soname))?;
            Some((format!("{}/{soname}", row.folder), row.source.citation()))
        })
    }

    /// The torch releases, oldest first, that export all of these symbols.
    #[must_use]
    pub fn torch_releases_with(&self, symbols: &[&str]) -> Vec<Version> {
        self.torch_symbols().releases_with(symbols)
    }

    /// Whether a torch release exports a symbol; none if the rules do not know.
    #[must_use]
    pub fn torch_exports(&self, symbol: &str, release: &Version) -> Option<bool> {
        self.torch_symbols().exports(symbol, release)
    }

    /// The same rules with another table of [`Self::torch_abi`], for tests.
    #[must_use]
    pub fn with_torch_abi(mut self, rows: RawTorchAbi) -> Self {
        self.packed.tables.torch_abi = rows;
        self
    }

    /// Which torch a release needs by its symbols; none where any will do, or where nobody looked.
    #[must_use]
    pub fn torch_abi(&self, package: &str, version: &Version) -> Option<&RawExtension> {
        let text = version.to_string();
        self.packed.tables.torch_abi.extensions.iter().find(|row| row.package == package && row.version == text)
    }

    /// The torch releases that [`Self::torch_abi`] speaks of.
    #[must_use]
    pub fn torch_abi_releases(&self) -> &[String] {
        &self.packed.tables.torch_abi.releases
    }

    fn torch_symbols(&self) -> &TorchSymbols {
        // The build script packed it; a failure here would be caught by the test that unpacks everything.
        self.symbols
            .get_or_init(|| TorchSymbols::new(&postcard::from_bytes(&self.packed.torch_symbols).unwrap_or_default()))
    }

    /// How a release of a package picks the CUDA library it loads, with the source; none for most packages.
    #[must_use]
    pub fn library_pick(&self, package: &Package, version: &Version) -> Option<(LibraryPick, String)> {
        let rule = package.library_choice.iter().find(|choice| choice.versions.contains(version))?;
        Some((rule.pick, rule.source.clone()))
    }

    /// Whether a normalised name is that of a distribution that the rules know something of.
    #[must_use]
    pub fn is_known_distribution(&self, name: &str) -> bool {
        let known = self.known.get_or_init(|| {
            let modules = self.packed.tables.modules.modules.iter().map(|row| row.distribution.clone());
            let conditions = self.packed.advisories.iter().flat_map(|advisory| &advisory.when);
            let lines = conditions.flat_map(|when| when.installed.iter().chain(&when.absent));
            let names = lines.filter_map(|line| Some(super::requirement::parse(line).ok()?.name.to_string()));
            self.packages.keys().cloned().chain(modules).chain(names).collect()
        });
        known.contains(name)
    }

    /// What a distribution that says its CUDA in its name is called for another, e.g. 13 and `cudf-cu12` of `cudf-cu13`; none where
    /// its name is in no family.
    #[must_use]
    pub fn cuda_name(&self, name: &str) -> Option<CudaName<'_>> {
        let of = |name: &str, major: u32| name.replace("{}", &major.to_string());
        self.packed.tables.cuda_names.families.iter().find_map(|family| {
            let patterns = || family.names.iter().chain(&family.parts);
            let known = family.majors.iter().flat_map(|major| patterns().map(move |it| (it, *major)));
            let (pattern, major) = known.into_iter().find(|(pattern, major)| of(pattern, *major) == name)?;
            let is_part = family.parts.contains(pattern);
            Some(CudaName { major, pattern, majors: &family.majors, is_part, extra: family.extra.as_deref() })
        })
    }

    /// The distribution that a module belongs to.
    #[must_use]
    pub fn distribution_of_module(&self, module: &str) -> Option<String> {
        let rows = &self.packed.tables.modules.modules;
        if let Ok(at) = rows.binary_search_by(|row| row.name.as_str().cmp(module)) {
            return rows.get(at).map(|row| row.distribution.clone());
        }
        let name = module.to_ascii_lowercase().replace('_', "-");
        self.packages.contains_key(&name).then_some(name)
    }

    /// What a release requires of torch that is older than the rows of its package.
    #[must_use]
    pub fn old_release(&self, package: &str, version: &Version) -> Option<&RawOldRelease> {
        let rows = self.packed.tables.old_releases.releases.iter();
        rows.filter(|row| row.package == package).find(|row| row.version.parse::<Version>().as_ref() == Ok(version))
    }

    /// The packages that a screen names where they are installed, in its order.
    #[must_use]
    pub fn named_on_screen(&self) -> &[String] {
        &self.packed.tables.screen.packages
    }

    /// What somebody has to do about a matter of the machine, where a program runs.
    #[must_use]
    pub fn task(&self, matter: Matter, at: Place) -> Option<&RawTask> {
        self.packed.tables.machine.tasks.iter().find(|row| row.matter == matter && row.at == at)
    }

    /// Where torch for a Jetson is published, by its compute capability.
    #[must_use]
    pub fn jetson_index(&self, capability: ComputeCapability) -> Option<&RawJetson> {
        self.packed.tables.machine.jetsons.iter().find(|row| row.capability == capability)
    }

    /// How a CUDA toolkit is installed, the first that fits.
    #[must_use]
    pub fn toolkit_installs(&self) -> &[RawToolkitInstall] {
        &self.packed.tables.machine.toolkits
    }

    /// Wheels that are published elsewhere than on an index.
    #[must_use]
    pub fn prebuilts(&self) -> &[RawPrebuilt] {
        &self.packed.tables.prebuilt.rows
    }

    /// Whether PyPI has only a CPU build of a package for an operating system.
    #[must_use]
    pub fn is_cpu_only(&self, package: &str, os: &str) -> bool {
        self.packed.tables.prebuilt.cpu_only.iter().any(|row| row.package == package && row.platform == os)
    }

    /// What GPU support in WSL asks for.
    #[must_use]
    pub fn wsl(&self) -> &RawWsl {
        &self.packed.tables.driver.wsl
    }

    /// What torch for CUDA takes on a disk with its libraries, in bytes, and where that was read.
    #[must_use]
    pub fn torch_on_disk(&self) -> (u64, String) {
        let needs = &self.packed.tables.needs;
        (needs.disk.stack_bytes, self.page(&needs.sources, &needs.disk.source))
    }

    /// A limit of locked memory with which NCCL fails on InfiniBand, in bytes, and where that was read.
    #[must_use]
    pub fn memlock(&self) -> (u64, String) {
        let needs = &self.packed.tables.needs;
        (needs.memlock.too_little_bytes, self.page(&needs.sources, &needs.memlock.source))
    }

    /// Where it was read that torch builds with ninja.
    #[must_use]
    pub fn ninja_citation(&self) -> String {
        self.page(&self.packed.tables.needs.sources, &self.packed.tables.needs.ninja.source)
    }

    /// The oldest CUDA whose ptxas a release of a package that compiles on the machine may bring, e.g. 12.0 for triton 2.3.1, and
    /// where that was read.
    #[must_use]
    pub fn assembler(&self, package: &str, version: &Version) -> Option<(CudaVersion, String)> {
        let needs = &self.packed.tables.needs;
        let row = needs.assemblers.iter().find(|row| {
            let range = row.versions.parse::<VersionSpecifiers>();
            row.package == package && range.is_ok_and(|range| range.contains(version))
        })?;
        Some((row.cuda, self.page(&needs.sources, &row.source)))
    }

    /// With what of another package the import of a release stops, e.g. `Stop::Unmet` of transformers 4.57.1 and `tokenizers`, and
    /// where that was read.
    #[must_use]
    pub fn guard(&self, package: &str, version: &Version, other: &str) -> Option<(Stop, String)> {
        let needs = &self.packed.tables.needs;
        let row = needs.guards.iter().find(|row| {
            let range = row.versions.parse::<VersionSpecifiers>();
            let checks = row.package == package && row.checks.iter().any(|name| name == other);
            checks && range.is_ok_and(|range| range.contains(version))
        })?;
        Some((row.stops, self.page(&needs.sources, &row.source)))
    }

    /// A variable that names another ptxas to Triton, e.g. `TRITON_PTXAS_PATH`, and where that was read.
    #[must_use]
    pub fn ptxas(&self, variable: &str) -> Option<(&RawPtxas, String)> {
        let needs = &self.packed.tables.needs;
        let row = needs.ptxas.iter().find(|row| row.variable == variable)?;
        Some((row, self.page(&needs.sources, &row.source)))
    }

    /// An error of NVIDIA's driver by its number, e.g. 79, what to do about it, and where that was read.
    #[must_use]
    pub fn xid(&self, number: u32) -> Option<(&RawXid, &RawXidAction, String)> {
        let xids = &self.packed.tables.xids;
        let at = xids.rows.binary_search_by_key(&number, |row| row.number).ok()?;
        let row = xids.rows.get(at)?;
        let action = xids.actions.iter().find(|action| action.name == row.action)?;
        Some((row, action, self.page(&xids.sources, &row.source)))
    }

    /// The error messages that are known.
    #[must_use]
    pub fn symptoms(&self) -> &[RawSymptom] {
        &self.packed.symptoms
    }

    /// The known error messages that occur in a text, and those that advisories quote.
    #[must_use]
    pub fn heard_in(&self, text: &str) -> Heard<'_> {
        if text.is_empty() {
            return Heard::default();
        }
        self.matcher.find(&self.packed.symptoms, &self.quotes(), text)
    }

    /// Gets ready for [`Self::heard_in`], to be done while a text is still being read.
    pub fn prepare_to_hear(&self) {
        self.matcher.build(&self.packed.symptoms, &self.quotes());
    }

    /// The messages that advisories quote.
    fn quotes(&self) -> Vec<&str> {
        self.advisories().flat_map(|advisory| advisory.symptoms.iter().map(String::as_str)).collect()
    }

    /// The row of a GPU by the name that the driver prints; the first pattern that matches.
    fn gpu_pattern(&self, name: &str) -> Option<&RawGpuPattern> {
        let rows = &self.packed.tables.gpus.patterns;
        let patterns =
            self.names.get_or_init(|| rows.iter().map(|row| regex_lite::Regex::new(&row.regex).ok()).collect());
        let is_match = |pattern: &Option<regex_lite::Regex>| pattern.as_ref().is_some_and(|it| it.is_match(name));
        rows.get(patterns.iter().position(is_match)?)
    }

    /// A GPU by the name that the driver prints.
    #[must_use]
    pub fn gpu_by_name(&self, name: &str) -> Option<GpuModel> {
        let row = self.gpu_pattern(name)?;
        Some(GpuModel {
            capability: row.capability,
            class: Some(row.class),
            citation: self.page(&self.packed.tables.gpus.sources, &row.source),
        })
    }

    /// The machine type of a product that is CPU and GPU in one, e.g. `aarch64` for `NVIDIA GH200 480GB`, with the page.
    #[must_use]
    pub fn host_of_gpu(&self, name: &str) -> Option<(&str, String)> {
        let row = self.gpu_pattern(name)?;
        Some((row.host.as_deref()?, self.page(&self.packed.tables.gpus.sources, &row.source)))
    }

    /// A GPU as people write it: `RTX 5090`, `rtx5090`, `H100`, `4070 ti super`.
    #[must_use]
    pub fn gpu_by_loose_name(&self, text: &str) -> Option<GpuModel> {
        if let Some(row) = self.product_by_loose_name(text) {
            return Some(GpuModel {
                capability: row.capability,
                class: Some(row.class),
                citation: self.page(&self.packed.tables.gpus.sources, &row.source),
            });
        }
        if !names_a_product(text) {
            return self.gpu_by_name(text);
        }
        let upper = text.to_uppercase();
        let prefixes = ["", "NVIDIA ", "GeForce ", "GeForce RTX ", "GeForce GTX ", "Tesla ", "Quadro ", "Jetson "];
        [text, upper.as_str()]
            .iter()
            .flat_map(|text| prefixes.iter().map(move |prefix| format!("{prefix}{text}")))
            .find_map(|name| self.gpu_by_name(&name))
    }

    /// A product as people write it.
    fn product_by_loose_name(&self, text: &str) -> Option<&RawGpuProduct> {
        if !names_a_product(text) {
            return None;
        }
        // As forums write it: 4070TiS, 2080S.
        let wanted = squeeze(text);
        let wanted = match wanted.strip_suffix('s') {
            Some(stem) if stem.ends_with("ti") || stem.len() > 3 && stem.ends_with("70") || stem.ends_with("080") => {
                format!("{stem}super")
            }
            _ => wanted,
        };
        let named = self.packed.tables.gpus.products.iter().filter(|row| words_end_with(&row.name, &wanted));
        named.min_by_key(|row| (row.name.contains("Laptop"), row.name.len()))
    }

    /// Product names nearest to a text that names no GPU, best first, at most three.
    #[must_use]
    pub fn gpu_suggestions(&self, text: &str) -> Vec<&str> {
        let wanted = squeeze(text);
        let mut near: Vec<_> = self
            .packed
            .tables
            .gpus
            .products
            .iter()
            .map(|row| row.name.trim_start_matches("NVIDIA ").trim_start_matches("GeForce "))
            .map(|name| (crate::text::distance(&squeeze(name), &wanted), name))
            .filter(|(distance, name)| *distance <= 2.max(name.len() / 3))
            .collect();
        near.sort_unstable();
        near.dedup();
        near.into_iter().take(3).map(|(_, name)| name).collect()
    }

    /// The compute capabilities of all known GPUs, ascending, each with its products.
    #[must_use]
    pub fn capabilities(&self) -> Vec<(ComputeCapability, Vec<String>)> {
        let mut found: BTreeMap<ComputeCapability, Vec<String>> = BTreeMap::new();
        for row in &self.packed.tables.gpus.products {
            let name = row.name.trim_start_matches("NVIDIA ").to_owned();
            let names = found.entry(row.capability).or_default();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        found.into_iter().collect()
    }

    /// A GPU by PCI device id, e.g. 0x2b85.
    #[must_use]
    pub fn gpu_by_pci(&self, device: u32) -> Option<GpuModel> {
        let id = format!("{device:04X}");
        let gpus = &self.packed.tables.gpus;
        if let Some(row) = gpus.products.iter().find(|row| row.devices.contains(&id)) {
            let citation = self.page(&gpus.sources, &row.source);
            return Some(GpuModel { capability: row.capability, class: Some(row.class), citation });
        }
        let row = gpus
            .pci_blocks
            .iter()
            .filter_map(|row| {
                let longest = row.prefixes.iter().filter(|prefix| id.starts_with(*prefix)).map(String::len).max()?;
                Some((longest, row))
            })
            .max_by_key(|(longest, _)| *longest)?
            .1;
        Some(GpuModel { capability: row.capability, class: None, citation: self.page(&gpus.sources, &row.source) })
    }

    /// Where machine code runs beyond the plain rule.
    #[must_use]
    pub fn machine_code(&self) -> &RawMachineCode {
        &self.packed.tables.cuda.machine_code
    }

    /// The page for [`Self::machine_code`].
    #[must_use]
    pub fn machine_code_citation(&self) -> String {
        self.page(&self.packed.tables.cuda.sources, &self.packed.tables.cuda.machine_code.source)
    }

    /// The toolkit of a version, with the driver that came out with it.
    #[must_use]
    pub fn toolkit(&self, cuda: CudaVersion) -> Option<&RawToolkit> {
        self.packed.tables.cuda.toolkits.iter().find(|row| row.version == cuda)
    }

    /// The page for a toolkit row.
    #[must_use]
    pub fn toolkit_citation(&self, row: &RawToolkit) -> String {
        self.page(&self.packed.tables.cuda.sources, &row.source)
    }

    /// The oldest toolkit that compiles machine code which a GPU runs: for its own compute capability, or for one below it
    /// in the same major; e.g. 11.0 for 8.6. With the page. None where no toolkit in the rules does.
    #[must_use]
    pub fn first_toolkit_for(&self, gpu: ComputeCapability) -> Option<(CudaVersion, String)> {
        let cuda = &self.packed.tables.cuda;
        let runs = |code: &ComputeCapability| code.major == gpu.major && code.minor <= gpu.minor;
        if let Some(row) = cuda.first_for.iter().find(|row| runs(&row.capability)) {
            return Some((row.toolkit, self.page(&cuda.sources, &row.source)));
        }
        // What the oldest that was run does already, an older one may do too.
        let mut listed = cuda.toolkits.iter().filter(|row| !row.compiles_for.is_empty());
        let oldest = listed.next()?;
        let row = listed.find(|row| row.compiles_for.iter().any(runs))?;
        (!oldest.compiles_for.iter().any(runs)).then_some((row.version, self.compiles_for_citation(row)?))
    }

    /// Where it was read for which GPUs a toolkit compiles; none where nobody looked.
    #[must_use]
    pub fn compiles_for_citation(&self, row: &RawToolkit) -> Option<String> {
        Some(self.page(&self.packed.tables.cuda.sources, row.compiles_for_source.as_ref()?))
    }

    /// The newest CUDA that a driver supports natively, e.g. 12.8 for 570.133.20.
    #[must_use]
    pub fn native_cuda(&self, driver: &DriverVersion) -> Option<CudaVersion> {
        self.packed.tables.cuda.toolkits.iter().rev().find(|row| row.linux_driver <= *driver).map(|row| row.version)
    }

    /// The oldest driver for runtimes of a CUDA major release.
    #[must_use]
    pub fn family(&self, cuda_major: u32) -> Option<&RawFamily> {
        self.packed.tables.driver.families.iter().find(|row| row.cuda_major == cuda_major)
    }

    /// The page for a family row.
    #[must_use]
    pub fn family_citation(&self, row: &RawFamily) -> String {
        self.page(&self.packed.tables.driver.sources, &row.source)
    }

    /// The last driver branch for a compute capability; none while it is supported.
    #[must_use]
    pub fn lifetime(&self, capability: ComputeCapability) -> Option<&RawLifetime> {
        self.packed.tables.driver.lifetimes.iter().find(|row| row.capabilities.contains(&capability))
    }

    /// The page for a lifetime row.
    #[must_use]
    pub fn lifetime_citation(&self, row: &RawLifetime) -> String {
        self.page(&self.packed.tables.driver.sources, &row.source)
    }

    /// cuda-compat packages, oldest first.
    #[must_use]
    pub fn compat_packages(&self) -> &[RawCompatPackage] {
        &self.packed.tables.forward_compat.packages
    }

    /// The page for a cuda-compat row.
    #[must_use]
    pub fn compat_citation(&self, row: &RawCompatPackage) -> String {
        self.page(&self.packed.tables.forward_compat.sources, &row.source)
    }

    /// Whether forward compatibility works on a class of GPUs, with the page.
    #[must_use]
    pub fn compat_support(&self, class: GpuClass) -> Option<(CompatSupport, String)> {
        let row = self.packed.tables.forward_compat.hardware.iter().find(|row| row.class == class)?;
        Some((row.supported, self.page(&self.packed.tables.forward_compat.sources, &row.source)))
    }

    /// The address of a package index that builds name, e.g. `cu128`.
    #[must_use]
    pub fn index_url(&self, name: &str) -> Option<String> {
        let rows = &self.packed.tables.indexes.indexes;
        let row = rows.iter().find(|row| row.name == name).or_else(|| rows.iter().find(|row| row.name == "*"))?;
        Some(row.url.replace("{name}", name))
    }

    /// What models take and GPUs have.
    #[must_use]
    pub fn workload(&self) -> &RawWorkload {
        &self.packed.tables.workload
    }

    /// The memory of a GPU by its name as the driver or people write it, in bytes, and where that was read: several sizes where
    /// the name does not say which, none where none is known.
    #[must_use]
    pub fn gpu_memory(&self, name: &str) -> (Vec<u64>, Option<String>) {
        let rules = &self.packed.tables.workload;
        let product = self.product_by_loose_name(name).map(|row| row.name.clone());
        let upper = name.to_uppercase();
        let names = [Some(name), product.as_deref(), Some(&upper)];
        let named = |name: &str| {
            rules.memories.iter().find(|row| regex_lite::Regex::new(&row.regex).is_ok_and(|regex| regex.is_match(name)))
        };
        let Some(row) = names.into_iter().flatten().find_map(named) else { return (Vec::new(), None) };
        (row.gib.iter().map(|gib| gib << 30).collect(), Some(self.page(&rules.sources, &row.source)))
    }

    /// Base images, and what else Dockerfiles and set-up scripts are made of.
    #[must_use]
    pub fn images(&self) -> &RawImages {
        &self.packed.tables.images
    }

    /// The name of the index at an address, e.g. `cu128`; none for one that the rules do not know.
    #[must_use]
    pub fn index_at(&self, url: &str) -> Option<String> {
        let url = url.trim_end_matches('/');
        self.packed.tables.indexes.indexes.iter().find_map(|row| match row.url.split_once("{name}") {
            None => (row.url.trim_end_matches('/') == url).then(|| row.name.clone()),
            Some((before, after)) => {
                let name = url.strip_prefix(before)?.strip_suffix(after.trim_end_matches('/'))?;
                (!name.is_empty() && !name.contains('/')).then(|| name.to_owned())
            }
        })
    }

    /// The local label of a package's builds at an index, by the index's address: `cu124` for torch at that of CUDA 12.4; none
    /// for what that index does not serve.
    #[must_use]
    pub fn variant_at(&self, url: &str, package: &str) -> Option<String> {
        let index = self.index_at(url)?;
        let mut builds = self.package(package)?.releases.iter().flat_map(|release| &release.builds);
        builds.find(|build| build.index == index)?.local.clone()
    }

    /// Toolkits, oldest first.
    #[must_use]
    pub fn toolkits(&self) -> &[RawToolkit] {
        &self.packed.tables.cuda.toolkits
    }

    /// What installs a driver that is at least this one, by the way of the distribution where the rules know it, else with a file
    /// that NVIDIA offers. Empty where neither is known; also in a container or under WSL, where the driver is the host's, and on
    /// other systems, which have another one.
    ///
    /// Example: 570.26 on Ubuntu 24.04 with an RTX 5090 is `sudo apt-get install nvidia-driver-570-server-open`.
    #[must_use]
    pub fn driver_steps(&self, version: &DriverVersion, facts: &Facts) -> Vec<Step> {
        let system = &facts.system;
        let guest = system.container.value().is_some() || system.wsl.value().is_some();
        let platform = Target::usual_platform(facts).filter(|_| !guest);
        let Some(arch) = platform.as_deref().and_then(|platform| platform.strip_prefix("linux_")) else {
            return Vec::new();
        };
        let distro = system.distro.value().map_or("", String::as_str);
        let is_on = |row: &RawInstall| row.on.iter().any(|name| distro.starts_with(name.as_str()));
        let rows = &self.packed.tables.driver.installs;
        let named = rows.iter().any(is_on);
        let gpus = facts.gpus.value().map(Vec::as_slice).unwrap_or_default();
        let capabilities: Vec<_> = gpus.iter().filter_map(|gpu| gpu.compute_capability.value()).collect();
        let last =
            capabilities.iter().filter_map(|capability| self.lifetime(**capability)).map(|row| row.last_branch).min();
        let fits = |row: &&RawInstall| {
            let in_reach = last.is_none_or(|last| row.driver.branch() <= last);
            let on = if named { is_on(row) } else { row.on.is_empty() };
            let knows = capabilities.iter().all(|own| row.gpus_from.is_none_or(|oldest| **own >= oldest));
            on && knows && in_reach && row.driver >= *version && row.arch.iter().any(|own| own == arch)
        };
        rows.iter().find(fits).into_iter().flat_map(|row| &row.commands).flat_map(Written::steps).collect()
    }

    /// The oldest driver for runtimes of each CUDA major release, oldest first.
    #[must_use]
    pub fn families(&self) -> &[RawFamily] {
        &self.packed.tables.driver.families
    }

    /// The same platform rules with other packages and advisories, e.g. a small universe for a question of `what if`.
    #[must_use]
    pub fn with_packages(&self, packages: Vec<Package>, advisories: Vec<RawAdvisory>) -> Self {
        let mut packed = self.packed.clone();
        packed.packages = packages.iter().map(|package| (package.name.clone(), Bytes::default())).collect();
        packed.advisories = advisories;
        let packages = packages.into_iter().map(|package| (package.name.clone(), OnceLock::from(package))).collect();
        Self::new_with(packed, packages)
    }

    /// Advisories in the order of their ids, without those withdrawn.
    pub fn advisories(&self) -> impl Iterator<Item = &RawAdvisory> {
        self.packed.advisories.iter().filter(|advisory| advisory.withdrawn.is_none())
    }

    /// All advisories in the order of their ids, those withdrawn too.
    #[must_use]
    pub fn all_advisories(&self) -> &[RawAdvisory] {
        &self.packed.advisories
    }

    fn page(&self, sources: &BTreeMap<String, RawPage>, key: &str) -> String {
        sources.get(key).map(cite).unwrap_or_default()
    }
}

/// Lower-case letters and digits only, for comparing names.
/// `laptop` or `gpu` names none.
fn names_a_product(text: &str) -> bool {
    let wanted = squeeze(text);
    wanted.len() >= 2 && (wanted.contains("titan") || wanted.bytes().any(|byte| byte.is_ascii_digit()))
}

fn squeeze(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether the last words of a product name, or all but `NVIDIA`, spell what was wanted.
fn words_end_with(name: &str, wanted: &str) -> bool {
    let words: Vec<_> = name.split_whitespace().collect();
    (0..words.len()).any(|from| squeeze(&words[from..].concat()) == wanted)
}

#[cfg(test)]
mod tests {
    use crate::rules::embedded;

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
