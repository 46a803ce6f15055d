//! Workflow commands: GitHub shows them beside the lines of a change.

use std::fmt::Write;

use super::Problems;
use crate::finding::Severity;
use crate::text::shown;

/// Writes problems as workflow commands, one line each.
#[must_use]
pub fn github(problems: &Problems) -> String {
    let mut out = String::new();
    for problem in &problems.problems {
        let level = match problem.severity {
            Severity::Fail => "error",
            Severity::Warn => "warning",
            Severity::Info => "notice",
        };
        let _ = write!(out, "::{level} ");
        if let Some(region) = &problem.region {
            let _ = write!(
                out,
                "file={},line={},endLine={},col={},",
                property(&region.file),
                region.line,
                region.end_line,
                region.column
            );
            if region.end_line == region.line {
                let _ = write!(out, "endColumn={},", region.end_column);
            }
        }
        let _ = writeln!(out, "title={}::{}", property(&format!("gpudoc {}", problem.id)), data(&problem.details()));
    }
    out
}

fn data(text: &str) -> String {
    shown(text).replace('%', "%25").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
