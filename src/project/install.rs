//! What a command installs: `pip install`, `python -m pip install`, `uv pip install`, `uv add`, `uv sync`.
//!
//! ```text
//! python3 -m pip install -r base.txt "torch==2.6.0" --extra-index-url https://download.pytorch.org/whl/cu124 --no-deps
//!                           file      requirement      index                                                  flag
//! ```

use std::ops::Range;

use super::dependency::{Style, WrittenRequirement, parse};
use super::place::{Lines, Place, Placed};
use super::shell::{Command, Word, base_name, without_runner};

/// What a command installs, in the order of its words.
#[derive(Debug, Clone, PartialEq)]
pub struct Install {
    /// Who installs.
    pub tool: Tool,
    /// `install`, `add`, `sync`: options may be put in behind it.
    pub verb: Place,
    /// The packages.
    pub items: Vec<Item>,
    /// `-r`, `-c` and the like.
    pub files: Vec<FileOption>,
    /// Where packages come from.
    pub indexes: Vec<IndexOption>,
    /// Options without a meaning of their own here, e.g. `--no-deps`; a value is not kept.
    pub flags: Vec<Placed<String>>,
}

/// Who installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `pip install`.
    Pip,
    /// `uv pip install`.
    UvPip,
    /// `uv add`: writes to pyproject.toml and installs.
    UvAdd,
    /// `uv sync`: what uv.lock says.
    UvSync,
}

/// A package that is named on the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The whole word with its quotes.
    pub place: Place,
    /// What it says; none where a part is not known, or no installer would read it.
    pub dependency: Option<WrittenRequirement>,
    /// The normalised name, also where only the version is not known: `torch==$TORCH_VERSION`.
    pub name: Option<String>,
    /// `-e`.
    pub editable: bool,
}

/// A file that is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOption {
    /// As written: relative to the folder in which the command runs.
    pub file: Placed<String>,
    /// A constraints file.
    pub constraints: bool,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexOption {
    /// What the option does.
    pub kind: IndexKind,
    /// The address.
    pub url: Placed<String>,
    /// The address is known to the last letter.
    pub known: bool,
}

/// What an index option does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// Instead of PyPI: `--index-url`, `--default-index`.
    Main,
    /// Beside it: `--extra-index-url`, `--index`.
    Extra,
    /// `--find-links`.
    Links,
}

/// What an option's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Requirements,
    Constraints,
    Editable,
    Index(IndexKind),
    /// A value that is of no interest.
    Value,
}

/// Options with a value. What is not here takes none.
const VALUES: [(&str, Takes); 84] = [
    ("-r", Takes::Requirements),
    ("--requirement", Takes::Requirements),
    ("--requirements", Takes::Requirements),
    ("-c", Takes::Constraints),
    ("--constraint", Takes::Constraints),
    ("--constraints", Takes::Constraints),
    ("-e", Takes::Editable),
    ("--editable", Takes::Editable),
    ("-i", Takes::Index(IndexKind::Main)),
    ("--index-url", Takes::Index(IndexKind::Main)),
    ("--pypi-url", Takes::Index(IndexKind::Main)),
    ("--default-index", Takes::Index(IndexKind::Main)),
    ("--extra-index-url", Takes::Index(IndexKind::Extra)),
    ("--index", Takes::Index(IndexKind::Extra)),
    ("-f", Takes::Index(IndexKind::Links)),
    ("--find-links", Takes::Index(IndexKind::Links)),
    ("-t", Takes::Value),
    ("--target", Takes::Value),
    ("--platform", Takes::Value),
    ("--python-platform", Takes::Value),
    ("--python-version", Takes::Value),
    ("--implementation", Takes::Value),
    ("--abi", Takes::Value),
    ("--root", Takes::Value),
    ("--prefix", Takes::Value),
    ("--src", Takes::Value),
    ("--upgrade-strategy", Takes::Value),
    ("-C", Takes::Value),
    ("--config-settings", Takes::Value),
    ("--config-setting", Takes::Value),
    ("--config-settings-package", Takes::Value),
    ("--global-option", Takes::Value),
    ("--build-option", Takes::Value),
    ("--install-option", Takes::Value),
    ("--hash", Takes::Value),
    ("--no-binary", Takes::Value),
    ("--only-binary", Takes::Value),
    ("--no-build-package", Takes::Value),
    ("--no-binary-package", Takes::Value),
    ("--no-build-isolation-package", Takes::Value),
    ("--progress-bar", Takes::Value),
    ("--root-user-action", Takes::Value),
    ("--report", Takes::Value),
    ("--timeout", Takes::Value),
    ("--default-timeout", Takes::Value),
    ("--retries", Takes::Value),
    ("--proxy", Takes::Value),
    ("--cert", Takes::Value),
    ("--client-cert", Takes::Value),
    ("--trusted-host", Takes::Value),
    ("--allow-insecure-host", Takes::Value),
    ("--cache-dir", Takes::Value),
    ("--log", Takes::Value),
    ("--python", Takes::Value),
    ("-p", Takes::Value),
    ("--exists-action", Takes::Value),
    ("--use-feature", Takes::Value),
    ("--use-deprecated", Takes::Value),
    ("--keyring-provider", Takes::Value),
    ("--group", Takes::Value),
    ("--only-group", Takes::Value),
    ("--no-group", Takes::Value),
    ("--extra", Takes::Value),
    ("--no-extra", Takes::Value),
    ("--build-constraint", Takes::Value),
    ("--build-constraints", Takes::Value),
    ("--override", Takes::Value),
    ("--overrides", Takes::Value),
    ("--index-strategy", Takes::Value),
    ("--upgrade-package", Takes::Value),
    ("-P", Takes::Value),
    ("--reinstall-package", Takes::Value),
    ("--refresh-package", Takes::Value),
    ("--resolution", Takes::Value),
    ("--prerelease", Takes::Value),
    ("--fork-strategy", Takes::Value),
    ("--link-mode", Takes::Value),
    ("--exclude-newer", Takes::Value),
    ("--torch-backend", Takes::Value),
    ("--directory", Takes::Value),
    ("--project", Takes::Value),
    ("--optional", Takes::Value),
    ("--package", Takes::Value),
    ("--no-install-package", Takes::Value),
];

/// Those of `uv add` alone.
const ADD_VALUES: [&str; 9] =
    ["--rev", "--tag", "--branch", "-m", "--marker", "--script", "--bounds", "--env-file", "--lfs"];

impl Install {
    /// Reads a command; none where it installs nothing.
    #[must_use]
    pub fn of(command: &Command, lines: &Lines<'_>) -> Option<Self> {
        let words = without_runner(&command.words);
        let (tool, verb) = tool(words)?;
        let place = words.get(verb)?.place.clone();
        let (items, files, indexes, flags) = Default::default();
        let mut found = Self { tool, verb: place, items, files, indexes, flags };
        let mut rest = words.iter().skip(verb + 1);
        let mut options = true;
        while let Some(word) = rest.next() {
            let text = word.text();
            if !options || !text.starts_with('-') || text == "-" {
                found.item(word, 0..text.len(), false, lines);
                continue;
            }
            if text == "--" {
                options = false;
                continue;
            }
            let (name, inline) = split(text);
            found.flags.push(Placed { value: name.to_owned(), place: word.place.clone() });
            let takes = VALUES.iter().find(|(known, _)| *known == name).map(|(_, takes)| *takes);
            let takes = takes.or_else(|| {
                (tool == Tool::UvAdd && ADD_VALUES.contains(&name) && name != "--lfs").then_some(Takes::Value)
            });
            let Some(takes) = takes else { continue };
            let (word, range) = match inline {
                Some(range) => (word, range),
                None => match rest.next() {
                    Some(word) => (word, 0..word.text().len()),
                    None => break,
                },
            };
            found.value(takes, word, range, lines);
        }
        Some(found)
    }

    /// Whether an option is given, e.g. `--no-deps`.
    #[must_use]
    pub fn has(&self, flag: &str) -> bool {
        self.flag(flag).is_some()
    }

    /// Where an option is given.
    #[must_use]
    pub fn flag(&self, flag: &str) -> Option<&Place> {
        self.flags.iter().find(|one| one.value == flag).map(|one| &one.place)
    }

    fn value(&mut self, takes: Takes, word: &Word, range: Range<usize>, lines: &Lines<'_>) {
        let value = word.text().get(range.clone()).unwrap_or_default().to_owned();
        let place = word.part(range.clone(), lines);
        match takes {
            Takes::Requirements | Takes::Constraints => {
                self.files.push(FileOption { file: Placed { value, place }, constraints: takes == Takes::Constraints });
            }
            Takes::Editable => self.item(word, range, true, lines),
            Takes::Index(kind) => {
                self.indexes.push(IndexOption { kind, url: Placed { value, place }, known: word.known });
            }
            Takes::Value => {}
        }
    }

    fn item(&mut self, word: &Word, range: Range<usize>, editable: bool, lines: &Lines<'_>) {
        let text = word.text().get(range.clone()).unwrap_or_default();
        let parsed = if word.known { parse(text, Style::Pip).ok() } else { None };
        let dependency = parsed.map(|(what, versions)| WrittenRequirement {
            text: text.to_owned(),
            place: word.part(range.clone(), lines),
            versions: versions.map(|at| word.part(range.start + at.start..range.start + at.end, lines)),
            what,
        });
        let name = match &dependency {
            Some(dependency) => dependency.name().map(str::to_owned),
            None => name_before_versions(text),
        };
        self.items.push(Item { place: word.place.clone(), dependency, name, editable });
    }
}

/// The tool, and which word is its verb.
fn tool(words: &[Word]) -> Option<(Tool, usize)> {
    let name = base_name(words.first()?.text());
    // Options of the tool itself may stand before the verb: `pip --no-cache-dir install`, `uv -q pip install`.
    let next = |mut at: usize| {
        while let Some(word) = words.get(at).filter(|word| word.text().starts_with('-')) {
            let valued = VALUES.iter().any(|(known, _)| *known == word.text());
            at += if valued { 2 } else { 1 };
        }
        words.get(at).map(|word| (word.text(), at))
    };
    let version = |rest: &str| rest.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    if name.strip_prefix("pip").is_some_and(version) {
        let (verb, at) = next(1)?;
        return (verb == "install").then_some((Tool::Pip, at));
    }
    if name.strip_prefix("python").is_some_and(version)
        || name.ends_with("python}")
        || name.eq_ignore_ascii_case("$python")
    {
        let module = words.iter().position(|word| word.text() == "-m")?;
        let before = words.get(1..module)?;
        if !before.iter().all(|word| word.text().starts_with('-')) || words.get(module + 1)?.text() != "pip" {
            return None;
        }
        let (verb, at) = next(module + 2)?;
        return (verb == "install").then_some((Tool::Pip, at));
    }
    if name != "uv" {
        return None;
    }
    let (verb, at) = next(1)?;
    match verb {
        "pip" => {
            let (verb, at) = next(at + 1)?;
            (verb == "install").then_some((Tool::UvPip, at))
        }
        "add" => Some((Tool::UvAdd, at)),
        "sync" => Some((Tool::UvSync, at)),
        _ => None,
    }
}

/// The name of an option and the bytes of a value in the same word: `--index-url=…`, `-rfile`.
fn split(text: &str) -> (&str, Option<Range<usize>>) {
    if text.starts_with("--") {
        return match text.find('=') {
            Some(at) => (text.get(..at).unwrap_or_default(), Some(at + 1..text.len())),
            None => (text, None),
        };
    }
    let valued = |name: &str| VALUES.iter().any(|(known, _)| *known == name);
    match text.get(..2) {
        Some(name) if text.len() > 2 && valued(name) => (name, Some(2..text.len())),
        _ => (text, None),
    }
}

/// `torch` of `torch==$VERSION`.
fn name_before_versions(text: &str) -> Option<String> {
    let end = text.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)))?;
    let (name, rest) = text.split_at_checked(end)?;
    let versions = rest.starts_with(['=', '<', '>', '~', '!', '[', ' ', '@']);
    (versions && !name.is_empty() && !name.starts_with('.')).then(|| name.to_ascii_lowercase().replace(['_', '.'], "-"))
}

#[cfg(test)]
mod tests;
