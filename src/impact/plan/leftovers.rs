//! What the solver's choice leaves behind: distributions that it did not choose, and that somebody requires otherwise than they
//! will be.

use std::collections::{BTreeMap, BTreeSet};

use super::ranges::{bounded, tight};
use super::{Draft, family};
use crate::facts::{Distribution, Facts, Origin};
use crate::pep::VersionSpecifiers;
use crate::rules::Target;
use crate::rules::requirement::{self, markers, normalise, satisfied, specifiers, surely_applies};
use crate::rules::role::is_runtime_wheel;

impl Draft<'_> {
    /// Distributions that no solver chose and that somebody requires otherwise than they will be: in the range that all agree on,
    /// and a half-upgraded family in one release.
    ///
    /// What one of these requires itself, its next version may not.
    pub(super) fn leftovers(&mut self) {
        let now = self.now();
        let family = family::to_one_release(&now, self.db);
        let mut moving: BTreeSet<String> = family.keys().cloned().collect();
        let lines = loop {
            let mut wanted = self.unmet(&now, &moving);
            wanted.retain(|name, _| !family.contains_key(name));
            let names: BTreeSet<String> =
                wanted.keys().filter(|name| now.distribution(name).is_some()).cloned().collect();
            if names.is_subset(&moving) {
                break wanted.into_iter().filter_map(|(name, range)| Some(format!("{name}{}", tight(&range)?)));
            }
            moving.extend(names);
        };
        // What moves with it has its own say then.
        let without = |name: &str| {
            moving.iter().filter(|other| *other != name).fold(now.clone(), |mut facts, other| {
                facts.distributions.retain(|it| it.name != *other);
                facts
            })
        };
        let lines = lines.filter_map(|line| {
            bounded(&line, &without(&normalise(requirement::name_of(&line))), self.db, self.workload)
        });
        let mut lines: Vec<String> = lines.collect();
        lines.extend(family.iter().map(|(name, range)| format!("{name}{range}")));
        if lines.is_empty() {
            return;
        }
        lines.sort();
        // What the members of a family require in another release, nobody read.
        self.known &= family.is_empty();
        self.also_install(lines.clone(), lines, None);
    }

    /// What the rules do not cover and is not as those require it that do not move themselves: the range of all of them.
    fn unmet(&self, now: &Facts, moving: &BTreeSet<String>) -> BTreeMap<String, VersionSpecifiers> {
        let environment = markers(&Target::to_plan_for(now, self.db));
        let active = |line: &crate::pep::Requirement| surely_applies(line, environment.as_ref(), &[]);
        let mut wanted: BTreeMap<String, (VersionSpecifiers, bool)> = BTreeMap::new();
        for distribution in now.active_distributions().filter(|it| !moving.contains(&it.name)) {
            let Some(metadata) = distribution.metadata.value() else { continue };
            for line in &metadata.requires {
                let Ok(parsed) = requirement::parse(line) else { continue };
                let name = normalise(parsed.name.as_ref());
                let Some(range) = specifiers(&parsed).filter(|_| active(&parsed)) else { continue };
                if self.db.package(&name).is_some() && !is_runtime_wheel(&name) {
                    continue;
                }
                let other = now.distribution(&name);
                let version = other.and_then(Distribution::stated_version);
                let unmet = match (other, &version) {
                    (None, _) => now.origin != Origin::Report,
                    (Some(_), Some(version)) => !satisfied(&range, version),
                    (Some(_), None) => false,
                };
                let entry = wanted.entry(name).or_default();
                entry.0 = entry.0.iter().chain(range.iter()).cloned().collect();
                entry.1 |= unmet;
            }
        }
        let unmet = wanted.into_iter().filter(|(_, (_, unmet))| *unmet);
        unmet.map(|(name, (range, _))| (name, range)).collect()
    }
}
