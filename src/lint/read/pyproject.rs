//! pyproject.toml: the project alone, and with each of its extras and groups.

use super::super::project::{At, Environment, From, IndexAt, Line};
use super::{Reader, source};
use crate::project::pyproject::{PyProject, Selection};

pub fn read(reader: &mut Reader<'_>, file: usize, text: &str) {
    let mut project = PyProject::parse(text);
    reader.refuse(file, std::mem::take(&mut project.errors));
    let extras = project.extras.keys().map(|name| Selection { extras: vec![name.clone()], ..Selection::default() });
    let groups = project.groups.keys().map(|name| Selection { groups: vec![name.clone()], ..Selection::default() });
    let selections: Vec<Selection> = std::iter::once(Selection::default()).chain(extras).chain(groups).collect();
    let open = project.indexes.iter().filter(|index| !index.explicit);
    let main = open.clone().find(|index| index.default).map(|index| &index.url);
    let extra = open.clone().find(|index| !index.default).map(|index| &index.url);
    let general = source(file, main, extra, From::Unnamed);
    for selection in selections {
        let chosen = project.select(&selection).unwrap_or_default();
        let mut lines: Vec<Line> = Vec::new();
        for one in chosen {
            let own = one.index.map(|url| From::Main(IndexAt { at: At { file, place: url.place }, url: url.value }));
            lines.extend(Line::of(file, text, one.dependency, false, own.unwrap_or_else(|| general.clone())));
        }
        for dependency in project.constraints.iter().chain(&project.overrides) {
            lines.extend(Line::of(file, text, dependency.clone(), true, general.clone()));
        }
        reader.project.environments.push(Environment { lines, ..Environment::default() });
    }
}
