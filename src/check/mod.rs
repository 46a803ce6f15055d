//! The checks: each a function from facts and rules to an outcome, one file per family.
//!
//! A check never reads the machine. What it cannot judge for lack of a fact it skips, and names the fact; what it judges
//! by a row of the rules it judges with the same function that the solver uses (`crate::rules`).

mod abi;
mod advisory;
mod candidates;
mod contradiction;
mod cpu_build;
mod cuda_answer;
mod cuda_libs;
mod device_nodes;
mod driver;
mod driver_mismatch;
mod forward_compat;
mod gpu_arch;
mod gpu_state;
mod gpu_visibility;
mod libcuda_stub;
mod limits;
mod pairing;
mod platform;
mod prebuilt;
mod ptxas;
mod python;
mod requirement;
mod stack;
mod symptoms;
mod system;
mod toolchain;
mod visible;
mod workload;
mod xid;

use pep440_rs::Version;

use crate::facts::Facts;
use crate::finding::{Finding, Outcome, Severity};
use crate::parallel::in_parallel;
use crate::rules::advisory::Environment;
use crate::rules::symptom::Heard;
use crate::rules::vendor::OtherVendor;
use crate::rules::{RuleDb, Target, Workload};

pub use stack::{Installed, Stack};
pub use symptoms::{Told, explain};

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
}

type Check = fn(&Context<'_>) -> Outcome;

const CHECKS: [(&str, Check); 15] = [
    ("gpu-visibility", gpu_visibility::check),
    ("driver-mismatch", driver_mismatch::check),
    ("forward-compat", forward_compat::check),
    ("driver", driver::check),
    ("cpu-build", cpu_build::check),
    ("gpu-arch", gpu_arch::check),
    ("abi", abi::check),
    ("cuda-libs", cuda_libs::check),
    ("pairing", pairing::check),
    ("requirement", candidates::check),
    ("python", python::check),
    ("toolchain", toolchain::check),
    ("system", system::check),
    ("advisory", advisory::check),
    ("workload", workload::check),
];

/// Names of the checks that look at GPUs: `--require gpu` makes their skipping a failure.
pub const GPU_CHECKS: [&str; 4] = ["gpu-visibility", "driver", "cpu-build", "gpu-arch"];

/// Runs every check, in a fixed order.
#[must_use]
pub fn run(facts: &Facts, db: &RuleDb, workload: &Workload) -> Vec<Checked> {
    run_with(facts, db, workload, &Heard::default())
}

/// The same beside error messages that somebody saw: advisories that need one can apply.
#[must_use]
pub fn run_with(facts: &Facts, db: &RuleDb, workload: &Workload, heard: &Heard<'_>) -> Vec<Checked> {
    let context = Context::new(facts, db, workload, heard);
    if let Some(vendor) = db.other_vendor(facts) {
        return not_judged(&context, &vendor);
    }
    // Two or three of them take as long as all the others together.
    in_parallel(&CHECKS, 4, |(id, check)| Checked { id, outcome: check(&context) })
}

/// Of another vendor's stack only what an installer said for itself is repeated.
fn not_judged(context: &Context<'_>, vendor: &OtherVendor) -> Vec<Checked> {
    let checks = CHECKS.iter().map(|(id, _)| {
        let outcome = match *id {
            "requirement" => candidates::alone(context),
            "gpu-visibility" | "cpu-build" => Outcome::Skipped(vendor.why()),
            _ => Outcome::NotApplicable(format!("{} is not judged", vendor.name)),
        };
        Checked { id, outcome }
    });
    checks.collect()
}

/// All findings, the worst first: by severity, then causes before consequences, then torch before the rest, then id.
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
        let rank = |finding: &Finding| (finding.severity, finding.kind, !finding.id.ends_with("/torch"));
        rank(left).cmp(&rank(right)).then_with(|| (&left.id, &left.title).cmp(&(&right.id, &right.title)))
    });
    findings
}

/// What all findings and checks come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Everything that applies was looked at, and nothing is wrong.
    Pass,
    /// Only warnings.
    Warn,
    /// Something does not work.
    Fail,
    /// Nothing wrong was found, but nothing that matters could be looked at.
    Unknown,
}

impl Verdict {
    /// The word in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// The verdict on a list of checks.
#[must_use]
pub fn verdict(checked: &[Checked], findings: &[Finding]) -> Verdict {
    match findings.iter().map(|finding| finding.severity).min() {
        Some(Severity::Fail) => Verdict::Fail,
        Some(Severity::Warn) => Verdict::Warn,
        _ if checked.iter().any(|checked| matches!(checked.outcome, Outcome::Pass | Outcome::Findings(_))) => {
            Verdict::Pass
        }
        _ => Verdict::Unknown,
    }
}

/// The tool that made the environment, with a subcommand, and its flag for going ahead unasked.
#[must_use]
pub fn installer(facts: &Facts, subcommand: &str) -> (String, &'static str) {
    let by_uv = facts.distributions.iter().any(|distribution| {
        distribution.name == "torch" && distribution.installer.value().is_some_and(|installer| installer == "uv")
    });
    let executable = facts.python.value().and_then(|python| python.executable.value());
    match (executable, by_uv) {
        (Some(python), true) => (format!("uv pip {subcommand} --python {python}"), ""),
        (Some(python), false) => (format!("{python} -m pip {subcommand}"), " -y"),
        (None, true) => (format!("uv pip {subcommand}"), ""),
        (None, false) => (format!("pip {subcommand}"), " -y"),
    }
}

/// The outcome of a check that looked: its findings, or that there are none.
fn looked(findings: Vec<Finding>) -> Outcome {
    if findings.is_empty() { Outcome::Pass } else { Outcome::Findings(findings) }
}
