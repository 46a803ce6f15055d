//! All rules of lint: what SARIF lists, what `gpudoc explain` tells, what a policy may name.

use super::Rule;

pub use super::rules::RULES;

/// The rule of an id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}
