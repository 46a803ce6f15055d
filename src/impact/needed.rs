//! Which additions does anybody need?
//!
//! The solver goes by the rules' row of a release. What an installed distribution declares itself is stronger: a package that
//! only the row asks for is not added to an environment that does without it.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::Facts;
use crate::rules::Target;
use crate::rules::requirement::{applies, markers, normalise, parse};
use crate::solve::Pin;

/// The additions among changed pins that nobody needs: neither what is asked for, nor what stays by its own metadata, nor what
/// else changes.
pub(super) fn needless<'p>(facts: &Facts, changed: &[&Pin<'p>], wanted: &[&str], target: &Target) -> BTreeSet<&'p str> {
    let Some(environment) = markers(target) else { return BTreeSet::new() };
    let names = |lines: &[String]| -> Vec<String> {
        let lines = lines.iter().filter_map(|line| parse(line).ok());
        lines.filter(|line| applies(line, &environment, &[])).map(|line| normalise(line.name.as_ref())).collect()
    };
    let mut added: BTreeMap<&str, &Pin<'p>> = BTreeMap::new();
    let mut queue: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
    let of_row = |pin: &Pin<'p>| [names(&pin.release.requires), names(&pin.build.requires)].concat();
    for pin in changed {
        match facts.distribution(pin.name) {
            Some(_) => queue.extend(of_row(pin)),
            None => drop(added.insert(pin.name, pin)),
        }
    }
    for distribution in facts.active_distributions().filter(|it| changed.iter().all(|pin| pin.name != it.name)) {
        // Without its own metadata the row is all there is.
        let Some(metadata) = distribution.metadata.value() else { return BTreeSet::new() };
        queue.extend(names(&metadata.requires));
        let extras = metadata.requires.iter().filter(|line| line.contains("extra")).filter_map(|line| parse(line).ok());
        let asked =
            |name: &str| {
                facts.active_distributions().filter_map(|it| it.metadata.value()).flat_map(|it| &it.requires).any(
                    |line| line.contains('[') && parse(line).is_ok_and(|line| normalise(line.name.as_ref()) == name),
                )
            };
        if asked(&distribution.name) {
            queue.extend(extras.map(|line| normalise(line.name.as_ref())));
        }
    }
    while let Some(name) = queue.pop() {
        if let Some(pin) = added.remove(name.as_str()) {
            queue.extend(of_row(pin));
        }
    }
    added.into_keys().collect()
}
