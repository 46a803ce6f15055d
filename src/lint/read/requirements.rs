//! requirements.txt and constraints.txt, with the files that they include.

use super::super::project::{Environment, From, Line};
use super::{Reader, join, source, with_source};
use crate::project::requirements::{EntryKind, RequirementsFile};

/// Includes are followed so deep.
const DEEPEST: usize = 20;

/// Reads a file that is given by itself. Alone, constraints are judged as if all that they name were installed; where that comes
/// from is said by what installs, and by no such file.
pub fn read(reader: &mut Reader<'_>, file: usize, text: &str, constraints: bool) {
    let mut lines = lines(reader, file, text, false, true, 0);
    if constraints {
        with_source(&mut lines, &From::Unknown);
    }
    reader.project.environments.push(Environment { lines, ..Environment::default() });
}

/// The lines of a file and of those that it includes, each with the index that the file names.
pub fn lines(
    reader: &mut Reader<'_>,
    file: usize,
    text: &str,
    constraint: bool,
    first: bool,
    depth: usize,
) -> Vec<Line> {
    let parsed = RequirementsFile::parse(text, &|_| None);
    if first {
        reader.refuse(file, parsed.errors);
    }
    let (mut found, mut main, mut extra) = (Vec::new(), None, None);
    let mut links = false;
    for entry in parsed.entries {
        match entry.kind {
            EntryKind::Requirement(line) => {
                let hashed = !line.hashes.is_empty();
                let own = Line::of(file, text, line.dependency, constraint, From::Unnamed);
                // Hashes are those of one version: such a line is written by a machine.
                found.extend(own.map(|own| Line { versions: own.versions.clone().filter(|_| !hashed), ..own }));
            }
            EntryKind::Include { file: name, constraints } if depth < DEEPEST => {
                let path = join(reader.project.path(file), &name.value);
                if let Some(inner) = (reader.read)(&path) {
                    let number = reader.file(&path, &inner);
                    found.extend(lines(reader, number, &inner, constraint || constraints, false, depth + 1));
                }
            }
            EntryKind::IndexUrl(url) => main = Some(url),
            EntryKind::ExtraIndexUrl(url) => extra = Some(url),
            EntryKind::FindLinks(_) => links = true,
            _ => {}
        }
    }
    let otherwise = if links { From::Unknown } else { From::Unnamed };
    with_source(&mut found, &source(file, main.as_ref(), extra.as_ref(), otherwise));
    found
}
