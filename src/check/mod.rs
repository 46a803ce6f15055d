//! The checks: each a function from facts and rules to an outcome, one folder per family, in it one file per rule.
//!
//! A check never reads the machine. What it cannot judge for lack of a fact it skips, and names the fact; what it judges
//! by a row of the rules it judges with the same function that the solver uses (`crate::rules`).

mod abi;
mod advisory;
mod again;
#[cfg(test)]
mod cases;
mod command;
mod cpu_build;
mod cuda_libs;
mod driver;
mod driver_mismatch;
mod environment;
mod forward_compat;
mod gaps;
mod gpu_arch;
mod gpu_visibility;
mod gpus;
mod import;
mod in_part;
mod installer;
mod out_of_reach;
mod pairing;
mod prebuilt;
mod python;
pub mod rebuild;
pub mod registry;
mod requirement;
mod stack;
mod symptoms;
mod system;
mod toolchain;
mod verdict;

use self::abi::soname;
use crate::facts::Facts;
use crate::finding::{Finding, Outcome};
use crate::parallel::in_parallel;
use crate::pep::{Requirement, Version, pinned};
use crate::rules::advisory::Environment;
use crate::rules::requirement::{is_about, markers, parse, specifiers, surely_applies};
use crate::rules::role::is_hub;
use crate::rules::symptom::Heard;
use crate::rules::{RuleDb, Target, Workload};
use crate::text;

pub use command::fit;
pub use environment::in_front;
pub use forward_compat::out_of_path;
pub use installer::Installer;
pub use python::suits;
pub use stack::{Installed, Stack};
pub use symptoms::{Told, explain};
pub use verdict::{Looked, Verdict, subjects, verdict};

/// What the checks look at.
pub struct Context<'a> {
    /// The observations.
    pub facts: &'a Facts,
    /// The rules.
    pub db: &'a RuleDb,
    /// What the host demands, from the facts.
    pub target: Target,
    /// The installed distributions that import finds, with their rows.
    pub stack: Stack<'a>,
    /// What the project says it does.
    pub workload: &'a Workload,
    /// In words, e.g. `torch.compile`.
    pub uses: Vec<String>,
    /// The messages of advisories that somebody saw.
    pub messages: &'a [&'a str],
}

impl<'a> Context<'a> {
    /// Looks up what the checks share.
    #[must_use]
    pub fn new(facts: &'a Facts, db: &'a RuleDb, workload: &'a Workload, heard: &'a Heard<'a>) -> Self {
        let target = Target::from_facts(facts, db);
        let stack = Stack::new(facts, db, &target);
        Self { facts, db, target, stack, workload, uses: workload.words(db), messages: &heard.quoted }
    }

    /// The full version of an installed distribution; none where it is not there, or its version does not parse.
    fn installed(&self, name: &str) -> Option<Version> {
        self.stack.get(name)?.version.clone()
    }

    /// The same, and of what a report does not list the release that something listed pins: torch 2.7.1 brings triton 3.3.1. So
    /// what a message means is judged, which was printed by something that is there.
    fn installed_or_brought(&self, name: &str) -> Option<Version> {
        let own = self.installed(name);
        if own.is_some() || self.facts.lists_all() || self.stack.get(name).is_some() {
            return own;
        }
        let known = markers(&self.target);
        let lines =
            self.stack.installed.iter().filter_map(Installed::requires).flatten().filter(|line| is_about(line, name));
        let applies = |line: &Requirement| known.is_none() || surely_applies(line, known.as_ref(), &[]);
        let mut pins = lines.filter_map(|line| parse(line).ok()).filter(applies);
        pins.find_map(|line| specifiers(&line).as_ref().and_then(pinned).cloned())
    }

    /// What advisories are judged on; `installed` is [`Self::installed`].
    fn environment<'e>(&'e self, installed: &'e dyn Fn(&str) -> Option<Version>) -> Environment<'e> {
        Environment {
            installed,
            cuda: self.stack.torch_cuda().flatten(),
            target: &self.target,
            workload: &self.uses,
            messages: self.messages,
        }
    }
}

/// One check and what it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The family's name, e.g. `gpu-arch`.
    pub id: &'static str,
    /// What it came to.
    pub outcome: Outcome,
    /// The facts that it lacked beside that, in words, e.g. `the version of xformers`.
    pub missing: Vec<String>,
}

type Check = fn(&Context<'_>) -> Outcome;

/// A check by its name.
struct Family {
    id: &'static str,
    check: Check,
    weight: Weight,
}

/// Where a check that could not look keeps a pass from being said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Everywhere.
    Always,
    /// On a machine, an image or a snapshot of one: a report does not tell what it looks at.
    OnMachine,
    /// Nowhere: it is about what one may want to do, not about what is there.
    Never,
}

const fn family(id: &'static str, check: Check, weight: Weight) -> Family {
    Family { id, check, weight }
}

const FAMILIES: [Family; 17] = [
    family("gpu-visibility", gpu_visibility::check, Weight::Always),
    family("driver-mismatch", driver_mismatch::check, Weight::OnMachine),
    family("forward-compat", forward_compat::check, Weight::Always),
    family("driver", driver::check, Weight::Always),
    family("cpu-build", cpu_build::check, Weight::Always),
    family("gpu-arch", gpu_arch::check, Weight::Always),
    family("abi", abi::check, Weight::OnMachine),
    family("cuda-libs", cuda_libs::check, Weight::OnMachine),
    family("pairing", pairing::check, Weight::Always),
    family("requirement", requirement::check, Weight::Always),
    family("import", import::check, Weight::Never),
    family("python", python::check, Weight::Always),
    family("toolchain", toolchain::check, Weight::Never),
    family("system", system::check, Weight::Never),
    family("advisory", advisory::check, Weight::Always),
    family("workload", system::workload::check, Weight::Never),
    family("vendor", system::vendor::check, Weight::Never),
];

/// Names of the checks that look at GPUs: `--require gpu` makes their skipping a failure, and what is for another vendor's
/// GPUs they do not judge.
pub const GPU_CHECKS: [&str; 4] = ["gpu-visibility", "driver", "cpu-build", "gpu-arch"];

/// Runs every check, in a fixed order.
#[must_use]
pub fn run(facts: &Facts, db: &RuleDb, workload: &Workload) -> Vec<Checked> {
    run_with(facts, db, workload, &Heard::default())
}

/// The same beside error messages that somebody saw: advisories that need one can apply. Of facts that are known in part every
/// case is judged.
#[must_use]
pub fn run_with(facts: &Facts, db: &RuleDb, workload: &Workload, heard: &Heard<'_>) -> Vec<Checked> {
    let cases = facts.worlds();
    if cases.is_empty() {
        return run_whole(facts, db, workload, heard);
    }
    let open = text::list(&facts.in_part());
    let mut judged: Vec<_> = cases.iter().map(|case| run_whole(&case.facts, db, workload, heard).into_iter()).collect();
    let of_one_check = std::iter::from_fn(|| judged.iter_mut().map(Iterator::next).collect::<Option<Vec<Checked>>>());
    of_one_check.filter_map(|judged| in_part::together(&cases, judged, &open)).collect()
}

fn run_whole(facts: &Facts, db: &RuleDb, workload: &Workload, heard: &Heard<'_>) -> Vec<Checked> {
    let context = Context::new(facts, db, workload, heard);
    let vendor = db.other_vendor(facts);
    let mut gaps = gaps::gaps(&context);
    // Two or three of them take as long as all the others together.
    let mut checked = in_parallel(&FAMILIES, 4, |family| {
        let outcome = match &vendor {
            Some(vendor) if GPU_CHECKS.contains(&family.id) => {
                Outcome::Skipped(format!("rules for {}, which this stack is for", vendor.name))
            }
            _ => also(registry::found(family.id, &context), (family.check)(&context)),
        };
        Checked { id: family.id, outcome, missing: Vec::new() }
    });
    for checked in &mut checked {
        // What was skipped has said what it lacks.
        let open = !matches!(checked.outcome, Outcome::Skipped(_));
        let of = |(id, _): &mut (&str, String)| *id == checked.id && open;
        checked.missing = gaps.extract_if(.., of).map(|(_, missing)| missing).collect();
    }
    checked
}

/// All findings, the worst first: by severity, then causes before consequences, then the hub before the rest, then id.
#[must_use]
pub fn findings(checked: &[Checked]) -> Vec<Finding> {
    let mut findings: Vec<_> = checked
        .iter()
        .filter_map(|checked| match &checked.outcome {
            Outcome::Findings(findings) => Some(findings.as_slice()),
            _ => None,
        })
        .flatten()
        .cloned()
        .collect();
    findings.sort_by(|left, right| {
        let rank =
            |finding: &Finding| (finding.severity, finding.kind, !finding.id.subjects().last().is_some_and(is_hub));
        rank(left).cmp(&rank(right)).then_with(|| (&left.id, &left.title).cmp(&(&right.id, &right.title)))
    });
    findings
}

/// An outcome beside what its rules found by themselves.
fn also(found: Vec<Finding>, outcome: Outcome) -> Outcome {
    match outcome {
        outcome if found.is_empty() => outcome,
        Outcome::Findings(findings) => Outcome::Findings(found.into_iter().chain(findings).collect()),
        _ => Outcome::Findings(found),
    }
}

/// The outcome of a check that looked: its findings, or that there are none.
fn looked(findings: Vec<Finding>) -> Outcome {
    if findings.is_empty() { Outcome::Pass } else { Outcome::Findings(findings) }
}

/// What the tests of several checks make.
#[cfg(test)]
mod made {
    use super::Context;
    use crate::facts::{Distribution, Facts, Metadata, Reading};
    use crate::finding::Finding;
    use crate::rules::symptom::Heard;
    use crate::rules::{Workload, embedded};

    /// What a rule finds in these facts, e.g. `system/wsl: WSL kernel 4.19.128 is too old for GPUs in WSL`.
    pub fn found<F: IntoIterator<Item = Finding>>(facts: &Facts, rule: impl FnOnce(&Context<'_>) -> F) -> Vec<String> {
        let (workload, heard) = (Workload::default(), Heard::default());
        let context = Context::new(facts, embedded(), &workload, &heard);
        rule(&context).into_iter().map(|finding| format!("{}: {}", finding.id, finding.title)).collect()
    }

    /// A distribution and what it requires.
    pub fn distribution(name: &str, version: &str, requires: &[&str]) -> Distribution {
        let requires = requires.iter().map(|line| (*line).to_owned()).collect();
        Distribution {
            name: name.to_owned(),
            version: Reading::metadata(version.to_owned(), "METADATA"),
            metadata: Reading::metadata(Metadata { requires, ..Metadata::default() }, "METADATA"),
            ..Distribution::default()
        }
    }
}
