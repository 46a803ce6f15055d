//! Why each pin is there, and why it is not newer.

use std::fmt;

use pubgrub::VersionSet;

use super::proof::in_short;
use super::provider::{Node, Picks};
use super::universe::{Block, Universe};
use super::versions::{ABSENT, UNLISTED, Versions};
use super::{Pin, Resolution};
use crate::rules::model::Build;

/// Why a package is pinned as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reason {
    /// The user asked for it.
    pub requested: bool,
    /// What needs it, e.g. `torch 2.7.1`, sorted.
    pub needed_by: Vec<String>,
    /// Why it is not newer, e.g. `torch 2.7.1 needs triton==3.3.1`; none where it is the newest or nothing simple holds it.
    pub held: Option<String>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.requested, self.needed_by.is_empty()) {
            (true, _) => f.write_str("requested")?,
            (false, false) => write!(f, "needed by {}", crate::text::list(&self.needed_by))?,
            (false, true) => f.write_str("needed")?,
        }
        match &self.held {
            Some(held) => write!(f, "; not newer: {held}"),
            None => Ok(()),
        }
    }
}

/// The picks as pins with their reasons.
pub(super) fn resolution<'a>(universe: &Universe<'a>, picks: &Picks) -> Resolution<'a> {
    let mut pins = Vec::new();
    for (package, pick) in picks.iter().enumerate() {
        let Some((release, build)) = *pick else { continue };
        let candidates = &universe.packages[package];
        let asked = |ask: &super::universe::Ask| ask.package == package && !ask.constraint;
        if !universe.asks.iter().any(asked) && is_free(universe, picks, package) {
            continue;
        }
        pins.push(Pin {
            name: candidates.name,
            release: candidates.release(release),
            build: candidates.build(build).build,
            labelled: universe.asks.iter().any(|ask| ask.package == package && ask.labelled()),
            reason: Reason {
                requested: universe.asks.iter().any(asked),
                needed_by: needed_by(universe, picks, package),
                held: held(universe, picks, package, release),
            },
        });
    }
    // Asked for in a version that the rules do not know.
    let asked = universe.asks.iter().filter(|ask| !ask.constraint && picks[ask.package].is_none());
    let mut unchecked = universe.unchecked.clone();
    unchecked.extend(asked.map(|ask| universe.packages[ask.package].name.to_owned()));
    unchecked.sort();
    unchecked.dedup();
    Resolution { pins, unchecked }
}

/// Whether a package without GPU code, such as setuptools, is best left to the installer: every release that the rules know
/// will do for what needs it, and no rule speaks of it.
fn is_free(universe: &Universe<'_>, picks: &Picks, package: usize) -> bool {
    let candidates = &universe.packages[package];
    let about = |node: &Node| matches!(node, Node::Release(of) | Node::Build(of) if *of == package);
    // An advisory speaks of it only if all else that it names is picked.
    let holds = |(node, versions): &(Node, Versions)| match *node {
        Node::Release(of) => versions.contains(&picks[of].map_or(ABSENT, |(release, _)| release)),
        Node::Build(of) => versions.contains(&picks[of].map_or(ABSENT, |(_, build)| build)),
        _ => true,
    };
    let named = universe.asks.iter().any(|ask| ask.package == package)
        || universe.clauses.iter().any(|clause| {
            let (own, others): (Vec<_>, Vec<_>) = clause.terms.iter().partition(|(node, _)| about(node));
            !own.is_empty() && others.into_iter().all(holds)
        });
    let gpu = candidates.builds.iter().map(|candidate| candidate.build).any(Build::is_for_gpu);
    let older = candidates.package.partial.then_some(UNLISTED);
    let any_will_do =
        |need: &super::universe::Need| candidates.releases().chain(older).all(|number| need.releases.contains(&number));
    !gpu && !named && demands(universe, picks, package).all(|(_, need)| any_will_do(need))
}

/// What the other picks declare of a package: the name and version of each, with the requirement and its versions.
fn demands<'u>(
    universe: &'u Universe<'_>,
    picks: &'u Picks,
    on: usize,
) -> impl Iterator<Item = (String, &'u super::universe::Need)> {
    let chosen = picks.iter().enumerate().filter_map(|(package, pick)| pick.map(|pick| (package, pick)));
    chosen.flat_map(move |(package, (release, build))| {
        let candidates = &universe.packages[package];
        let subject = format!("{} {}", candidates.name, candidates.release(release).version);
        let needs = universe.release_needs(package, release).iter().chain(universe.build_needs(package, build));
        needs.filter(move |need| need.on == on).map(move |need| (subject.clone(), need))
    })
}

fn needed_by(universe: &Universe<'_>, picks: &Picks, package: usize) -> Vec<String> {
    let mut subjects: Vec<_> = demands(universe, picks, package).map(|(subject, _)| subject).collect();
    subjects.sort();
    subjects.dedup();
    subjects
}

fn held(universe: &Universe<'_>, picks: &Picks, package: usize, release: u32) -> Option<String> {
    let candidates = &universe.packages[package];
    let ordinary = |number: u32| {
        let release = candidates.release(number);
        !release.yanked && !release.version.any_prerelease()
    };
    let newer = || (release + 1..candidates.releases().end).rev().filter(|number| ordinary(*number));
    let newest = newer().next()?;
    let Some(usable) = newer().find(|number| universe.release_usable(package, *number, None)) else {
        let build = candidates.builds_of(newest).next()?;
        let block = universe.blocks(package, build).iter().find(|block| !matches!(block, Block::Withdrawn))?;
        return Some(format!("{} {}", candidates.release(newest).version, in_short(universe, block)));
    };
    if let Some(ask) = universe.asks.iter().find(|ask| ask.package == package && !ask.releases.contains(&usable)) {
        let origins: Vec<_> = ask.origins.iter().map(String::as_str).collect();
        return Some(format!("`{}` ({})", ask.text, crate::text::list(&origins)));
    }
    if let Some((subject, need)) = demands(universe, picks, package).find(|(_, need)| !need.releases.contains(&usable))
    {
        return Some(format!("{subject} needs `{}`", need.text));
    }
    universe.release_needs(package, usable).iter().find_map(|need| {
        let ask =
            universe.asks.iter().find(|ask| ask.package == need.on && ask.releases.is_disjoint(&need.releases))?;
        Some(format!("{} needs `{}`, against `{}`", candidates.release(usable).version, need.text, ask.text))
    })
}
