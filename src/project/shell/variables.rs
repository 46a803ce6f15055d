//! The variables of which a file says the value.

use std::collections::BTreeMap;

/// No value is longer, and no file is given more than [`BUDGET`] bytes of them: `A=$A$A` doubles.
const LONGEST: usize = 4 << 10;
const BUDGET: usize = 1 << 20;

/// Names and values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    values: BTreeMap<String, String>,
    /// The bytes that were put in.
    spent: usize,
}

impl Variables {
    /// The value of a variable, if the file says it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Gives a variable a value.
    pub fn set(&mut self, name: &str, value: &str) {
        if value.len() <= LONGEST {
            self.values.insert(name.to_owned(), value.to_owned());
        } else {
            self.forget(name);
        }
    }

    /// The value of a variable is no longer known.
    pub fn forget(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// What the inside of `${…}` stands for: a name, `NAME:-default`, `NAME-default`, `NAME:+other`, `NAME//a/b`. None where
    /// the file does not say it.
    pub fn expand(&mut self, inside: &str) -> Option<String> {
        let end =
            inside.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(inside.len());
        let (name, operator) = inside.split_at_checked(end)?;
        if name.is_empty() || name.starts_with(|letter: char| letter.is_ascii_digit()) {
            return None;
        }
        let value = self.get(name);
        let plain = |text: &str| (!text.contains(['$', '`'])).then(|| text.to_owned());
        let value = if operator.is_empty() {
            value?.to_owned()
        } else if let Some(default) = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-')) {
            match value {
                Some(value) if !value.is_empty() || !operator.starts_with(':') => value.to_owned(),
                _ => plain(default)?,
            }
        } else if let Some(other) = operator.strip_prefix(":+") {
            if value?.is_empty() { String::new() } else { plain(other)? }
        } else {
            let (from, to) =
                operator.strip_prefix("//")?.split_once('/').or(operator.strip_prefix("//").map(|from| (from, "")))?;
            let from = from.strip_prefix('\\').unwrap_or(from);
            if from.is_empty() || from.contains(['*', '?', '[', '\\', '$']) || to.contains(['$', '`']) {
                return None;
            }
            value?.replace(from, to)
        };
        self.spent = self.spent.saturating_add(value.len());
        (self.spent <= BUDGET && value.len() <= LONGEST).then_some(value)
    }
}
