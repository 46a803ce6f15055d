//! What a project has decided: other severities, and findings that it lives with for a reason.

use super::{Finding, Rule};
use crate::finding::Severity;
use crate::project::place::Place;

/// An `ignore` of the policy matches no finding.
pub static IGNORE_UNUSED: Rule = Rule {
    id: "ignore-unused",
    title: "An `ignore` of the policy matches no finding",
    help: "Take it out, so that it does not hide what comes later.",
    judge: None,
};

/// An `ignore` of the policy has lapsed.
pub static IGNORE_LAPSED: Rule = Rule {
    id: "ignore-lapsed",
    title: "An `ignore` of the policy has lapsed",
    help: "Its `until` has passed: mend the finding, or decide again.",
    judge: None,
};

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
            if let Some((_, severity)) = self.severity.iter().find(|(id, _)| *id == finding.rule.id) {
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
                kept.push(self.about(one, &IGNORE_LAPSED, message));
            } else if !used && whole {
                kept.push(self.about(
                    one,
                    &IGNORE_UNUSED,
                    format!("nothing is found that `{}` would leave out", one.id),
                ));
            }
        }
        kept
    }

    fn about(&self, ignore: &Ignore, rule: &'static Rule, message: String) -> Finding {
        let hint = Some("take it out, or decide again with a new `until`".to_owned());
        rule.found(Severity::Warn, self.file.clone(), ignore.place.clone(), message).hinted(hint)
    }
}

impl Ignore {
    fn matches(&self, finding: &Finding) -> bool {
        let below = |folder: &str| {
            let folder = folder.trim_start_matches("./").trim_end_matches('/');
            let file = finding.file.trim_start_matches("./");
            file == folder || file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        };
        self.id == finding.rule.id && self.path.as_deref().is_none_or(below)
    }

    fn has_lapsed(&self, today: &str) -> bool {
        self.until.as_deref().is_some_and(|until| until < today)
    }
}
