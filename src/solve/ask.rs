//! What is asked of one package: a line of the user, or a wish that may be dropped at a [`super::nearest`] cost.

use std::collections::BTreeSet;

use super::versions::Versions;
use crate::pep::VersionSpecifiers;
use crate::rules::schema::Headline;

/// One line of the user about a covered package.
#[derive(Debug, Clone)]
pub(super) struct NumberedRequirement {
    /// Its place in the universe.
    pub package: usize,
    /// E.g. `triton<3`.
    pub text: String,
    pub origins: BTreeSet<String>,
    /// The packages that declare it; empty if the user wrote it too.
    pub owners: BTreeSet<String>,
    /// It asks for the builds of a variant's index.
    pub variant: bool,
    pub constraint: bool,
    /// It is a wish: that something stays as it is installed.
    pub keeps: Option<Keeps>,
    pub specifiers: VersionSpecifiers,
    pub releases: Versions,
    pub builds: Option<Versions>,
}

/// What a wish keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// The installed release of a package.
    Release {
        /// Somebody installed it by name.
        requested: bool,
        /// What it is in the stack.
        headline: Option<Headline>,
    },
    /// That what people install for its own sake is not set back far ([`crate::rules::model::Fall`]).
    Reach,
    /// The CUDA of the stack's framework, as long as that keeps its release.
    Family,
    /// The installed build of that release.
    Build,
    /// That a package is not set back at all.
    Forward,
    /// A line of the user, which may be changed.
    Line,
}

impl NumberedRequirement {
    /// That a package, if it is there, is one of some releases and builds; nobody says why.
    pub fn new(package: usize, text: String, releases: Versions, builds: Option<Versions>) -> Self {
        Self {
            package,
            text,
            origins: BTreeSet::new(),
            owners: BTreeSet::new(),
            variant: false,
            constraint: true,
            keeps: None,
            specifiers: VersionSpecifiers::empty(),
            releases,
            builds,
        }
    }

    /// Whether the line names a build by its local label, e.g. `torch==2.7.1+cu126`.
    pub fn labelled(&self) -> bool {
        self.variant || self.specifiers.iter().any(|specifier| !specifier.version().local().is_empty())
    }
}
