//! Releases that are known to fail beside what the same files decide: `bitsandbytes` 0.44 beside triton 3.2.

use std::collections::BTreeMap;

use super::view::{View, marker_environment};
use crate::pep::{Operator, Version, VersionSpecifier, VersionSpecifiers, only_pin};
use crate::rules::Target;
use crate::rules::advisory::{Environment, holds};
use crate::rules::requirement::{parse, satisfied, specifiers};
use crate::rules::schema::{Advisory, Condition, Level, Line};
use crate::text::list;

/// The packages whose release the files leave no choice of: pins, and what pinned packages pin in turn.
pub fn decided(view: &View<'_>, target: &Target) -> BTreeMap<String, Version> {
    let mut found = BTreeMap::new();
    let mut waiting: Vec<(String, Version)> = Vec::new();
    for line in view.applying(target) {
        let Some(range) = specifiers(&line.requirement) else { continue };
        let pin = only_pin(&range).cloned();
        if let Some(version) = pin.or_else(|| only(view, &line.name, &range)) {
            waiting.push((line.name.clone(), version));
        }
    }
    let environment = marker_environment(target);
    while let Some((name, version)) = waiting.pop() {
        let package = view.db.package(&name);
        let plain = version.clone().without_local();
        let release = package.and_then(|package| package.releases.iter().find(|release| release.version == plain));
        if found.insert(name, version).is_some() {
            continue;
        }
        let Some(release) = release else { continue };
        for wanted in release.requires.iter().filter_map(|line| parse(line).ok()) {
            let holds = environment.as_ref().is_some_and(|environment| wanted.marker.evaluate(environment, &[]));
            let range = specifiers(&wanted).filter(|_| holds);
            if let Some(version) = range.as_ref().and_then(only_pin)
                && !found.contains_key(wanted.name.as_ref())
            {
                waiting.push((wanted.name.to_string(), version.clone()));
            }
        }
    }
    found
}

/// The release that alone lies in a range with an upper bound: newer ones than the rules know do not.
fn only(view: &View<'_>, name: &str, range: &VersionSpecifiers) -> Option<Version> {
    use Operator::{EqualStar, LessThan, LessThanEqual, TildeEqual};
    let is_bound = |one: &VersionSpecifier| matches!(one.operator(), LessThan | LessThanEqual | EqualStar | TildeEqual);
    range.iter().any(is_bound).then_some(())?;
    let releases = view.db.package(name)?.releases.iter();
    let final_ones = releases.filter(|release| !release.yanked && !release.version.any_prerelease());
    let mut admitted = final_ones.filter(|release| satisfied(range, &release.version));
    let one = admitted.next()?;
    admitted.next().is_none().then(|| one.version.clone())
}

/// Releases of one package that an advisory says fail beside what is decided.
pub struct Clash {
    range: VersionSpecifiers,
    /// E.g. `triton 3.2.0`.
    pub beside: String,
    /// The advisory.
    pub why: String,
}

impl Clash {
    /// The clash of a release, if it has one.
    pub fn of<'c>(all: &'c [Self], version: &Version) -> Option<&'c Self> {
        all.iter().find(|clash| satisfied(&clash.range, version))
    }
}

/// What advisories say of a package beside what is decided.
pub fn clashes(view: &View<'_>, target: &Target, decided: &BTreeMap<String, Version>, name: &str) -> Vec<Clash> {
    let installed = |other: &str| decided.get(other).cloned();
    let environment = Environment { installed: &installed, cuda: None, target, workload: &[], messages: &[] };
    let certain = |advisory: &&Advisory| advisory.severity == Level::Fail && !advisory.needs_symptom;
    let mut found = Vec::new();
    for advisory in view.db.advisories().filter(certain) {
        // What else is installed nobody knows, so that nothing is known to be absent.
        let possible = advisory.when.iter().filter(|when| {
            when.absent.is_empty()
                && when.installed.len() > 1
                && when.installed.iter().any(|line| line.starts_with(name))
        });
        for when in possible {
            let (own, others): (Vec<_>, Vec<_>) =
                when.installed.iter().cloned().partition(|line| line.name() == Some(name));
            let Some(range) = own.first().and_then(Line::range).cloned() else { continue };
            let Some(hit) = holds(&Condition { installed: others, ..when.clone() }, &environment) else { continue };
            let beside: Vec<_> = hit.installed.iter().map(|(other, version, _)| format!("{other} {version}")).collect();
            let why = format!("{}: {}", advisory.id, advisory.title);
            found.push(Clash { range, beside: list(&beside), why });
        }
    }
    found
}
