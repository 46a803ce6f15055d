//! GitLab's code quality report.

use serde_json::{Value, json};

use super::Problems;
use crate::finding::Severity;

/// Writes problems as a code quality report.
///
/// # Errors
///
/// Never in practice: all of it is plain data.
pub fn gitlab(problems: &Problems) -> serde_json::Result<String> {
    let all: Vec<Value> = problems
        .problems
        .iter()
        .map(|problem| {
            let severity = match problem.severity {
                Severity::Fail => "major",
                Severity::Warn => "minor",
                Severity::Info => "info",
            };
            let (path, line) = problem
                .region
                .as_ref()
                .map_or((problem.subject.as_str(), 1), |region| (region.file.trim_start_matches("./"), region.line));
            json!({
                "description": problem.message,
                "check_name": problem.id,
                "fingerprint": problem.fingerprint,
                "severity": severity,
                "location": { "path": path, "lines": { "begin": line } },
            })
        })
        .collect();
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}
