//! Which files of the installed distributions are shared libraries: by RECORD, else by the folders of their modules.

use std::io;

use super::modules::{self, Tops};
use super::python_path::join;
use super::root::RootFs;
use crate::facts::{ChangedFile, Distribution, Python, Stray};
use crate::parallel::in_parallel;
use crate::python::record::{is_library, parse_record};
use crate::version::PythonVersion;

/// A RECORD above this size is not read: torch's has 1.5 MB.
pub const RECORD_LIMIT: u64 = 32 << 20;

/// The most files that are looked through where there is no RECORD.
const MAX_WALKED: usize = 20_000;

/// A library of a distribution, before it is read.
pub(super) struct Listed {
    /// Which distribution.
    pub owner: usize,
    /// Below the folder of the path.
    pub path: String,
    /// Where it lies.
    pub place: String,
    /// As RECORD says.
    pub size: Option<u64>,
}

/// The libraries of the distributions that import finds.
///
/// What else their RECORDs tell goes into the distributions.
pub(super) fn list(root: &RootFs, python: Option<&Python>, distributions: &mut [Distribution]) -> Vec<Listed> {
    let version = python.and_then(|python| python.version.value());
    let mut names = std::collections::HashSet::new();
    let active: Vec<(usize, &Distribution)> =
        distributions.iter().enumerate().filter(|(_, found)| names.insert(found.name.as_str())).collect();
    let owners: Vec<usize> = active.iter().map(|(owner, _)| *owner).collect();
    let lists = in_parallel(&active, 4, |(owner, distribution)| files_of(root, *owner, distribution));
    let mut listed: Vec<Listed> = Vec::new();
    let mut tops = Vec::new();
    for (owner, (files, told)) in owners.into_iter().zip(lists) {
        listed.extend(files);
        tops.push((owner, told.tops));
        if let Some(distribution) = distributions.get_mut(owner) {
            distribution.record = told.record.or_else(|| distribution.record.take());
            distribution.changed.extend(told.changed);
        }
    }
    modules::mark_hidden(root, distributions, &tops);
    listed.retain(|file| is_for(version, &file.path));
    listed
}

/// Whether Python of this version would import a file with that name: `x.cpython-310-x86_64-linux-gnu.so` is for 3.10.
fn is_for(python: Option<&PythonVersion>, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((_, rest)) = name.split_once(".cpython-") else { return true };
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    python.is_none_or(|python| digits == format!("{}{}", python.major, python.minor))
}

/// What a RECORD tells beside the libraries.
#[derive(Default)]
struct Told {
    record: Option<Stray>,
    changed: Vec<ChangedFile>,
    tops: Tops,
}

fn files_of(root: &RootFs, owner: usize, distribution: &Distribution) -> (Vec<Listed>, Told) {
    let location = &distribution.location;
    let mut told = Told::default();
    if distribution.metadata_dir.is_empty() || distribution.version.value().is_none() {
        return (Vec::new(), told);
    }
    let record = root.read(&format!("{location}/{}/RECORD", distribution.metadata_dir), RECORD_LIMIT);
    let mut listed: Vec<Listed> = Vec::new();
    if let Ok(record) = &record {
        let text = String::from_utf8_lossy(record);
        told = Told {
            record: stray(distribution, &text),
            changed: modules::changed(root, distribution, &text),
            tops: Tops::of(&text),
        };
        for file in parse_record(&text).filter(|file| is_library(&file.path)) {
            let path = file.path.into_owned();
            let place = join(location, &path);
            listed.push(Listed { owner, path, place, size: file.size });
        }
    }
    let is_missing = record.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    if is_missing && distribution.metadata_dir.ends_with(".dist-info") {
        told.record = Some(Stray::Missing);
    }
    if record.is_err() || distribution.editable {
        let base = distribution
            .direct_url
            .value()
            .and_then(|url| url.strip_prefix("file://"))
            .filter(|_| distribution.editable)
            .unwrap_or(location);
        for module in modules(root, distribution) {
            walk(root, owner, base, &module, &mut listed);
        }
    }
    (listed, told)
}

/// The folder of metadata that a RECORD is of, where that is not the one which holds it.
fn stray(distribution: &Distribution, record: &str) -> Option<Stray> {
    let own = distribution.metadata_dir.as_str();
    let mut folders = record.lines().filter_map(|line| line.split_once(".dist-info/").map(|(stem, _)| stem));
    let other = folders.next().filter(|stem| !stem.contains('/'))?;
    let is_own = |stem: &str| own.strip_suffix(".dist-info") == Some(stem);
    (own.ends_with(".dist-info") && !is_own(other) && !folders.any(is_own))
        .then(|| Stray::Of(format!("{other}.dist-info")))
}

/// The names of the top-level modules, from `top_level.txt`, else from the distribution's own name.
fn modules(root: &RootFs, distribution: &Distribution) -> Vec<String> {
    let path = format!("{}/{}/top_level.txt", distribution.location, distribution.metadata_dir);
    let stated: Vec<String> = root
        .read_text(&path)
        .map(|text| text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
        .unwrap_or_default();
    if stated.is_empty() { vec![distribution.name.replace('-', "_")] } else { stated }
}

/// Adds the libraries below a module's folder, and the module itself if it is one.
fn walk(root: &RootFs, owner: usize, base: &str, module: &str, listed: &mut Vec<Listed>) {
    let mut add = |path: String| {
        let place = join(base, &path);
        if !listed.iter().any(|file| file.place == place) {
            listed.push(Listed { owner, path, place, size: None });
        }
    };
    let single = format!("{module}.");
    root.list(base).into_iter().filter(|name| name.starts_with(&single) && is_library(name)).for_each(&mut add);
    let mut folders = vec![module.to_owned()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for name in root.list(&join(base, &folder)) {
            seen += 1;
            if seen > MAX_WALKED {
                return;
            }
            let path = format!("{folder}/{name}");
            if is_library(&name) {
                add(path);
            } else if !name.contains('.')
                && root.link(&join(base, &path)).is_none()
                && root.is_folder(&join(base, &path))
            {
                folders.push(path);
            }
        }
    }
}
