//! requirements.txt and constraints.txt as pip reads them.
//!
//! ```text
//! --extra-index-url https://download.pytorch.org/whl/cu128
//! -r base.txt
//! torch==2.7.1 \
//!     --hash=sha256:236f…              one logical line
//! flash-attn @ https://host/flash_attn-2.8.3-cp311-cp311-linux_x86_64.whl ; sys_platform == "linux"
//! -e git+https://github.com/vllm-project/vllm#egg=vllm
//! https://${TOKEN}@host/xformers-0.0.30-cp39-abi3-manylinux_2_28_x86_64.whl   # the token stays out of the file
//! ```
//!
//! Order as in pip: lines are joined, comments cut, variables put in, options told from the requirement. A wrong line is an
//! [`InputError`], and reading goes on behind it. What pip reads past without a word (a second `-r` on a line, an index behind
//! a requirement) is a warning: it is not refused, but does not do what it says.
//!
//! By hand: pip's own reading, not a grammar, says what a line is, and an edit needs its place; the requirement in it is
//! read in `pep.rs`.

mod logical;
mod options;

use std::ops::Range;

use self::logical::{Logical, logical_lines};
use self::options::{Given, Known, Word};
use super::dependency::{Problem, Style, WrittenRequirement, parse};
use super::place::{InputError, Lines, Place, Placed};

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequirementsFile {
    /// In order.
    pub entries: Vec<Entry>,
    /// What installers refuse, in order.
    pub errors: Vec<InputError>,
    /// What pip reads past.
    pub warnings: Vec<InputError>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The whole logical line, from the first to the last character that is no blank and no comment.
    pub line: Place,
    /// What it says.
    pub kind: EntryKind,
}

/// What a line says. The places are those of the values.
#[derive(Debug, Clone, PartialEq)]
pub enum EntryKind {
    /// A requirement, or in a constraints file a constraint.
    Requirement(Box<Line>),
    /// `-r FILE`, `-c FILE`.
    Include {
        /// As written: relative to the file that it stands in, or an address.
        file: Placed<String>,
        /// `-c`.
        constraints: bool,
    },
    /// `--index-url`: instead of PyPI.
    IndexUrl(Placed<String>),
    /// `--extra-index-url`: beside it.
    ExtraIndexUrl(Placed<String>),
    /// `--find-links`.
    FindLinks(Placed<String>),
    /// `--no-index`.
    NoIndex,
    /// `--pre`.
    Pre,
    /// `--no-binary`: names, `:all:` or `:none:`.
    NoBinary(Placed<String>),
    /// `--only-binary`.
    OnlyBinary(Placed<String>),
    /// `--prefer-binary`.
    PreferBinary,
    /// An option without a meaning for what is chosen, as written, e.g. `--trusted-host host`.
    Other(Placed<String>),
}

/// A requirement with its options.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it asks for.
    pub dependency: WrittenRequirement,
    /// `-e`: installed from a folder that stays in use.
    pub editable: bool,
    /// `--hash`, e.g. `sha256:236f…`.
    pub hashes: Vec<Placed<String>>,
    /// `--config-settings`, e.g. `--build-option=--with-cuda`.
    pub config_settings: Vec<Placed<String>>,
}

impl RequirementsFile {
    /// Reads a text. `variable` knows the environment: what it returns replaces `${NAME}`; what it does not know stays.
    #[must_use]
    pub fn parse(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let lines = Lines::of(text);
        let mut file = Self::default();
        for line in logical_lines(text, variable) {
            Reader { file: &mut file, lines: &lines, line: &line }.read();
        }
        file
    }

    /// The requirements, in order.
    pub fn requirements(&self) -> impl Iterator<Item = &Line> {
        self.entries.iter().filter_map(|entry| match &entry.kind {
            EntryKind::Requirement(line) => Some(&**line),
            _ => None,
        })
    }
}

/// The text of a file: UTF-8, or UTF-16 where its byte order mark says so, as PowerShell writes `pip freeze > file`.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<_> = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Reads one logical line into the file.
struct Reader<'a> {
    file: &'a mut RequirementsFile,
    lines: &'a Lines<'a>,
    line: &'a Logical,
}

impl Reader<'_> {
    fn read(&mut self) {
        let text = &self.line.text;
        let cut = options_start(text);
        let words = match options::words(text, cut) {
            Ok(words) => words,
            Err(problem) => return self.error(problem),
        };
        let (given, problems) = options::given(words);
        let head = 0..text.get(..cut).unwrap_or_default().trim_end().len();
        let wrong = !problems.is_empty();
        problems.into_iter().for_each(|problem| self.error(problem));
        if !head.is_empty() {
            self.requirement(head, false, given);
        } else if let Some(Given::Option { option: Known::Editable, value, .. }) = given.first() {
            let range = self.editable(value, &given);
            self.requirement(range, true, given);
        } else if !wrong || !given.is_empty() {
            self.options(given);
        }
    }

    /// The bytes of what `-e` names. `name @ address` and a marker are words of their own.
    fn editable(&self, value: &Word, given: &[Given]) -> Range<usize> {
        let strays = given.iter().skip(1).map_while(|given| match given {
            Given::Stray(word) => Some(word.range.end),
            Given::Option { .. } => None,
        });
        value.range.start..strays.last().unwrap_or(value.range.end)
    }

    fn requirement(&mut self, range: Range<usize>, editable: bool, given: Vec<Given>) {
        let (mut hashes, mut config_settings) = (Vec::new(), Vec::new());
        let mut strays: Option<Range<usize>> = None;
        for one in given {
            match one {
                Given::Option { option: Known::Hash, value, .. } => hashes.push(self.placed(value)),
                Given::Option { option: Known::ConfigSettings, value, .. } => config_settings.push(self.placed(value)),
                Given::Option { option: Known::Editable, .. } if editable => {}
                Given::Option { option: Known::Other, .. } => {}
                Given::Option { range, .. } => {
                    let option = self.line.text.get(range.clone()).unwrap_or_default().to_owned();
                    let message = format!("pip does not see `{option}` behind a requirement");
                    self.warning(Problem { range, message, hint: Some("put it on a line of its own".to_owned()) });
                }
                Given::Stray(_) if editable => {}
                Given::Stray(word) => match &mut strays {
                    Some(strays) => strays.end = word.range.end,
                    None => strays = Some(word.range),
                },
            }
        }
        if let Some(range) = strays {
            let text = self.line.text.get(range.clone()).unwrap_or_default();
            let message = format!("pip does not see `{text}` behind an option");
            let hint = text.starts_with(';').then(|| "put the marker before the options".to_owned());
            self.warning(Problem { range, message, hint });
        }
        let written = self.line.text.get(range.clone()).unwrap_or_default();
        let (start, end) = unquoted(written);
        let range = range.start + start..range.start + end;
        let text = self.line.text.get(range.clone()).unwrap_or_default();
        let parsed = if editable { editable_of(text) } else { parse(text, Style::Pip) };
        match parsed {
            Ok((what, versions)) => {
                let versions = versions.map(|at| self.place(range.start + at.start..range.start + at.end));
                let place = self.place(range.clone());
                let dependency = WrittenRequirement { text: text.to_owned(), place, versions, what };
                self.push(EntryKind::Requirement(Box::new(Line { dependency, editable, hashes, config_settings })));
            }
            Err(mut problem) => {
                problem.range = range.start + problem.range.start..range.start + problem.range.end;
                self.error(problem);
            }
        }
    }

    fn options(&mut self, given: Vec<Given>) {
        let mut included = false;
        for one in given {
            let (option, range, value) = match one {
                Given::Option { option, range, value } => (option, range, value),
                Given::Stray(word) => {
                    let message = format!("pip does not see `{}` behind an option", word.text);
                    let hint = Some("put it on a line of its own".to_owned());
                    self.warning(Problem { range: word.range, message, hint });
                    continue;
                }
            };
            let kind = match option {
                Known::Requirement | Known::Constraint if included => {
                    let message = "pip reads only the first file of a line".to_owned();
                    let hint = Some("put it on a line of its own".to_owned());
                    self.warning(Problem { range, message, hint });
                    continue;
                }
                Known::Requirement | Known::Constraint => {
                    included = true;
                    EntryKind::Include { file: self.placed(value), constraints: option == Known::Constraint }
                }
                Known::IndexUrl => EntryKind::IndexUrl(self.placed(value)),
                Known::ExtraIndexUrl => EntryKind::ExtraIndexUrl(self.placed(value)),
                Known::FindLinks => EntryKind::FindLinks(self.placed(value)),
                Known::NoIndex => EntryKind::NoIndex,
                Known::Pre => EntryKind::Pre,
                Known::NoBinary => EntryKind::NoBinary(self.placed(value)),
                Known::OnlyBinary => EntryKind::OnlyBinary(self.placed(value)),
                Known::PreferBinary => EntryKind::PreferBinary,
                Known::Hash | Known::ConfigSettings | Known::Editable => {
                    let text = self.line.text.get(range.clone()).unwrap_or_default();
                    let message = match option {
                        Known::Editable => format!("pip reads `{text}` only where it stands first"),
                        _ => format!("`{text}` belongs behind a requirement, on the same logical line"),
                    };
                    self.warning(Problem::new(range, message));
                    continue;
                }
                Known::Other => {
                    let value = self.line.text.get(range.clone()).unwrap_or_default().to_owned();
                    EntryKind::Other(Placed { value, place: self.place(range) })
                }
            };
            self.push(kind);
        }
    }

    fn push(&mut self, kind: EntryKind) {
        let line = self.lines.place(self.line.whole());
        self.file.entries.push(Entry { line, kind });
    }

    fn placed(&self, word: Word) -> Placed<String> {
        Placed { value: word.text, place: self.place(word.range) }
    }

    /// The place in the file of a part of the logical line.
    fn place(&self, range: Range<usize>) -> Place {
        self.lines.place(self.line.source(range))
    }

    fn error(&mut self, problem: Problem) {
        let error = self.told(problem);
        self.file.errors.push(error);
    }

    fn warning(&mut self, problem: Problem) {
        let warning = self.told(problem);
        self.file.warnings.push(warning);
    }

    fn told(&self, problem: Problem) -> InputError {
        let InputError { place, message, hint } = problem.at(|range| self.place(range));
        let message = self.line.discreet(message);
        InputError { place, message, hint: hint.map(|hint| self.line.discreet(hint)) }
    }
}

/// Where the options of a line begin: at the first word that starts with a dash.
fn options_start(text: &str) -> usize {
    let mut blank = true;
    for (at, letter) in text.char_indices() {
        if blank && letter == '-' {
            return at;
        }
        blank = letter.is_whitespace();
    }
    text.len()
}

/// The bytes of a text within one pair of quotes around all of it.
fn unquoted(text: &str) -> (usize, usize) {
    let inner = ['"', '\''].iter().find_map(|quote| {
        let inner = text.strip_prefix(*quote)?.strip_suffix(*quote)?;
        (!inner.contains(*quote)).then_some(())
    });
    if inner.is_some() { (1, text.len() - 1) } else { (0, text.len()) }
}

/// What follows `-e`: a repository, a folder, or `name @` one of these.
fn editable_of(text: &str) -> Result<super::dependency::Parsed, Problem> {
    use super::dependency::Origin;
    let head = text.split([';', ' ', '[']).next().unwrap_or(text);
    let is_name = head.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && !head.contains([':', '/', '\\', '.'])
        && !text.contains('@');
    // A bare word is a folder.
    let parsed = if is_name {
        let written = format!("./{text}");
        parse(&written, Style::Pip).map_err(|mut problem| {
            problem.range = problem.range.start.saturating_sub(2)..problem.range.end.saturating_sub(2);
            problem
        })
    } else {
        parse(text, Style::Pip)
    }?;
    match &parsed.0.origin {
        Origin::Elsewhere { .. } => Ok(parsed),
        Origin::Index | Origin::Wheel { .. } => {
            let message = format!("`{text}` cannot be editable");
            let hint = Some("name a folder, or a repository such as `git+https://host/group/name#egg=name`".to_owned());
            Err(Problem { range: 0..text.len(), message, hint })
        }
    }
}

#[cfg(test)]
mod tests;
