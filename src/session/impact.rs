//! What a change would do to an environment, and to the files that name what is installed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;

use super::asked::Settled;
use super::lint::{File, Judge};
use crate::exit::Exit;
use crate::facts::Facts;
use crate::impact::edits::{self, edited, edits};
use crate::impact::{Fate, Outlook, Wish, foresee, on_target};
use crate::lint::Finding;
use crate::lint::VERSION_CHECK;
use crate::lint::kind::FileKind;
use crate::rules::requirement::{name_of, normalise, parse};
use crate::rules::{RuleDb, Target, Workload};
use crate::solve::{Action, AskedRequirement, Change, Proof};

/// What would come of it, or why it cannot be; with the facts of the machine that it is for.
pub struct Foreseen {
    /// The environment on that machine.
    pub facts: Facts,
    /// The outcome.
    pub outlook: Result<Outlook, Box<Proof>>,
}

/// Looks at a change of an environment that was observed.
///
/// # Errors
///
/// When no change is named, or the machines are declared ones, of which no environment is known.
pub fn foreseen(asked: &Settled, facts: Option<&Facts>, targets: &[Target], db: &RuleDb) -> anyhow::Result<Foreseen> {
    let (Some(facts), [target]) = (facts, targets) else {
        bail!(
            "impact looks at an environment: this one, that of `--python`, or a snapshot (`--from`), not at declared targets"
        );
    };
    let facts = on_target(facts, target);
    let refused = BTreeSet::new();
    let (wanted, constraints) = (asked.requirements.as_slice(), asked.constraints.as_slice());
    let wish = Wish { wanted, constraints, refused: &refused, is_part: &|_| true, bare: false };
    let outlook = foresee(&facts, wish, target, db, &Workload::default());
    Ok(Foreseen { facts, outlook })
}

/// Files with their names, as they are before a change.
pub type Files = [(String, String)];

/// The outlook with what files name and the environment does not have beside what is asked, for the files' sake: what they pin has
/// to go with the change too. None where the outlook says what becomes of all of it, or there is no set with it.
#[must_use]
pub fn with_files(
    asked: &Settled,
    facts: &Facts,
    target: &Target,
    files: &Files,
    outlook: &Outlook,
    db: &RuleDb,
) -> Option<Outlook> {
    let unknown = files.iter().flat_map(|(name, text)| edits(text, edits::Sort::of(name), outlook, db).unknown);
    let mut lines: BTreeMap<String, String> = unknown.collect();
    if lines.is_empty() {
        return None;
    }
    let refused = BTreeSet::new();
    // What the files say holds as far as it can: each round lets go of what the solver's smallest change lets go of.
    for _ in 0..=lines.len() {
        let own = lines.values().filter_map(|line| Some(AskedRequirement::new(parse(line).ok()?, FILES)));
        let wanted: Vec<AskedRequirement> = asked.requirements.iter().cloned().chain(own).collect();
        let constraints = asked.constraints.as_slice();
        let wish = Wish { wanted: &wanted, constraints, refused: &refused, is_part: &|_| true, bare: false };
        let proof = match foresee(facts, wish, target, db, &Workload::default()) {
            Ok(wider) => return Some(wider),
            Err(proof) => proof,
        };
        let loosened = |change: &Change| match change {
            Change::Requirement { from, to } => {
                let name = normalise(name_of(from));
                lines.contains_key(&name).then(|| (name.clone(), to.clone().unwrap_or(name)))
            }
            _ => None,
        };
        let of_files = |action: &Action| action.changes.iter().map(loosened).collect::<Option<Vec<_>>>();
        let loosened = proof.actions.iter().filter_map(of_files).find(|changes| !changes.is_empty())?;
        lines.extend(loosened);
    }
    None
}

/// Who asks for what files name.
const FILES: &str = "the edited files";

/// A file after a change: its new text, none where nothing changes, and notes.
#[must_use]
pub fn rewritten(name: &str, before: &str, outlook: &Outlook, db: &RuleDb) -> (Option<String>, Vec<String>) {
    let edits = edits(before, edits::Sort::of(name), outlook, db);
    let after = (!edits.edits.is_empty()).then(|| edited(before, &edits));
    (after, edits.notes)
}

/// A file with what it is, for [`tripped`]; none where nothing judges its kind.
#[must_use]
pub fn of_a_kind((name, text): (String, String)) -> Option<File> {
    let kind = FileKind::of(&name)?;
    Some((name, kind, text))
}

/// The checks of versions in files as they are after the change, and in programs beside them, that stop or complain then:
/// `Dockerfile:11: torch 2.7.1 trips this assertion; let it ask for what is installed, or take it out`.
#[must_use]
pub fn tripped(files: &[File], targets: &[Target], db: &RuleDb) -> Vec<String> {
    if files.is_empty() {
        return Vec::new();
    }
    let (findings, _) = Judge::declared(None, targets.to_vec(), db).findings(files, &|_| None);
    let checks = findings.into_iter().filter(|finding| *finding.rule == VERSION_CHECK);
    let words = |finding: Finding| {
        let hint = finding.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("{}:{}: {}{hint}", finding.file, finding.place.line, finding.message)
    };
    checks.map(words).collect()
}

/// How it ends: with 1 where something conflicts, or would fail that does not now.
#[must_use]
pub fn exit(outlook: &Outlook) -> Exit {
    if outlook.rows.iter().any(|row| row.fate == Fate::Conflict) {
        return Exit::Failed;
    }
    Exit::judged(outlook.introduced.iter().map(|finding| finding.severity).min(), false, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::embedded;
    use crate::session::asked::Inputs;
    use crate::session::paste::paste;

    fn of(line: &str) -> (Facts, Settled, Target) {
        let text = "PyTorch version: 2.6.0+cu124\nPython version: 3.12.3\nPython platform: Linux-6.8.0-x86_64-with-glibc2.39\n\
                    GPU 0: NVIDIA H100 80GB HBM3\nNvidia driver version: 570.133.20\n[pip3] torch==2.6.0\n[pip3] triton==3.2.0";
        let facts = paste(text, embedded()).facts;
        let mut inputs = Inputs::default();
        inputs.add(line).expect("a requirement");
        let target = Target::from_facts(&facts, embedded());
        (facts, inputs.settle(embedded()), target)
    }

    #[test]
    fn a_change_that_fits_ends_well_and_rewrites_the_file_that_names_it() {
        let (facts, asked, target) = of("torch==2.7.1");
        let foreseen = foreseen(&asked, Some(&facts), &[target], embedded()).expect("an environment");
        let outlook = foreseen.outlook.unwrap_or_else(|proof| panic!("{proof:?}"));
        assert_eq!(exit(&outlook), Exit::Ok);
        let (after, _) = rewritten("requirements.txt", "torch==2.6.0\n", &outlook, embedded());
        assert!(after.is_some_and(|text| text.starts_with("torch==2.7.1")));
        assert_eq!(rewritten("requirements.txt", "requests\n", &outlook, embedded()).0, None);
    }

    /// The environment has no torchvision; the file pins that of the old torch.
    #[test]
    fn what_only_a_file_names_moves_with_the_change() {
        let (facts, asked, target) = of("torch==2.7.1");
        let foreseen =
            foreseen(&asked, Some(&facts), std::slice::from_ref(&target), embedded()).expect("an environment");
        let outlook = foreseen.outlook.unwrap_or_else(|proof| panic!("{proof:?}"));
        let text = "torch==2.6.0\ntorchvision>=0.21.0,<0.22.0\ntriton>=2.1,<3\ntransformers==4.40.2\n";
        let files = [("requirements.txt".to_owned(), text.to_owned())];
        let wider = with_files(&asked, &foreseen.facts, &target, &files, &outlook, embedded()).expect("torchvision");
        let (after, _) = rewritten("requirements.txt", text, &wider, embedded());
        assert_eq!(after.as_deref(), Some("torch==2.7.1\ntorchvision==0.22.1\ntriton==3.3.1\ntransformers==4.40.2\n"));
        let known = [("requirements.txt".to_owned(), "torch==2.6.0\nrequests\n".to_owned())];
        assert!(with_files(&asked, &foreseen.facts, &target, &known, &outlook, embedded()).is_none());
    }

    #[test]
    fn what_cannot_be_has_a_proof_and_declared_machines_have_no_environment() {
        let (facts, asked, target) = of("torch==2.7.1,==2.6.0");
        let foreseen =
            super::foreseen(&asked, Some(&facts), std::slice::from_ref(&target), embedded()).expect("an environment");
        assert!(foreseen.outlook.is_err());
        assert!(super::foreseen(&asked, None, &[target], embedded()).is_err());
    }
}
