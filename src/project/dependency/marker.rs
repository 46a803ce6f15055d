//! The marker behind a requirement, and the sizes above which none is worked out.

use std::collections::BTreeSet;
use std::ops::Range;
use std::str::FromStr;

use super::{Problem, Style, part};
use crate::pep::MarkerTree;
use crate::project::mend;
use crate::text::lower_first;

/// What is longer or nested deeper is an attack; so is a marker that joins so many independent conditions, for the library's
/// work may double with each.
const LONG: usize = 8 << 10;

const NESTED: usize = 40;

const INDEPENDENT: usize = 24;

/// How many conditions of a marker may be independent of each other: extras, and parts of texts. Versions and equalities of
/// one variable are not.
pub(crate) fn independent(text: &str) -> usize {
    if !text.contains("extra") && !text.contains(" in") {
        return 0;
    }
    let literals: BTreeSet<_> = text.split(['"', '\'']).skip(1).step_by(2).collect();
    literals.len()
}

/// A marker, e.g. `sys_platform == "linux"`; pip lets a requirement end in a bare `;`.
pub(super) fn marker(text: &str, range: Option<Range<usize>>, style: Style) -> Result<MarkerTree, Problem> {
    let Some(range) = range else { return Ok(MarkerTree::TRUE) };
    let written = part(text, range.clone());
    let trimmed = written.trim();
    let start = range.start + (written.len() - written.trim_start().len());
    if trimmed.is_empty() {
        return match style {
            Style::Pip => Ok(MarkerTree::TRUE),
            Style::Pep508 => {
                let head = part(text, 0..range.start.saturating_sub(1)).trim();
                Err(Problem::new(range.start.saturating_sub(1)..range.end, "a marker is expected after `;`".to_owned())
                    .or_write(head))
            }
        };
    }
    marker_of(trimmed).map_err(|mut problem| {
        problem.range = start + problem.range.start..start + problem.range.end;
        problem
    })
}

/// The first letter beyond ASCII of a marker: the library counts bytes wrongly there, and no environment has one.
pub(crate) fn foreign(text: &str) -> Option<(usize, char)> {
    text.char_indices().find(|(_, letter)| !letter.is_ascii())
}

/// Parses a marker that stands alone.
pub(crate) fn marker_of(text: &str) -> Result<MarkerTree, Problem> {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if text.len() > LONG || deepest > NESTED || independent(text) > INDEPENDENT {
        return Err(Problem::new(0..text.len(), "this marker is too complex to be judged".to_owned()));
    }
    if let Some((at, letter)) = foreign(text) {
        let message = format!("`{letter}` has no meaning in a marker");
        return Err(Problem::new(at..at + letter.len_utf8(), message));
    }
    MarkerTree::from_str(text).map_err(|error| {
        let start = floor(text, error.start);
        let end = floor(text, error.start.saturating_add(error.len)).max(start);
        let message = error.message.to_string();
        let message = message.lines().next().unwrap_or_default();
        let problem = Problem::new(start..end, format!("the marker is wrong: {}", lower_first(message)));
        match mend::marker(text) {
            Some(meant) => problem.or_write(&meant),
            None => problem,
        }
    })
}

/// The character boundary at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}
