//! From the files of `rules/` to the bytes that the program embeds, and back.
//!
//! The build script packs; [`super::embedded`] unpacks. Packages are packed one by one, so that a start decodes only those
//! that it needs.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::bytes::Bytes;
use super::consistency;
use super::model::Package;
use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{moving, normalised, unopened};
use crate::rules::schema::{
    Advisory, Beside, PackageFile, ReadTable, Roles, Symptom, SymptomTable, Table, Tables, TorchSymbolTable, advisory,
    symptoms,
};

/// All the rules, packages still packed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Packed {
    /// `platform/*.toml`.
    pub tables: Tables,
    /// `platform/torch_symbols.toml`: packed [`TorchSymbolTable`], of which a start needs nothing.
    pub torch_symbols: Vec<u8>,
    /// The torch releases that it compares, oldest first.
    pub compared: Vec<String>,
    /// `symptoms/*.toml`, by file; each names its pages itself.
    pub symptoms: Vec<Symptom>,
    /// What stands in the line of a message that stopped something, e.g. `undefined symbol: `, by file.
    pub stops: Vec<String>,
    /// `advisories/*.toml`, by id.
    pub advisories: Vec<Advisory>,
    /// `[[import]]` of `packages/*.toml`, as advisories, by package.
    pub imports: Vec<Advisory>,
    /// `packages/*.toml` with releases: name to packed [`Package`].
    pub packages: BTreeMap<String, Bytes>,
    /// `packages/*.toml`: what they say beside the releases, by name.
    pub beside: BTreeMap<String, Beside>,
    /// The newest day on which a row was read.
    pub newest: String,
}

/// The rules, and what is packed apart from them.
#[derive(Debug)]
pub struct Both {
    /// All but the roles.
    pub packed: Packed,
    /// The roles of packages.
    pub roles: Roles,
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
) -> Result<Both, RuleError> {
    let mut newest = String::new();
    for file in list(&rules.join("platform"))? {
        listed(&file)?;
    }
    let mut reader = Reader { rules, read: &read, newest: &mut newest };
    let mut tables = Tables::read(&mut reader)?;
    let mut roles = Roles { rows: std::mem::take(&mut tables.cuda_names.roles), ..Roles::default() };
    let torch_symbols: TorchSymbolTable = reader.table(TORCH_SYMBOLS)?;
    let compared: Vec<_> = torch_symbols.releases.iter().map(|release| release.version.clone()).collect();
    let torch_symbols = postcard::to_stdvec(&torch_symbols).map_err(|error| RuleError {
        file: rules.join("platform").join(TORCH_SYMBOLS),
        line: None,
        message: error.to_string(),
    })?;
    let (symptoms, stops) = messages(list(&rules.join("symptoms"))?, &read, &mut newest)?;
    let advisory_files = list(&rules.join("advisories"))?;
    let mut advisories: Vec<Advisory> = Vec::new();
    for file in &advisory_files {
        let stem = stem(file);
        advisories.push(parse(file, &read, &mut newest, |advisory| advisory::check(advisory, &stem))?);
    }
    let mut packages = BTreeMap::new();
    let mut beside = BTreeMap::new();
    let mut imports = Vec::new();
    let mut texts = Vec::new();
    for file in list(&rules.join("packages"))? {
        let stem = stem(&file);
        let text = read(&file)?;
        let mut raw = package_file(&file, &stem, &text)?;
        note_days(&text, &mut newest);
        if let Some(role) = raw.role {
            roles.add(&stem, role);
        }
        let mut said = raw.take_beside();
        said.check(&compared).map_err(|fault| located(&file, &text, fault))?;
        let rows = std::mem::take(&mut said.imports);
        imports.extend(rows.iter().filter_map(|row| row.advisory(&stem)));
        let source_build = said.source_build.clone();
        let is_harvested = !raw.releases.is_empty();
        if !said.is_empty() {
            beside.insert(stem.clone(), said);
        } else if !is_harvested && raw.role.is_none() && rows.is_empty() {
            let message = "says nothing: no release, no role, and no table beside them".to_owned();
            return Err(RuleError { file, line: Some(1), message });
        }
        if !is_harvested {
            continue;
        }
        let mut package = Package::try_from(raw).map_err(|fault| located(&file, &text, fault))?;
        if let Some(row) = source_build {
            package.compiled_as(&row);
        }
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
    let packed =
        Packed { tables, torch_symbols, compared, symptoms, stops, advisories, imports, packages, beside, newest };
    Ok(Both { packed, roles })
}

/// A file's name without its ending.
fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The messages of all files, and the words that tell that something stopped.
fn messages(
    files: Vec<PathBuf>,
    read: impl Fn(&Path) -> Result<String, RuleError>,
    newest: &mut String,
) -> Result<(Vec<Symptom>, Vec<String>), RuleError> {
    let mut symptoms: Vec<Symptom> = Vec::new();
    let mut stops: Vec<String> = Vec::new();
    for file in files {
        let table = parse(&file, &read, newest, |raw: &SymptomTable| {
            let known = symptoms.iter().map(|symptom| symptom.id.as_str()).collect();
            symptoms::check(raw, &known)
        })?;
        let SymptomTable { sources, symptoms: rows, stops: words } = table;
        stops.extend(words.into_iter().map(|row| row.words));
        symptoms.extend(rows.into_iter().map(|mut row| {
            let cite = |key: &String| sources.get(key).map(|page| format!("{}, read {}", page.page, page.read));
            row.sources = row.sources.iter().filter_map(cite).collect();
            row
        }));
    }
    Ok((symptoms, stops))
}

/// A package's file, which is named after it.
fn package_file(file: &Path, stem: &str, text: &str) -> Result<PackageFile, RuleError> {
    stays(file, text)?;
    let raw: PackageFile = from_toml(file, text)?;
    let refused = |message| RuleError { file: file.to_owned(), line: Some(1), message };
    if raw.package != stem {
        return Err(refused(format!("`package = \"{}\"` in a file named `{stem}.toml`", raw.package)));
    }
    normalised(stem).map_err(refused)?;
    Ok(raw)
}

/// The table that is packed apart from the others.
const TORCH_SYMBOLS: &str = "torch_symbols";

/// A file of `platform/` that no table is read from would say nothing.
fn listed(file: &Path) -> Result<(), RuleError> {
    let stem = stem(file);
    if Tables::FILES.contains(&stem.as_str()) || stem == TORCH_SYMBOLS {
        return Ok(());
    }
    let message = format!("no table is read from it: list `{stem}` in src/rules/schema/platform/mod.rs");
    Err(RuleError { file: file.to_owned(), line: Some(1), message })
}

/// Reads the files of `platform/`.
struct Reader<'r, F> {
    rules: &'r Path,
    read: F,
    newest: &'r mut String,
}

impl<F: Fn(&Path) -> Result<String, RuleError>> ReadTable for Reader<'_, F> {
    type Error = RuleError;

    fn table<T: Table>(&mut self, file: &str) -> Result<T, RuleError> {
        let file = self.rules.join("platform").join(file).with_extension("toml");
        let text = (self.read)(&file)?;
        introduced(&file, &text)?;
        checked(&file, &text, self.newest, T::check)
    }
}

/// The head of a table's file is where people read what its rows mean.
fn introduced(file: &Path, text: &str) -> Result<(), RuleError> {
    if text.starts_with("# ") {
        return Ok(());
    }
    let message = "the file begins with a comment that says what it holds".to_owned();
    Err(RuleError { file: file.to_owned(), line: Some(1), message })
}

fn parse<T: DeserializeOwned>(
    file: &Path,
    read: impl Fn(&Path) -> Result<String, RuleError>,
    newest: &mut String,
    validate: impl Fn(&T) -> Result<(), Fault>,
) -> Result<T, RuleError> {
    checked(file, &read(file)?, newest, validate)
}

fn checked<T: DeserializeOwned>(
    file: &Path,
    text: &str,
    newest: &mut String,
    validate: impl Fn(&T) -> Result<(), Fault>,
) -> Result<T, RuleError> {
    stays(file, text)?;
    let value: T = from_toml(file, text)?;
    validate(&value).map_err(|fault| located(file, text, fault))?;
    note_days(text, newest);
    Ok(value)
}

/// Refuses pages that change after they were read, wherever they are named, and pages that nobody can open.
fn stays(file: &Path, text: &str) -> Result<(), RuleError> {
    for (line, words) in (1..).zip(text.lines()) {
        if let Some(address) = moving(words) {
            let message = format!("`{address}` is no address that stays as it was read: name a tag or a commit");
            return Err(RuleError { file: file.to_owned(), line: Some(line), message });
        }
        if let Some(page) = unopened(words) {
            let message = format!("`{page}` names nothing that can be opened: an address, a wheel, a file at a commit");
            return Err(RuleError { file: file.to_owned(), line: Some(line), message });
        }
    }
    Ok(())
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
            && crate::rules::schema::fault::day(day).is_ok()
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
