//! environment.yml: what pip installs in it. conda's own packages are other builds, which the rules do not cover.

use super::super::project::{Environment, From, Line};
use super::{Reader, join, requirements, source, with_source};
use crate::project::dependency::{Style, WrittenRequirement, parse};
use crate::project::place::{Lines, Placed};
use crate::project::yaml::entries;

pub fn read(reader: &mut Reader<'_>, file: usize, text: &str) {
    let places = Lines::of(text);
    let (mut lines, mut main, mut extra) = (Vec::new(), None, None);
    for entry in entries(text).into_iter().filter(|entry| entry.is_at(&["dependencies", "-", "pip", "-"])) {
        let written = entry.value.text.as_str();
        let option = |names: &[&str]| {
            let (name, value) = written.split_once([' ', '='])?;
            let start = written.len() - value.trim_start().len();
            let place = places.place(entry.value.source(start..written.len()));
            names.contains(&name).then(|| Placed { value: value.trim().to_owned(), place })
        };
        if let Some(url) = option(&["-i", "--index-url"]) {
            main = Some(url);
        } else if let Some(url) = option(&["--extra-index-url"]) {
            extra = Some(url);
        } else if let Some(name) = option(&["-r", "--requirement", "-c", "--constraint"]) {
            let path = join(reader.project.path(file), &name.value);
            if let Some(inner) = (reader.read)(&path) {
                let number = reader.file(&path, &inner);
                lines.extend(requirements::lines(reader, number, &inner, written.starts_with("-c"), false, 1));
            }
        } else if !written.starts_with('-')
            && let Ok((what, versions)) = parse(written, Style::Pip)
        {
            let versions = versions.map(|range| places.place(entry.value.source(range)));
            let dependency =
                WrittenRequirement { text: written.to_owned(), place: entry.place.clone(), versions, what };
            lines.extend(Line::of(file, text, dependency, false, From::Unnamed));
        }
    }
    with_source(&mut lines, &source(file, main.as_ref(), extra.as_ref(), From::Unnamed));
    reader.project.environments.push(Environment { lines, ..Environment::default() });
}
