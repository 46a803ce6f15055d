//! A requirement as a row has it, e.g. `triton>=3.2`.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, OnceLock};

use pep440_rs::VersionSpecifiers;
use pep508_rs::{Requirement, VerbatimUrl, VersionOrUrl};
use serde::{Deserialize, Serialize};

use super::page::requirement;

/// The text, which is what is printed, and what it means, parsed when it is first asked for, and once for all copies; see [`super::Range`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Line {
    text: String,
    parsed: Arc<OnceLock<Option<Requirement<VerbatimUrl>>>>,
}

/// What a bare name admits.
static ANY: LazyLock<VersionSpecifiers> = LazyLock::new(VersionSpecifiers::empty);

impl Line {
    /// Checks a row, at build time.
    ///
    /// # Errors
    ///
    /// When the text is no PEP 508 requirement.
    pub fn check(&self) -> Result<Requirement<VerbatimUrl>, String> {
        requirement(&self.text)
    }

    /// What it means; none where nobody checked the row and it means nothing.
    #[must_use]
    pub fn requirement(&self) -> Option<&Requirement<VerbatimUrl>> {
        self.parsed.get_or_init(|| self.text.parse().ok()).as_ref()
    }

    /// The normalised name, e.g. `flash-attn`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        Some(self.requirement()?.name.as_ref())
    }

    /// The versions that it admits; none for a URL, which stands for itself.
    #[must_use]
    pub fn range(&self) -> Option<&VersionSpecifiers> {
        match &self.requirement()?.version_or_url {
            None => Some(&ANY),
            Some(VersionOrUrl::VersionSpecifier(range)) => Some(range),
            Some(VersionOrUrl::Url(_)) => None,
        }
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self { text, parsed: Arc::default() }
    }
}

impl From<Line> for String {
    fn from(line: Line) -> Self {
        line.text
    }
}

impl Deref for Line {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Line {}

#[cfg(test)]
mod tests {
    use super::{Line, VersionSpecifiers};

    #[test]
    fn it_prints_as_written_and_is_about_its_package() {
        let line = Line::from("Flash_Attn >=2.6".to_owned());
        assert_eq!((line.name(), &*line), (Some("flash-attn"), "Flash_Attn >=2.6"));
        assert!(line.range().is_some_and(|range| range.contains(&"2.6.3".parse().unwrap())));
        let bare = Line::from("torch".to_owned());
        assert!(bare.range().is_some_and(VersionSpecifiers::is_empty));
        let wrong = Line::from("torch >".to_owned());
        assert!(wrong.check().is_err() && wrong.requirement().is_none());
    }
}
