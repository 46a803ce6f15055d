//! YAML as people write it for machines: conda environments, compose files, workflows; each scalar with its way and its place.
//!
//! ```text
//! dependencies:
//!   - python=3.11
//!   - pip:
//!     - torch==2.6.0     path `dependencies`, `-1`, `pip`, `-0`; value `torch==2.6.0`
//! ```
//!
//! `saphyr-parser` reads the grammar. What an alias or a merge key (`<<`) stands for is told at each place that uses it, with
//! the place of its definition: that is where an edit belongs. A line that is no YAML, such as a template's, is left out, and
//! the rest is read without it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::place::{BYTE_ORDER_MARK, Lines, Place};
use super::sourced::Sourced;

/// So many scalars are told of one file: aliases of aliases grow without end.
const MOST: usize = 100_000;
/// So many lines that are no YAML are left out.
const UNREAD: usize = 16;
/// Deeper than this nobody writes.
const DEPTH: usize = 64;

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

/// The scalars of a text, in order; those without a text, such as `key:`, are left out.
#[must_use]
pub fn entries(text: &str) -> Vec<Entry> {
    let mut readable = text.to_owned();
    let mut documents = Vec::new();
    for _ in 0..UNREAD {
        match documents_of(&readable) {
            Ok(found) => {
                documents = found;
                break;
            }
            Err((found, line)) => {
                documents = found;
                if !blank(&mut readable, line) {
                    break;
                }
            }
        }
    }
    let mut found = Vec::new();
    let lines = Lines::of(text);
    for document in &documents {
        tell(document, &mut Vec::new(), text, &lines, &mut found);
    }
    found
}

/// A node of a document.
enum Node {
    /// What it says, and the bytes of the file with its quotes.
    Scalar(String, Range<usize>, ScalarStyle),
    List(Vec<Rc<Node>>),
    Map(Vec<(String, Rc<Node>)>),
}

type Documents = Vec<Rc<Node>>;

/// The documents of a text, or those before the line, counted from 1, that is no YAML.
fn documents_of(text: &str) -> Result<Documents, (Documents, usize)> {
    let start = text.len() - text.trim_start_matches(BYTE_ORDER_MARK).len();
    let read = text.get(start..).unwrap_or_default();
    // Places of characters, in bytes; markers count characters.
    let bytes: Vec<usize> = read.char_indices().map(|(at, _)| at + start).chain([text.len()]).collect();
    let byte = |character: usize| bytes.get(character).copied().unwrap_or(text.len());
    let mut builder = Builder::default();
    for event in Parser::new_from_str(read) {
        match event {
            Ok((event, span)) => {
                builder.take(event, &|span: Span| byte(span.start.index())..byte(span.end.index()), span);
            }
            Err(error) => return Err((builder.documents(), error.marker().line())),
        }
    }
    Ok(builder.documents())
}

/// Puts blanks in the place of a line, counted from 1, or of the last one above it that holds anything.
fn blank(text: &mut String, line: usize) -> bool {
    let mut ranges = Vec::new();
    let mut at = 0;
    for whole in text.split_inclusive('\n') {
        ranges.push(at..at + whole.trim_end_matches(['\r', '\n']).len());
        at += whole.len();
    }
    let is_empty = |range: &&Range<usize>| text.get((*range).clone()).is_some_and(|line| line.trim().is_empty());
    let last = ranges.iter().take(line).rfind(|range| !is_empty(range)).cloned();
    let Some(range) = last else { return false };
    let blanks = " ".repeat(range.len());
    text.replace_range(range, &blanks);
    true
}

/// Makes nodes of events.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Rc<Node>>,
    done: Vec<Rc<Node>>,
}

struct Open {
    anchor: usize,
    items: Vec<Rc<Node>>,
    /// Of a map: keys and values by turns.
    map: bool,
}

impl Open {
    fn node(self) -> Node {
        if !self.map {
            return Node::List(self.items);
        }
        let mut pairs = Vec::new();
        let mut items = self.items.into_iter();
        while let Some(key) = items.next() {
            let Some(value) = items.next() else { break };
            if let Node::Scalar(key, ..) = &*key {
                pairs.push((key.clone(), value));
            }
        }
        Node::Map(pairs)
    }
}

impl Builder {
    fn take(&mut self, event: Event<'_>, bytes: &dyn Fn(Span) -> Range<usize>, span: Span) {
        match event {
            Event::Scalar(value, style, anchor, _) => {
                self.add(Node::Scalar(value.into_owned(), bytes(span), style), anchor);
            }
            Event::SequenceStart(anchor, ..) => self.open.push(Open { anchor, items: Vec::new(), map: false }),
            Event::MappingStart(anchor, ..) => self.open.push(Open { anchor, items: Vec::new(), map: true }),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let anchor = open.anchor;
                    self.add(open.node(), anchor);
                }
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                self.put(node.unwrap_or_else(|| Rc::new(Node::List(Vec::new()))));
            }
            _ => {}
        }
    }

    fn add(&mut self, node: Node, anchor: usize) {
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.put(node);
    }

    fn put(&mut self, node: Rc<Node>) {
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.done.push(node),
        }
    }

    /// What was read, with what is still open.
    fn documents(mut self) -> Documents {
        while let Some(open) = self.open.pop() {
            self.put(Rc::new(open.node()));
        }
        self.done
    }
}

fn tell(node: &Node, path: &mut Vec<String>, text: &str, lines: &Lines<'_>, found: &mut Vec<Entry>) {
    if found.len() >= MOST || path.len() > DEPTH {
        return;
    }
    match node {
        Node::Scalar(value, range, style) => {
            let value = sourced(text, range.clone(), value, *style);
            if value.text.trim().is_empty() {
                return;
            }
            let place = lines.place(value.whole());
            found.push(Entry { path: path.clone(), value, place });
        }
        Node::List(items) => {
            for (number, item) in items.iter().enumerate() {
                path.push(format!("-{number}"));
                tell(item, path, text, lines, found);
                path.pop();
            }
        }
        Node::Map(pairs) => {
            let own = |key: &str| pairs.iter().any(|(other, _)| other == key);
            for (key, value) in pairs {
                if key != "<<" {
                    path.push(key.clone());
                    tell(value, path, text, lines, found);
                    path.pop();
                    continue;
                }
                // What is merged gives way to what stands there.
                let merged = match &**value {
                    Node::List(items) => items.iter().map(|item| &**item).collect(),
                    other => vec![other],
                };
                for (key, value) in merged.into_iter().flat_map(pairs_of).filter(|(key, _)| !own(key)) {
                    path.push(key.clone());
                    tell(value, path, text, lines, found);
                    path.pop();
                }
            }
        }
    }
}

fn pairs_of(node: &Node) -> &[(String, Rc<Node>)] {
    match node {
        Node::Map(pairs) => pairs,
        _ => &[],
    }
}

/// A value and the bytes of the file that each part of it comes from.
fn sourced(text: &str, range: Range<usize>, value: &str, style: ScalarStyle) -> Sourced {
    let written = text.get(range.clone()).unwrap_or_default();
    let quotes = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
    let inner = if quotes { range.start + 1..(range.end.max(range.start + 2)) - 1 } else { range.clone() };
    if text.get(inner.clone()) == Some(value) {
        return Sourced::verbatim(text, inner);
    }
    // A block begins behind its own line.
    let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) && written.starts_with(['|', '>']);
    let mut at =
        if is_block { range.start + written.find('\n').map_or(written.len(), |end| end + 1) } else { inner.start };
    let mut found = Sourced::default();
    for letter in value.chars() {
        let mut buffer = [0; 4];
        let own = letter.encode_utf8(&mut buffer);
        let rest = text.get(at..inner.end.max(at)).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        let behind = rest.get(blanks..).unwrap_or_default();
        let (from, length, verbatim) = if style == ScalarStyle::SingleQuoted && rest.starts_with("''") {
            (at, 2, false)
        } else if rest.starts_with(letter) && !(letter == ' ' && rest.starts_with(" \n")) {
            (at, own.len(), true)
        } else if style == ScalarStyle::DoubleQuoted && rest.starts_with('\\') && !rest.starts_with("\\\n") {
            (at, escape(rest), false)
        } else if style == ScalarStyle::DoubleQuoted && rest.starts_with("\\\n") {
            let blanks = rest.len() - rest[1..].trim_start().len();
            (at + blanks, own.len(), true)
        } else if matches!(letter, ' ' | '\n') {
            // Lines that were joined.
            (at, blanks, false)
        } else if behind.starts_with(letter) {
            (at + blanks, own.len(), true)
        } else {
            (at, 0, false)
        };
        let end = (from + length).min(text.len());
        let end = (end..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
        found.push(own, from.min(end)..end, verbatim && text.get(from..end) == Some(own));
        at = end;
    }
    found
}

/// The bytes of an escape in double quotes.
fn escape(rest: &str) -> usize {
    match rest.as_bytes().get(1) {
        Some(b'x') => 4,
        Some(b'u') => 6,
        Some(b'U') => 10,
        Some(_) => 1 + rest.get(1..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8),
        None => 1,
    }
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
                "18:9 jobs/test/steps/-2/run = pip install x",
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

    #[test]
    fn flow_collections_escapes_and_aliases_are_read() {
        let text = "x: &x {image: \"a\\tb\", environment: [A=1, 'B=it''s']}\ny: {<<: *x, image: c}\nz: *x\n";
        assert_eq!(
            shown(text),
            [
                "1:16 x/image = a\\tb",
                "1:37 x/environment/-0 = A=1",
                "1:43 x/environment/-1 = B=it\\'s",
                "1:37 y/environment/-0 = A=1",
                "1:43 y/environment/-1 = B=it\\'s",
                "2:20 y/image = c",
                "1:16 z/image = a\\tb",
                "1:37 z/environment/-0 = A=1",
                "1:43 z/environment/-1 = B=it\\'s",
            ]
        );
        let entry = entries(text).remove(2);
        let quote = entry.value.text.find('\'').unwrap_or_default();
        assert_eq!(&text[entry.value.source(quote..quote + 1)], "''");
    }

    #[test]
    fn a_line_that_is_no_yaml_is_left_out() {
        let text = "a: 1\nb: {{ x }}: [\nc:\n  - d\n\t- e\nf: g\n";
        let found = shown(text);
        assert!(found.contains(&"1:4 a = 1".to_owned()) && found.contains(&"6:4 f = g".to_owned()), "{found:?}");
    }

    #[test]
    fn aliases_of_aliases_end() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let many = vec![format!("*a{}", n - 1); 10].join(", ");
            text.push_str(&format!("a{n}: &a{n} [{many}]\n"));
        }
        assert_eq!(entries(&text).len(), MOST);
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
