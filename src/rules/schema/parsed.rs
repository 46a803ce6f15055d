//! A text of a row beside what it means.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

/// The text, which is what is printed, and what it means. A start unpacks hundreds of rows and judges few of them, so that it is
/// parsed when it is first asked for, and once for all copies.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String", bound = "T: Clone")]
pub struct Parsed<T> {
    pub(super) text: String,
    parsed: Arc<OnceLock<Option<T>>>,
}

impl<T: FromStr> Parsed<T> {
    /// What it means; none where nobody checked the row and it means nothing.
    pub(super) fn meaning(&self) -> Option<&T> {
        self.parsed.get_or_init(|| self.text.parse().ok()).as_ref()
    }
}

impl<T> From<String> for Parsed<T> {
    fn from(text: String) -> Self {
        Self { text, parsed: Arc::default() }
    }
}

impl<T> From<Parsed<T>> for String {
    fn from(parsed: Parsed<T>) -> Self {
        parsed.text
    }
}

impl<T> Deref for Parsed<T> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl<T> fmt::Display for Parsed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl<T> PartialEq for Parsed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> Eq for Parsed<T> {}
