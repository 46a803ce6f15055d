//! Which findings explain a message, and in which order?

use crate::finding::{Evidence, Finding, Severity};
use crate::rules::schema::Symptom;

/// A finding and its place among those that explain something.
pub struct Ranked {
    /// What was found.
    pub finding: Finding,
    /// The lower, the earlier its message; none if it explains nothing.
    pub rank: Option<usize>,
}

impl Ranked {
    /// Notes that it explains a message.
    pub fn explains(&mut self, next: &mut usize, line: &str) {
        let evidence = message(line);
        if !self.finding.evidence.contains(&evidence) && self.finding.evidence.len() < 12 {
            self.finding.evidence.push(evidence);
        }
        if self.rank.is_none() {
            self.rank = Some(*next);
            *next += 1;
        }
    }
}

/// How a message is called among evidence.
pub const MESSAGE: &str = "error message";

/// A message as evidence.
pub fn message(line: &str) -> Evidence {
    Evidence::host(MESSAGE, format!("`{line}`"))
}

/// The findings that explain a message: those of the first selector that any meets.
pub fn explaining(symptom: &Symptom, package: Option<&str>, findings: &[Ranked]) -> Vec<usize> {
    let excluded: Vec<&str> = symptom.explained_by.iter().filter_map(|selector| selector.strip_prefix('!')).collect();
    for selector in &symptom.explained_by {
        let wanted = match (selector.contains("{package}"), package) {
            (true, Some(package)) => selector.replace("{package}", package),
            (true, None) => continue,
            (false, _) => selector.clone(),
        };
        let found: Vec<usize> = findings
            .iter()
            .enumerate()
            .filter(|(_, ranked)| {
                let Finding { id, kind, severity, .. } = &ranked.finding;
                let id = id.to_string();
                *severity != Severity::Info
                    && !excluded.contains(&id.as_str())
                    && (id == wanted
                        || kind.name() == wanted
                        || id.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with('/')))
            })
            .map(|(at, _)| at)
            .collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}
