//! The simple commands of a POSIX shell script, with the place of each word.
//!
//! ```text
//! TORCH=2.7.1
//! if true; then                       command 1: `pip` `install` `torch==2.7.1`, conditional
//!   pip install "torch==$TORCH" \     command 2: `CUDA_HOME=/usr/local/cuda` before `python` `setup.py`
//!     && CUDA_HOME=/usr/local/cuda python setup.py
//! fi
//! ```
//!
//! Nothing is run. A variable has the value that the same file gives it; what only the machine knows (another variable, the
//! output of a command) stays as written, and its word is not [`known`](Word::known). What `bash -c '…'` and `bash <<EOF` are
//! given is read as well.
//!
//! By hand: an edit needs the bytes of each word as it is written, and a script that is cut off or wrong is read as far
//! as it goes.

mod builder;
mod lexer;
mod quoting;
mod variables;

use self::lexer::{Lexer, Raw};
use super::place::{Lines, Place};
use super::sourced::Sourced;

pub use self::variables::Variables;

/// A command with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// From the first to the last word.
    pub place: Place,
    /// `NAME=value` before the command, or alone: then there are no words.
    pub assignments: Vec<Assignment>,
    /// The name and its arguments.
    pub words: Vec<Word>,
    /// It stands in an `if`, a loop, a function, or behind `||`: nobody knows whether it runs.
    pub conditional: bool,
}

impl Command {
    /// The place of `|| echo failed` behind a command: whatever comes of it, the script goes on.
    #[must_use]
    pub fn hidden_by(&self, next: &Self, text: &str, lines: &Lines<'_>) -> Option<Place> {
        let between = text.get(self.place.span.end..next.place.span.start)?;
        let goes_on = ["echo", "true", ":", "printf"].contains(&next.words.first()?.text());
        let is_or = between.trim_matches([' ', '\\', '\n', '\r', '\t', '"', '\'']) == "||";
        let start = self.place.span.end + between.find("||")?;
        (goes_on && is_or).then(|| lines.place(start..next.place.span.end))
    }
}

/// `NAME=value`, also as `export NAME=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// What it is set to.
    pub value: Word,
}

/// A word without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its bytes in the file, with the quotes.
    pub place: Place,
    /// False where a part is not known before the script runs; that part stands as written.
    pub known: bool,
    /// What it says.
    pub value: Sourced,
}

impl Word {
    /// What it says.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.value.text
    }

    /// The place in the file of a part of what it says.
    #[must_use]
    pub fn part(&self, part: std::ops::Range<usize>, lines: &Lines<'_>) -> Place {
        lines.place(self.value.source(part))
    }
}

/// Scripts inside scripts are read so deep.
const DEEPEST: usize = 6;

/// Reads a shell script.
#[must_use]
pub fn script(text: &str) -> Vec<Command> {
    let start = text.len() - text.trim_start_matches(super::place::BYTE_ORDER_MARK).len();
    commands(&Sourced::verbatim(text, start..text.len()), &Lines::of(text), &mut Variables::default())
}

/// Reads a script that is a part of a file: the command of a RUN line, a `run:` block. `variables` are those that it begins
/// with, and are afterwards those that it ends with.
#[must_use]
pub fn commands(script: &Sourced, lines: &Lines<'_>, variables: &mut Variables) -> Vec<Command> {
    let mut found = Vec::new();
    read(script, lines, variables, false, 0, &mut found);
    found
}

/// The words of a text that is no script: what stands behind ENV or FROM in a Dockerfile.
pub(super) fn words(text: &Sourced, lines: &Lines<'_>, variables: &mut Variables) -> Vec<Word> {
    Lexer::new(text, lines, variables).words()
}

fn read(
    script: &Sourced,
    lines: &Lines<'_>,
    variables: &mut Variables,
    conditional: bool,
    depth: usize,
    found: &mut Vec<Command>,
) {
    let mut lexer = Lexer::new(script, lines, variables);
    while let Some(raw) = lexer.command() {
        let Raw { command, heredocs } = raw;
        let conditional = conditional || command.conditional;
        let inner = inner_script(&command).map(|word| word.value.clone());
        // `<<EOF` alone is a script where it stands behind RUN.
        let reads = command.words.is_empty() && command.assignments.is_empty() || reads_script(&command);
        let command = Command { conditional, ..command };
        if !command.words.is_empty() || !command.assignments.is_empty() {
            found.push(command);
        }
        if depth < DEEPEST {
            let bodies = heredocs.into_iter().filter(|_| reads).map(|range| script.part(range));
            for body in inner.into_iter().chain(bodies).filter(is_shell) {
                read(&body, lines, lexer.variables(), conditional, depth + 1, found);
            }
        }
    }
}

/// Whether a text is for a shell: `#!/usr/bin/env python3` says that it is not.
fn is_shell(script: &Sourced) -> bool {
    let Some(line) = script.text.trim_start().strip_prefix("#!") else { return true };
    let line = line.lines().next().unwrap_or_default();
    line.split([' ', '/']).any(is_shell_name)
}

fn is_shell_name(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh")
}

/// The last part of a command's path, e.g. `pip` of `/opt/venv/bin/pip`.
#[must_use]
pub fn base_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// The words of a command without what only says how to run it: `sudo -E`, `env A=b`, `exec`, `time`, `conda run -n x`.
#[must_use]
pub fn without_runner(words: &[Word]) -> &[Word] {
    let mut rest = words;
    while let Some((first, after)) = rest.split_first() {
        let takes: &[&str] = match base_name(first.text()) {
            "sudo" => &["-u", "-g", "-h", "-p", "-C", "-T", "-U", "-D", "-R"],
            "env" => &["-u", "-C", "-S"],
            "nice" => &["-n"],
            "timeout" => &["-s", "-k"],
            "exec" | "time" | "command" | "nohup" | "builtin" | "stdbuf" => &[],
            "conda" | "mamba" | "micromamba" if after.first().is_some_and(|word| word.text() == "run") => {
                &["-n", "--name", "-p", "--prefix", "--cwd"]
            }
            "uv" | "poetry" | "pdm" | "hatch" if after.first().is_some_and(|word| word.text() == "run") => {
                &["-p", "--python", "--with", "--extra", "--group", "--directory", "--project", "--env-file"]
            }
            _ => return rest,
        };
        let name = base_name(first.text());
        let mut after = after;
        if matches!(name, "conda" | "mamba" | "micromamba" | "uv" | "poetry" | "pdm" | "hatch") {
            after = after.get(1..).unwrap_or_default();
        }
        while let Some(option) = after.first() {
            let text = option.text();
            let skip = if takes.contains(&text) {
                2
            } else if text.starts_with('-') || name == "env" && text.contains('=') {
                1
            } else {
                break;
            };
            after = after.get(skip..).unwrap_or_default();
        }
        if name == "timeout" {
            after = after.get(1..).unwrap_or_default();
        }
        rest = after;
    }
    rest
}

/// Whether a command reads a script from its input.
fn reads_script(command: &Command) -> bool {
    let words = without_runner(&command.words);
    let Some((name, arguments)) = words.split_first() else { return false };
    is_shell_name(base_name(name.text()))
        && arguments.iter().all(|word| word.text().starts_with('-') && !word.text().ends_with('c'))
}

/// The script that `bash -c '…'` is given.
pub(super) fn inner_script(command: &Command) -> Option<&Word> {
    let words = without_runner(&command.words);
    let (name, arguments) = words.split_first()?;
    if !is_shell_name(base_name(name.text())) {
        return None;
    }
    let flag = arguments.iter().position(|word| !word.text().starts_with('-') || is_command_flag(word.text()))?;
    if !is_command_flag(arguments.get(flag)?.text()) {
        return None;
    }
    arguments.iter().skip(flag + 1).find(|word| !word.text().starts_with('-'))
}

/// `-c`, `-lc`, `-exc`.
fn is_command_flag(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|letters| letters.ends_with('c') && !letters.starts_with('-'))
}

#[cfg(test)]
mod tests;
