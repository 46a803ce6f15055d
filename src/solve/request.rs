use std::collections::{BTreeMap, BTreeSet};

use crate::pep::{Requirement, Version};
use crate::rules::Target;

/// What is asked of the solver.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The machine and interpreter.
    pub target: Target,
    /// Further machines of a fleet, for which the same pins must do.
    pub beside: Vec<Target>,
    /// What must be installed.
    pub requirements: Vec<AskedRequirement>,
    /// What must hold of a package if it is installed.
    pub constraints: Vec<AskedRequirement>,
    /// Packages of which only the user's own lines count, whatever others declare of them.
    pub overrides: Vec<String>,
    /// Packages that must come from one index.
    pub from_index: Vec<FromIndex>,
    /// What is installed now, with local labels, for [`Prefer::Installed`] and [`Self::keep`].
    pub installed: BTreeMap<String, Version>,
    /// Names of installed packages that somebody installed by name, not only because another needs them.
    pub requested: BTreeSet<String>,
    /// Names of packages whose installed build the checks found unfit here, whatever the rules say of it.
    pub refused: BTreeSet<String>,
    /// What is known of packages that the rules do not cover, by normalised name.
    pub outsiders: BTreeMap<String, Outsider>,
    /// Names of installed packages that must stay as they are.
    pub keep: Vec<String>,
    /// Which of several solutions.
    pub prefer: Prefer,
}

/// An index that packages must come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromIndex {
    /// The normalised name, e.g. `torch`; none for every package that the index serves.
    pub package: Option<String>,
    /// The index by the name that the rules give it, e.g. `cu128`.
    pub index: String,
    /// Where it stands, e.g. `pyproject.toml:12`.
    pub origin: String,
}

/// A line that the user wrote.
#[derive(Debug, Clone)]
pub struct AskedRequirement {
    /// The parsed line.
    pub requirement: Requirement,
    /// Where it stands, e.g. `command line` or `req.in:3`.
    pub origin: String,
    /// The package that declares it, if it is not the user's own line.
    pub on_behalf_of: Option<String>,
}

/// The origin of what is asked only because it is installed.
pub const INSTALLED: &str = "installed";

impl AskedRequirement {
    /// A line of the user.
    #[must_use]
    pub fn new(requirement: Requirement, origin: impl Into<String>) -> Self {
        Self { requirement, origin: origin.into(), on_behalf_of: None }
    }
}

/// Which of several solutions is best.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Prefer {
    /// The newest final release.
    #[default]
    Newest,
    /// The smallest change: anchors keep their release (installed by name, then by role in the stack), then as few as can be
    /// change release, then build; same CUDA; the least distance in minor releases.
    Installed,
    /// The oldest release.
    Lowest,
}

/// A release of a package that the rules do not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outsider {
    /// E.g. `1.2.0`.
    pub version: Version,
    /// Who says so: `installed`, or the index.
    pub known_from: String,
    /// Its `Requires-Dist` lines.
    pub requires: Vec<String>,
}
