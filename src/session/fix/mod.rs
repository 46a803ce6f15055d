//! How a plan ends: one that is only printed, and one that is run on the environment or on a copy of it ([`carry_out`]), and how
//! it is taken back ([`undo`]).

pub mod carry_out;
pub mod undo;

use super::check::Examined;
use crate::check::Verdict;
use crate::exit::Exit;
use crate::facts::Facts;
use crate::finding::{Finding, Plan};
use crate::fix::aim::Installer;
use crate::fix::calls::{Call, taken_out};
use crate::fix::judge::{Judgement, Seen, judge};
use crate::report::fix::After;

/// An environment with what the checks made of it.
pub struct Judged {
    /// What was observed.
    pub facts: Facts,
    /// What it came to.
    pub examined: Examined,
}

impl Judged {
    fn verdict(&self) -> Verdict {
        self.examined.verdict(&self.facts)
    }

    /// Whether something fails.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.verdict() == Verdict::Fail
    }

    /// What there is to fix.
    #[must_use]
    pub fn offer(&self) -> Offer<'_> {
        match &self.examined.plan {
            Some(plan) => Offer::Plan(plan),
            None if self.fails() => Offer::NoPlan,
            None => Offer::Nothing,
        }
    }

    fn seen(&self) -> Seen {
        Seen::of(&self.facts, &self.examined.checks, &self.examined.findings)
    }
}

/// What there is to fix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Offer<'p> {
    /// This is what to do.
    Plan(&'p Plan),
    /// Something fails, and nothing is known that fixes it.
    NoPlan,
    /// Nothing fails.
    Nothing,
}

/// What running a plan came to.
#[derive(Debug)]
pub struct Outcome {
    /// Whether it is better, and why not.
    pub judgement: Judgement,
    /// Both verdicts.
    pub told: After,
    /// It is better, so that it is worth keeping.
    pub better: bool,
    /// It is better, and nothing fails any more.
    pub sound: bool,
}

impl Outcome {
    /// Compares an environment before and after some commands of a plan.
    #[must_use]
    pub fn of(before: &Judged, after: &Judged, plan: &Plan, calls: &[Call]) -> Self {
        let judgement = judge(&before.seen(), &after.seen(), &plan.requirements, &taken_out(calls));
        let better = matches!(judgement, Judgement::Better { .. });
        let told = After { before: before.verdict().name(), after: after.verdict().name() };
        Self { judgement, told, better, sound: better && !after.fails() }
    }
}

/// How a plan that is only printed ends: with 1 where it leaves something that fails.
#[must_use]
pub fn exit(plan: &Plan, findings: &[Finding]) -> Exit {
    let left = findings.iter().filter(|finding| plan.leaves.contains(&finding.id));
    Exit::judged(left.map(|finding| finding.severity).min(), false, false)
}

/// Whether an installer of these commands may write into files instead of new ones in their place: uv does where it does not link
/// from its cache, which only is asked where uv runs.
#[must_use]
pub fn writes_in_place(calls: &[Call], uv_links: impl FnOnce() -> bool) -> bool {
    calls.iter().any(|call| call.installer == Installer::Uv) && !uv_links()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::facts::{Distribution, Gpu, Origin, Reading};
    use crate::rules::{Workload, embedded};
    use crate::session::check::Untimed;

    /// A machine with an RTX 5090, driver 580.65.06, and a torch of PyTorch's index.
    pub fn with_torch(version: &str) -> Judged {
        let known = |text: &str| Reading::host(text.to_owned(), "the test");
        let mut facts = Facts::unknown(Origin::Host);
        (facts.system.os, facts.system.arch) = (known("linux"), known("x86_64"));
        facts.driver.version = Reading::host("580.65.06".parse().expect("a driver"), "the test");
        let gpu = Gpu {
            name: known("NVIDIA GeForce RTX 5090"),
            compute_capability: Reading::host("12.0".parse().expect("a compute capability"), "the test"),
            ..Gpu::default()
        };
        facts.gpus = Reading::host(vec![gpu], "the test");
        let torch = Distribution { name: "torch".to_owned(), version: known(version), ..Distribution::default() };
        facts.distributions = vec![torch];
        let examined = Examined::of(&facts, embedded(), &Workload::default(), None, &Untimed);
        Judged { facts, examined }
    }

    /// A plan that installs one pin.
    pub fn plan(pin: &str) -> Plan {
        Plan {
            summary: format!("Install {pin}"),
            requirements: vec![pin.to_owned()],
            steps: Vec::new(),
            fixes: Vec::new(),
            leaves: Vec::new(),
            verified: false,
            instead: None,
        }
    }

    #[test]
    fn uv_is_asked_how_it_writes_only_where_it_runs() {
        let call = |installer| Call { argv: Vec::new(), variables: Vec::new(), installer };
        let nobody = || -> bool { panic!("pip is not asked") };
        assert!(!writes_in_place(&[call(Installer::Pip)], nobody));
        assert!(writes_in_place(&[call(Installer::Pip), call(Installer::Uv)], || false));
        assert!(!writes_in_place(&[call(Installer::Uv)], || true));
    }

    #[test]
    fn what_runs_on_the_gpu_is_better_and_what_does_not_is_not() {
        let (old, new) = (with_torch("2.7.1+cu126"), with_torch("2.7.1+cu128"));
        assert!(old.fails(), "no code for compute capability 12.0");
        let done = Outcome::of(&old, &new, &plan("torch==2.7.1+cu128"), &[]);
        assert!(done.better, "{done:?}");
        assert_eq!(done.told.before, "fail");
        let same = Outcome::of(&old, &old, &plan("torch==2.7.1+cu126"), &[]);
        assert!(!same.better && !same.sound, "{same:?}");
        let other = Outcome::of(&old, &new, &plan("torch==2.8.0+cu128"), &[]);
        assert!(!other.better, "what was to be installed is not there: {other:?}");
    }
}
