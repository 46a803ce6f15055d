//! What is wrong with a row, and what every row is checked for: days, specifiers, requirements.

use std::str::FromStr;

use crate::pep::VersionSpecifiers;

/// A row that contradicts itself or the format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// Where: keys and indices from the top of the file, e.g. `release`, `3`, `build`, `0`.
    pub path: Vec<String>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Fault {
    pub(in crate::rules) fn new(message: impl Into<String>) -> Self {
        Self { path: Vec::new(), message: message.into() }
    }

    pub(in crate::rules) fn below(mut self, table: &str, index: usize) -> Self {
        self.path.splice(0..0, [table.to_owned(), index.to_string()]);
        self
    }
}

/// Parses PEP 440 specifiers, e.g. `>=3.9,<4`.
pub fn specifiers(text: &str) -> Result<VersionSpecifiers, Fault> {
    VersionSpecifiers::from_str(text)
        .map_err(|error| Fault::new(format!("`{text}`: {}", first_line(&error.to_string()))))
}

/// Checks that lines are PEP 508 requirements; they are kept as text, since parsing all of them at start would cost more
/// than reading the rules.
pub fn requirements(lines: &[String]) -> Result<(), Fault> {
    for line in lines {
        crate::pep::Requirement::from_str(line)
            .map_err(|error| Fault::new(format!("`{line}`: {}", first_line(&error.to_string()))))?;
    }
    Ok(())
}

pub fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Checks that a text is a day such as `2026-11-21`.
pub fn day(text: &str) -> Result<(), Fault> {
    let shaped = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    if shaped { Ok(()) } else { Err(Fault::new(format!("`{text}` is not a day such as `2026-11-21`"))) }
}
