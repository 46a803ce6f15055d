//! What a release or a build declares of another package, as versions of the solver.

use pubgrub::{Ranges, VersionSet};

use super::versions::Versions;
use crate::pep::{MarkerTree, Version, VersionSpecifiers, release_specifiers_to_ranges};

/// What a release or build declares of a covered package.
#[derive(Debug, Clone)]
pub(super) struct DeclaredRequirement {
    pub on: usize,
    /// E.g. `triton==3.2.0`.
    pub text: String,
    /// Releases older than those that the rules know may meet it.
    pub below: bool,
    pub releases: Versions,
    pub builds: Option<Versions>,
    /// When it holds, on a target of which not enough is known to tell.
    pub when: Option<MarkerTree>,
}

impl DeclaredRequirement {
    /// Whether it never holds along with another on the same package: `sympy==1.12.1; python_version < "3.9"` and
    /// `sympy==1.13.1; python_version >= "3.9"`, of which one holds whatever the Python is.
    pub fn excludes(&self, other: &Self) -> bool {
        let apart = |one: &MarkerTree, two: &MarkerTree| one.is_disjoint(two);
        let plain = self.builds.is_none() && other.builds.is_none();
        self.on == other.on && plain && self.when.as_ref().zip(other.when.as_ref()).is_some_and(|(a, b)| apart(a, b))
    }

    /// Has it met by what meets the other, too.
    pub fn or(&mut self, other: Self) {
        if self.text != other.text {
            self.text = format!("{} or {}", self.text, other.text);
        }
        self.below |= other.below;
        self.releases = self.releases.union(&other.releases);
        if let (Some(when), Some(more)) = (&mut self.when, other.when) {
            when.or(more);
        }
    }
}

/// Whether a range admits versions older than one: `>=40.8` does where 60.0 is the first that the rules know.
#[must_use]
pub fn admits_below(specifiers: &VersionSpecifiers, first: &Version) -> bool {
    !release_specifiers_to_ranges(specifiers.clone()).is_disjoint(&Ranges::strictly_lower_than(first.clone()))
}
