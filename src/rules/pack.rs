//! From the files of `rules/` to the bytes that the program embeds, and back.
//!
//! The build script packs; [`super::embedded`] unpacks. Packages are packed one by one, so that a start decodes only those
//! that it needs.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::model::{Fault, Package};
use super::raw::RawPackage;
use super::raw_machine::{RawMachine, RawScreen};
use super::raw_needs::RawNeeds;
use super::raw_platform::{
    RawAdvisory, RawCuda, RawDriver, RawForwardCompat, RawGpus, RawImages, RawIndexes, RawLibraries, RawOldReleases,
    RawSourceBuilds, RawTorchAbi, RawTorchSymbols,
};
use super::raw_prebuilt::RawPrebuilts;
use super::raw_symptoms::{RawCudaNames, RawModules, RawSymptom, RawSymptoms};
use super::raw_workload::RawWorkload;
use super::raw_xid::RawXids;
use super::{consistency, validate};

/// All the rules, packages still packed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Packed {
    /// `platform/gpus.toml`.
    pub gpus: RawGpus,
    /// `platform/cuda.toml`.
    pub cuda: RawCuda,
    /// `platform/driver.toml`.
    pub driver: RawDriver,
    /// `platform/forward_compat.toml`.
    pub forward_compat: RawForwardCompat,
    /// `platform/indexes.toml`.
    pub indexes: RawIndexes,
    /// `platform/images.toml`.
    pub images: RawImages,
    /// `platform/libraries.toml`.
    pub libraries: RawLibraries,
    /// `platform/source_builds.toml`.
    pub source_builds: RawSourceBuilds,
    /// `platform/old_releases.toml`.
    pub old_releases: RawOldReleases,
    /// `platform/torch_symbols.toml`: packed [`RawTorchSymbols`].
    pub torch_symbols: Vec<u8>,
    /// `platform/torch_abi.toml`.
    pub torch_abi: RawTorchAbi,
    /// `platform/machine.toml`.
    pub machine: RawMachine,
    /// `platform/screen.toml`.
    pub screen: RawScreen,
    /// `platform/prebuilt.toml`.
    pub prebuilt: RawPrebuilts,
    /// `platform/cuda_names.toml`.
    pub cuda_names: RawCudaNames,
    /// `platform/modules.toml`.
    pub modules: RawModules,
    /// `platform/needs.toml`.
    pub needs: RawNeeds,
    /// `platform/xid.toml`.
    pub xids: RawXids,
    /// `platform/workload.toml`.
    pub workload: RawWorkload,
    /// `symptoms/*.toml`, by file; each names its pages itself.
    pub symptoms: Vec<RawSymptom>,
    /// `advisories/*.toml`, by id.
    pub advisories: Vec<RawAdvisory>,
    /// `packages/*.toml`: name to packed [`Package`].
    pub packages: BTreeMap<String, Bytes>,
    /// The newest day on which a row was read.
    pub newest: String,
}

/// Bytes that are read in one piece; serde takes a `Vec<u8>` byte by byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes: &[u8] = Deserialize::deserialize(deserializer)?;
        Ok(Self(bytes.to_vec()))
    }
}

/// A rule file that cannot be used, with the place.
#[derive(Debug)]
pub struct RuleError {
    /// The file, e.g. `rules/packages/torch.toml`.
    pub file: PathBuf,
    /// From 1; none where the file could not be read at all.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl std::error::Error for RuleError {}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file.display(), self.message),
            None => write!(f, "{}: {}", self.file.display(), self.message),
        }
    }
}

/// Reads every file below `rules` through `read` and packs them.
///
/// # Errors
///
/// The first file that is missing, malformed or inconsistent, with the line.
pub fn pack(
    rules: &Path,
    list: impl Fn(&Path) -> Result<Vec<PathBuf>, RuleError>,
    read: impl Fn(&Path) -> Result<String, RuleError>,
) -> Result<Packed, RuleError> {
    let mut newest = String::new();
    let gpus: RawGpus = parse(&rules.join("platform/gpus.toml"), &read, &mut newest, validate::gpus)?;
    let cuda: RawCuda = parse(&rules.join("platform/cuda.toml"), &read, &mut newest, validate::cuda)?;
    let driver: RawDriver = parse(&rules.join("platform/driver.toml"), &read, &mut newest, validate::driver)?;
    let forward_compat: RawForwardCompat =
        parse(&rules.join("platform/forward_compat.toml"), &read, &mut newest, validate::forward_compat)?;
    let indexes: RawIndexes = parse(&rules.join("platform/indexes.toml"), &read, &mut newest, validate::indexes)?;
    let images: RawImages = parse(&rules.join("platform/images.toml"), &read, &mut newest, validate::images)?;
    let libraries: RawLibraries =
        parse(&rules.join("platform/libraries.toml"), &read, &mut newest, validate::libraries)?;
    let source_builds: RawSourceBuilds =
        parse(&rules.join("platform/source_builds.toml"), &read, &mut newest, validate::source_builds)?;
    let old_releases: RawOldReleases =
        parse(&rules.join("platform/old_releases.toml"), &read, &mut newest, validate::old_releases)?;
    let symbols_file = rules.join("platform/torch_symbols.toml");
    let torch_symbols: RawTorchSymbols = parse(&symbols_file, &read, &mut newest, validate::torch_symbols)?;
    let torch_symbols = postcard::to_stdvec(&torch_symbols).map_err(|error| RuleError {
        file: symbols_file,
        line: None,
        message: error.to_string(),
    })?;
    let torch_abi: RawTorchAbi =
        parse(&rules.join("platform/torch_abi.toml"), &read, &mut newest, validate::torch_abi)?;
    let machine: RawMachine = parse(&rules.join("platform/machine.toml"), &read, &mut newest, validate::machine)?;
    let screen: RawScreen = parse(&rules.join("platform/screen.toml"), &read, &mut newest, |_| Ok(()))?;
    let prebuilt: RawPrebuilts = parse(&rules.join("platform/prebuilt.toml"), &read, &mut newest, validate::prebuilt)?;
    let cuda_names: RawCudaNames =
        parse(&rules.join("platform/cuda_names.toml"), &read, &mut newest, validate::cuda_names)?;
    let modules: RawModules = parse(&rules.join("platform/modules.toml"), &read, &mut newest, validate::modules)?;
    let needs: RawNeeds = parse(&rules.join("platform/needs.toml"), &read, &mut newest, validate::needs)?;
    let xids: RawXids = parse(&rules.join("platform/xid.toml"), &read, &mut newest, validate::xids)?;
    let workload: RawWorkload = parse(&rules.join("platform/workload.toml"), &read, &mut newest, validate::workload)?;
    let mut symptoms: Vec<RawSymptom> = Vec::new();
    for file in list(&rules.join("symptoms"))? {
        let RawSymptoms { sources, symptoms: rows } = parse(&file, &read, &mut newest, |raw: &RawSymptoms| {
            let known = symptoms.iter().map(|symptom| symptom.id.as_str()).collect();
            validate::symptoms(raw, &known)
        })?;
        symptoms.extend(rows.into_iter().map(|mut row| {
            let cite = |key: &String| sources.get(key).map(|page| format!("{}, read {}", page.page, page.read));
            row.sources = row.sources.iter().filter_map(cite).collect();
            row
        }));
    }
    let mut advisories: Vec<RawAdvisory> = Vec::new();
    let advisory_files = list(&rules.join("advisories"))?;
    for file in &advisory_files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        advisories.push(parse(file, &read, &mut newest, |advisory| validate::advisory(advisory, &stem))?);
    }
    let mut packages = BTreeMap::new();
    let mut texts = Vec::new();
    for file in list(&rules.join("packages"))? {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = read(&file)?;
        let raw: RawPackage = from_toml(&file, &text)?;
        note_days(&text, &mut newest);
        if raw.package != stem {
            let message = format!("`package = \"{}\"` in a file named `{stem}.toml`", raw.package);
            return Err(RuleError { file, line: Some(1), message });
        }
        let package = Package::try_from(raw).map_err(|fault| located(&file, &text, fault))?;
        packages.insert(stem.clone(), package);
        texts.push((stem, file, text));
    }
    let names = packages.keys().cloned().collect();
    for (name, file, text) in &texts {
        let checked = packages.get(name).map_or(Ok(()), |package| consistency::package(package, &names));
        checked.map_err(|fault| located(file, text, fault))?;
    }
    for (advisory, file) in advisories.iter().zip(&advisory_files) {
        if let Err(fault) = consistency::advisory(advisory, &packages) {
            return Err(located(file, &read(file)?, fault));
        }
    }
    let packages = packages.iter().map(|(name, package)| {
        let file = || rules.join("packages").join(format!("{name}.toml"));
        let bytes = postcard::to_stdvec(package);
        let bytes = bytes.map_err(|error| RuleError { file: file(), line: None, message: error.to_string() })?;
        Ok((name.clone(), Bytes(bytes)))
    });
    let packages = packages.collect::<Result<_, RuleError>>()?;
    Ok(Packed {
        gpus,
        cuda,
        driver,
        forward_compat,
        indexes,
        images,
        libraries,
        source_builds,
        old_releases,
        torch_symbols,
        torch_abi,
        machine,
        screen,
        prebuilt,
        cuda_names,
        modules,
        needs,
        xids,
        workload,
        symptoms,
        advisories,
        packages,
        newest,
    })
}

fn parse<T: DeserializeOwned>(
    file: &Path,
    read: impl Fn(&Path) -> Result<String, RuleError>,
    newest: &mut String,
    validate: impl Fn(&T) -> Result<(), Fault>,
) -> Result<T, RuleError> {
    let text = read(file)?;
    let value: T = from_toml(file, &text)?;
    validate(&value).map_err(|fault| located(file, &text, fault))?;
    note_days(&text, newest);
    Ok(value)
}

fn from_toml<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, RuleError> {
    toml::from_str(text).map_err(|error| RuleError {
        file: file.to_owned(),
        line: error.span().map(|span| line_at(text, span.start)),
        message: error.message().to_owned(),
    })
}

/// Keeps the newest `read = "…"` day of a file.
fn note_days(text: &str, newest: &mut String) {
    for piece in text.split("read = \"").skip(1) {
        if let Some(day) = piece.get(..10)
            && day > newest.as_str()
            && super::model::day(day).is_ok()
        {
            newest.replace_range(.., day);
        }
    }
}

fn located(file: &Path, text: &str, fault: Fault) -> RuleError {
    RuleError { file: file.to_owned(), line: line_of(text, &fault.path), message: fault.message }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

/// The line of the table that a path of keys and indices names.
fn line_of(text: &str, path: &[String]) -> Option<usize> {
    let root = toml::de::DeTable::parse(text).ok()?;
    let mut start = 0;
    let mut table = root.get_ref();
    let mut steps = path.iter();
    while let Some(step) = steps.next() {
        let value = table.get(step.as_str())?;
        start = value.span().start;
        let mut inner = value.get_ref();
        if let toml::de::DeValue::Array(items) = inner {
            let item = items.get(steps.next()?.parse::<usize>().ok()?)?;
            start = item.span().start;
            inner = item.get_ref();
        }
        match inner {
            toml::de::DeValue::Table(next) => table = next,
            _ => break,
        }
    }
    Some(line_at(text, start))
}
