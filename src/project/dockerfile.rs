//! A Dockerfile or Containerfile: instructions, stages, variables, and the commands of its RUN lines, all with their places.
//!
//! ```text
//! ARG CUDA=12.4.1
//! FROM nvidia/cuda:${CUDA}-devel-ubuntu22.04 AS build     image `nvidia/cuda:12.4.1-devel-ubuntu22.04`, stage `build`
//! ENV TORCH_CUDA_ARCH_LIST="8.0;9.0"
//! RUN pip install torch==2.6.0 \
//!     # the index of that CUDA
//!     --index-url https://download.pytorch.org/whl/cu124
//! ```
//!
//! Lines are joined and comments cut as BuildKit does it; RUN takes its commands as a line, as a here-document or as JSON.
//!
//! By hand: what RUN holds goes on to the reader of shell scripts, each word with its place in the file.

use std::collections::BTreeMap;
use std::ops::Range;

use super::place::{BYTE_ORDER_MARK, Lines, Place, Placed};
use super::shell::{self, Command, Variables, Word};
use super::sourced::Sourced;

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// In order.
    pub instructions: Vec<Instruction>,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// The keyword in capitals, e.g. `RUN`.
    pub keyword: String,
    /// From the keyword to the last character.
    pub place: Place,
    /// The number of its stage, from 0; none before the first FROM.
    pub stage: Option<usize>,
    /// What it says.
    pub kind: Kind,
}

/// What an instruction says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `FROM image AS name`.
    From(From),
    /// `ENV` and `ARG` with a default.
    Set(Vec<Setting>),
    /// `RUN`.
    Run(Vec<Command>),
    /// Everything else: the words of its first line of arguments are of no interest.
    Other,
}

/// A base image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct From {
    /// As written, with the file's variables put in.
    pub image: Word,
    /// `AS name`.
    pub name: Option<Placed<String>>,
    /// The number of the stage that the image is, if it is one of this file.
    pub stage: Option<usize>,
}

/// A variable and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The variable.
    pub name: String,
    /// Its value.
    pub value: Word,
    /// It was `ARG`: whoever builds may say otherwise.
    pub argument: bool,
}

/// What the stages so far know.
#[derive(Default)]
struct State {
    /// `ARG` before the first FROM.
    global: Variables,
    /// What each stage ended with, and its name.
    ended: Vec<(Option<String>, Variables)>,
    /// Those that ENV sets: ARG does not change them.
    fixed: BTreeMap<String, ()>,
    variables: Variables,
    /// RUN's shell is no POSIX shell.
    foreign: bool,
}

impl Dockerfile {
    /// Reads a text. Nothing is refused: what no builder would read is [`Kind::Other`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lines = Lines::of(text);
        let mut state = State::default();
        let mut instructions: Vec<Instruction> = Vec::new();
        for logical in instructions_of(text) {
            let source = logical.whole();
            let length = logical.text.find(|letter: char| letter.is_whitespace()).unwrap_or(logical.text.len());
            let keyword = logical.text.get(..length).unwrap_or_default().to_ascii_uppercase();
            let rest = logical.text.get(length..).unwrap_or_default();
            let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            let rest = logical.part(length + blank..logical.text.len());
            let kind = match keyword.as_str() {
                "FROM" => state.from(&rest, &lines),
                "ENV" => Some(state.env(&rest, &lines)),
                "ARG" => Some(state.arg(&rest, &lines)),
                "RUN" if !state.foreign => Some(Kind::Run(state.run(&rest, &lines))),
                "SHELL" => {
                    let shell = json_words(&rest, 0, &lines).unwrap_or_default();
                    let name = shell.first().map(|word| shell::base_name(word.text()).to_owned());
                    state.foreign = !name.is_some_and(|name| name.ends_with("sh") && !name.contains("powersh"));
                    None
                }
                _ => None,
            };
            let stage = state.ended.len().checked_sub(1);
            let place = lines.place(source);
            instructions.push(Instruction { keyword, place, stage, kind: kind.unwrap_or(Kind::Other) });
        }
        Self { instructions }
    }

    /// The stages that one is built on, itself first.
    #[must_use]
    pub fn lineage(&self, stage: usize) -> Vec<usize> {
        let mut found = vec![stage];
        let mut at = stage;
        while let Some(parent) = self.base(at).and_then(|from| from.stage).filter(|parent| *parent < at) {
            found.push(parent);
            at = parent;
        }
        found
    }

    /// The FROM of a stage.
    #[must_use]
    pub fn base(&self, stage: usize) -> Option<&From> {
        self.instructions.iter().find_map(|one| match &one.kind {
            Kind::From(from) if one.stage == Some(stage) => Some(from),
            _ => None,
        })
    }

    /// How many stages there are.
    #[must_use]
    pub fn stages(&self) -> usize {
        self.instructions.iter().filter_map(|one| one.stage).max().map_or(0, |last| last + 1)
    }
}

impl State {
    fn from(&mut self, rest: &Sourced, lines: &Lines<'_>) -> Option<Kind> {
        let mut global = self.global.clone();
        let words = shell::words(rest, lines, &mut global);
        let mut words = words.into_iter().filter(|word| !word.text().starts_with("--"));
        let image = words.next();
        let as_name = words.next().is_some_and(|word| word.text().eq_ignore_ascii_case("as"));
        let name = words.next().filter(|_| as_name);
        let name = name.map(|word| Placed { value: word.value.text.to_ascii_lowercase(), place: word.place });
        let wanted = image.as_ref().map(|image| image.text().to_ascii_lowercase()).unwrap_or_default();
        let stage = self.ended.iter().rposition(|(name, _)| name.as_ref() == Some(&wanted));
        self.keep();
        self.variables = stage.and_then(|stage| self.ended.get(stage)).map(|(_, all)| all.clone()).unwrap_or_default();
        if stage.is_none() {
            self.fixed.clear();
            self.foreign = false;
        }
        self.ended.push((name.as_ref().map(|name| name.value.clone()), self.variables.clone()));
        Some(Kind::From(From { image: image?, name, stage }))
    }

    /// Remembers what the stage has set, for those that are built on it.
    fn keep(&mut self) {
        if let Some((_, variables)) = self.ended.last_mut() {
            *variables = std::mem::take(&mut self.variables);
        }
    }

    fn env(&mut self, rest: &Sourced, lines: &Lines<'_>) -> Kind {
        // `ENV NAME the rest of the line`, as it was once written.
        let head = rest.text.find([' ', '\t']).unwrap_or(rest.text.len());
        let name = rest.text.get(..head).unwrap_or_default();
        let mut settings = Vec::new();
        if name.contains('=') {
            // All values are those of before the line.
            let words = shell::words(rest, lines, &mut self.variables);
            settings.extend(words.iter().filter_map(|word| setting(word, false)));
        } else if !name.is_empty() {
            let tail = rest.text.get(head..).unwrap_or_default();
            let start = head + (tail.len() - tail.trim_start().len());
            let value = rest.part(start.min(rest.text.len())..rest.text.len());
            let quoted = quote(&value);
            let joined = shell::words(&quoted, lines, &mut self.variables).into_iter().next();
            let place = lines.place(rest.whole());
            let empty = Word { place: place.clone(), known: true, value };
            let value = Word { place, ..joined.unwrap_or(empty) };
            settings.push(Setting { name: name.to_owned(), value, argument: false });
        }
        for one in &settings {
            self.fixed.insert(one.name.clone(), ());
            if one.value.known {
                self.variables.set(&one.name, one.value.text());
            } else {
                self.variables.forget(&one.name);
            }
        }
        Kind::Set(settings)
    }

    fn arg(&mut self, rest: &Sourced, lines: &Lines<'_>) -> Kind {
        let before_stages = self.ended.is_empty();
        let mut settings = Vec::new();
        let mut known = if before_stages { self.global.clone() } else { self.variables.clone() };
        for word in shell::words(rest, lines, &mut known) {
            let Some(one) = setting(&word, true) else {
                // `ARG NAME` takes the value of the one before the first FROM.
                if let Some(value) = self.global.get(word.text()).map(str::to_owned)
                    && !self.fixed.contains_key(word.text())
                {
                    self.variables.set(word.text(), &value);
                }
                continue;
            };
            let target = if before_stages { &mut self.global } else { &mut self.variables };
            if before_stages || !self.fixed.contains_key(&one.name) {
                match one.value.known {
                    true => target.set(&one.name, one.value.text()),
                    false => target.forget(&one.name),
                }
            }
            settings.push(one);
        }
        Kind::Set(settings)
    }

    fn run(&mut self, rest: &Sourced, lines: &Lines<'_>) -> Vec<Command> {
        // `--mount=…` and the like come first.
        let mut start = 0;
        while let Some(tail) = rest.text.get(start..).filter(|tail| tail.starts_with("--")) {
            let length = tail.find([' ', '\t', '\n']).unwrap_or(tail.len());
            let behind = tail.get(length..).unwrap_or_default();
            start += length + (behind.len() - behind.trim_start_matches([' ', '\t']).len());
        }
        // Each RUN is a shell of its own.
        let mut variables = self.variables.clone();
        if let Some(words) = json_words(rest, start, lines) {
            return json_command(words, lines, &mut variables);
        }
        shell::commands(&rest.part(start..rest.text.len()), lines, &mut variables)
    }
}

/// A value in double quotes: its blanks part no words.
fn quote(value: &Sourced) -> Sourced {
    if value.text.contains(['"', '\'']) {
        return value.clone();
    }
    let (start, end) = (value.whole().start, value.whole().end);
    let mut quoted = Sourced::default();
    quoted.push("\"", start..start, false);
    quoted.append(value);
    quoted.push("\"", end..end, false);
    quoted
}

/// `NAME=value`.
fn setting(word: &Word, argument: bool) -> Option<Setting> {
    let equals = word.text().find('=')?;
    let name = word.text().get(..equals)?.to_owned();
    let value = word.value.part(equals + 1..word.text().len());
    Some(Setting { name, value: Word { place: word.place.clone(), known: word.known, value }, argument })
}

/// The command of a JSON list; what a shell is given with `-c` is read as a script.
fn json_command(words: Vec<Word>, lines: &Lines<'_>, variables: &mut Variables) -> Vec<Command> {
    let place = match (words.first(), words.last()) {
        (Some(first), Some(last)) => lines.place(first.place.span.start..last.place.span.end),
        _ => return Vec::new(),
    };
    let command = Command { place, assignments: Vec::new(), words, conditional: false };
    let inner = shell::inner_script(&command).map(|word| shell::commands(&word.value.clone(), lines, variables));
    let mut found = vec![command];
    found.extend(inner.into_iter().flatten());
    found
}

/// The strings of `["a", "b"]`, from a byte on; none where it is no such list.
fn json_words(rest: &Sourced, start: usize, lines: &Lines<'_>) -> Option<Vec<Word>> {
    let text = rest.text.get(start..)?;
    let list: Vec<String> = serde_json::from_str(text.trim()).ok()?;
    let mut found = Vec::new();
    let mut at = start + text.find('[')? + 1;
    for value in list {
        let open = at + rest.text.get(at..)?.find('"')?;
        let mut end = open + 1;
        let mut inner = Sourced::default();
        loop {
            let letter = rest.text.get(end..)?.chars().next()?;
            let from = end;
            end += letter.len_utf8();
            match letter {
                '"' => break,
                '\\' => end += rest.text.get(end..)?.chars().next()?.len_utf8(),
                _ => {}
            }
            inner.append(&rest.part(from..end));
        }
        if inner.text != value {
            // With escapes: only as a whole.
            inner = Sourced::default();
            inner.push(&value, rest.source(open..end), false);
        }
        found.push(Word { place: lines.place(rest.source(open..end)), known: true, value: inner });
        at = end;
    }
    Some(found)
}

/// The lines of a part of a text, each with its end.
fn lines_of(text: &str, start: usize) -> impl Iterator<Item = Range<usize>> {
    let mut at = start;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').map_or(rest.len(), |length| length + 1);
        let range = at..at + length;
        at += length;
        Some(range)
    })
}

/// The instructions of a text: lines joined, comments and empty lines cut, here-documents behind their line.
fn instructions_of(text: &str) -> Vec<Sourced> {
    let start = text.len() - text.trim_start_matches(BYTE_ORDER_MARK).len();
    let escape = escape_of(text.get(start..).unwrap_or_default());
    let mut found = Vec::new();
    let mut open = Sourced::default();
    let mut waiting: Vec<(String, bool)> = Vec::new();
    for range in lines_of(text, start) {
        let line = text.get(range.clone()).unwrap_or_default();
        if let Some((delimiter, tabs)) = waiting.first() {
            open.push(line, range, true);
            let line = line.trim_end_matches(['\n', '\r']);
            if *delimiter == if *tabs { line.trim_start_matches('\t') } else { line } {
                waiting.remove(0);
                if waiting.is_empty() {
                    found.push(std::mem::take(&mut open));
                }
            }
            continue;
        }
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let end = range.start + line.trim_end().len();
        let first = range.start + if open.text.is_empty() { line.len() - line.trim_start().len() } else { 0 };
        if trimmed.ends_with(escape) {
            let end = end - escape.len_utf8();
            open.push(text.get(first..end).unwrap_or_default(), first..end, true);
            continue;
        }
        open.push(text.get(first..end).unwrap_or_default(), first..end, true);
        waiting = heredocs(&open.text);
        if waiting.is_empty() {
            found.push(std::mem::take(&mut open));
        } else {
            let end = range.start + line.trim_end_matches(['\n', '\r']).len();
            open.push("\n", end..range.end, false);
        }
    }
    if !open.text.is_empty() {
        found.push(open);
    }
    found
}

/// The letter that joins lines: a backslash, unless `# escape=` among the first lines says otherwise.
fn escape_of(text: &str) -> char {
    let directives = text.lines().map(str::trim).take_while(|line| line.starts_with('#') && line.contains('='));
    let escapes = directives.filter_map(|line| {
        let (name, value) = line.trim_start_matches('#').split_once('=')?;
        name.trim().eq_ignore_ascii_case("escape").then(|| value.trim().chars().next())?
    });
    escapes.last().filter(|letter| *letter == '`').unwrap_or('\\')
}

/// The delimiters of the here-documents that an instruction begins, and whether tabs before them do not count.
fn heredocs(text: &str) -> Vec<(String, bool)> {
    let keyword = text.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    if !matches!(keyword.as_str(), "RUN" | "COPY" | "ADD") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut quote = None;
    let mut at = 0;
    while let Some(letter) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '<') if rest.starts_with("<<<") => at += 2,
            (None, '<') if rest.starts_with("<<") => {
                let body = rest.get(2..).unwrap_or_default();
                let tabs = body.starts_with('-');
                let name = body.trim_start_matches('-').trim_start_matches(['"', '\'']);
                let length = name.find(|letter: char| !(letter.is_ascii_alphanumeric() || "_-.".contains(letter)));
                let name = name.get(..length.unwrap_or(name.len())).unwrap_or_default();
                if name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_') {
                    found.push((name.to_owned(), tabs));
                }
                at += 1;
            }
            _ => {}
        }
        at += letter.len_utf8();
    }
    found
}

#[cfg(test)]
mod tests;
