//! Which of a project's dependencies are wanted: its own, those of extras, those of groups; and where uv takes them from.

use std::collections::{BTreeMap, BTreeSet};

use super::table::Reader;
use super::uv::CONDITIONS;
use super::{GroupItem, PyProject, Source, SourceKind};
use crate::pep::MarkerTree;
use crate::project::dependency::{Elsewhere, Origin, Problem, StatedRequirement, Style, WrittenRequirement, parse};
use crate::project::place::Placed;
use crate::python::wheel::normalise_name;
use crate::text::nearest;

/// What is wanted beside the dependencies of the project itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Extras by name.
    pub extras: Vec<String>,
    /// Dependency groups by name.
    pub groups: Vec<String>,
    /// Every extra.
    pub all_extras: bool,
    /// Every group.
    pub all_groups: bool,
}

/// A wanted dependency.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// What is asked for.
    pub dependency: WrittenRequirement,
    /// The address of the index from which it is to come, where a source says so.
    pub index: Option<Placed<String>>,
}

/// A name that the project does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// No such extra.
    #[error("no extra is named `{name}`{}", others(.known))]
    Extra {
        /// As asked for.
        name: String,
        /// The nearest that there are.
        known: Vec<String>,
    },
    /// No such group.
    #[error("no dependency group is named `{name}`{}", others(.known))]
    Group {
        /// As asked for.
        name: String,
        /// The nearest that there are.
        known: Vec<String>,
    },
}

fn others(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { "; there is none".to_owned() } else { format!("; there is {}", crate::text::list(&quoted)) }
}

/// Which part of the file asks.
#[derive(Clone, Copy)]
enum Asker<'a> {
    Project,
    Extra(&'a str),
    Group(&'a str),
}

impl PyProject<'_> {
    /// The wanted dependencies, in the order of the file.
    ///
    /// # Errors
    ///
    /// When an extra or group does not exist.
    pub fn select(&self, selection: &Selection) -> Result<Vec<Chosen>, SelectError> {
        let mut found = Vec::new();
        for dependency in &self.dependencies {
            self.push(dependency, Asker::Project, &mut found);
        }
        let mut extras = BTreeSet::new();
        for name in &selection.extras {
            self.extra(name, &mut extras)?;
        }
        if selection.all_extras {
            extras.extend(self.extras.keys().cloned());
        }
        for extra in &extras {
            for dependency in self.extras.get(extra).into_iter().flatten() {
                self.push(dependency, Asker::Extra(extra), &mut found);
            }
        }
        let mut groups = BTreeSet::new();
        for name in &selection.groups {
            let normal = normalise_name(name);
            if !self.groups.contains_key(&normal) {
                return Err(SelectError::Group { name: name.clone(), known: near(&normal, &self.groups) });
            }
            groups.insert(normal);
        }
        if selection.all_groups {
            groups.extend(self.groups.keys().cloned());
        }
        // A group asks for what the groups that it includes ask for.
        let mut open: Vec<_> = groups.iter().cloned().collect();
        while let Some(name) = open.pop() {
            for item in self.groups.get(&name).into_iter().flatten() {
                if let GroupItem::Include(inner) = item
                    && groups.insert(normalise_name(&inner.value))
                {
                    open.push(normalise_name(&inner.value));
                }
            }
        }
        for group in &groups {
            for item in self.groups.get(group).into_iter().flatten() {
                if let GroupItem::Dependency(dependency) = item {
                    self.push(dependency, Asker::Group(group), &mut found);
                }
            }
        }
        found.sort_by_key(|chosen| chosen.dependency.place.span.start);
        Ok(found)
    }

    /// An extra, and the extras of this very project that it asks for: `all = ["mine[train]"]`.
    fn extra(&self, name: &str, found: &mut BTreeSet<String>) -> Result<(), SelectError> {
        let mut open = vec![normalise_name(name)];
        if !self.extras.contains_key(&open[0]) {
            return Err(SelectError::Extra { name: name.to_owned(), known: near(&open[0], &self.extras) });
        }
        while let Some(extra) = open.pop() {
            if !found.insert(extra.clone()) {
                continue;
            }
            for dependency in self.extras.get(&extra).into_iter().flatten().filter(|one| self.is_own(one)) {
                let requirement = dependency.what.requirement.as_ref();
                open.extend(requirement.into_iter().flat_map(|one| &one.extras).map(ToString::to_string));
            }
        }
        Ok(())
    }

    fn is_own(&self, dependency: &WrittenRequirement) -> bool {
        self.name.is_some() && dependency.name() == self.name.as_deref()
    }

    /// Adds a dependency, from where its source says.
    fn push(&self, dependency: &WrittenRequirement, asker: Asker<'_>, found: &mut Vec<Chosen>) {
        if self.is_own(dependency) {
            return;
        }
        let Some(requirement) = &dependency.what.requirement else {
            return found.push(Chosen { dependency: dependency.clone(), index: None });
        };
        let sources = self.sources.get(requirement.name.as_ref()).map_or(&[][..], Vec::as_slice);
        let judged = sources.iter().map(|source| source.conditions).sum::<usize>() <= CONDITIONS;
        let sources = sources.iter().filter(|_| judged);
        let asked = |source: &&Source| {
            let by_extra =
                source.extra.as_deref().is_none_or(|extra| matches!(asker, Asker::Extra(own) if own == extra));
            let by_group =
                source.group.as_deref().is_none_or(|group| matches!(asker, Asker::Group(own) if own == group));
            by_extra && by_group
        };
        // What no source claims comes from where it would have come from.
        let mut rest = requirement.marker.clone();
        for source in sources.filter(asked).filter(|_| dependency.what.origin == Origin::Index) {
            let mut marker = rest.clone();
            marker.and(source.marker.clone());
            rest.and(source.marker.negate());
            if marker.is_false() {
                continue;
            }
            found.push(self.from(dependency, source, marker));
        }
        if !rest.is_false() || requirement.marker.is_false() {
            let mut dependency = dependency.clone();
            if let Some(requirement) = &mut dependency.what.requirement {
                requirement.marker = rest;
            }
            found.push(Chosen { dependency, index: None });
        }
    }

    /// A dependency from a source, under a marker.
    fn from(&self, dependency: &WrittenRequirement, source: &Source, marker: MarkerTree) -> Chosen {
        let mut dependency = dependency.clone();
        let mut index = None;
        let name = dependency.name().unwrap_or_default().to_owned();
        let location = match &source.kind {
            SourceKind::Index(name) => {
                let named = self.indexes.iter().find(|index| index.name.as_deref() == Some(&name.value));
                index = named.map(|index| index.url.clone());
                None
            }
            SourceKind::Git(url) => Some((format!("git+{}", url.value), url.value.clone())),
            SourceKind::Url(url) => Some((url.value.clone(), url.value.clone())),
            SourceKind::Path(path) if path.value.contains(['/', '\\']) || path.value.starts_with('.') => {
                Some((path.value.clone(), path.value.clone()))
            }
            SourceKind::Path(path) => Some((format!("./{}", path.value), path.value.clone())),
            SourceKind::Workspace => Some((".".to_owned(), "workspace".to_owned())),
        };
        if let Some((address, location)) = location {
            let parsed = parse(&format!("{name} @ {address}"), Style::Pip).ok();
            // A wheel that has another name, or none: its address alone is known.
            let fallback = || StatedRequirement {
                requirement: None,
                origin: Origin::Elsewhere { kind: Elsewhere::Archive, location: location.clone() },
            };
            let what = parsed.map_or_else(fallback, |(what, _)| what);
            let extras = dependency.what.requirement.take().map(|requirement| requirement.extras).unwrap_or_default();
            dependency.what = what;
            if let Some(requirement) = &mut dependency.what.requirement {
                requirement.extras = extras;
            }
        }
        if let Some(requirement) = &mut dependency.what.requirement {
            requirement.marker = marker;
        }
        Chosen { dependency, index }
    }

    /// Includes of groups that do not exist, and circles of them, each once.
    pub(super) fn check_includes(&self, reader: &mut Reader<'_>) {
        let mut done = BTreeSet::new();
        for name in self.groups.keys() {
            // The groups on the way here, each with the place of its next item.
            let mut path = vec![(name.clone(), 0)];
            let mut open = BTreeSet::from([name.clone()]);
            while let Some((name, next)) = path.last_mut() {
                let item = self.groups.get(name).and_then(|items| items.get(*next));
                *next += 1;
                let Some(item) = item.filter(|_| !done.contains(name)) else {
                    open.remove(name);
                    done.insert(name.clone());
                    path.pop();
                    continue;
                };
                let GroupItem::Include(inner) = item else { continue };
                let normal = normalise_name(&inner.value);
                let range = inner.place.span.clone();
                if open.contains(&normal) {
                    let circle = path.iter().map(|(name, _)| name).skip_while(|name| **name != normal).chain([&normal]);
                    let names: Vec<_> = circle.map(|name| format!("`{name}`")).collect();
                    reader.wrong(range, format!("these groups include each other: {}", names.join(" → ")));
                } else if self.groups.contains_key(&normal) {
                    open.insert(normal.clone());
                    path.push((normal, 0));
                } else {
                    let message = format!("no dependency group is named `{}`", inner.value);
                    let hint = near(&normal, &self.groups).first().map(|near| format!("write `{near}`"));
                    reader.problem(Problem { range, message, hint });
                }
            }
        }
    }
}

/// Among more names than this none is searched for.
const MANY: usize = 200;

/// The nearest names, else all.
fn near<T>(name: &str, known: &BTreeMap<String, T>) -> Vec<String> {
    let near = if known.len() > MANY { Vec::new() } else { nearest(name, known.keys().map(String::as_str)) };
    let few = || known.keys().map(String::as_str).take(8).collect();
    let names: Vec<&str> = if near.is_empty() { few() } else { near };
    names.into_iter().map(str::to_owned).collect()
}
