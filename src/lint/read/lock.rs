//! uv.lock and pylock.toml: exact versions, each at its place. A package that the lock has in several versions, for several
//! platforms, is left out.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::super::project::{At, Environment, From, Line};
use super::Reader;
use crate::finding::Severity;
use crate::lint::Finding;
use crate::parse::place::Lines;
use crate::rules::requirement::parse;

pub fn read(reader: &mut Reader<'_>, file: usize, text: &str) {
    let lines = Lines::of(text);
    let (document, faults) = DeTable::parse_recoverable(text);
    if let Some(fault) = faults.first() {
        let place = lines.place(fault.span().unwrap_or_default());
        let path = reader.project.path(file).to_owned();
        reader.project.findings.push(Finding {
            id: "syntax",
            severity: Severity::Fail,
            file: path,
            place,
            message: format!("this is not TOML: {}", fault.message()),
            notes: Vec::new(),
            hint: None,
            fix: None,
        });
        return;
    }
    let document = document.get_ref();
    // `package` is uv's, `packages` that of PEP 751.
    let packages = document.get("package").or_else(|| document.get("packages"));
    let Some(DeValue::Array(packages)) = packages.map(toml::Spanned::get_ref) else { return };
    let mut found: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for package in packages {
        let DeValue::Table(package) = package.get_ref() else { continue };
        let (Some(DeValue::String(name)), Some(version)) =
            (package.get("name").map(toml::Spanned::get_ref), package.get("version"))
        else {
            continue;
        };
        let DeValue::String(number) = version.get_ref() else { continue };
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
