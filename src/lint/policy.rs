//! What a project has decided: other severities, and findings that it lives with for a reason.

use super::Finding;
use crate::finding::Severity;
use crate::parse::place::Place;

/// The policy of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The file that says it, for findings about the policy itself.
    pub file: String,
    /// Severities by id.
    pub severity: Vec<(String, Severity)>,
    /// What is left out.
    pub ignore: Vec<Ignore>,
}

/// A finding that is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignore {
    /// The id, e.g. `range-admits-bad`.
    pub id: String,
    /// Only in this file, or below this folder.
    pub path: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it counts, e.g. `2026-12-31`.
    pub until: Option<String>,
    /// Where it stands.
    pub place: Place,
}

impl Policy {
    /// Applies the policy. `today` is e.g. `2026-11-21`; `whole` says that all files were looked at, so that an ignore without
    /// a finding is told.
    #[must_use]
    pub fn apply(&self, findings: Vec<Finding>, today: &str, whole: bool) -> Vec<Finding> {
        let mut used = vec![false; self.ignore.len()];
        let mut kept = Vec::new();
        for mut finding in findings {
            if let Some((_, severity)) = self.severity.iter().find(|(id, _)| *id == finding.id) {
                finding.severity = *severity;
            }
            let mut ignored = false;
            for (one, used) in self.ignore.iter().zip(&mut used).filter(|(one, _)| one.matches(&finding)) {
                *used = true;
                ignored |= !one.has_lapsed(today);
            }
            if !ignored {
                kept.push(finding);
            }
        }
        for (one, used) in self.ignore.iter().zip(used) {
            if one.has_lapsed(today) {
                let until = one.until.as_deref().unwrap_or_default();
                let message = format!("the ignore of `{}` lapsed on {until}: {}", one.id, one.reason);
                kept.push(self.about(one, "ignore-lapsed", message));
            } else if !used && whole {
                kept.push(self.about(
                    one,
                    "ignore-unused",
                    format!("nothing is found that `{}` would leave out", one.id),
                ));
            }
        }
        kept
    }

    fn about(&self, ignore: &Ignore, id: &'static str, message: String) -> Finding {
        Finding {
            id,
            severity: Severity::Warn,
            file: self.file.clone(),
            place: ignore.place.clone(),
            message,
            notes: Vec::new(),
            hint: Some("take it out, or decide again with a new `until`".to_owned()),
            fix: None,
        }
    }
}

impl Ignore {
    fn matches(&self, finding: &Finding) -> bool {
        let below = |folder: &str| {
            let folder = folder.trim_start_matches("./").trim_end_matches('/');
            let file = finding.file.trim_start_matches("./");
            file == folder || file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        };
        self.id == finding.id && self.path.as_deref().is_none_or(below)
    }

    fn has_lapsed(&self, today: &str) -> bool {
        self.until.as_deref().is_some_and(|until| until < today)
    }
}
