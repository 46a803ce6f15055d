//! Packages that the rules do not cover: what the release that is installed, or that an index has, declares of covered ones.

use std::collections::{BTreeMap, BTreeSet};

use super::request::{AskedRequirement, Outsider, Request};
use crate::pep::ExtraName;
use crate::rules::requirement::{self, applies, markers, satisfied};
use crate::rules::{RuleDb, Target};

/// What packages outside the rules add to a request.
#[derive(Debug, Default)]
pub(super) struct Outside {
    /// Their requirements on covered packages.
    pub asked: Vec<AskedRequirement>,
    /// Those that were read and were asked for or declare something of covered packages, e.g. `peft-extra 1.2.0 (installed)`.
    pub read: BTreeSet<String>,
    /// Names of those that were asked for and not read.
    pub unread: BTreeSet<String>,
}

/// Follows the requirements of packages outside the rules until they reach covered ones.
pub(super) fn outside(request: &Request, active: &dyn Fn(&AskedRequirement) -> bool, db: &RuleDb) -> Outside {
    let mut waiting: Vec<AskedRequirement> =
        request.requirements.iter().filter(|asked| active(asked)).cloned().collect();
    waiting.extend(
        request
            .constraints
            .iter()
            .filter(|asked| active(asked) && requirement::specifiers(&asked.requirement).is_none())
            .cloned(),
    );
    follow(waiting, &request.outsiders, active, db)
}

/// The requirements on covered packages that a line about one outside the rules leads to on a target; none where its Python or
/// platform is not known.
#[must_use]
pub fn led_to(
    asked: &AskedRequirement,
    outsiders: &BTreeMap<String, Outsider>,
    target: &Target,
    db: &RuleDb,
) -> Vec<AskedRequirement> {
    let Some(environment) = markers(target) else { return Vec::new() };
    follow(vec![asked.clone()], outsiders, &|asked| applies(&asked.requirement, &environment, &[]), db).asked
}

fn follow(
    mut waiting: Vec<AskedRequirement>,
    outsiders: &BTreeMap<String, Outsider>,
    active: &dyn Fn(&AskedRequirement) -> bool,
    db: &RuleDb,
) -> Outside {
    let mut found = Outside::default();
    let mut seen: BTreeSet<(String, Vec<ExtraName>)> = BTreeSet::new();
    while let Some(asked) = waiting.pop() {
        let name = asked.requirement.name.as_ref();
        let specifiers = requirement::specifiers(&asked.requirement);
        if db.package(name).is_some() && specifiers.is_some() {
            if asked.on_behalf_of.is_some() {
                found.asked.push(asked);
            }
            continue;
        }
        let fits = |outsider: &&Outsider| specifiers.as_ref().is_some_and(|it| satisfied(it, &outsider.version));
        let Some(outsider) = outsiders.get(name).filter(fits) else {
            if asked.on_behalf_of.is_none() {
                found.unread.insert(name.to_owned());
            }
            continue;
        };
        let title = format!("{name} {} ({})", outsider.version, outsider.known_from);
        let mut says = asked.on_behalf_of.is_none();
        if seen.insert((name.to_owned(), asked.requirement.extras.clone())) {
            for line in &outsider.requires {
                let Ok(mut wanted) = requirement::parse(line) else { continue };
                wanted.marker = wanted.marker.simplify_extras(&asked.requirement.extras);
                says |= db.package(wanted.name.as_ref()).is_some();
                let next = AskedRequirement {
                    requirement: wanted,
                    origin: title.clone(),
                    on_behalf_of: Some(name.to_owned()),
                };
                if active(&next) {
                    waiting.push(next);
                }
            }
        }
        if says {
            found.read.insert(title);
        }
    }
    found
}

/// Installed distributions by name, as [`Request::outsiders`]: those that the rules do not cover.
#[must_use]
pub fn installed_outsiders(facts: &crate::facts::Facts, db: &RuleDb) -> BTreeMap<String, Outsider> {
    let distributions = facts.active_distributions().filter(|distribution| db.package(&distribution.name).is_none());
    let outsiders = distributions.filter_map(|distribution| {
        let version = distribution.stated_version()?;
        let requires = distribution.metadata.value()?.requires.clone();
        Some((distribution.name.clone(), Outsider { version, known_from: "installed".to_owned(), requires }))
    });
    outsiders.collect()
}
