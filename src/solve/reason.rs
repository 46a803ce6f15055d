//! Why each pin is there, and why it is not newer.

use std::fmt;

use pubgrub::VersionSet;

use super::ask::NumberedRequirement;
use super::candidates::{Block, PYPI};
use super::node::Node;
use super::proof::in_short;
use super::provider::Picks;
use super::request::INSTALLED;
use super::scope::Scope;
use super::universe::Universe;
use super::versions::{ABSENT, Versions};
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
    /// The installed version, e.g. `2.7.1+cu126`, where what is installed counts.
    pub installed: Option<String>,
    /// The chosen build is the installed one.
    pub stays: bool,
    /// The targets of a fleet that it is for, where not all of them need it.
    pub only_on: Vec<String>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.requested, self.needed_by.is_empty()) {
            (true, _) => f.write_str("requested")?,
            (false, false) => write!(f, "needed by {}", crate::text::list(&self.needed_by))?,
            (false, true) if self.installed.is_some() => f.write_str("installed")?,
            (false, true) => f.write_str("needed")?,
        }
        if !self.only_on.is_empty() {
            write!(f, " on {}", crate::text::list(&self.only_on))?;
        }
        if self.stays {
            return f.write_str("; stays as it is");
        }
        if let Some(installed) = &self.installed {
            write!(f, "; was {installed}")?;
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
    for first in 0..universe.width {
        let picked: Vec<usize> = universe.kin(first).filter(|package| picks[*package].is_some()).collect();
        let Some((package, (release, build))) = picked.first().and_then(|package| Some((*package, picks[*package]?)))
        else {
            continue;
        };
        let candidates = &universe.packages[package];
        if candidates.stand_in {
            continue;
        }
        let asks = || universe.asks.iter().filter(|ask| picked.contains(&ask.package) && !ask.constraint);
        if asks().next().is_none() && picked.iter().all(|package| is_free(universe, picks, *package)) {
            continue;
        }
        let installed = universe.installed.get(candidates.name).filter(|_| !universe.wishes.is_empty());
        let full = candidates.release(release).full_version(candidates.build(build).build);
        let everywhere = picked.len() == universe.targets.len();
        let names = picked.iter().filter_map(|package| universe.target(*package).name.clone());
        let asks_label =
            universe.asks.iter().any(|ask| picked.contains(&ask.package) && ask.keeps.is_none() && ask.labelled());
        // One line for all: that of the index that the others need.
        let index = |package: &usize| {
            let build = picks[*package].map(|(_, build)| universe.packages[*package].build(build).build);
            build.is_some_and(|build| build.index != PYPI)
        };
        let elsewhere = picked.iter().any(index);
        pins.push(Pin {
            name: candidates.name,
            release: candidates.release(release),
            build: candidates.build(build).build,
            labelled: asks_label || elsewhere,
            reason: Reason {
                requested: asks().any(|ask| ask.origins.iter().any(|origin| origin != INSTALLED)),
                needed_by: needed_by(universe, picks, &picked),
                held: held(universe, picks, package, release),
                installed: installed.map(ToString::to_string),
                stays: installed.is_some_and(|installed| installed.to_string() == full),
                only_on: if everywhere { Vec::new() } else { names.collect() },
            },
        });
    }
    let asked = universe.asks.iter().filter(|ask| !ask.constraint && picks[ask.package].is_none());
    let unlisted = asked.filter_map(|ask| {
        let version = universe.unlisted(ask.package)?;
        Some(format!("{}=={version}", universe.packages[ask.package].name))
    });
    let mut unlisted: Vec<_> = unlisted.collect();
    unlisted.sort();
    unlisted.dedup();
    let (unchecked, outsiders) = (universe.unchecked.clone(), universe.outsiders.clone());
    Resolution { pins, unchecked, unlisted, outsiders }
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
    let wish = |at: &usize| universe.wishes.contains(at);
    let named = universe.asks.iter().enumerate().any(|(at, ask)| ask.package == package && !wish(&at))
        || universe.clauses.iter().any(|clause| {
            let (own, others): (Vec<_>, Vec<_>) = clause.terms.iter().partition(|(node, _)| about(node));
            !own.is_empty() && others.into_iter().all(holds)
        });
    let gpu = candidates.builds.iter().map(|candidate| candidate.build).any(Build::is_for_gpu);
    let older = candidates.package.partial;
    let any_will_do = |need: &super::need::DeclaredRequirement| {
        (need.below || !older) && candidates.releases().all(|number| need.releases.contains(&number))
    };
    !gpu && !named && demands(universe, picks, package).all(|(_, need)| any_will_do(need))
}

/// What the other picks declare of a package: the name and version of each, with the requirement and its versions.
fn demands<'u>(
    universe: &'u Universe<'_>,
    picks: &'u Picks,
    on: usize,
) -> impl Iterator<Item = (String, &'u super::need::DeclaredRequirement)> {
    let chosen = picks.iter().enumerate().filter_map(|(package, pick)| pick.map(|pick| (package, pick)));
    chosen.flat_map(move |(package, (release, build))| {
        let candidates = &universe.packages[package];
        let subject = format!("{} {}", candidates.name, candidates.release(release).version);
        let needs = universe.release_needs(package, release).iter().chain(universe.build_needs(package, build));
        needs.filter(move |need| need.on == on).map(move |need| (subject.clone(), need))
    })
}

fn needed_by(universe: &Universe<'_>, picks: &Picks, packages: &[usize]) -> Vec<String> {
    let all = packages.iter().flat_map(|package| demands(universe, picks, *package));
    let mut subjects: Vec<_> = all.map(|(subject, _)| subject).collect();
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
    let Some(usable) = newer().find(|number| universe.release_usable(package, *number, Scope::All)) else {
        let build = candidates.builds_of(newest).next()?;
        let block = universe.blocks(package, build).iter().find(|block| !matches!(block, Block::Withdrawn))?;
        return Some(format!("{} {}", candidates.release(newest).version, in_short(universe, block)));
    };
    let holds = |ask: &&NumberedRequirement| ask.releases.contains(&release) && !ask.releases.contains(&usable);
    if let Some(ask) = universe.asks.iter().find(|ask| ask.package == package && holds(ask)) {
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
