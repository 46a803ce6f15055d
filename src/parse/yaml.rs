//! YAML as people write it by hand for machines: conda environments, compose files, workflows. A careful reader of lines, which
//! keeps the place of each scalar.
//!
//! ```text
//! dependencies:
//!   - python=3.11
//!   - pip:
//!     - torch==2.6.0     path `dependencies`, `-`, `pip`, `-`; value `torch==2.6.0`
//! ```
//!
//! Blocks (`|`, `>`), quotes, comments and lists in brackets are understood; anchors, tags and several documents are not: what
//! is not understood yields no entry, or one with the text as it stands.

use std::ops::Range;

use super::place::{BYTE_ORDER_MARK, Lines, Place};
use super::sourced::Sourced;

/// A scalar and the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The keys above it; `-` for an item of a list, with its number behind (`-0`, `-1`).
    pub path: Vec<String>,
    /// What it says, without quotes; a block without its indentation.
    pub value: Sourced,
    /// Its bytes, without quotes.
    pub place: Place,
}

impl Entry {
    /// Whether the path is this one; `-` stands for any item, `*` for any key.
    #[must_use]
    pub fn is_at(&self, path: &[&str]) -> bool {
        self.path.len() == path.len()
            && self.path.iter().zip(path).all(|(own, wanted)| match *wanted {
                "*" => true,
                "-" => own.starts_with('-'),
                wanted => own == wanted,
            })
    }
}

/// A line with something on it.
struct Line {
    indent: usize,
    /// Without indentation and end.
    content: Range<usize>,
    whole: Range<usize>,
}

/// The scalars of a text, in order.
#[must_use]
pub fn entries(text: &str) -> Vec<Entry> {
    let lines = Lines::of(text);
    let all = lines_of(text);
    let mut reader = Reader { text, lines: &lines, stack: Vec::new(), found: Vec::new() };
    let mut at = 0;
    while let Some(line) = all.get(at) {
        at += 1;
        let written = text.get(line.content.clone()).unwrap_or_default();
        if written.is_empty() || written.starts_with('#') || written == "---" {
            continue;
        }
        at += reader.line(line, all.get(at..).unwrap_or_default());
    }
    reader.found
}

fn lines_of(text: &str) -> Vec<Line> {
    let mut at = text.len() - text.trim_start_matches(BYTE_ORDER_MARK).len();
    let mut found = Vec::new();
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.find('\n').map_or(rest.len(), |length| length + 1);
        let written = rest.get(..length).unwrap_or_default();
        let indent = written.len() - written.trim_start_matches(' ').len();
        let end = at + written.trim_end().len();
        found.push(Line { indent, content: (at + indent).min(end)..end, whole: at..at + length });
        at += length;
    }
    found
}

struct Reader<'t> {
    text: &'t str,
    lines: &'t Lines<'t>,
    /// Indentation, key, and for a list how many items were seen.
    stack: Vec<(usize, String)>,
    found: Vec<Entry>,
}

impl Reader<'_> {
    fn part(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// Reads a line; returns how many of the following ones belong to it.
    fn line(&mut self, line: &Line, following: &[Line]) -> usize {
        let mut at = line.content.start;
        let mut indent = line.indent;
        while self.part(at..line.content.end).starts_with("- ") || self.part(at..line.content.end) == "-" {
            let number = self.next_item(indent);
            self.leave(indent, true);
            self.stack.push((indent, format!("-{number}")));
            let rest = self.part(at + 1..line.content.end);
            let blank = rest.len() - rest.trim_start().len();
            at += 1 + blank;
            indent += 1 + blank;
            if self.part(at..line.content.end).is_empty() {
                return 0;
            }
        }
        let written = self.part(at..line.content.end);
        let Some((key, behind)) = key(written) else {
            self.scalar(at..line.content.end);
            return 0;
        };
        self.leave(indent, false);
        self.stack.push((indent, key));
        let start = at + behind;
        let value = self.part(start..line.content.end).trim_start();
        let start = line.content.end - value.len();
        if value.starts_with(['|', '>']) {
            let folded = value.starts_with('>');
            let count = self.block(indent, folded, following);
            self.stack.pop();
            return count;
        }
        if !value.is_empty() && !value.starts_with('#') {
            self.scalar(start..line.content.end);
            self.stack.pop();
        }
        0
    }

    /// The number of the next item of the list at an indentation.
    fn next_item(&self, indent: usize) -> usize {
        let last = self.stack.iter().rfind(|(at, key)| *at == indent && key.starts_with('-'));
        last.and_then(|(_, key)| key.get(1..)?.parse::<usize>().ok()).map_or(0, |number| number + 1)
    }

    /// Leaves what is not above a line. A list may stand at the indentation of its key.
    fn leave(&mut self, indent: usize, item: bool) {
        while let Some((at, key)) = self.stack.last() {
            let inside = *at < indent || item && *at == indent && !key.starts_with('-');
            if inside {
                return;
            }
            self.stack.pop();
        }
    }

    /// Adds a scalar: plain, in quotes, or a list in brackets.
    fn scalar(&mut self, range: Range<usize>) {
        let written = self.part(range.clone());
        if let Some(inner) = written.strip_prefix('[') {
            let length = inner.find(']').unwrap_or(inner.len());
            let mut at = range.start + 1;
            let parts: Vec<usize> = inner.get(..length).unwrap_or_default().split(',').map(str::len).collect();
            for (number, length) in parts.into_iter().enumerate() {
                let part = self.part(at..at + length);
                let blank = part.len() - part.trim_start().len();
                let inner = at + blank..at + blank + part.trim().len();
                self.stack.push((usize::MAX, format!("-{number}")));
                self.add(unquoted(self.text, inner));
                self.stack.pop();
                at += length + 1;
            }
            return;
        }
        self.add(unquoted(self.text, range));
    }

    fn add(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let path = self.stack.iter().map(|(_, key)| key.clone()).collect();
        let value = Sourced::verbatim(self.text, range.clone());
        self.found.push(Entry { path, value, place: self.lines.place(range) });
    }

    /// Reads a block below a key; returns its number of lines.
    fn block(&mut self, indent: usize, folded: bool, following: &[Line]) -> usize {
        let inside = |line: &&Line| line.content.is_empty() || line.indent > indent;
        let body: Vec<&Line> = following.iter().take_while(inside).collect();
        let least = body.iter().filter(|line| !line.content.is_empty()).map(|line| line.indent).min().unwrap_or(0);
        let mut value = Sourced::default();
        for line in &body {
            if line.content.is_empty() {
                value.push("\n", line.whole.end..line.whole.end, false);
                continue;
            }
            let start = line.whole.start + least;
            let end = if folded { line.content.end } else { line.whole.end };
            value.push(self.part(start..end.max(start)), start..end.max(start), true);
            if folded {
                value.push(" ", end..end, false);
            }
        }
        if !value.text.trim().is_empty() {
            let path = self.stack.iter().map(|(_, key)| key.clone()).collect();
            let place = self.lines.place(value.whole());
            self.found.push(Entry { path, value, place });
        }
        body.len()
    }
}

/// A key and how many bytes it takes with its colon.
fn key(written: &str) -> Option<(String, usize)> {
    if let Some(quote) = written.chars().next().filter(|letter| matches!(letter, '"' | '\'')) {
        let end = written.get(1..)?.find(quote)? + 1;
        let rest = written.get(end + 1..)?;
        let colon = rest.starts_with(": ") || rest == ":";
        return colon.then(|| (written.get(1..end).unwrap_or_default().to_owned(), end + 2));
    }
    if written.starts_with(['[', '{', '#', '&', '*', '!', '|', '>', '%', '@']) {
        return None;
    }
    let colon = written.match_indices(':').map(|(at, _)| at).find(|at| {
        let behind = written.get(at + 1..).unwrap_or_default();
        behind.is_empty() || behind.starts_with([' ', '\t'])
    })?;
    let name = written.get(..colon)?;
    (!name.contains(" #")).then(|| (name.trim().to_owned(), colon + 1))
}

/// The bytes of a scalar without quotes or comment.
fn unquoted(text: &str, range: Range<usize>) -> Range<usize> {
    let written = text.get(range.clone()).unwrap_or_default();
    if let Some(quote) = written.chars().next().filter(|letter| matches!(letter, '"' | '\'')) {
        let inner = written.get(1..).unwrap_or_default();
        let length = inner.find(quote).unwrap_or(inner.len());
        return range.start + 1..range.start + 1 + length;
    }
    let end = written.find(" #").unwrap_or(written.len());
    range.start..range.start + written.get(..end).unwrap_or_default().trim_end().len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let one =
            |entry: &Entry| format!("{} {} = {}", entry.place, entry.path.join("/"), entry.value.text.escape_debug());
        entries(text).iter().map(one).collect()
    }

    #[test]
    fn a_conda_environment() {
        let text = "name: x # why\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n    - torch==2.6.0\n    - \"numpy<2\"\n  - last\nchannels: [a, 'b']\n";
        assert_eq!(
            shown(text),
            [
                "1:7 name = x",
                "3:5 dependencies/-0 = python=3.11",
                "4:5 dependencies/-1 = pip",
                "6:7 dependencies/-2/pip/-0 = torch==2.6.0",
                "7:8 dependencies/-2/pip/-1 = numpy<2",
                "8:5 dependencies/-3 = last",
                "9:12 channels/-0 = a",
                "9:16 channels/-1 = b",
            ]
        );
    }

    #[test]
    fn a_workflow() {
        let text = "on:\n  push:\njobs:\n  test:\n    env:\n      A: '1: 2'\n    steps:\n    - uses: x@v4\n      with:\n        python-version: \"3.12\"\n    - name: y\n      run: |\n        pip install torch \\\n          numpy\n\n        make\n    - run: >-\n        pip install\n        x\n  next:\n    runs-on: z\n";
        assert_eq!(
            shown(text),
            [
                "6:11 jobs/test/env/A = 1: 2",
                "8:13 jobs/test/steps/-0/uses = x@v4",
                "10:26 jobs/test/steps/-0/with/python-version = 3.12",
                "11:13 jobs/test/steps/-1/name = y",
                "13:9 jobs/test/steps/-1/run = pip install torch \\\\\\n  numpy\\n\\nmake\\n",
                "18:9 jobs/test/steps/-2/run = pip install x ",
                "21:14 jobs/next/runs-on = z",
            ]
        );
    }

    #[test]
    fn bytes_of_a_block_are_those_of_the_file() {
        let text = "run: |\n    a b\n      c\n";
        let entry = entries(text).remove(0);
        let at = entry.value.text.find('c').unwrap_or_default();
        assert_eq!((entry.value.text.as_str(), &text[entry.value.source(at..at + 1)]), ("a b\n  c\n", "c"));
        assert_eq!(entry.value.source(at..at + 1), 21..22);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(- |: |\\|\n|>\n|[a-z'\"\\[\\],#é]|\n|  |\u{feff}){0,40}") {
            for entry in entries(&text) {
                prop_assert!(text.get(entry.place.span.clone()).is_some());
            }
        }
    }
}
