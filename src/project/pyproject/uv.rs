//! `[tool.uv]`: sources, indexes, constraints and overrides.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::{Reader, in_order};
use super::{GroupItem, PyProject};
use crate::pep::MarkerTree;
use crate::project::dependency::{Problem, independent, marker_of};
use crate::project::place::{Place, Placed};
use crate::python::wheel::normalise_name;

/// An index that a project names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// E.g. `pytorch-cu128`.
    pub name: Option<String>,
    /// E.g. `https://download.pytorch.org/whl/cu128`.
    pub url: Placed<String>,
    /// Only for packages whose source names it.
    pub explicit: bool,
    /// Instead of PyPI.
    pub default: bool,
}

/// Where a package comes from, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where from.
    pub kind: SourceKind,
    /// Only where this holds.
    pub marker: MarkerTree,
    /// Only for what this extra of the project asks, normalised.
    pub extra: Option<String>,
    /// Only for what this group asks, normalised.
    pub group: Option<String>,
    /// The table that says so.
    pub place: Place,
    /// How many independent conditions the marker joins.
    pub(super) conditions: usize,
}

/// A source of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// An index by name.
    Index(Placed<String>),
    /// A repository, with the state that is meant, e.g. `https://github.com/vllm-project/vllm@v0.9.0`.
    Git(Placed<String>),
    /// A file at an address.
    Url(Placed<String>),
    /// A file or folder.
    Path(Placed<String>),
    /// Another project of the workspace.
    Workspace,
}

pub fn read<'t>(project: &mut PyProject<'t>, table: &DeTable<'t>, reader: &mut Reader<'t>) {
    project.constraints = reader.dependencies(table, "constraint-dependencies");
    project.overrides = reader.dependencies(table, "override-dependencies");
    let dev: Vec<_> = reader
        .dependencies(table, "dev-dependencies")
        .into_iter()
        .map(|one| GroupItem::Dependency(Box::new(one)))
        .collect();
    if !dev.is_empty() {
        project.groups.entry("dev".to_owned()).or_default().extend(dev);
    }
    for value in reader.list(table, "index") {
        index(project, value, reader);
    }
    // What pip's options are called here, also where `uv pip` looks.
    let pip = reader.table(table, "pip");
    for table in [Some(table), pip].into_iter().flatten() {
        if let Some(url) = reader.string(table, "index-url") {
            project.indexes.push(Index { name: None, url, explicit: false, default: true });
        }
        for url in reader.strings(table, "extra-index-url") {
            project.indexes.push(Index { name: None, url, explicit: false, default: false });
        }
    }
    if let Some(sources) = reader.table(table, "sources") {
        for (name, value) in in_order(sources) {
            let found: Vec<_> = match value.get_ref() {
                DeValue::Array(list) => list.iter().filter_map(|value| source(value, reader)).collect(),
                _ => source(value, reader).into_iter().collect(),
            };
            let conditions: usize = found.iter().map(|source| source.conditions).sum();
            if conditions > CONDITIONS || found.len() > MANY {
                reader.wrong(value.span(), format!("the markers of `{name}` are too complex to be judged"));
                continue;
            }
            project.sources.entry(normalise_name(name)).or_default().extend(found);
        }
    }
    unknown_indexes(project, reader);
}

fn index<'t>(project: &mut PyProject<'t>, value: &Spanned<DeValue<'t>>, reader: &mut Reader<'t>) {
    let Some(table) = value.get_ref().as_table() else {
        return reader.wrong(value.span(), "an index must be a table with `name` and `url`".to_owned());
    };
    let name = reader.string(table, "name").map(|name| name.value);
    let (explicit, default) = (reader.flag(table, "explicit"), reader.flag(table, "default"));
    if table.get("url").is_none() {
        return reader.wrong(value.span(), "this index has no `url`".to_owned());
    }
    let Some(url) = reader.string(table, "url") else { return };
    if explicit && name.is_none() {
        reader.wrong(value.span(), "an explicit index needs a `name`, by which sources can mean it".to_owned());
    }
    project.indexes.push(Index { name, url, explicit, default });
}

/// Of more names than this none is the nearest.
const MANY: usize = 100;

/// More conditions than these are an attack: what is left when none of the sources applies is worked out.
pub const CONDITIONS: usize = 12;

/// A source with its value.
type Kind = fn(Placed<String>) -> SourceKind;

/// The keys that name a source.
const KINDS: [(&str, Kind); 4] =
    [("index", SourceKind::Index), ("git", SourceKind::Git), ("url", SourceKind::Url), ("path", SourceKind::Path)];

/// Which state of a repository is meant.
pub fn revision(table: &DeTable<'_>, reader: &mut Reader<'_>) -> Option<String> {
    ["rev", "tag", "branch"].into_iter().find_map(|key| Some(reader.string(table, key)?.value))
}

fn source<'t>(value: &Spanned<DeValue<'t>>, reader: &mut Reader<'t>) -> Option<Source> {
    let Some(table) = value.get_ref().as_table() else {
        reader.wrong(value.span(), "a source must be a table such as `{ index = \"NAME\" }`".to_owned());
        return None;
    };
    let mut kinds = Vec::new();
    for (key, kind) in KINDS {
        if let Some(mut place) = reader.string(table, key) {
            if key == "git"
                && let Some(revision) = revision(table, reader)
            {
                place.value = format!("{}@{revision}", place.value);
            }
            kinds.push(kind(place));
        }
    }
    if reader.flag(table, "workspace") {
        kinds.push(SourceKind::Workspace);
    }
    let marker = reader.string(table, "marker");
    let conditions = marker.as_ref().map_or(0, |text| independent(&text.value));
    let marker = match marker {
        None => MarkerTree::TRUE,
        Some(text) => match marker_of(&text.value) {
            Ok(marker) => marker,
            Err(problem) => {
                let start = text.place.span.start;
                let range = start + problem.range.start..start + problem.range.end;
                reader.problem(Problem { range, ..problem });
                return None;
            }
        },
    };
    let extra = reader.string(table, "extra").map(|name| normalise_name(&name.value));
    let group = reader.string(table, "group").map(|name| normalise_name(&name.value));
    if kinds.len() > 1 {
        reader.wrong(value.span(), "a source is one of `index`, `git`, `url`, `path` and `workspace`".to_owned());
    }
    // `workspace = false` is none.
    let none = kinds.is_empty() && table.get("workspace").is_none();
    if none && !KINDS.iter().any(|(key, _)| table.get(*key).is_some()) {
        reader.wrong(value.span(), "a source needs `index`, `git`, `url`, `path` or `workspace`".to_owned());
    }
    let kind = kinds.into_iter().next()?;
    Some(Source { kind, marker, extra, group, place: reader.place(value.span()), conditions })
}

/// Sources that name an index which nobody defined.
fn unknown_indexes(project: &PyProject<'_>, reader: &mut Reader<'_>) {
    let names: Vec<_> = project.indexes.iter().filter_map(|index| index.name.as_deref()).collect();
    for source in project.sources.values().flatten() {
        let SourceKind::Index(name) = &source.kind else { continue };
        if names.contains(&name.value.as_str()) {
            continue;
        }
        let near = crate::text::nearest(&name.value, names.iter().copied().take(MANY));
        let hint = match near.first() {
            Some(near) => format!("write `{near}`"),
            None => format!("add `[[tool.uv.index]]` with `name = \"{}\"` and its `url`", name.value),
        };
        let message = format!("no index is named `{}`", name.value);
        reader.problem(Problem { range: name.place.span.clone(), message, hint: Some(hint) });
    }
}
