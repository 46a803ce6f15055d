//! How a plan is written as a script, and what came of it.

use crate::facts::Facts;
use crate::finding::Plan;
use crate::fix::judge::Judgement;

/// The verdicts before and after, in their words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// E.g. `fail`.
    pub before: &'static str,
    /// E.g. `pass`.
    pub after: &'static str,
}

/// A plan as one script for the shell of its machine.
#[must_use]
pub fn script(plan: &Plan, _facts: &Facts) -> String {
    format!("#!/bin/sh\n# {}\nset -eu\n{}\n", plan.summary, plan.commands.join("\n"))
}

/// What came of a plan: both verdicts, what is gone, what is left, or why it is no better; `end` is what was done then, e.g.
/// `kept`.
#[must_use]
pub fn outcome(judgement: &Judgement, verdicts: &After, end: &str) -> String {
    let mut lines = vec![("before", verdicts.before.to_owned()), ("after", verdicts.after.to_owned())];
    match judgement {
        Judgement::Better { gone, left } => {
            lines.extend(gone.iter().map(|id| ("gone", id.clone())));
            lines.extend(left.iter().map(|id| ("left", id.clone())));
            lines.push(("result", format!("better: {end}")));
        }
        Judgement::NoBetter(faults) => {
            lines.extend(faults.iter().map(|fault| ("because", fault.clone())));
            lines.push(("result", format!("no better: {end}")));
        }
    }
    lines.iter().map(|(word, what)| format!("{word:<9}{what}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_verdicts_and_what_came_of_it() {
        let verdicts = After { before: "fail", after: "warn" };
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let better = Judgement::Better { gone: ids(&["gpu-arch/torch"]), left: ids(&["abi/numpy"]) };
        insta::assert_snapshot!(outcome(&better, &verdicts, "kept"), @r"
        before   fail
        after    warn
        gone     gpu-arch/torch
        left     abi/numpy
        result   better: kept
        ");
        let worse = Judgement::NoBetter(ids(&["a new failure: abi/numpy"]));
        let told = outcome(&worse, &After { before: "warn", after: "fail" }, "restored");
        assert_eq!(
            told,
            "before   warn\nafter    fail\nbecause  a new failure: abi/numpy\nresult   no better: restored\n"
        );
    }
}
