use std::fmt;
use std::ops::Bound;

use pubgrub::{Ranges, VersionSet};

/// A set of version numbers. Numbers are places in a sorted list, so runs are whole and each set has one form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Versions(Ranges<u32>);

/// The number that stands for "not installed": below every real one.
pub(super) const ABSENT: u32 = 0;

/// The number of a release that the rules do not know, and that is installed or pinned by the user: above every real one.
/// What it needs is not known, so that it is never pinned, and the answer says so.
pub(super) const UNLISTED: u32 = u32::MAX - 1;

impl Versions {
    /// The set of these numbers, which ascend.
    pub fn of(numbers: impl IntoIterator<Item = u32>) -> Self {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for number in numbers {
            match runs.last_mut() {
                Some((_, end)) if *end == number => *end = number + 1,
                _ => runs.push((number, number + 1)),
            }
        }
        Self(runs.into_iter().map(|(start, end)| (Bound::Included(start), Bound::Excluded(end))).collect())
    }

    /// The one number in the set.
    pub fn only(&self) -> Option<u32> {
        let mut bounds = self.0.iter();
        match (bounds.next(), bounds.next()) {
            (Some((Bound::Included(start), Bound::Excluded(end))), None) if *end == start + 1 => Some(*start),
            _ => None,
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl VersionSet for Versions {
    type V = u32;

    fn empty() -> Self {
        Self(Ranges::empty())
    }

    fn singleton(number: u32) -> Self {
        Self(Ranges::between(number, number + 1))
    }

    fn complement(&self) -> Self {
        Self(self.0.complement())
    }

    fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0))
    }

    fn contains(&self, number: &u32) -> bool {
        self.0.contains(number)
    }

    fn full() -> Self {
        Self(Ranges::full())
    }

    fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0))
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        self.0.is_disjoint(&other.0)
    }

    fn subset_of(&self, other: &Self) -> bool {
        self.0.subset_of(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sets_are_equal_values() {
        let built = Versions::of([1, 2, 3]);
        let joined = Versions::singleton(1).union(&Versions::of([2, 3]));
        assert_eq!(built, joined);
        assert_eq!(built.complement().complement(), built);
        assert_eq!(Versions::of([4]).only(), Some(4));
        assert_eq!(built.only(), None);
        assert_eq!(Versions::of([ABSENT]).complement().intersection(&Versions::of([0, 1])), Versions::of([1]));
    }
}
