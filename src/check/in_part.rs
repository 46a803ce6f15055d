//! What is judged where facts are known in part: what every case that is open comes to, and no more.
//!
//! Each case is judged by itself, as facts that are known, so that no rule knows of parts. What is found in all of them is found;
//! what is found in some is not known, and the check says which fact would tell.

use super::Checked;
use crate::facts::World;
use crate::finding::{Evidence, Finding, Outcome, Severity};

/// What a check came to in each case, in the order of the cases; `open` is the fact in part, e.g. `driver 535`.
pub fn together(cases: &[World], judged: Vec<Checked>, open: &str) -> Option<Checked> {
    let found: Vec<&[Finding]> = judged.iter().map(findings).collect();
    let everywhere = |finding: &&Finding| found.iter().all(|others| others.iter().any(|it| it.id == finding.id));
    let (first, others) = found.split_first()?;
    let of_all: Vec<Finding> = first
        .iter()
        .filter(everywhere)
        .map(|finding| {
            let same = others.iter().filter_map(|others| others.iter().find(|it| it.id == finding.id));
            let mildest = same.map(|it| it.severity).chain([finding.severity]).max();
            let mut own = finding.clone();
            own.severity = mildest.unwrap_or(own.severity);
            as_said(&mut own, cases.first().map(|case| case.stands_for.as_slice()).unwrap_or_default());
            own
        })
        .collect();
    let serious = |finding: &&Finding| finding.severity <= Severity::Warn;
    let in_some = found.iter().flat_map(|found| found.iter()).filter(serious).any(|finding| !everywhere(&finding));
    let which = format!("which {open} exactly");
    let id = judged.first()?.id;
    let mut missing: Vec<String> = judged.iter().flat_map(|checked| checked.missing.clone()).collect();
    missing.sort();
    missing.dedup();
    let outcome = if !of_all.is_empty() {
        missing.extend(in_some.then_some(which));
        Outcome::Findings(of_all)
    } else if in_some {
        Outcome::Skipped(which)
    } else {
        // Remarks of some cases are none of all, and what one case lacks a fact for is not known.
        let mut outcomes: Vec<Outcome> = judged.into_iter().map(|checked| without_findings(checked.outcome)).collect();
        let skipped = outcomes.iter().position(|outcome| matches!(outcome, Outcome::Skipped(_)));
        outcomes.swap_remove(skipped.unwrap_or(0))
    };
    Some(Checked { id, outcome, missing })
}

fn findings(checked: &Checked) -> &[Finding] {
    match &checked.outcome {
        Outcome::Findings(findings) => findings,
        _ => &[],
    }
}

fn without_findings(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Findings(_) => Outcome::Pass,
        other => other,
    }
}

/// Writes what was said in the place of the member that stood for it.
fn as_said(finding: &mut Finding, stands_for: &[(String, String)]) {
    for (member, said) in stands_for.iter().filter(|(member, said)| member != said) {
        // What was observed of a distribution is its version without its name.
        let (bare, words) =
            (member.split(' ').next_back().unwrap_or(member), said.split(' ').next_back().unwrap_or(said));
        for Evidence { observed, .. } in finding.evidence.iter_mut().filter(|it| it.observed == bare) {
            words.clone_into(observed);
        }
        let observed = finding.evidence.iter_mut().map(|Evidence { observed, .. }| observed);
        for text in [&mut finding.title, &mut finding.message].into_iter().chain(observed) {
            if let Some(replaced) = replaced(text, member, said) {
                *text = replaced;
            }
        }
    }
}

/// A text with other words in the place of a value that stands by itself: 7.0 of `(7.0)`, not of `27.0` or `7.0.1`. None where it
/// does not occur.
fn replaced(text: &str, value: &str, words: &str) -> Option<String> {
    let is_of_value = |letter: char| letter.is_alphanumeric() || letter == '_';
    let (mut out, mut from) = (String::new(), 0);
    for (at, _) in text.match_indices(value) {
        let before = text.get(..at)?.chars().next_back();
        let mut after = text.get(at + value.len()..)?.chars();
        let ends = match after.next() {
            // A full stop ends a sentence, unless the number goes on.
            Some('.') => !after.next().is_some_and(is_of_value),
            Some(letter) => !is_of_value(letter) && letter != '+',
            None => true,
        };
        if ends && !before.is_some_and(|letter| is_of_value(letter) || letter == '.') {
            out.push_str(text.get(from..at)?);
            out.push_str(words);
            from = at + value.len();
        }
    }
    (from > 0).then(|| out + text.get(from..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use crate::check::cases::Case;
    use crate::check::{driver, gpu_arch};
    use crate::facts::{Part, Reading, Source};
    use crate::version::{ComputeCapability, DriverVersion};

    fn partly<T: PartialEq>(said: &str, among: impl IntoIterator<Item = T>) -> Reading<T> {
        let part = Part::new(said, among).expect("a member");
        Reading::Partly { part, source: Source::Report("line 1".to_owned()) }
    }

    /// A driver of which the branch is told, and a torch for CUDA 13.0, which needs 580.65.06.
    fn branch(branch: u32) -> Case {
        let version = partly(&branch.to_string(), DriverVersion::ends_of(branch));
        Case::host().torch("2.9.1+cu130", "13.0").with(|facts| facts.driver.version = version)
    }

    #[test]
    fn a_value_is_replaced_where_it_stands_by_itself() {
        let of = |text: &str| super::replaced(text, "7.0", "7.x");
        assert_eq!(of("compute capability 7.0 (7.0).").as_deref(), Some("compute capability 7.x (7.x)."));
        assert_eq!(of("7.0. CUDA 7.0.1 and 7.01").as_deref(), Some("7.x. CUDA 7.0.1 and 7.01"));
        assert_eq!(of("torch 2.7.0+cu126, CUDA 17.0, v7.0, 7.0+cpu"), None);
    }

    #[test]
    fn a_branch_fails_where_all_of_it_does() {
        let rule = &driver::old_for_build::OLD_FOR_BUILD;
        let found = branch(535).found(rule);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("535") && !found[0].contains("999"), "{found:?}");
        assert!(branch(580).found(rule).is_empty(), "580.65.06 is of this branch");
        assert!(branch(590).found(rule).is_empty());
        let told = |case: Case| {
            let checked = crate::check::run(&case.facts, crate::rules::embedded(), &crate::rules::Workload::default());
            checked.into_iter().find(|it| it.id == "driver").map(|it| format!("{:?}", it.outcome))
        };
        assert_eq!(told(branch(580)), Some("Skipped(\"which driver 580 exactly\")".to_owned()));
        assert_eq!(told(branch(590)), Some("Pass".to_owned()));
    }

    #[test]
    fn a_gpu_of_several_capabilities_fails_where_none_has_code() {
        let with = |said: &str, minors: &[u32]| {
            let among = minors.iter().map(|minor| ComputeCapability::new(7, *minor));
            let case = Case::host().torch("2.9.1+cu130", "13.0").gpu("some GPU", "7.5");
            let case = case.with(|facts| {
                if let Reading::Known { value, .. } = &mut facts.gpus {
                    value[0].compute_capability = partly(said, among);
                }
            });
            case.found(&gpu_arch::no_kernel::NO_KERNEL).len()
        };
        assert_eq!(with("7.0 or 7.2", &[0, 2]), 1, "torch for CUDA 13 begins at 7.5");
        assert_eq!(with("compute capability 7.x", &[0, 2, 5]), 0, "7.5 has code");
    }

    #[test]
    fn a_release_line_fails_where_each_release_does() {
        let rule = &gpu_arch::no_kernel::NO_KERNEL;
        let with = |gpu: &str, capability: &str| {
            let case = Case::host().gpu(gpu, capability).distribution("torch", "2.5.0", |own| {
                own.version = partly("2.5", ["2.5.0", "2.5.1"].map(str::to_owned));
                own.build.version = partly("2.5+cu124", ["2.5.0+cu124", "2.5.1+cu124"].map(str::to_owned));
            });
            case.found(rule)
        };
        let found = with("NVIDIA GeForce RTX 5090", "12.0");
        assert!(found.len() == 1 && found[0].contains("torch 2.5+cu124 "), "{found:?}");
        assert!(with("NVIDIA GeForce RTX 4090", "8.9").is_empty());
    }
}
