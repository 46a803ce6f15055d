//! What stops, as facts: each thing once, with the distributions that ask and are asked.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use super::Place;
use crate::facts::{Distribution, Want, Wanted};
use crate::imports::Evidence;
use crate::python::metadata::requirement_name;
use crate::python::record::parse_record;

/// More findings are not told.
const MOST: usize = 60;

/// Which distribution a file belongs to.
struct Owners<'a> {
    place: Place<'a>,
    records: Mutex<HashMap<usize, HashSet<String>>>,
}

impl Owners<'_> {
    fn of(&self, file: &str) -> Option<String> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, it) in self.place.distributions.iter().enumerate() {
            let Some(below) = file.strip_prefix(it.location.as_str()).and_then(|it| it.strip_prefix('/')) else {
                continue;
            };
            let record = records.entry(at).or_insert_with(|| {
                let path = format!("{}/{}/RECORD", it.location, it.metadata_dir);
                let text = self.place.root.read(&path, 32 << 20).unwrap_or_default();
                parse_record(&String::from_utf8_lossy(&text)).map(|it| it.path.into_owned()).collect()
            });
            if record.contains(below) {
                return Some(it.name.clone());
            }
        }
        // Installed in development mode: by the name of its folder.
        let stem = file.strip_suffix(".py").unwrap_or(file);
        let parts: Vec<String> = stem.split('/').map(requirement_name).collect();
        let is_it = |it: &&Distribution| it.editable && parts.contains(&it.name);
        self.place.distributions.iter().find(is_it).map(|it| it.name.clone())
    }
}

/// What was found, each thing once, by file and line.
pub fn wants(place: Place<'_>, evidence: &[(Evidence, Option<String>)], parts: &HashSet<String>) -> Vec<Want> {
    let owners = Owners { place, records: Mutex::default() };
    let mut by_evidence: BTreeMap<&Evidence, BTreeSet<String>> = BTreeMap::new();
    for (it, stops) in evidence {
        by_evidence.entry(it).or_default().extend(stops.clone());
    }
    let mut found: Vec<_> = by_evidence.into_iter().collect();
    // What is certain comes first.
    found.sort_by_key(|(_, stops)| match stops.iter().any(|it| !parts.contains(it)) {
        true => 0,
        false => 1 + u8::from(stops.is_empty()),
    });
    found.truncate(MOST);
    found.sort();
    let want = |(it, stops): (&Evidence, BTreeSet<String>)| Want {
        importer: owners.of(&it.file),
        file: it.file.clone(),
        line: it.line,
        wanted: it.wanted,
        module: it.module.clone(),
        name: it.name.clone(),
        owner: it.owner.as_deref().and_then(|it| owners.of(it)),
        stops: stops.iter().filter(|it| !parts.contains(*it)).cloned().collect(),
        parts: stops.iter().filter(|it| parts.contains(*it)).cloned().collect(),
    };
    let mut wants: Vec<Want> = found.into_iter().map(want).collect();
    // What stops an import for certain is not told again as what may.
    let certain: Vec<(Wanted, String, String)> = wants
        .iter()
        .filter(|it| !(it.stops.is_empty() && it.parts.is_empty()))
        .map(|it| (it.wanted, it.module.clone(), it.name.clone()))
        .collect();
    let is_certain = |it: &Want| !(it.stops.is_empty() && it.parts.is_empty());
    wants.retain(|it| is_certain(it) || !certain.contains(&(it.wanted, it.module.clone(), it.name.clone())));
    wants
}
