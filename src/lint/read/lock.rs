//! uv.lock and pylock.toml: exact versions, each at its place. A package that the lock has in several versions, for several
//! platforms, is left out.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use super::super::project::{At, Environment, From, Line};
use super::Reader;
use crate::project::place::{InputError, Lines};
use crate::rules::requirement::parse;

pub fn read(reader: &mut Reader<'_>, file: usize, text: &str) {
    let lines = Lines::of(text);
    let (document, faults) = DeTable::parse_recoverable(text);
    if let Some(fault) = faults.first() {
        let place = lines.place(fault.span().unwrap_or_default());
        let message = format!("this is not TOML: {}", fault.message());
        reader.refuse(file, vec![InputError { place, message, hint: None }]);
        return;
    }
    let document = document.get_ref();
    // `package` is uv's, `packages` that of PEP 751.
    let packages = document.get("package").or_else(|| document.get("packages"));
    let Some(DeValue::Array(packages)) = packages.map(toml::Spanned::get_ref) else { return };
    let together = together(packages);
    let mut found: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for package in packages {
        let DeValue::Table(package) = package.get_ref() else { continue };
        let (Some(DeValue::String(name)), Some(version)) =
            (package.get("name").map(toml::Spanned::get_ref), package.get("version"))
        else {
            continue;
        };
        let DeValue::String(number) = version.get_ref() else { continue };
        if together.as_ref().is_some_and(|together| !together.contains(name.as_ref())) || is_optional(package) {
            continue;
        }
        let written = format!("{name}=={number}");
        let Ok(requirement) = parse(&written) else { continue };
        let name = requirement.name.to_string();
        found.entry(name.clone()).or_default().push(Line {
            at: At { file, place: lines.place(version.span()) },
            versions: None,
            text: written,
            name,
            requirement,
            elsewhere: false,
            constraint: false,
            source: From::Unknown,
            step: None,
        });
    }
    let lines = found.into_values().filter(|all| all.len() == 1).flatten().collect();
    reader.project.environments.push(Environment { lines, locked: true, ..Environment::default() });
}

fn text<'t>(table: &'t DeTable<'_>, key: &str) -> Option<&'t str> {
    match table.get(key)?.get_ref() {
        DeValue::String(text) => Some(text),
        _ => None,
    }
}

fn tables<'t, 'd>(table: &'t DeTable<'d>, key: &str) -> impl Iterator<Item = &'t DeTable<'d>> {
    let list = match table.get(key).map(toml::Spanned::get_ref) {
        Some(DeValue::Array(list)) => Some(list),
        _ => None,
    };
    list.into_iter().flatten().filter_map(|one| match one.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    })
}

/// What the project itself needs, by name: a uv.lock also has what its extras and groups need, which may contradict each other.
/// None where the lock names no project, as pylock.toml.
fn together(packages: &toml::de::DeArray<'_>) -> Option<BTreeSet<String>> {
    let all: Vec<&DeTable<'_>> = packages
        .iter()
        .filter_map(|package| match package.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        })
        .collect();
    let is_own = |table: &&&DeTable<'_>| match table.get("source").map(toml::Spanned::get_ref) {
        Some(DeValue::Table(source)) => ["editable", "virtual"].iter().any(|kind| source.contains_key(*kind)),
        _ => false,
    };
    let mut open: Vec<&str> = all.iter().filter(is_own).filter_map(|table| text(table, "name")).collect();
    if open.is_empty() {
        return None;
    }
    let mut found = BTreeSet::new();
    while let Some(name) = open.pop() {
        if found.insert(name.to_owned()) {
            let own = all.iter().filter(|table| text(table, "name") == Some(name));
            open.extend(own.flat_map(|table| tables(table, "dependencies")).filter_map(|one| text(one, "name")));
        }
    }
    Some(found)
}

/// Whether a package of a pylock.toml is for an extra or a group.
fn is_optional(package: &DeTable<'_>) -> bool {
    text(package, "marker").is_some_and(|marker| marker.contains("extras") || marker.contains("dependency_groups"))
}
