//! Which additions does anybody need?
//!
//! The solver goes by the rules' row of a release. What an installed distribution declares itself is stronger: a package that
//! only the row asks for is not added to an environment that does without it. Nor is what a report leaves out taken for absent,
//! where something on its list needs it.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::Facts;
use crate::rules::Target;
use crate::rules::requirement::{applies, markers, name_of, normalise, parse};
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
    if added.is_empty() {
        return BTreeSet::new();
    }
    let about = |line: &&String| added.contains_key(normalise(name_of(line)).as_str());
    let metadata = || facts.active_distributions().filter_map(|it| it.metadata.value());
    let with_extras = metadata().flat_map(|it| &it.requires).filter(|line| line.contains('['));
    let with_extras: BTreeSet<String> = with_extras.map(|line| normalise(name_of(line))).collect();
    for distribution in facts.active_distributions().filter(|it| changed.iter().all(|pin| pin.name != it.name)) {
        // What a list in part leaves out is there where something that stays needs it.
        if !facts.lists_all() {
            continue;
        }
        // Without its own metadata the row is all there is.
        let Some(metadata) = distribution.metadata.value() else { return BTreeSet::new() };
        let lines: Vec<String> = metadata.requires.iter().filter(about).cloned().collect();
        queue.extend(names(&lines));
        if with_extras.contains(&distribution.name) {
            queue.extend(lines.iter().filter(|line| line.contains("extra")).map(|line| normalise(name_of(line))));
        }
    }
    while let Some(name) = queue.pop() {
        if let Some(pin) = added.remove(name.as_str()) {
            queue.extend(of_row(pin));
        }
    }
    added.into_keys().collect()
}
