use serde::Serialize;

use super::Report;
use super::finding::{FindingDocument, PlanDocument, shell};
use crate::cause::Cause;
use crate::check::Verdict;
use crate::facts::Facts;
use crate::finding::Outcome;

/// The name and version of the format.
const SCHEMA: &str = "gpudoc.report/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    gpudoc: &'static str,
    rules: &'a str,
    verdict: &'static str,
    demands: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
    findings: Vec<FindingDocument<'a>>,
    causes: &'a [Cause],
    plan: Option<PlanDocument<'a>>,
    checks: Vec<Check<'a>>,
    facts: &'a Facts,
}

#[derive(Serialize)]
struct Check<'a> {
    id: &'a str,
    status: &'static str,
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    missing: &'a [String],
}

/// Writes a report as JSON, `gpudoc.report/1`, with a newline at the end.
///
/// # Errors
///
/// Never in practice: every part serialises.
pub fn json(report: &Report<'_>) -> serde_json::Result<String> {
    let checks = report.checks.iter().map(|checked| {
        let (status, reason) = match &checked.outcome {
            Outcome::Pass => ("pass", None),
            Outcome::Findings(_) => ("finding", None),
            Outcome::Skipped(missing) => ("skipped", Some(missing.as_str())),
            Outcome::NotApplicable(why) => ("not-applicable", Some(why.as_str())),
        };
        Check { id: checked.id, status, reason, missing: &checked.missing }
    });
    let shell = shell(report.facts);
    let document = Document {
        schema: SCHEMA,
        gpudoc: env!("CARGO_PKG_VERSION"),
        rules: &report.rules.day,
        verdict: report.verdict.name(),
        demands: &report.demands,
        notice: report.rules.notice(),
        findings: FindingDocument::all(&report.findings, shell),
        causes: &report.causes,
        plan: report.plan.as_ref().map(|plan| PlanDocument::new(plan, shell)),
        checks: checks.collect(),
        facts: report.facts,
    };
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

/// What stands in place of a report where gpudoc could not judge anything: nothing was recognised, or could be read.
#[derive(Serialize)]
struct NoReport<'a> {
    schema: &'static str,
    verdict: &'static str,
    findings: [(); 0],
    error: &'a str,
}

/// Writes that there is no report, and why, in one line.
///
/// # Errors
///
/// Never in practice: every part serialises.
pub fn no_report(error: &str) -> serde_json::Result<String> {
    let document = NoReport { schema: SCHEMA, verdict: Verdict::Unknown.name(), findings: [], error };
    Ok(serde_json::to_string(&document)? + "\n")
}
