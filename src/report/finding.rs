//! Findings and plans as JSON has them, with commands printed for the shell of the machine that they are for.

use serde::Serialize;

use crate::facts::Facts;
use crate::finding::{Evidence, Finding, Id, Kind, Plan, Remedy, Severity};
use crate::step::{Shell, argv, print};

/// The shell of the machine that facts are about: PowerShell on Windows.
pub(super) fn shell(facts: &Facts) -> Shell {
    match facts.system.os.value().map(String::as_str) {
        Some("windows") => Shell::PowerShell,
        _ => Shell::Sh,
    }
}

/// A finding.
#[derive(Serialize)]
pub(super) struct FindingDocument<'a> {
    id: &'a Id,
    kind: Kind,
    severity: Severity,
    title: &'a str,
    message: &'a str,
    packages: &'a [String],
    gpus: &'a [u32],
    evidence: &'a [Evidence],
    remedies: Vec<RemedyDocument<'a>>,
    references: &'a [String],
}

impl<'a> FindingDocument<'a> {
    pub fn new(finding: &'a Finding, shell: Shell) -> Self {
        Self {
            id: &finding.id,
            kind: finding.kind,
            severity: finding.severity,
            title: &finding.title,
            message: &finding.message,
            packages: &finding.packages,
            gpus: &finding.gpus,
            evidence: &finding.evidence,
            remedies: finding.remedies.iter().map(|remedy| RemedyDocument::new(remedy, shell)).collect(),
            references: &finding.references,
        }
    }

    pub fn all(findings: &'a [Finding], shell: Shell) -> Vec<Self> {
        findings.iter().map(|finding| Self::new(finding, shell)).collect()
    }
}

#[derive(Serialize)]
struct RemedyDocument<'a> {
    summary: &'a str,
    requirements: &'a [String],
    commands: Vec<String>,
    argv: Vec<Vec<String>>,
    verified: bool,
}

impl<'a> RemedyDocument<'a> {
    fn new(remedy: &'a Remedy, shell: Shell) -> Self {
        Self {
            summary: &remedy.summary,
            requirements: &remedy.requirements,
            commands: print(&remedy.steps, shell),
            argv: argv(&remedy.steps),
            verified: remedy.verified,
        }
    }
}

/// The plan.
#[derive(Serialize)]
pub(super) struct PlanDocument<'a> {
    summary: &'a str,
    requirements: &'a [String],
    commands: Vec<String>,
    argv: Vec<Vec<String>>,
    fixes: &'a [Id],
    leaves: &'a [Id],
    verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    instead: Option<RemedyDocument<'a>>,
}

impl<'a> PlanDocument<'a> {
    pub fn new(plan: &'a Plan, shell: Shell) -> Self {
        Self {
            summary: &plan.summary,
            requirements: &plan.requirements,
            commands: print(&plan.steps, shell),
            argv: argv(&plan.steps),
            fixes: &plan.fixes,
            leaves: &plan.leaves,
            verified: plan.verified,
            instead: plan.instead.as_ref().map(|remedy| RemedyDocument::new(remedy, shell)),
        }
    }
}
