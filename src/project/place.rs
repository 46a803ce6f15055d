//! Where something stands in a text: line and column for people, bytes for an edit in place.
//!
//! ```text
//! # pins                    the requirement of the second line: line 2, column 3, bytes 9..20
//!   torch>=2.6  # why
//! ```

use std::fmt;
use std::ops::Range;

/// A part of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// From 1; lines end in `\n`, `\r\n` or `\r`, as editors count them.
    pub line: usize,
    /// From 1, in characters; a byte order mark is none.
    pub column: usize,
    /// The bytes, on character boundaries. Empty where something is missing: the place at which it would be inserted.
    pub span: Range<usize>,
}

/// Line and column, e.g. `3:7`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// What was read.
    pub value: T,
    /// Where it was read.
    pub place: Place,
}

/// Something that an installer refuses, or does not do as written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputError {
    /// The part that is wrong.
    pub place: Place,
    /// One sentence, e.g. `` `=>2.0` is not a version specifier ``.
    pub message: String,
    /// What to write instead, e.g. `` write `torch>=2.0` ``.
    pub hint: Option<String>,
}

/// So many bytes are counted together.
const BLOCK: usize = 128;

/// The lines of a text, to name places by line and column without reading it again.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t str,
    /// Where each line begins.
    starts: Vec<usize>,
    /// How many characters begin before each block of bytes.
    blocks: Vec<usize>,
}

/// The byte order mark that some editors write first.
pub const BYTE_ORDER_MARK: char = '\u{feff}';

impl<'t> Lines<'t> {
    /// Counts the lines of a text.
    #[must_use]
    pub fn of(text: &'t str) -> Self {
        let first = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        let bytes = text.as_bytes();
        let ends = memchr::memchr2_iter(b'\n', b'\r', bytes);
        // `\r\n` is one end, behind its second byte.
        let ends = ends.filter(|at| bytes.get(*at) == Some(&b'\n') || bytes.get(at + 1) != Some(&b'\n'));
        let starts = std::iter::once(first).chain(ends.map(|at| at + 1)).collect();
        let mut seen = 0;
        let mut blocks = vec![0];
        for block in bytes.chunks(BLOCK) {
            seen += characters(block);
            blocks.push(seen);
        }
        Self { text, starts, blocks }
    }

    /// The place of some bytes.
    #[must_use]
    pub fn place(&self, span: Range<usize>) -> Place {
        let line = self.starts.partition_point(|start| *start <= span.start);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default().min(span.start);
        Place { line: line.max(1), column: self.before(span.start) - self.before(start) + 1, span }
    }

    /// How many characters begin before a byte.
    fn before(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        let block = at / BLOCK;
        let rest = self.text.as_bytes().get(block * BLOCK..at).unwrap_or_default();
        self.blocks.get(block).copied().unwrap_or_default() + characters(rest)
    }
}

/// How many characters begin in some bytes of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, needle: &str) -> (usize, usize) {
        let start = text.find(needle).unwrap();
        let place = Lines::of(text).place(start..start + needle.len());
        (place.line, place.column)
    }

    #[test]
    fn lines_and_columns_are_those_of_an_editor() {
        let text = "\u{feff}torch\r\n  tri\rñ-über numpy\n";
        assert_eq!(at(text, "torch"), (1, 1));
        assert_eq!(at(text, "tri"), (2, 3));
        assert_eq!(at(text, "numpy"), (3, 8));
        assert_eq!(Lines::of(text).place(text.len()..text.len()).to_string(), "4:1");
        assert_eq!(Lines::of("").place(0..0).to_string(), "1:1");
    }

    #[test]
    fn columns_of_a_long_line_are_counted_over_blocks() {
        let text = format!("{}x{}torch", "\n", "é".repeat(5_000));
        assert_eq!(at(&text, "torch"), (2, 5_002));
    }
}
