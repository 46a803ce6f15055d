use serde::Serialize;

use super::Report;
use crate::facts::Facts;
use crate::finding::{Finding, Outcome, Plan};

/// The name and version of the format.
const SCHEMA: &str = "gpudoc.report/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    gpudoc: &'static str,
    rules: &'a str,
    verdict: &'static str,
    demands: &'a [String],
    findings: &'a [Finding],
    plan: Option<&'a Plan>,
    checks: Vec<Check<'a>>,
    facts: &'a Facts,
}

#[derive(Serialize)]
struct Check<'a> {
    id: &'a str,
    status: &'static str,
    reason: Option<&'a str>,
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
        Check { id: checked.id, status, reason }
    });
    let document = Document {
        schema: SCHEMA,
        gpudoc: env!("CARGO_PKG_VERSION"),
        rules: &report.rules_day,
        verdict: report.verdict.name(),
        demands: &report.demands,
        findings: &report.findings,
        plan: report.plan.as_ref(),
        checks: checks.collect(),
        facts: report.facts,
    };
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}
