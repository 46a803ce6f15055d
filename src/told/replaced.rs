//! What took the place of what: lines of a diff, and of what uv says that it did.
//!
//! ```text
//! -torch==2.5.1            - torch==2.5.1
//! +torch==2.6.0            + torch==2.6.0
//!  torchvision==0.20.1     ~ demo==0.1
//! ```
//!
//! What was before is not installed, and contradicts nothing.

use std::collections::BTreeMap;

use super::clean::Clean;
use super::draft::Draft;
use super::said::Rank;
use super::token::{is_name, is_version};
use crate::python::wheel::normalise_name;

const READER: &str = "a list of changes";
/// Texts with more such lines are something else.
const MOST: usize = 2_000;

/// Sets aside what was before where the same text says what came in its place.
pub fn read(text: &Clean<'_>, draft: &mut Draft) {
    let mut before: Vec<(usize, String)> = Vec::new();
    let mut after: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for (at, line) in text.raw.lines().enumerate().filter(|(_, line)| line.contains("==")) {
        let line = line.trim();
        if let Some((name, _)) = line.strip_prefix('-').and_then(pinned) {
            before.push((at + 1, normalise_name(name)));
        } else if let Some((name, version)) = line.strip_prefix('+').and_then(pinned) {
            after.insert(normalise_name(name), (at + 1, version));
        }
        if before.len() > MOST {
            return;
        }
    }
    before.retain(|(_, name)| after.contains_key(name));
    for (number, name) in &before {
        draft.set_aside(*number);
        if let Some((number, version)) = after.get(name) {
            draft.package(name, version, Rank::Listed, format!("{READER}, line {number}"));
            draft.saw(READER, *number);
        }
    }
}

/// `torch==2.6.0` and nothing else.
fn pinned(text: &str) -> Option<(&str, &str)> {
    let (name, version) = text.trim().split_once("==")?;
    (is_name(name) && is_version(version)).then_some((name, version))
}
