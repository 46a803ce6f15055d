//! SARIF 2.1.0, as code scanning reads it.
//!
//! A few of its objects, as `serde_json` values: types of all of SARIF would be longer than this.

use serde_json::{Value, json};

use super::{Problem, Problems};
use crate::finding::Severity;

/// Writes problems as SARIF.
///
/// # Errors
///
/// Never in practice: all of it is plain data.
pub fn sarif(problems: &Problems) -> serde_json::Result<String> {
    let mut ids: Vec<&str> = problems.rules.iter().map(|rule| rule.id.as_str()).collect();
    let known = problems.rules.iter().map(|rule| {
        json!({
            "id": rule.id,
            "shortDescription": { "text": rule.title },
            "fullDescription": { "text": rule.title },
            "help": { "text": rule.help },
        })
    });
    let mut rules: Vec<Value> = known.collect();
    for problem in &problems.problems {
        if !ids.contains(&problem.id.as_str()) {
            ids.push(&problem.id);
            rules.push(json!({ "id": problem.id, "shortDescription": { "text": problem.message } }));
        }
    }
    let results: Vec<Value> = problems.problems.iter().map(|problem| result(problem, &ids)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "gpudoc", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

fn result(problem: &Problem, ids: &[&str]) -> Value {
    let level = match problem.severity {
        Severity::Fail => "error",
        Severity::Warn => "warning",
        Severity::Info => "note",
    };
    let mut result = json!({
        "ruleId": problem.id,
        "ruleIndex": ids.iter().position(|id| *id == problem.id),
        "level": level,
        "message": { "text": problem.details() },
        "partialFingerprints": { "gpudoc/v1": problem.fingerprint },
    });
    if let Some(region) = &problem.region {
        result["locations"] = json!([{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&region.file) },
                "region": {
                    "startLine": region.line,
                    "startColumn": region.column,
                    "endLine": region.end_line,
                    "endColumn": region.end_column,
                },
            },
        }]);
    }
    result
}

/// A path as a relative reference: what a URI must not hold is escaped.
fn uri(path: &str) -> String {
    let path = path.trim_start_matches("./");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
