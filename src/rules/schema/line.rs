//! A requirement as a row has it, e.g. `triton>=3.2`.

use std::sync::LazyLock;

use super::page::requirement;
use super::parsed::Parsed;
use crate::pep::{Requirement, VersionOrUrl, VersionSpecifiers};

/// The text and the requirement that it is.
pub type Line = Parsed<Requirement>;

/// What a bare name admits.
static ANY: LazyLock<VersionSpecifiers> = LazyLock::new(VersionSpecifiers::empty);

impl Line {
    /// Checks a row, at build time.
    ///
    /// # Errors
    ///
    /// When the text is no PEP 508 requirement.
    pub fn check(&self) -> Result<Requirement, String> {
        requirement(&self.text)
    }

    /// What it means; none where nobody checked the row and it means nothing.
    #[must_use]
    pub fn requirement(&self) -> Option<&Requirement> {
        self.meaning()
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
