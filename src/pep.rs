//! Versions and requirements as Python has them, by PEP 440 and PEP 508: the one file that knows the crates behind them.
//!
//! A requirement keeps its name on its way from a file to the solver, and each step that adds something is a type: a
//! [`Requirement`] is one line, `torch>=2.6; python_version > "3.9"`; a `WrittenRequirement` has its place in a file, a
//! `GivenRequirement` is what files and command line ask for together, an `AskedRequirement` is asked of the solver for somebody, a
//! `NumberedRequirement` is that in the solver's releases and builds, and a `DeclaredRequirement` what a release says of another
//! package in the same way.

pub use pep440_rs::{
    Operator, Version, VersionParseError, VersionSpecifier, VersionSpecifiers, release_specifiers_to_ranges,
};
pub use pep508_rs::{
    ExtraName, ExtraOperator, MarkerEnvironment, MarkerEnvironmentBuilder, MarkerExpression, MarkerOperator,
    MarkerTree, MarkerValueExtra, MarkerValueString, PackageName, VerbatimUrl, VersionOrUrl,
};

/// A requirement as metadata and users write it, e.g. `triton==3.3.1; platform_system == "Linux"`.
pub type Requirement = pep508_rs::Requirement<VerbatimUrl>;

/// Whether it names one version: `==3.3.1` and `===3.3.1`, not `==3.3.*`.
#[must_use]
pub fn is_exact(specifier: &VersionSpecifier) -> bool {
    matches!(specifier.operator(), Operator::Equal | Operator::ExactEqual)
}

/// Whether it names one version or one line of releases: `==3.3.1`, `==3.3.*`.
#[must_use]
pub fn is_line(specifier: &VersionSpecifier) -> bool {
    is_exact(specifier) || *specifier.operator() == Operator::EqualStar
}

/// The version that a range pins, whatever else it says: 3.3.1 of `>=3,==3.3.1`.
#[must_use]
pub fn pinned(range: &VersionSpecifiers) -> Option<&Version> {
    range.iter().find(|specifier| is_exact(specifier)).map(VersionSpecifier::version)
}

/// The version of a range that is a pin and nothing else: 3.3.1 of `==3.3.1`.
#[must_use]
pub fn only_pin(range: &VersionSpecifiers) -> Option<&Version> {
    pinned(range).filter(|_| range.len() == 1)
}

/// What stands behind a name, read: `==3.3.1`, `<3,>=2; python_version > "3.9"`; nothing where it is no range.
#[must_use]
pub fn read_range(text: &str) -> VersionSpecifiers {
    text.split(';').next().and_then(|range| range.trim().parse().ok()).unwrap_or_default()
}

/// The name and the version of a pin as commands and plans write it: `torch==2.7.1+cu128`; none of a range, nor of `torch==2.7.*`.
#[must_use]
pub fn read_pin(line: &str) -> Option<(&str, Version)> {
    let (name, version) = line.split_once("==")?;
    Some((name.trim(), version.trim_start_matches('=').parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_names_one_version() {
        let of = |text: &str| {
            let range: VersionSpecifiers = text.parse().expect("specifiers");
            let text = |version: Option<&Version>| version.map(ToString::to_string);
            (text(pinned(&range)), text(only_pin(&range)), range.iter().any(is_line))
        };
        let version = || Some("3.3.1".to_owned());
        assert_eq!(of("==3.3.1"), (version(), version(), true));
        assert_eq!(of("===3.3.1"), (version(), version(), true));
        assert_eq!(of(">=3,==3.3.1"), (version(), None, true));
        assert_eq!(of("==3.3.*"), (None, None, true));
        assert_eq!(of(">=3.3.1"), (None, None, false));
        assert_eq!(
            read_pin("torch==2.7.1+cu128").map(|(name, it)| format!("{name} {it}")).as_deref(),
            Some("torch 2.7.1+cu128")
        );
        assert_eq!(read_pin("torch==2.7.*").or(read_pin("torch>=2")), None);
    }
}
