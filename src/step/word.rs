//! What may enter a command: words without control characters, names of variables, pins and requirements that parse.

use std::str::FromStr;

use crate::pep::{PackageName, Requirement, Version};
use crate::text::hides;

/// A word of a command, quoted only when it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(String);

impl Word {
    /// Any text without control characters and without what turns the direction of writing or takes no room.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (!text.contains(hides)).then_some(Self(text))
    }

    /// The word, unquoted.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of an environment variable: letters, digits and `_`, no digit first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable(String);

impl Variable {
    /// None for anything else.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let starts = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        (starts && name.bytes().all(good)).then(|| Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `torch==2.7.1+cu128`, if the name is one of PEP 508 and the version one of PEP 440.
#[must_use]
pub fn pin(name: &str, version: &str) -> Option<String> {
    // The crate takes an empty name for one.
    PackageName::from_str(name).ok().filter(|_| !name.is_empty())?;
    // It trims white space, which is no part of a pin.
    Version::from_str(version).ok().filter(|_| version.bytes().all(|byte| byte.is_ascii_graphic()))?;
    Some(format!("{name}=={version}"))
}

/// A requirement as pip and uv take it for an argument, if it is one of PEP 508: `numpy<2`. Quotes in a marker become single
/// ones, since PowerShell hands double ones to a program as none.
#[must_use]
pub fn requirement(line: &str) -> Option<String> {
    Requirement::from_str(line).ok()?;
    let line = if line.contains('\'') { line.to_owned() } else { line.replace('"', "'") };
    Word::new(line).map(|word| word.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_parses_becomes_a_requirement() {
        assert_eq!(pin("torch", "2.7.1+cu128").as_deref(), Some("torch==2.7.1+cu128"));
        for (name, version) in [("torch", "1.0$(touch P)"), ("torch", ""), ("-e", "1"), ("a b", "1"), ("torch", "?")] {
            assert_eq!(pin(name, version), None, "{name} {version}");
        }
        assert_eq!(requirement("numpy<2").as_deref(), Some("numpy<2"));
        assert_eq!(requirement("a; python_version < \"3.11\"").as_deref(), Some("a; python_version < '3.11'"));
        for line in ["--index-url=https://evil", "-e .", "numpy<2\n--index-url x", "numpy<2; touch P", "numpy $(x)"] {
            assert_eq!(requirement(line), None, "{line}");
        }
    }
}
