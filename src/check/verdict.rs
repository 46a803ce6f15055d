//! What do all findings and checks come to?
//!
//! In order: fail, warn, unknown, pass. What is not known is never taken for yes, so that a pass needs two things: a check
//! that looked, and none that had to leave something out. Taking a fact away can only make a verdict less sure.

use super::{Checked, FAMILIES, Weight};
use crate::facts::{Facts, Origin, TORCH};
use crate::finding::{Finding, Outcome, Severity};
use crate::text;

/// What all findings and checks come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that matters was looked at, and nothing is wrong.
    Pass(Looked),
    /// Nothing wrong was found, but something that matters could not be looked at, or nothing was.
    Unknown,
    /// Only warnings.
    Warn,
    /// Something does not work.
    Fail,
}

impl Verdict {
    /// The word in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pass(_) => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// What a pass rests on. There is no empty one: [`Self::of`] gives none where nothing was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    first: &'static str,
    others: Vec<&'static str>,
    /// E.g. `torch 2.7.1+cu128`, `driver 570.133.20`, `1 GPU`.
    subjects: Vec<String>,
}

impl Looked {
    /// The checks that looked, and in words what at.
    #[must_use]
    pub fn of(checks: impl IntoIterator<Item = &'static str>, subjects: Vec<String>) -> Option<Self> {
        let mut checks = checks.into_iter();
        Some(Self { first: checks.next()?, others: checks.collect(), subjects })
    }

    /// The checks, in their order.
    pub fn checks(&self) -> impl Iterator<Item = &'static str> + '_ {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    /// `torch 2.7.1+cu128, driver 570.133.20 and 1 GPU (12 checks)`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let checks = text::count(self.checks().count(), "check", "checks");
        if self.subjects.is_empty() { checks } else { format!("{} ({checks})", text::list(&self.subjects)) }
    }
}

/// The verdict on the checks of some facts.
#[must_use]
pub fn verdict(facts: &Facts, checked: &[Checked], findings: &[Finding]) -> Verdict {
    match findings.iter().map(|finding| finding.severity).min() {
        Some(Severity::Fail) => return Verdict::Fail,
        Some(Severity::Warn) => return Verdict::Warn,
        _ => {}
    }
    if checked.iter().any(|checked| leaves_out(facts, checked)) {
        return Verdict::Unknown;
    }
    let looked = checked.iter().filter(|checked| matches!(checked.outcome, Outcome::Pass | Outcome::Findings(_)));
    Looked::of(looked.map(|checked| checked.id), subjects(facts)).map_or(Verdict::Unknown, Verdict::Pass)
}

/// Whether a check that matters here could not look at everything.
fn leaves_out(facts: &Facts, checked: &Checked) -> bool {
    let weight = FAMILIES.iter().find(|family| family.id == checked.id).map_or(Weight::Always, |family| family.weight);
    let matters = match weight {
        Weight::Always => true,
        // A report never tells of files: there the rules' rows stand in.
        Weight::OnMachine => facts.origin != Origin::Report,
        Weight::Never => false,
    };
    matters && matches!(checked.outcome, Outcome::Skipped(_)) || !checked.missing.is_empty()
}

/// What the checks were about, in words: `torch 2.7.1+cu128`, `driver 570.133.20`, `1 GPU`.
#[must_use]
pub fn subjects(facts: &Facts) -> Vec<String> {
    let mut subjects = Vec::new();
    match facts.distribution(TORCH) {
        Some(torch) => subjects.push(format!("torch {}", torch.full_version())),
        None if facts.lists_all() => subjects.push("a Python without torch".to_owned()),
        None => {}
    }
    subjects.extend(facts.driver.version.value().map(|driver| format!("driver {driver}")));
    match facts.gpus.value().map(Vec::len) {
        Some(number @ 1..) => subjects.push(text::count(number, "GPU", "GPUs")),
        Some(0) => subjects.push("no NVIDIA GPU".to_owned()),
        None if facts.gpus.is_absent() => subjects.push("no NVIDIA GPU".to_owned()),
        _ => {}
    }
    subjects
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Reading;

    fn checked(id: &'static str, outcome: Outcome) -> Checked {
        Checked { id, outcome, missing: Vec::new() }
    }

    #[test]
    fn a_pass_rests_on_something_and_leaves_nothing_out() {
        let mut facts = Facts::unknown(Origin::Host);
        facts.driver.version = Reading::host("570.133.20".parse().expect("a driver"), "the test");
        assert_eq!(Looked::of([], vec!["torch".to_owned()]), None);
        assert_eq!(verdict(&facts, &[], &[]), Verdict::Unknown);
        let passes = vec![checked("driver", Outcome::Pass), checked("abi", Outcome::NotApplicable(String::new()))];
        let Verdict::Pass(looked) = verdict(&facts, &passes, &[]) else { panic!("no pass") };
        assert_eq!(looked.in_words(), "driver 570.133.20 (1 check)");
        let skipped = |id| [passes.clone(), vec![checked(id, Outcome::Skipped("a fact".to_owned()))]].concat();
        assert_eq!(verdict(&facts, &skipped("gpu-arch"), &[]), Verdict::Unknown);
        assert_eq!(verdict(&facts, &skipped("abi"), &[]), Verdict::Unknown);
        assert_eq!(verdict(&facts, &skipped("workload"), &[]).name(), "pass");
        facts.origin = Origin::Report;
        assert_eq!(verdict(&facts, &skipped("abi"), &[]).name(), "pass");
        let mut partly = passes;
        partly[0].missing.push("the version of libcuda".to_owned());
        assert_eq!(verdict(&facts, &partly, &[]), Verdict::Unknown);
    }
}
