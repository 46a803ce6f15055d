//! Lists of distributions in JSON, told as the lines that the same lists have in other forms.
//!
//! `pip list --format json`, `pip inspect`, `pipdeptree --json`, `conda list --json` and `poetry show --format json` write
//! objects of a name and a version, on one line or over many: `{"name": "torch", "version": "2.7.1"}` is `torch==2.7.1` here.
//! What else stands in such a document is no part of the report: `pip inspect` quotes whole READMEs, and the versions that
//! each distribution asks for. A document may be clipped at either end, and broken at the width of a terminal.
//!
//! By hand: `serde_json` refuses a document that is clipped or broken.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::bare::{WIDTHS, bare, width};
use super::token::{is_name, is_version};

/// A document that lists distributions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Its first line and its last one, from 0.
    pub lines: (usize, usize),
    /// What it says: `torch==2.7.1`, `Python version: 3.12.1`; each with the line that it ends in.
    pub rows: Vec<(usize, String)>,
    /// What follows it in its last line, as a shell's prompt does.
    pub rest: String,
}

/// Deeper ones are no lists.
const DEEPEST: usize = 48;
/// Names and versions are shorter.
const LONGEST: usize = 200;
/// Rows of one document.
const MOST: usize = 3000;

/// Keys that say something, whatever object they stand in.
const KEYS: [&str; 11] = [
    "name",
    "version",
    "package_name",
    "installed_version",
    "installed_status",
    "build_string",
    "channel",
    "python_full_version",
    "platform_system",
    "platform_release",
    "platform_machine",
];

/// Finds the documents in a text, in order.
pub fn documents(text: &str) -> Vec<Document> {
    let keys = [b"\"name\"".as_slice(), b"\"package_name\""];
    if !keys.iter().any(|key| memchr::memmem::find(text.as_bytes(), key).is_some()) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut end = |scan: Scan, lines: (usize, usize), rest: &str| {
        let rows = scan.finish();
        if !rows.is_empty() {
            found.push(Document { lines, rows, rest: rest.trim().to_owned() });
        }
    };
    let mut open: Option<(Scan, (usize, usize))> = None;
    for (at, raw) in text.split('\n').enumerate() {
        if open.is_none() && !raw.contains(['"', '[', '{']) {
            continue;
        }
        let line = without_prefix(raw);
        if line.is_empty() {
            continue;
        }
        if let Some((mut scan, (first, last))) = open.take() {
            match scan.line(&line, at, width(raw)) {
                After::Open => {
                    open = Some((scan, (first, at)));
                    continue;
                }
                After::Closed(rest) => {
                    end(scan, (first, at), rest);
                    continue;
                }
                // Something else begins here, perhaps another document.
                After::Other => end(scan, (first, last), ""),
            }
        }
        if opens(&line) {
            let mut scan = Scan::new(line.starts_with('"'));
            match scan.line(&line, at, width(raw)) {
                After::Open => open = Some((scan, (at, at))),
                After::Closed(rest) => end(scan, (at, at), rest),
                After::Other => {}
            }
        }
    }
    if let Some((scan, lines)) = open {
        end(scan, lines, "");
    }
    found
}

/// A line as it is, where it looks like one of a document; without quote marks and a logger's words otherwise. What stands
/// for another character in a forum's HTML stands for itself here.
fn without_prefix(raw: &str) -> Cow<'_, str> {
    let text = raw.trim();
    if text.starts_with(['{', '}', ']', '"']) || opens(text) { Cow::Borrowed(text) } else { bare(raw) }
}

/// Whether a line may be the first of a document, or the first that was copied of one.
fn opens(line: &str) -> bool {
    let mut letters = line.chars().filter(|letter| !letter.is_whitespace());
    match (letters.next(), letters.next()) {
        (Some('['), next) => matches!(next, None | Some('{')),
        (Some('{'), next) => matches!(next, None | Some('"')),
        (Some('"'), _) => line.split('"').nth(2).is_some_and(|rest| rest.trim_start().starts_with(':')),
        _ => false,
    }
}

/// What a line did to a document.
enum After<'l> {
    /// It goes on.
    Open,
    /// It is complete; this follows it in the line.
    Closed(&'l str),
    /// The line is none of it.
    Other,
}

/// The values of [`KEYS`].
type Fields = [Option<String>; KEYS.len()];

/// An array, or an object with what its [`KEYS`] say.
enum Frame {
    Array,
    Object(Box<Fields>),
}

/// A string that is being read.
#[derive(Default)]
struct Text {
    text: String,
    escaped: bool,
}

/// The way through a document: lenient, since the ends of what people paste are missing.
struct Scan {
    frames: Vec<Frame>,
    /// The beginning was cut off: nothing that is closed is the whole.
    clipped: bool,
    string: Option<Text>,
    /// The key whose value comes, and the last string.
    key: Option<usize>,
    last: Option<String>,
    /// The line that is being read.
    at: usize,
    rows: Vec<(usize, String)>,
    seen: BTreeSet<String>,
}

impl Scan {
    fn new(clipped: bool) -> Self {
        let frames = if clipped { vec![Frame::Array, Frame::Object(Default::default())] } else { Vec::new() };
        Self { frames, clipped, string: None, key: None, last: None, at: 0, rows: Vec::new(), seen: BTreeSet::new() }
    }

    /// Reads a line that was so wide.
    fn line<'l>(&mut self, line: &'l str, at: usize, width: usize) -> After<'l> {
        self.at = at;
        let mut rest = line;
        loop {
            if let Some(text) = &mut self.string {
                let Some(end) = text.read(rest) else {
                    // A string has no line breaks, but terminals make some.
                    return if WIDTHS.contains(&width) { After::Open } else { After::Other };
                };
                rest = rest.get(end..).unwrap_or_default();
                self.last = self.string.take().map(|text| text.text);
            }
            rest = rest.trim_start();
            let Some(letter) = rest.chars().next() else { return After::Open };
            let after = rest.get(letter.len_utf8()..).unwrap_or_default();
            match letter {
                '"' => self.string = Some(Text::default()),
                ':' => self.key = self.last.take().and_then(|key| KEYS.iter().position(|known| *known == key)),
                ',' => self.value(),
                '[' | '{' if self.frames.len() >= DEEPEST => return After::Other,
                '[' | '{' => {
                    (self.key, self.last) = (None, None);
                    self.frames.push(if letter == '[' { Frame::Array } else { Frame::Object(Default::default()) });
                }
                ']' | '}' => {
                    self.value();
                    self.close(letter == ']');
                    if self.frames.is_empty() {
                        return After::Closed(after);
                    }
                }
                _ => {
                    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && !"+-.".contains(letter));
                    let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                    let number = word.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-');
                    if !number && !matches!(word, "true" | "false" | "null") {
                        return After::Other;
                    }
                    rest = rest.get(word.len()..).unwrap_or_default();
                    continue;
                }
            }
            rest = after;
        }
    }

    /// A member of an object ends.
    fn value(&mut self) {
        let (key, value) = (self.key.take(), self.last.take());
        if let (Some(key), Some(value), Some(Frame::Object(fields))) = (key, value, self.frames.last_mut())
            && let Some(field) = fields.get_mut(key)
        {
            field.get_or_insert(value);
        }
    }

    /// An object or an array ends, and with it what was left open in it.
    fn close(&mut self, array: bool) {
        while let Some(frame) = self.frames.pop() {
            let found = matches!(frame, Frame::Array) == array;
            self.tell(frame);
            if found {
                break;
            }
        }
        if self.clipped && self.frames.is_empty() {
            self.frames.push(Frame::Array);
        }
    }

    /// Says what an object says.
    fn tell(&mut self, frame: Frame) {
        let Frame::Object(fields) = frame else { return };
        let [name, version, package, installed, status, build, channel, python, system, release, machine] = *fields;
        if let Some(python) = python.filter(|python| is_version(python)) {
            self.row(format!("Python version: {python}"));
            if let (Some(system), Some(release), Some(machine)) = (system, release, machine) {
                self.row(format!("Python platform: {system}-{release}-{machine}"));
            }
        }
        // What a lock file names need not be installed.
        if status.is_some_and(|status| status != "installed") {
            return;
        }
        let (Some(name), Some(version)) = (package.or(name), installed.or(version)) else { return };
        if !is_name(&name) || !is_version(&version) {
            return;
        }
        match (build, channel) {
            (Some(build), Some(channel)) if !build.contains(' ') && !channel.contains(' ') => {
                self.row("# Name Version Build Channel".to_owned());
                self.row(format!("{name} {version} {build} {channel}"));
            }
            _ => self.row(format!("{name}=={version}")),
        }
    }

    fn row(&mut self, row: String) {
        if self.rows.len() < MOST && !self.seen.contains(&row) {
            self.seen.insert(row.clone());
            self.rows.push((self.at, row));
        }
    }

    /// The rows, with those of what was cut off at its end.
    fn finish(mut self) -> Vec<(usize, String)> {
        self.value();
        while let Some(frame) = self.frames.pop() {
            self.tell(frame);
        }
        self.rows
    }
}

impl Text {
    /// Reads to the end of the string, and says where that is.
    fn read(&mut self, text: &str) -> Option<usize> {
        for (at, letter) in text.char_indices() {
            if self.escaped {
                self.escaped = false;
            } else if letter == '"' {
                return Some(at + 1);
            } else if letter == '\\' {
                self.escaped = true;
                continue;
            }
            if self.text.len() < LONGEST {
                self.text.push(letter);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<String> {
        documents(text).into_iter().flat_map(|document| document.rows).map(|(_, row)| row).collect()
    }

    const TWO: [&str; 2] = ["torch==2.7.1", "triton==3.3.1"];

    #[test]
    fn each_tool_has_its_own_form() {
        for text in [
            r#"[{"name": "torch", "version": "2.7.1"}, {"name": "triton", "version": "3.3.1"}]"#,
            "[\n  {\n    \"name\": \"torch\",\n    \"version\": \"2.7.1\"\n  },\n  {\n    \"name\": \"triton\",\n    \"version\": \"3.3.1\"\n  }\n]",
            // pipdeptree --json
            r#"[{"package": {"key": "torch", "package_name": "torch", "installed_version": "2.7.1"}, "dependencies": [
                {"key": "triton", "package_name": "triton", "installed_version": "3.3.1", "required_version": "==3.3.1"},
                {"key": "gone", "package_name": "gone", "installed_version": "?", "required_version": "Any"}]}]"#,
            // poetry show --format json
            r#"[{"name": "torch", "installed_status": "installed", "version": "2.7.1", "description": "Tensors, \"dynamic\""},
                {"name": "triton", "installed_status": "installed", "version": "3.3.1", "description": ""},
                {"name": "vllm", "installed_status": "not-installed", "version": "0.9.2", "description": ""}]"#,
        ] {
            assert_eq!(rows(text), TWO, "{text}");
        }
    }

    #[test]
    fn conda_names_the_build() {
        let text = r#"[{"base_url": "https://conda.anaconda.org/pytorch", "build_number": 0,
            "build_string": "py3.9_cuda12.1_cudnn8.9.2_0", "channel": "pytorch", "name": "pytorch", "version": "2.1.0"}]"#;
        let expected = ["# Name Version Build Channel", "pytorch 2.1.0 py3.9_cuda12.1_cudnn8.9.2_0 pytorch"];
        assert_eq!(rows(text), expected);
    }

    #[test]
    fn what_a_distribution_quotes_is_not_read() {
        let text = r#"{"version": "1", "pip_version": "26.3", "installed": [{"metadata": {"name": "torch", "version": "2.7.1",
            "description": "&quot;Try&quot; “it”: {\"name\": \"numpy\", \"version\": \"1.0\"} or torch==1.0", "requires_dist": ["triton==9.9"]},
            "installer": "uv"}], "environment": {"implementation_name": "cpython", "platform_machine": "x86_64",
            "platform_release": "6.8.0", "platform_system": "Linux", "python_full_version": "3.12.1"}}"#;
        let expected = ["torch==2.7.1", "Python version: 3.12.1", "Python platform: Linux-6.8.0-x86_64"];
        assert_eq!(rows(text), expected);
        assert_eq!(documents(text)[0].lines, (0, 3));
        assert_eq!(documents(text)[0].rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 3, 3]);
    }

    #[test]
    fn either_end_may_be_missing() {
        let whole = "[\n{\n\"name\": \"torch\",\n\"version\": \"2.7.1\"\n},\n{\n\"name\": \"triton\",\n\"version\": \"3.3.1\"\n}\n]";
        let lines: Vec<&str> = whole.lines().collect();
        assert_eq!(rows(&lines[2..].join("\n")), TWO);
        assert_eq!(rows(&lines[..8].join("\n")), TWO);
        // Words behind it are no part of it, nor is a prompt.
        let told = documents(&format!("$ pip list\n{}\nIt fails.", lines[..8].join("\n")));
        assert_eq!((told.len(), told[0].lines), (1, (1, 8)));
        let prompt = documents(&format!("{whole}root@pod:/# nvidia-smi"));
        assert_eq!((prompt[0].rows.len(), prompt[0].rest.as_str()), (2, "root@pod:/# nvidia-smi"));
    }

    #[test]
    fn quote_marks_and_log_prefixes_go() {
        for prefix in ["> ", "> > ", "2026-01-02T03:04:05.678Z ", "(Worker pid=7) "] {
            let text: String = ["[", "  {", "    \"name\": \"torch\",", "    \"version\": \"2.7.1\"", "  }", "]"]
                .map(|line| format!("{prefix}{line}\r\n"))
                .concat();
            assert_eq!(rows(&text), ["torch==2.7.1"], "{prefix}");
        }
    }

    #[test]
    fn a_terminal_breaks_it_anywhere() {
        let text = format!(
            "[{}{{\"name\": \"torch\", \"version\": \"2.7.1\"}}]",
            "{\"name\": \"a\", \"version\": \"1.0\"}, ".repeat(9)
        );
        for columns in [60, 61, 67, 80] {
            let broken: Vec<&str> =
                text.as_bytes().chunks(columns).map(|part| std::str::from_utf8(part).unwrap()).collect();
            assert_eq!(rows(&broken.join("\n")), ["a==1.0", "torch==2.7.1"], "{columns}");
        }
    }

    #[test]
    fn other_json_is_left_alone() {
        for text in [
            "{\"level\": \"info\", \"name\": \"server\", \"message\": \"torch\"}",
            "{\n\"torch\": \"2.7.1\",\n\"name\": \"x\"\n}",
            "[{\"name\"",
            "\"name\"",
            "[pip3] torch==2.7.1 \"name\"",
        ] {
            assert_eq!(documents(text), [], "{text}");
        }
        assert_eq!(documents(&format!("\"name\": {}", "[".repeat(9000))), []);
    }
}
