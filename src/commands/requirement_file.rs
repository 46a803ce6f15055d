//! requirements.txt and constraints.txt as pip reads them: logical lines, comments, `-r`, `-c`, hashes, continuation lines.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::rules::requirement::parse;
use crate::solve::Asked;

/// What some files ask for.
#[derive(Debug, Default)]
pub struct Collected {
    /// Lines of requirement files.
    pub requirements: Vec<Asked>,
    /// Lines of constraint files.
    pub constraints: Vec<Asked>,
    /// What was left out, for the user to know: `req.in:3: --index-url is not looked at`.
    pub notes: Vec<String>,
}

/// What a logical line is.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    Requirement(&'a str),
    Include { constraints: bool, file: &'a str },
    Ignored(&'a str),
}

impl Collected {
    /// Reads a file and the files that it includes; messages name file and line.
    pub fn read(&mut self, file: &Path, constraints: bool) -> anyhow::Result<()> {
        self.read_below(file, constraints, &mut Vec::new())
    }

    fn read_below(&mut self, file: &Path, constraints: bool, above: &mut Vec<PathBuf>) -> anyhow::Result<()> {
        if above.iter().any(|other| other == file) {
            bail!("`{}` includes itself", file.display());
        }
        let text = super::file::read(file)?;
        above.push(file.to_owned());
        for (number, line) in logical_lines(text.trim_start_matches('\u{feff}')) {
            let place = format!("{}:{number}", file.display());
            match classify(&line) {
                Line::Requirement(line) => {
                    let requirement = match parse(line) {
                        Ok(requirement) => requirement,
                        Err(_) if looks_local(line) => {
                            self.notes.push(format!("{place}: `{line}` is a path or address, and is not looked at"));
                            continue;
                        }
                        Err(error) => bail!("{place}: `{line}`: {error}"),
                    };
                    let list = if constraints { &mut self.constraints } else { &mut self.requirements };
                    list.push(Asked::new(requirement, place));
                }
                Line::Include { constraints: inner, file: name } => {
                    let path = file.parent().unwrap_or(Path::new("")).join(name);
                    self.read_below(&path, constraints || inner, above)
                        .with_context(|| format!("included from {place}"))?;
                }
                Line::Ignored(option) => self.notes.push(format!("{place}: `{option}` is not looked at")),
            }
        }
        above.pop();
        Ok(())
    }
}

/// Lines with their numbers, joined where one ends in a backslash, without comments.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (line, number) in text.lines().zip(1..) {
        let (start, mut joined) = open.take().unwrap_or((number, String::new()));
        let comment = line.trim_start().starts_with('#');
        match line.strip_suffix('\\').filter(|_| !comment) {
            Some(head) => {
                joined.push_str(head);
                open = Some((start, joined));
            }
            None => {
                joined.push_str(if comment { "" } else { line });
                lines.push((start, joined));
            }
        }
    }
    lines.extend(open);
    for (_, line) in &mut lines {
        let cut = line.find(" #").or_else(|| line.find("\t#")).or_else(|| line.starts_with('#').then_some(0));
        line.truncate(cut.unwrap_or(line.len()));
        *line = line.trim().to_owned();
    }
    lines.retain(|(_, line)| !line.is_empty());
    lines
}

fn classify(line: &str) -> Line<'_> {
    let options = [("-r", false), ("--requirement", false), ("-c", true), ("--constraint", true)];
    for (option, constraints) in options {
        if let Some(rest) = line.strip_prefix(option)
            && (option.len() == 2 || rest.starts_with([' ', '=']))
        {
            return Line::Include { constraints, file: rest.trim_start_matches('=').trim() };
        }
    }
    if line.starts_with('-') {
        return Line::Ignored(line.split([' ', '=']).next().unwrap_or(line));
    }
    // Options of one requirement, such as hashes, follow it.
    Line::Requirement(line.split(" --").next().unwrap_or(line).trim())
}

fn looks_local(line: &str) -> bool {
    line.starts_with(['.', '/', '~']) || line.contains("://") || line.ends_with(".whl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_comments_cut() {
        let text =
            "# head\ntorch==2.6.0 \\\n    --hash=sha256:aa # why\n\n-r base.txt\n--index-url https://example.org\n";
        let lines = logical_lines(text);
        let kinds: Vec<_> = lines.iter().map(|(number, line)| (*number, classify(line))).collect();
        assert_eq!(
            kinds,
            [
                (2, Line::Requirement("torch==2.6.0")),
                (5, Line::Include { constraints: false, file: "base.txt" }),
                (6, Line::Ignored("--index-url")),
            ]
        );
    }

    #[test]
    fn an_error_names_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("req.in");
        crate::commands::file::write(&file, "torch\ntriton=>3\n").unwrap();
        let error = Collected::default().read(&file, false).unwrap_err().to_string();
        assert!(error.contains("req.in:2: `triton=>3`"), "{error}");
        crate::commands::file::write(&file, "-r req.in\n").unwrap();
        assert!(format!("{:#}", Collected::default().read(&file, false).unwrap_err()).contains("includes itself"));
    }
}
