//! Is it better than before?
//!
//! Better means: something that failed or warned is gone, nothing fails that did not, what was to be installed is there, and
//! nothing else went missing. A finding whose check can no longer look is not gone.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::check::Checked;
use crate::facts::Facts;
use crate::finding::{Finding, Outcome, Severity};
use crate::pep::{Version, read_pin};
use crate::text;

/// What counts of an environment at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Findings that fail, with the check that made them.
    fails: BTreeMap<String, &'static str>,
    /// Findings that warn.
    warns: BTreeMap<String, &'static str>,
    /// Checks that could not look.
    skipped: BTreeSet<&'static str>,
    /// What import finds, with its version.
    installed: BTreeMap<String, String>,
}

impl Seen {
    /// Of facts, checks and findings.
    #[must_use]
    pub fn of(facts: &Facts, checks: &[Checked], findings: &[Finding]) -> Self {
        let family = |finding: &Finding| {
            let made = |checked: &&Checked| match &checked.outcome {
                Outcome::Findings(found) => found.iter().any(|it| it.id == finding.id),
                _ => false,
            };
            checks.iter().find(made).map_or("", |checked| checked.id)
        };
        let of = |severity: Severity| {
            let all = findings.iter().filter(|finding| finding.severity == severity);
            all.map(|finding| (finding.id.to_string(), family(finding))).collect()
        };
        let skipped = checks.iter().filter(|checked| matches!(checked.outcome, Outcome::Skipped(_)));
        let installed = facts.active_distributions().map(|it| (it.name.clone(), it.full_version().to_owned()));
        Self {
            fails: of(Severity::Fail),
            warns: of(Severity::Warn),
            skipped: skipped.map(|checked| checked.id).collect(),
            installed: installed.collect(),
        }
    }

    /// Whether nothing fails.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.fails.is_empty()
    }

    /// Ids of what fails, then of what warns.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.fails.keys().chain(self.warns.keys()).map(String::as_str)
    }

    fn has(&self, id: &str) -> bool {
        self.fails.contains_key(id) || self.warns.contains_key(id)
    }

    /// Whether a pin such as `torch==2.7.1+cu128` is installed; true for a range, which an installer has met.
    fn meets(&self, requirement: &str) -> bool {
        let Some((name, wanted)) = read_pin(requirement) else { return true };
        let Some(version) = self.installed.get(name) else { return false };
        let Ok(version) = Version::from_str(version) else { return true };
        wanted == version || wanted.local().is_empty() && version.without_local() == wanted
    }
}

/// What it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Better: the findings that are gone, and those that are left.
    Better {
        /// Ids.
        gone: Vec<String>,
        /// Ids.
        left: Vec<String>,
    },
    /// Not better: why, a sentence each without full stop.
    NoBetter(Vec<String>),
}

/// Compares an environment before and after a plan that installs `requirements` and takes `removed` out.
#[must_use]
pub fn judge(before: &Seen, after: &Seen, requirements: &[String], removed: &BTreeSet<String>) -> Judgement {
    let mut faults = Vec::new();
    let fails = after.fails.keys().filter(|id| !before.has(id));
    faults.extend(fails.map(|id| format!("a new failure: {id}")));
    for requirement in requirements.iter().filter(|requirement| !after.meets(requirement)) {
        let name = requirement.split("==").next().unwrap_or_default();
        let is = after.installed.get(name).map_or("is not there".to_owned(), |version| format!("is {version}"));
        faults.push(format!("`{requirement}` was to be installed, and {name} {is}"));
    }
    let lost = before.installed.keys().filter(|name| !after.installed.contains_key(*name) && !removed.contains(*name));
    let lost: Vec<_> = lost.cloned().collect();
    if !lost.is_empty() {
        faults.push(format!("no longer installed: {}", text::list(&lost)));
    }
    let family = |id: &str| before.fails.get(id).or(before.warns.get(id)).copied().unwrap_or_default();
    let away: Vec<&str> = before.ids().filter(|id| !after.has(id)).collect();
    let (unseen, gone): (Vec<_>, Vec<_>) = away.into_iter().partition(|id| after.skipped.contains(family(id)));
    if gone.is_empty() {
        faults.push(match unseen.as_slice() {
            [] => "no finding is gone".to_owned(),
            unseen => format!("{} can no longer be checked", text::list(unseen)),
        });
    }
    if !faults.is_empty() {
        return Judgement::NoBetter(faults);
    }
    let owned = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect();
    Judgement::Better { gone: owned(gone), left: after.ids().map(str::to_owned).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(fails: &[&str], warns: &[&str], installed: &[(&str, &str)]) -> Seen {
        let ids = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), "abi")).collect();
        let installed = installed.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect();
        Seen { fails: ids(fails), warns: ids(warns), skipped: BTreeSet::new(), installed }
    }

    fn faults(judgement: Judgement) -> Vec<String> {
        match judgement {
            Judgement::NoBetter(faults) => faults,
            Judgement::Better { .. } => Vec::new(),
        }
    }

    #[test]
    fn better_is_less_wrong_and_nothing_lost() {
        let none = BTreeSet::new();
        let before = seen(&["a", "b"], &["w"], &[("torch", "2.6.0"), ("numpy", "1.26.4")]);
        let after = seen(&["b"], &["w"], &[("torch", "2.7.1+cu128"), ("numpy", "1.26.4")]);
        let pins = ["torch==2.7.1+cu128".to_owned(), "numpy<2".to_owned()];
        let better = Judgement::Better { gone: vec!["a".to_owned()], left: vec!["b".to_owned(), "w".to_owned()] };
        assert_eq!(judge(&before, &after, &pins, &none), better);

        let worse = seen(&["b", "c"], &["w"], &[("torch", "2.7.1+cu128"), ("numpy", "1.26.4")]);
        assert_eq!(faults(judge(&before, &worse, &pins, &none)), ["a new failure: c"]);
        assert_eq!(faults(judge(&before, &before, &[], &none)), ["no finding is gone"]);
        // The finding went with the package that it was about.
        let without = seen(&["b"], &["w"], &[("numpy", "1.26.4")]);
        let told = faults(judge(&before, &without, &pins, &none));
        assert_eq!(
            told,
            ["`torch==2.7.1+cu128` was to be installed, and torch is not there", "no longer installed: torch"]
        );
        let taken_out = ["torch".to_owned()].into();
        assert!(faults(judge(&before, &without, &[], &taken_out)).is_empty());
    }

    #[test]
    fn what_cannot_be_checked_is_not_gone() {
        let before = seen(&["a"], &[], &[]);
        let after = Seen { skipped: ["abi"].into(), ..seen(&[], &[], &[]) };
        assert_eq!(faults(judge(&before, &after, &[], &BTreeSet::new())), ["a can no longer be checked"]);
    }

    #[test]
    fn a_failure_that_becomes_a_warning_is_no_new_one() {
        let (before, after) = (seen(&["a", "b"], &[], &[]), seen(&[], &["b"], &[]));
        assert!(matches!(judge(&before, &after, &[], &BTreeSet::new()), Judgement::Better { .. }));
        // What PyPI calls 2.7.1 says nothing of a variant.
        let installed = seen(&[], &[], &[("torch", "2.7.1+cu126")]);
        assert!(installed.meets("torch==2.7.1") && !installed.meets("torch==2.7.1+cu128"));
    }
}
