//! What the search decides about, and what must not all be chosen.

use std::fmt;

use super::versions::Versions;
use crate::rules::schema::Advisory;

/// The package whose CUDA decides which library a wheel with several of them loads (`LibraryPick`), and with whose libraries
/// extensions are linked.
pub(super) use crate::facts::TORCH;

/// What the search decides about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Node {
    /// The request itself.
    Root,
    /// A line of the user.
    Ask(usize),
    /// The release of a package, or that it is absent.
    Release(usize),
    /// The build of a package, or that it is absent.
    Build(usize),
    /// Which term of a clause with three or more does not hold.
    Choice(usize),
    /// The release of a package on all targets that have it, by place on the first.
    SharedRelease(usize),
    /// The line of the constraints file about a package, by place on the first target.
    SharedBuild(usize),
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Versions that must not all be chosen.
#[derive(Debug, Clone)]
pub(super) struct Clause<'a> {
    /// The advisory that says so.
    pub advisory: &'a Advisory,
    /// At least one; all about different nodes.
    pub terms: Vec<(Node, Versions)>,
}
