//! What CI systems read: one [`Problems`] value, and one file for each format, listed in [`FORMS`]. `gpudoc lint` and `gpudoc check`
//! fill it alike.

mod github;
mod gitlab;
mod junit;
mod markdown;
mod sarif;

use super::Report;
use crate::finding::{Outcome, Severity};
use crate::lint;
use crate::project::place::Lines;

pub use markdown::markdown;

/// A format that a CI system reads.
#[derive(Debug)]
pub struct Form {
    /// Its name on the command line, e.g. `sarif`.
    pub name: &'static str,
    /// What it is, for `--help`.
    pub help: &'static str,
    /// Writes problems in it.
    pub write: fn(&Problems) -> serde_json::Result<String>,
}

/// All of them. Whoever adds one adds a file, and a line here.
pub const FORMS: &[Form] = &[
    Form { name: "sarif", help: "SARIF 2.1.0, for code scanning", write: sarif::sarif },
    Form { name: "junit", help: "JUnit XML", write: |problems| Ok(junit::junit(problems)) },
    Form { name: "github", help: "GitHub annotations", write: |problems| Ok(github::github(problems)) },
    Form { name: "gitlab", help: "GitLab code quality", write: gitlab::gitlab },
];

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// E.g. `gpudoc lint`.
    pub tool: &'static str,
    /// In order.
    pub problems: Vec<Problem>,
    /// What was looked at: files, or checks. Those without a problem passed.
    pub looked_at: Vec<String>,
    /// What was not looked at, and why.
    pub skipped: Vec<(String, String)>,
    /// The rules that the problems are of, or may be.
    pub rules: Vec<RuleText>,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The rule.
    pub id: String,
    /// How bad.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// What it rests on.
    pub notes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
    /// Which of `looked_at`.
    pub subject: String,
    /// Where; none for a problem of a machine.
    pub region: Option<Region>,
    /// The same as long as the problem is the same, wherever its line moves.
    pub fingerprint: String,
}

/// A part of a file. Lines and columns from 1, columns in characters; the end is behind the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The file.
    pub file: String,
    /// First line.
    pub line: usize,
    /// First column.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// Behind the last column.
    pub end_column: usize,
}

/// A rule in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleText {
    /// E.g. `unsatisfiable`.
    pub id: String,
    /// One sentence.
    pub title: String,
    /// What to do.
    pub help: String,
}

impl Problem {
    /// Message, notes and hint in lines.
    #[must_use]
    pub fn details(&self) -> String {
        let mut text = self.message.clone();
        for note in &self.notes {
            text.push_str("\n- ");
            text.push_str(note);
        }
        if let Some(hint) = &self.hint {
            text.push_str("\nhint: ");
            text.push_str(hint);
        }
        text
    }
}

impl Problems {
    /// Those of `gpudoc lint`. `files` are path and text of all that was looked at.
    #[must_use]
    pub fn of_lint(findings: &[lint::Finding], files: &[(String, String)]) -> Self {
        let mut problems: Vec<Problem> = Vec::new();
        for finding in findings {
            let text = files.iter().find(|(path, _)| *path == finding.file).map_or("", |(_, text)| text);
            let end = Lines::of(text).place(finding.place.span.end..finding.place.span.end);
            let written = text.get(finding.place.span.clone()).unwrap_or_default();
            let region = Region {
                file: finding.file.clone(),
                line: finding.place.line,
                column: finding.place.column,
                end_line: end.line.max(finding.place.line),
                end_column: end.column,
            };
            problems.push(Problem {
                id: finding.rule.id.to_owned(),
                severity: finding.severity,
                message: finding.message.clone(),
                notes: finding.notes.clone(),
                hint: finding.hint.clone(),
                subject: finding.file.clone(),
                region: Some(region),
                fingerprint: fingerprint(&[finding.rule.id, &finding.file, written]),
            });
        }
        let rules = lint::registry::RULES.iter().map(|rule| RuleText {
            id: rule.id.to_owned(),
            title: rule.title.to_owned(),
            help: rule.help.to_owned(),
        });
        let looked_at = files.iter().map(|(path, _)| path.clone()).collect();
        numbered(&mut problems);
        Self { tool: "gpudoc lint", problems, looked_at, skipped: Vec::new(), rules: rules.collect() }
    }

    /// Those of `gpudoc check`.
    #[must_use]
    pub fn of_check(report: &Report<'_>) -> Self {
        let mut problems = Vec::new();
        let mut rules: Vec<RuleText> = Vec::new();
        for finding in &report.findings {
            let hint = finding.remedies.first().map(|remedy| remedy.summary.clone());
            let id = finding.id.to_string();
            if !rules.iter().any(|rule| rule.id == id) {
                let rule = finding.id.rule();
                let page = rule.page.split_whitespace().collect::<Vec<_>>().join(" ");
                rules.push(RuleText { id: id.clone(), title: rule.line.trim().to_owned(), help: page });
            }
            let notes = finding.evidence.iter().map(|one| match &one.required {
                Some(required) => format!("{}: {}, needed: {required}", one.fact, one.observed),
                None => format!("{}: {}", one.fact, one.observed),
            });
            problems.push(Problem {
                severity: finding.severity,
                message: finding.title.clone(),
                notes: notes.collect(),
                hint,
                subject: finding.kind.name().to_owned(),
                region: None,
                fingerprint: fingerprint(&[&id, &finding.title]),
                id,
            });
        }
        let (mut looked_at, mut skipped) = (Vec::new(), Vec::new());
        for checked in &report.checks {
            match &checked.outcome {
                Outcome::Skipped(missing) => skipped.push((checked.id.to_owned(), format!("no {missing}"))),
                Outcome::NotApplicable(_) => {}
                _ => looked_at.push(checked.id.to_owned()),
            }
            for missing in &checked.missing {
                skipped.push((format!("{} in full", checked.id), format!("no {missing}")));
            }
        }
        for demand in &report.demands {
            problems.push(Problem {
                id: "require".to_owned(),
                severity: Severity::Fail,
                message: demand.clone(),
                notes: Vec::new(),
                hint: None,
                subject: "require".to_owned(),
                region: None,
                fingerprint: fingerprint(&["require", demand]),
            });
        }
        numbered(&mut problems);
        Self { tool: "gpudoc check", problems, looked_at, skipped, rules }
    }

    /// How many are so bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.problems.iter().filter(|problem| problem.severity == severity).count()
    }
}

/// FNV-1a over the parts: the same on every machine and in every version.
fn fingerprint(parts: &[&str]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}

/// Tells equal fingerprints apart by their order.
fn numbered(problems: &mut [Problem]) {
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for problem in problems {
        let count = seen.entry(problem.fingerprint.clone()).or_default();
        *count += 1;
        problem.fingerprint = format!("{}:{count}", problem.fingerprint);
    }
}
