//! What becomes of a line that leaves the release to the installer, which takes the newest.
//!
//! `pyannote-audio>=3.3.1` is right of 3.3.1; of the newest it may be wrong, because somebody who stays requires an older one, or
//! because an advisory says what breaks from some release on.

use crate::check::Stack;
use crate::facts::Facts;
use crate::pep::{Operator, Version, VersionSpecifier, VersionSpecifiers, is_exact};
use crate::rules::advisory::{Environment, holds};
use crate::rules::requirement::{self, is_about, markers, normalise, satisfied, specifiers, surely_applies};
use crate::rules::schema::{Condition, Level};
use crate::rules::{RuleDb, Target, Workload};

/// A line with what all that is there requires of its package, and below what the rules know to break: `protobuf>=5.28` beside
/// TensorFlow 2.20 becomes `protobuf>=5.28,<7`. None where nothing is left. `facts`: as everything else will be.
pub(super) fn bounded(line: &str, facts: &Facts, db: &RuleDb, workload: &Workload) -> Option<String> {
    let wanted = requirement::parse(line).ok()?;
    let Some(range) = specifiers(&wanted) else { return Some(line.to_owned()) };
    let name = normalise(wanted.name.as_ref());
    let all: VersionSpecifiers = range.iter().cloned().chain(required(&name, facts, db)).collect();
    let text = tight(&below_what_breaks(&name, all, facts, db, workload))?;
    Some(format!("{}{text}", name_with_extras(line)))
}

/// `tensorflow[and-cuda]` of `tensorflow[and-cuda]>=2.18`.
fn name_with_extras(line: &str) -> &str {
    let end = line.find(|letter: char| "<>=!~ ;".contains(letter)).unwrap_or(line.len());
    line.get(..end).unwrap_or(line)
}

/// What the installed distributions require of a package.
fn required(name: &str, facts: &Facts, db: &RuleDb) -> Vec<VersionSpecifier> {
    let target = Target::to_plan_for(facts, db);
    let environment = markers(&target);
    // A report has no metadata; the rules know that of many.
    let stack = Stack::new(facts, db, &target);
    let others = stack.installed.iter().filter(|it| it.name() != name).filter_map(|it| it.requires());
    let lines = others.flatten().filter(|line| is_about(line, name));
    let parsed = lines.filter_map(|line| requirement::parse(line).ok());
    let active = parsed.filter(|line| surely_applies(line, environment.as_ref(), &[]));
    active.filter_map(|line| specifiers(&line)).flat_map(|range| range.iter().cloned().collect::<Vec<_>>()).collect()
}

/// A range that ends where an advisory begins that holds for all releases after that one, with all else as it is.
fn below_what_breaks(
    name: &str,
    mut range: VersionSpecifiers,
    facts: &Facts,
    db: &RuleDb,
    workload: &Workload,
) -> VersionSpecifiers {
    let target = Target::to_plan_for(facts, db);
    let installed = |name: &str| facts.distribution(name)?.build_version();
    let uses = workload.words(db);
    let cuda = facts.distribution(super::super::TORCH).and_then(|torch| torch.build.cuda.value().copied());
    let environment = Environment { installed: &installed, cuda, target: &target, workload: &uses, messages: &[] };
    for advisory in db.advisories().filter(|it| it.severity != Level::Info && !it.needs_symptom) {
        for condition in &advisory.when {
            let (own, others): (Vec<_>, Vec<_>) =
                condition.installed.iter().cloned().partition(|it| is_about(it, name));
            let [own] = own.as_slice() else { continue };
            let Some(broken) = own.range() else { continue };
            let Some(first) = first_of(broken, &range) else { continue };
            if holds(&Condition { installed: others, ..condition.clone() }, &environment).is_some() {
                let bound = VersionSpecifier::less_than_version(first);
                range = range.iter().cloned().chain([bound]).collect();
            }
        }
    }
    range
}

/// Where what is broken begins, if the newest release of a range is in it.
fn first_of(broken: &VersionSpecifiers, range: &VersionSpecifiers) -> Option<Version> {
    let least = |it: &VersionSpecifier| *it.operator() == Operator::GreaterThanEqual;
    let first = broken.iter().find(|it| least(it))?.version().clone();
    let upper = |it: &&VersionSpecifier| matches!(it.operator(), Operator::LessThan | Operator::LessThanEqual);
    let ends: Vec<&VersionSpecifier> = range.iter().filter(upper).collect();
    // Whether the range goes on where what is broken has ended.
    let ends_before = |end: &VersionSpecifier| match end.operator() {
        Operator::LessThan => *end.version() <= first,
        _ => *end.version() < first,
    };
    let goes_on = broken.iter().filter(upper).any(|last| ends.iter().all(|end| end.version() > last.version()));
    (!goes_on && !ends.into_iter().any(ends_before)).then_some(first)
}

/// A range without what its other parts say already, e.g. `>=0.34.0,<1.0`; none where nothing meets it.
pub(super) fn tight(range: &VersionSpecifiers) -> Option<String> {
    let of = |operators: &[Operator]| range.iter().filter(|it| operators.contains(it.operator())).collect::<Vec<_>>();
    let text = |it: &VersionSpecifier| it.to_string();
    let stars = of(&[Operator::EqualStar]);
    let apart = |one: &VersionSpecifier, other: &VersionSpecifier| {
        !one.contains(other.version()) && !other.contains(one.version())
    };
    if stars.iter().any(|one| stars.iter().any(|other| apart(one, other))) {
        return None;
    }
    if let Some(exact) = range.iter().find(|it| is_exact(it)) {
        return satisfied(range, exact.version()).then(|| text(exact));
    }
    let lowest =
        of(&[Operator::GreaterThan, Operator::GreaterThanEqual]).into_iter().max_by_key(|it| it.version().clone());
    let highest = of(&[Operator::LessThan, Operator::LessThanEqual]).into_iter().min_by_key(|it| it.version().clone());
    if let (Some(lowest), Some(highest)) = (lowest, highest) {
        let both = [*lowest.operator(), *highest.operator()] == [Operator::GreaterThanEqual, Operator::LessThanEqual];
        if lowest.version() > highest.version() || (lowest.version() == highest.version() && !both) {
            return None;
        }
    }
    // What is left out anyway need not be named.
    let is_within = |it: &VersionSpecifier| {
        let ends = lowest.into_iter().chain(highest);
        *it.operator() != Operator::NotEqual || ends.clone().all(|end| end.contains(it.version()))
    };
    let others = of(&[Operator::NotEqual, Operator::NotEqualStar, Operator::EqualStar, Operator::TildeEqual]);
    let others = others.into_iter().filter(|it| is_within(it));
    let mut parts: Vec<String> = lowest.into_iter().chain(highest).chain(others).map(text).collect();
    parts.dedup();
    Some(parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Distribution, Metadata, Origin, Reading};
    use crate::rules::embedded;

    fn facts(distributions: &[(&str, &str, &[&str])]) -> Facts {
        let mut facts = Facts::unknown(Origin::Host);
        let made = distributions.iter().map(|(name, version, lines)| Distribution {
            name: (*name).to_owned(),
            version: Reading::metadata((*version).to_owned(), "METADATA"),
            metadata: Reading::metadata(
                Metadata { requires: lines.iter().map(|it| (*it).to_owned()).collect(), ..Metadata::default() },
                "METADATA",
            ),
            ..Distribution::default()
        });
        facts.distributions = made.collect();
        facts
    }

    fn line(line: &str, distributions: &[(&str, &str, &[&str])]) -> Option<String> {
        bounded(line, &facts(distributions), embedded(), &Workload::default())
    }

    #[test]
    fn who_stays_has_a_say_in_what_the_installer_takes() {
        assert_eq!(line("httpx", &[]).as_deref(), Some("httpx"));
        assert_eq!(line("httpx>=0.23", &[("gradio", "5.0", &["httpx<1"])]).as_deref(), Some("httpx>=0.23,<1"));
        // It has no say in its own release.
        assert_eq!(line("httpx>=0.23", &[("httpx", "0.20", &["httpx<0.21"])]).as_deref(), Some("httpx>=0.23"));
        assert_eq!(line("httpx>=0.23", &[("old", "1.0", &["httpx<0.23"])]), None);
        assert_eq!(line("a[b]>=2", &[("c", "1.0", &["a!=1.5,!=2.1"])]).as_deref(), Some("a[b]>=2,!=2.1"));
    }

    /// GPUDOC-2026-0103: openai before 1.55.3 does not take httpx from 0.28 on, which is the newest there is.
    #[test]
    fn a_range_ends_where_an_advisory_says_that_it_breaks() {
        let beside = |openai: &'static str| line("httpx>=0.23", &[("openai", openai, &[])]);
        assert_eq!(beside("1.50.0").as_deref(), Some("httpx>=0.23,<0.28"));
        assert_eq!(beside("1.55.3").as_deref(), Some("httpx>=0.23"));
        // The newest is beyond what is broken: GPUDOC-2026-0099 is about pyannote.audio 3 beside torchaudio 2.9.
        let pyannote = line("pyannote-audio>=3.3.1", &[("torchaudio", "2.9.0", &[])]);
        assert_eq!(pyannote.as_deref(), Some("pyannote-audio>=3.3.1"));
        let below = line("pyannote-audio>=3.3.1,<4", &[("torchaudio", "2.9.0", &[])]);
        assert_eq!(below, None);
    }

    #[test]
    fn a_range_says_nothing_twice() {
        let of = |text: &str| tight(&text.parse().expect("a range"));
        assert_eq!(of(">=2,>=1.5,<3,<=4,!=1.8,!=2.5").as_deref(), Some(">=2,<3,!=2.5"));
        assert_eq!(of("==2.0,>=1").as_deref(), Some("==2.0"));
        assert_eq!((of("==2.0,>=3"), of(">=2,<2"), of(">3,<2")), (None, None, None));
        assert_eq!(of(">=2,<=2").as_deref(), Some(">=2,<=2"));
        assert_eq!(of("==26.6.*,==26.8.*"), None);
    }
}
