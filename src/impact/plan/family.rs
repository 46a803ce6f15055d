//! Families that say of themselves that they go together, of packages that the rules do not cover.
//!
//! cuml-cu12 26.6.0 requires `cudf-cu12==26.6.*`: each member pins others to its own release. Where half of such a family was
//! upgraded, no member's own line mends it, since the other half asks for the other release: all of it goes to one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Distribution, Facts};
use crate::pep::{Version, VersionSpecifier, VersionSpecifiers, is_line};
use crate::rules::requirement::{self, normalise, satisfied, specifiers};
use crate::rules::{RuleDb, Target};

/// A line of one distribution about another, both installed.
struct Line {
    by: String,
    about: String,
    range: VersionSpecifiers,
    /// The release that both are to be of, where the line says so.
    together: Option<VersionSpecifier>,
}

/// The lines that bring half-upgraded families to one release, e.g. `cuml-cu12` with `==26.8.*`: the release to which the fewest
/// members have to go, of two the newer. What else asks for a member counts first.
pub(super) fn to_one_release(facts: &Facts, db: &RuleDb) -> BTreeMap<String, String> {
    let lines = lines(facts, db);
    let version = |name: &str| version(facts.distribution(name)?);
    let mut moves = BTreeMap::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for first in lines.iter().filter(|line| line.together.is_some()) {
        if seen.contains(first.by.as_str()) {
            continue;
        }
        let members = members(&first.by, &lines);
        seen.extend(&members);
        let own = || lines.iter().filter(|line| members.contains(line.by.as_str()) && line.together.is_some());
        let is_met = |line: &Line| version(&line.about).is_none_or(|version| satisfied(&line.range, &version));
        if own().all(is_met) {
            continue;
        }
        let goes = |release: &VersionSpecifier| -> Vec<&str> {
            let is_there = |name: &str| version(name).is_none_or(|version| release.contains(&version));
            members.iter().copied().filter(|name| !is_there(name)).collect()
        };
        // What is no member and asks for another release of one.
        let against = |release: &VersionSpecifier| {
            let others = lines.iter().filter(|line| !members.contains(line.by.as_str()));
            let others = others.filter(|line| members.contains(line.about.as_str()));
            others.filter(|line| !satisfied(&line.range, release.version())).count()
        };
        let releases: Vec<&VersionSpecifier> = own().filter_map(|line| line.together.as_ref()).collect();
        let best = releases.into_iter().min_by_key(|it| (against(it), goes(it).len(), Reverse(it.version().clone())));
        let Some(best) = best else { continue };
        moves.extend(goes(best).into_iter().map(|name| (name.to_owned(), best.to_string())));
    }
    moves
}

/// All that lines of one release tie to a distribution.
fn members<'l>(of: &'l str, lines: &'l [Line]) -> BTreeSet<&'l str> {
    let mut members: BTreeSet<&str> = [of].into();
    loop {
        let tied = lines.iter().filter(|line| line.together.is_some());
        let tied = tied.filter(|line| members.contains(line.by.as_str()) || members.contains(line.about.as_str()));
        let more: BTreeSet<&str> = tied.flat_map(|line| [line.by.as_str(), line.about.as_str()]).collect();
        if more.is_subset(&members) {
            return members;
        }
        members.extend(more);
    }
}

/// The active lines of distributions outside the rules about others outside them: their own metadata, and what an installer said.
fn lines(facts: &Facts, db: &RuleDb) -> Vec<Line> {
    let environment = requirement::markers(&Target::to_plan_for(facts, db));
    let is_outside = |name: &str| db.package(name).is_none();
    let mut found = Vec::new();
    for distribution in facts.active_distributions().filter(|it| is_outside(&it.name)) {
        let declared = distribution.metadata.value().into_iter().flat_map(|metadata| &metadata.requires);
        let told =
            facts.installing.unmet.iter().filter(|it| it.package.0 == distribution.name).map(|it| &it.requirement);
        for line in declared.chain(told) {
            let Ok(parsed) = requirement::parse(line) else { continue };
            let active = requirement::surely_applies(&parsed, environment.as_ref(), &[]);
            let about = normalise(parsed.name.as_ref());
            let Some(range) = specifiers(&parsed).filter(|_| active && is_outside(&about)) else { continue };
            if facts.distribution(&about).is_some() {
                let together = together(distribution, &range);
                found.push(Line { by: distribution.name.clone(), about, range, together });
            }
        }
    }
    found
}

/// The release that a range pins to, if it is the distribution's own: `==26.6.*` of 26.6.0.
fn together(distribution: &Distribution, range: &VersionSpecifiers) -> Option<VersionSpecifier> {
    let [pin] = range.iter().collect::<Vec<_>>()[..] else { return None };

    // `==1.*` says nothing of a release.
    let is_release = pin.version().release().len() > 1;
    (is_line(pin) && is_release && pin.contains(&version(distribution)?)).then(|| pin.clone())
}

fn version(distribution: &Distribution) -> Option<Version> {
    Some(distribution.stated_version()?.without_local())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Metadata, Origin, Reading, Unmet};
    use crate::rules::embedded;

    fn facts(installed: &[(&str, &str, &[&str])]) -> Facts {
        let mut facts = Facts::unknown(Origin::Host);
        let made = |(name, version, requires): &(&str, &str, &[&str])| Distribution {
            name: (*name).to_owned(),
            version: Reading::metadata((*version).to_owned(), "METADATA"),
            location: "/v".to_owned(),
            metadata: Reading::metadata(
                Metadata { requires: requires.iter().map(|it| (*it).to_owned()).collect(), ..Metadata::default() },
                "METADATA",
            ),
            ..Distribution::default()
        };
        facts.distributions = installed.iter().map(made).collect();
        facts
    }

    fn moves(facts: &Facts) -> Vec<String> {
        to_one_release(facts, embedded()).into_iter().map(|(name, range)| format!("{name}{range}")).collect()
    }

    /// Two stayed behind and three went ahead: the two follow, whatever the last of them was asked for.
    #[test]
    fn a_half_upgraded_family_goes_to_the_release_of_the_most() {
        let ahead: [(&str, &str, &[&str]); 3] = [
            ("fam-core-cu12", "26.8.0", &["libfam-cu12==26.8.*", "other-logger==0.2.*"]),
            ("libfam-cu12", "26.8.1", &[]),
            ("fam-io-cu12", "26.8.0", &["libfam-cu12==26.8.*"]),
        ];
        let behind: [(&str, &str, &[&str]); 2] = [
            ("fam-learn-cu12", "26.6.0", &["fam-core-cu12==26.6.*", "libfam-learn-cu12==26.6.*", "numpy<3"]),
            ("libfam-learn-cu12", "26.6.0", &["libfam-cu12==26.6.*"]),
        ];
        let all: Vec<_> = ahead.iter().chain(&behind).chain(&[("other-logger", "0.2.3", &[][..])]).copied().collect();
        assert_eq!(moves(&facts(&all)), ["fam-learn-cu12==26.8.*", "libfam-learn-cu12==26.8.*"]);
        // Somebody who is no member needs the older one.
        let user: (&str, &str, &[&str]) = ("user-of-it", "1.0", &["fam-core-cu12<26.7"]);
        let held: Vec<_> = all.iter().chain(&[user]).copied().collect();
        assert_eq!(moves(&facts(&held)), ["fam-core-cu12==26.6.*", "fam-io-cu12==26.6.*", "libfam-cu12==26.6.*"]);
        // A sound family, and a pin that is of no common release.
        assert_eq!(moves(&facts(&ahead)), [""; 0]);
        let alone: [(&str, &str, &[&str]); 2] = [("one", "3.1", &["two==1.0"]), ("two", "2.0", &[])];
        assert_eq!(moves(&facts(&alone)), [""; 0]);
    }

    #[test]
    fn what_pip_said_of_a_family_counts_in_a_report() {
        let mut facts = facts(&[("fam-learn-cu12", "25.2.0", &[]), ("fam-core-cu12", "24.12.0", &[])]);
        let unmet = Unmet {
            package: ("fam-learn-cu12".to_owned(), "25.2.0".to_owned()),
            requirement: "fam-core-cu12==25.2.*".to_owned(),
            found: Some("24.12.0".to_owned()),
            place: "pip, line 1".to_owned(),
        };
        facts.installing.unmet = vec![unmet];
        assert_eq!(moves(&facts), ["fam-core-cu12==25.2.*"]);
    }
}
