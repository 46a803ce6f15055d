//! Versions as a row has them: PEP 440 specifiers, e.g. `>=12.8,<13`.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use pep440_rs::{Version, VersionSpecifiers};
use serde::{Deserialize, Serialize};

use super::super::fault::{Fault, specifiers};

/// The text, which is what is printed, and what it means. A start unpacks hundreds of rows and judges few of them, so that it is
/// parsed when it is first asked for, and once for all copies.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Range {
    text: String,
    parsed: Arc<OnceLock<Option<VersionSpecifiers>>>,
}

impl Range {
    /// Checks a row, at build time.
    ///
    /// # Errors
    ///
    /// When the text is no list of specifiers.
    pub fn check(&self) -> Result<(), Fault> {
        specifiers(&self.text).map(drop)
    }

    /// What it means; none where nobody checked the row and it means nothing.
    #[must_use]
    pub fn specifiers(&self) -> Option<&VersionSpecifiers> {
        self.parsed.get_or_init(|| self.text.parse().ok()).as_ref()
    }

    /// Whether a version lies in it; pre-releases do, and `==2.7.1` has 2.7.1+cu126.
    #[must_use]
    pub fn has(&self, version: &Version) -> bool {
        self.specifiers().is_some_and(|specifiers| specifiers.contains(version))
    }
}

impl From<String> for Range {
    fn from(text: String) -> Self {
        Self { text, parsed: Arc::default() }
    }
}

impl From<Range> for String {
    fn from(range: Range) -> Self {
        range.text
    }
}

impl Deref for Range {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl PartialEq for Range {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Range {}

#[cfg(test)]
mod tests {
    use super::Range;

    #[test]
    fn it_prints_as_written_and_has_what_it_means() {
        let range = Range::from(">= 12.8, <13".to_owned());
        assert!(range.has(&"12.8".parse().unwrap()) && !range.has(&"13.0".parse().unwrap()));
        assert_eq!(range.to_string(), ">= 12.8, <13");
        let wrong = Range::from("12.8 or newer".to_owned());
        assert!(wrong.check().is_err() && !wrong.has(&"12.8".parse().unwrap()));
    }
}
