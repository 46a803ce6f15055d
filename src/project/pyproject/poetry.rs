//! `[tool.poetry]`: its own tables of dependencies, with its own ranges.
//!
//! ```toml
//! [tool.poetry.dependencies]
//! python = "^3.10"
//! torch = { version = "^2.6", source = "pytorch", markers = "sys_platform == 'linux'" }
//! vllm = { git = "https://github.com/vllm-project/vllm", optional = true }
//! [tool.poetry.extras]
//! serve = ["vllm"]
//! [tool.poetry.group.dev.dependencies]
//! pytest = "*"
//! ```

use std::collections::BTreeMap;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::{Reader, in_order};
use super::uv::{Index, Source, SourceKind, revision};
use super::{GroupItem, PyProject};
use crate::pep::{MarkerTree, VersionSpecifiers};
use crate::project::dependency::{Problem, Style, WrittenRequirement, independent, parse};
use crate::project::place::Placed;
use crate::project::poetry_range::{RangeError, translate};
use crate::python::wheel::normalise_name;

pub fn read<'t>(project: &mut PyProject<'t>, table: &DeTable<'t>, reader: &mut Reader<'t>) {
    // Where both stand, `[project]` decides what is asked for.
    let own = !project.is_project
        || (project.dependencies.is_empty() && project.dynamic.iter().any(|name| name.value == "dependencies"));
    project.is_project = true;
    if project.name.is_none() {
        project.name = reader.string(table, "name").map(|name| normalise_name(&name.value));
    }
    let mut optional = BTreeMap::new();
    if let Some(dependencies) = reader.table(table, "dependencies") {
        let mut list = Vec::new();
        for (name, value) in in_order(dependencies) {
            if normalise_name(name) == "python" {
                python(project, value, reader);
                continue;
            }
            for (dependency, is_optional) in entries(project, name, value, own, reader) {
                if is_optional {
                    optional.entry(normalise_name(name)).or_insert_with(Vec::new).push(dependency);
                } else {
                    list.push(dependency);
                }
            }
        }
        if own {
            project.dependencies = list;
        }
    }
    if let Some(extras) = reader.table(table, "extras").filter(|_| own) {
        for (extra, _) in in_order(extras) {
            let mut list = Vec::new();
            for name in reader.strings(extras, extra) {
                match optional.get(&normalise_name(&name.value)) {
                    Some(found) => list.extend(found.iter().cloned()),
                    None if project.dependencies.iter().any(|one| one.name() == Some(&normalise_name(&name.value))) => {
                    }
                    None => {
                        let message = format!("`{}` is no optional dependency", name.value);
                        reader.wrong(name.place.span, message);
                    }
                }
            }
            project.extras.entry(normalise_name(extra)).or_default().extend(list);
        }
    }
    if let Some(dev) = reader.table(table, "dev-dependencies") {
        group(project, "dev", dev, reader);
    }
    if let Some(groups) = reader.table(table, "group") {
        for (name, value) in in_order(groups) {
            let inner = value.get_ref().as_table().and_then(|table| reader.table(table, "dependencies"));
            match inner {
                Some(inner) => group(project, name, inner, reader),
                None => drop(project.groups.entry(normalise_name(name)).or_default()),
            }
        }
    }
    for value in reader.list(table, "source") {
        let Some(table) = value.get_ref().as_table() else { continue };
        let name = reader.string(table, "name").map(|name| name.value);
        let priority = reader.string(table, "priority").map(|priority| priority.value).unwrap_or_default();
        // PyPI by its name has no address.
        let Some(url) = reader.string(table, "url") else { continue };
        let (explicit, default) = (priority == "explicit", priority == "default" || priority == "primary");
        project.indexes.push(Index { name, url, explicit, default });
    }
}

fn group<'t>(project: &mut PyProject<'t>, name: &str, table: &DeTable<'t>, reader: &mut Reader<'t>) {
    let mut items = Vec::new();
    for (name, value) in in_order(table) {
        let found = entries(project, name, value, true, reader);
        items.extend(found.into_iter().map(|(dependency, _)| GroupItem::Dependency(Box::new(dependency))));
    }
    project.groups.entry(normalise_name(name)).or_default().extend(items);
}

fn python(project: &mut PyProject<'_>, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) {
    let Some(text) = reader.text_of(value, "python") else { return };
    let Some(range) = range(&text, reader) else { return };
    if project.requires_python.is_none()
        && let Ok(specifiers) = VersionSpecifiers::from_str(&range)
    {
        project.requires_python = Some(Placed { value: specifiers, place: text.place });
    }
}

/// A range in PEP 440's words; empty for any version, also where it cannot be said.
fn range(text: &Placed<String>, reader: &mut Reader<'_>) -> Option<String> {
    match translate(&text.value) {
        Ok(range) => Some(range),
        Err(error @ RangeError::Union(_)) => {
            let message = format!("{error}; any version is taken to do");
            reader.warn(Problem { range: text.place.span.clone(), message, hint: None });
            Some(String::new())
        }
        Err(error @ RangeError::Wrong(_)) => {
            reader.wrong(text.place.span.clone(), error.to_string());
            None
        }
    }
}

/// What a key of a table asks for, and whether only extras do; a list holds alternatives with markers.
fn entries<'t>(
    project: &mut PyProject<'t>,
    name: &str,
    value: &Spanned<DeValue<'t>>,
    own: bool,
    reader: &mut Reader<'t>,
) -> Vec<(WrittenRequirement, bool)> {
    match value.get_ref() {
        DeValue::Array(list) => list.iter().filter_map(|value| entry(project, name, value, own, reader)).collect(),
        _ => entry(project, name, value, own, reader).into_iter().collect(),
    }
}

fn entry<'t>(
    project: &mut PyProject<'t>,
    name: &str,
    value: &Spanned<DeValue<'t>>,
    own: bool,
    reader: &mut Reader<'t>,
) -> Option<(WrittenRequirement, bool)> {
    let Some(table) = value.get_ref().as_table() else {
        let version = reader.text_of(value, name)?;
        let range = range(&version, reader)?;
        return Some((dependency(&format!("{name}{range}"), value, Some(version), reader)?, false));
    };
    let extras: Vec<_> = reader.strings(table, "extras").into_iter().map(|extra| extra.value).collect();
    let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    let marker = markers(table, reader)?;
    if let Some(index) = reader.string(table, "source") {
        let conditions = table.get("markers").and_then(|value| value.get_ref().as_str()).map_or(0, independent);
        let kind = SourceKind::Index(index);
        let source = Source {
            kind,
            marker: marker.clone(),
            extra: None,
            group: None,
            place: reader.place(value.span()),
            conditions,
        };
        project.sources.entry(normalise_name(name)).or_default().push(source);
    }
    // Beside `[project]` an entry may say only where a package comes from.
    if !own && !["version", "git", "url", "path", "file"].iter().any(|key| table.get(*key).is_some()) {
        return None;
    }
    let optional = reader.flag(table, "optional");
    let version = reader.string(table, "version");
    let address =
        ["git", "url", "path", "file"].into_iter().find_map(|key| Some((key, reader.string(table, key)?.value)));
    let text = match &address {
        Some(("git", url)) => {
            let revision = revision(table, reader).map(|revision| format!("@{revision}")).unwrap_or_default();
            format!("{name}{extras} @ git+{url}{revision}")
        }
        Some((_, url)) => format!("{name}{extras} @ {url}"),
        None => {
            let Some(version) = &version else {
                let message = format!("`{name}` has no `version`, `git`, `url` or `path`");
                reader.wrong(value.span(), message);
                return None;
            };
            format!("{name}{extras}{}", range(version, reader)?)
        }
    };
    let mut dependency = dependency(&text, value, version.filter(|_| address.is_none()), reader)?;
    if let Some(requirement) = &mut dependency.what.requirement {
        requirement.marker.and(marker);
    }
    Some((dependency, optional))
}

fn dependency(
    text: &str,
    value: &Spanned<DeValue<'_>>,
    version: Option<Placed<String>>,
    reader: &mut Reader<'_>,
) -> Option<WrittenRequirement> {
    match parse(text, Style::Pip) {
        Ok((what, _)) => {
            let versions = version.map(|version| version.place);
            Some(WrittenRequirement { text: text.to_owned(), place: reader.place(value.span()), versions, what })
        }
        Err(problem) => {
            reader.problem(Problem { range: value.span(), ..problem });
            None
        }
    }
}

/// `markers`, `python` and `platform` of an entry as one marker.
fn markers(table: &DeTable<'_>, reader: &mut Reader<'_>) -> Option<MarkerTree> {
    let mut all = Vec::new();
    if let Some(text) = reader.string(table, "markers") {
        all.push((text.value.clone(), text.place));
    }
    if let Some(text) = reader.string(table, "python") {
        let range = range(&text, reader)?;
        for one in range.split(',').filter(|one| !one.is_empty()) {
            let end = one.find(|letter: char| !"<>=!~".contains(letter)).unwrap_or(one.len());
            let (sign, version) = one.split_at(end);
            all.push((format!("python_full_version {sign} '{version}'"), text.place.clone()));
        }
    }
    if let Some(text) = reader.string(table, "platform") {
        all.push((format!("sys_platform == '{}'", text.value), text.place));
    }
    let mut tree = MarkerTree::TRUE;
    for (text, place) in all {
        match crate::project::dependency::marker_of(&text) {
            Ok(marker) => tree.and(marker),
            Err(problem) => {
                reader.problem(Problem { range: place.span, ..problem });
                return None;
            }
        }
    }
    Some(tree)
}
