//! A summary for a job or a merge request.

use std::fmt::Write;

use super::Problems;
use crate::finding::Severity;
use crate::text::count;

/// Writes problems as a Markdown summary.
#[must_use]
pub fn markdown(problems: &Problems) -> String {
    let mut out = String::new();
    let (failures, warnings) = (problems.count(Severity::Fail), problems.count(Severity::Warn));
    let files = count(problems.looked_at.len(), "file", "files");
    if problems.problems.is_empty() {
        let _ = writeln!(out, "**{}: nothing is wrong in {files}.**", problems.tool);
        return out;
    }
    let failures = count(failures, "failure", "failures");
    let _ = writeln!(out, "**{}: {failures}, {} in {files}**\n", problems.tool, count(warnings, "warning", "warnings"));
    let _ = writeln!(out, "| | where | what | fix |\n|---|---|---|---|");
    for problem in &problems.problems {
        let mark = match problem.severity {
            Severity::Fail => "❌",
            Severity::Warn => "⚠️",
            Severity::Info => "ℹ️",
        };
        let place = problem
            .region
            .as_ref()
            .map_or(problem.subject.clone(), |region| format!("{}:{}", region.file, region.line));
        let hint = problem.hint.as_deref().unwrap_or_default();
        let message = format!("{} (`{}`)", cell(&problem.message), problem.id);
        let _ = writeln!(out, "| {mark} | `{place}` | {message} | {} |", cell(hint));
    }
    out
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    crate::text::shown(text).replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}
