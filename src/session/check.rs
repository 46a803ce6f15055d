//! From facts to findings, a plan and an exit status: the one way for every command that judges an environment.

use crate::check::{self, Checked, Told, Verdict};
use crate::diff::{self, Comparison};
use crate::exit::Exit;
use crate::facts::{Facts, Reading};
use crate::finding::{Finding, Plan, Severity};
use crate::impact;
use crate::rules::symptom::Heard;
use crate::rules::{RuleDb, Workload};

/// Who is told what each part of a run takes.
pub trait Timer {
    /// Does something and remembers how long it took.
    fn time<T>(&self, part: &'static str, work: impl FnOnce() -> T) -> T;
}

/// Nobody.
pub struct Untimed;

impl Timer for Untimed {
    fn time<T>(&self, _: &'static str, work: impl FnOnce() -> T) -> T {
        work()
    }
}

/// What the checks made of an environment.
pub struct Examined {
    /// Each check and what it came to.
    pub checks: Vec<Checked>,
    /// All findings, the worst first.
    pub findings: Vec<Finding>,
    /// What mends it.
    pub plan: Option<Plan>,
}

impl Examined {
    /// Judges facts, beside what a text tells where they come from one.
    pub fn of(facts: &Facts, db: &RuleDb, workload: &Workload, told: Option<&Told<'_>>, timer: &impl Timer) -> Self {
        let nothing = Heard::default();
        let heard = told.map_or(&nothing, |told| &told.heard);
        let checks = timer.time("checks", || check::run_with(facts, db, workload, heard));
        let findings = check::findings(&checks);
        let findings = match told {
            Some(told) => timer.time("ranking", || check::explain(facts, db, workload, told, findings)),
            None => findings,
        };
        let (findings, plan) = timer.time("remedies", || impact::with_remedies(facts, db, workload, findings));
        Self { checks, findings: check::fit(facts, db, findings), plan }
    }

    /// What it all comes to.
    #[must_use]
    pub fn verdict(&self, facts: &Facts) -> Verdict {
        check::verdict(facts, &self.checks, &self.findings)
    }
}

/// How `gpudoc check` ends. What must be there and is not known is as strict as `--strict`.
#[must_use]
pub fn exit(verdict: &Verdict, strict: bool, demands: bool) -> Exit {
    let strict = strict || demands && *verdict == Verdict::Unknown;
    let worst = match verdict {
        Verdict::Fail => Some(Severity::Fail),
        Verdict::Warn => Some(Severity::Warn),
        Verdict::Unknown | Verdict::Pass(_) => None,
    };
    Exit::judged(worst, *verdict == Verdict::Unknown, strict)
}

/// Whether anything at all was read in a text; a snapshot always tells something.
#[must_use]
pub fn tells_anything(facts: &Facts) -> bool {
    let Some(pasted) = &facts.pasted else { return true };
    // That torch is spoken of is nothing to go by.
    let told = Facts { pasted: None, spoken_of: Reading::Unknown, ..facts.clone() };
    !(pasted.recognised.is_empty() && pasted.contradictions.is_empty() && told == Facts::unknown(facts.origin))
}

/// What has changed since other facts, and how that ends: with 1 where something fails that did not, and where somebody is strict
/// on any difference. Two snapshots are compared in the same way.
#[must_use]
pub fn drift(before: &Facts, now: &Facts, strict: bool, db: &RuleDb, workload: &Workload) -> (Comparison, Exit) {
    let findings = |facts: &Facts| check::findings(&check::run(facts, db, workload));
    let comparison = diff::compare(before, now, &findings(before), &findings(now));
    let worst = comparison.right.iter().map(|finding| finding.severity).min();
    let drifts = !comparison.differences.is_empty() || !comparison.right.is_empty();
    let exit = Exit::judged(worst, drifts, strict);
    (comparison, exit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::embedded;
    use crate::session::paste::paste;

    const SOUND: &str = "PyTorch version: 2.7.1+cu128\nIs CUDA available: True\nPython version: 3.12.3\n\
                         GPU 0: NVIDIA GeForce RTX 5090\nNvidia driver version: 570.133.20";

    fn examined(text: &str) -> (Facts, Examined) {
        let input = paste(text, embedded());
        let examined = Examined::of(&input.facts, embedded(), &Workload::default(), input.told.as_ref(), &Untimed);
        (input.facts, examined)
    }

    #[test]
    fn what_fails_ends_with_one_and_what_is_not_known_where_it_must_be() {
        let (facts, broken) = examined(&SOUND.replace("2.7.1+cu128", "2.6.0+cu124"));
        assert_eq!(exit(&broken.verdict(&facts), false, false), Exit::Failed);
        assert!(broken.plan.is_some() && broken.findings.iter().any(|it| it.id.to_string() == "gpu-arch/torch"));
        let (facts, unknown) = examined("GPU 0: NVIDIA GeForce RTX 5090");
        let verdict = unknown.verdict(&facts);
        assert_eq!(verdict, Verdict::Unknown);
        let ends = [exit(&verdict, false, false), exit(&verdict, true, false), exit(&verdict, false, true)];
        assert_eq!(ends, [Exit::Ok, Exit::Failed, Exit::Failed]);
    }

    #[test]
    fn a_text_that_tells_nothing_is_known_for_it() {
        let tells = |text: &str| tells_anything(&paste(text, embedded()).facts);
        assert!(tells(SOUND) && tells("torch==2.7.1"));
        assert!(!tells("I cannot get torch to work") && !tells(""));
    }

    #[test]
    fn only_who_is_strict_minds_a_difference_that_breaks_nothing() {
        let of = |text: &str| paste(text, embedded()).facts;
        let (before, now) = (of(SOUND), of(&SOUND.replace("570.133.20", "570.124.06")));
        let ends = |one: &Facts, other: &Facts, strict| drift(one, other, strict, embedded(), &Workload::default()).1;
        assert_eq!((ends(&before, &now, false), ends(&before, &now, true)), (Exit::Ok, Exit::Failed));
        assert_eq!(ends(&before, &before, true), Exit::Ok);
        let broken = of(&SOUND.replace("2.7.1+cu128", "2.6.0+cu124"));
        assert_eq!(ends(&before, &broken, false), Exit::Failed);
    }
}
