//! Requirements and rules in, chosen builds with reasons or a proof out. Pure.
//!
//! The search is `pubgrub`'s. [`universe`] numbers the releases and builds that matter and knows why some cannot be used;
//! [`provider`] hands them to the search as two packages each (`torch`, `torch build`); [`preference`] says which is best.
//! [`nearest`] keeps what is installed wherever it can stay; [`fleet`] finds the targets that have no pins in common.
//! A failure is cut down to the fewest rules that still contradict each other ([`conflict`]), told in words ([`proof`]),
//! and followed by changes that were solved again and do work ([`action`]).

mod action;
mod ask;
mod candidates;
mod clause;
mod conflict;
mod fleet;
mod names;
mod nearest;
mod need;
mod node;
mod numbering;
mod outside;
mod preference;
mod proof;
mod provider;
mod reason;
mod request;
mod rule;
mod scope;
mod stand_in;
mod universe;
mod versions;
mod wishes;
mod words;

#[cfg(test)]
mod tests;

pub use action::{Action, Change};
pub use names::{Unknown, unknown_extras, unknown_names};
pub use need::admits_below;
pub use outside::{installed_outsiders, led_to};
pub use proof::{Proof, Step};
pub use reason::Reason;
pub use request::{AskedRequirement, FromIndex, INSTALLED, Outsider, Prefer, Request};

use crate::rules::RuleDb;
use crate::rules::model::{Build, Release};
use crate::rules::schema::KnownHow;

/// A set of builds that satisfies everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution<'db> {
    /// Sorted by name.
    pub pins: Vec<Pin<'db>>,
    /// Names that the user wrote and the rules do not cover, sorted: passed through and not judged.
    pub unchecked: Vec<String>,
    /// Covered packages that are installed, or that the user pinned, in a version that the rules do not know: taken as they are
    /// and not judged, e.g. `accelerate==0.1.0`.
    pub unlisted: Vec<String>,
    /// Packages that the rules do not cover, and to whose requirements the pins keep, e.g. `peft-extra 1.2 (installed)`.
    pub outsiders: Vec<String>,
}

/// One chosen build.
#[derive(Debug, Clone, PartialEq)]
pub struct Pin<'db> {
    /// The normalised name, e.g. `torch`.
    pub name: &'db str,
    /// The release.
    pub release: &'db Release,
    /// The build.
    pub build: &'db Build,
    /// The user asked for the build by its local label, e.g. `torch==2.7.1+cu126`: PyPI's file does not carry it, that of
    /// the variant's own index does.
    pub labelled: bool,
    /// Why it is there, and why not newer.
    pub reason: Reason,
}

impl Pin<'_> {
    /// How its requirements are known.
    #[must_use]
    pub fn requires_known(&self) -> KnownHow {
        self.release.requires_known(self.build)
    }

    /// Whether plain pip finds it.
    #[must_use]
    pub fn on_pypi(&self) -> bool {
        self.index() == candidates::PYPI
    }

    /// The index that serves it under the name that was asked for, e.g. `pypi`, `cu128`.
    #[must_use]
    pub fn index(&self) -> &str {
        match &self.build.local {
            Some(local) if self.labelled => local,
            _ => &self.build.index,
        }
    }

    /// The version that an installer must be asked for: PyPI's files carry no local label, those of variant indexes do.
    #[must_use]
    pub fn version(&self) -> String {
        if self.on_pypi() { self.release.version.to_string() } else { self.release.full_version(self.build) }
    }
}

/// Whether there is a solution, without saying which or why not.
#[must_use]
pub fn is_possible(request: &Request, db: &RuleDb) -> bool {
    nearest::best(&numbering::universe(request, db)).is_ok()
}

/// Finds builds that satisfy a request, without saying why there are none: a proof costs many searches more.
#[must_use]
pub fn solution<'db>(request: &Request, db: &'db RuleDb) -> Option<Resolution<'db>> {
    let universe = numbering::universe(request, db);
    attempt(request, &universe).ok()
}

/// Finds builds that satisfy a request, or proves that there are none.
///
/// # Errors
///
/// The proof, with the changes that would help.
pub fn solve<'db>(request: &Request, db: &'db RuleDb) -> Result<Resolution<'db>, Box<Proof>> {
    let universe = numbering::universe(request, db);
    attempt(request, &universe).map_err(|tree| fleet::disprove(request, &universe, &tree, db))
}

/// The same where nobody asks why there is no solution, which takes longer to tell than to see.
#[must_use]
pub fn possible<'db>(request: &Request, db: &'db RuleDb) -> Option<Resolution<'db>> {
    attempt(request, &numbering::universe(request, db)).ok()
}

fn attempt<'db>(request: &Request, universe: &universe::Universe<'db>) -> Result<Resolution<'db>, Box<provider::Tree>> {
    let picks = nearest::best(universe)?;
    Ok(reason::resolution(universe, &nearest::alike(request, universe, picks)))
}
