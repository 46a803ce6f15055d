//! Versions as a row has them: PEP 440 specifiers, e.g. `>=12.8,<13`.

use super::fault::{Fault, specifiers};
use super::parsed::Parsed;
use crate::pep::{Version, VersionSpecifiers};

/// The text and the versions that it admits.
pub type Range = Parsed<VersionSpecifiers>;

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
        self.meaning()
    }

    /// Whether a version lies in it; pre-releases do, and `==2.7.1` has 2.7.1+cu126.
    #[must_use]
    pub fn has(&self, version: &Version) -> bool {
        self.specifiers().is_some_and(|specifiers| specifiers.contains(version))
    }
}

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
