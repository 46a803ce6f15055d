use std::collections::BTreeSet;

use super::rule::Rule;

/// Which rules a search holds to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'s> {
    /// All of them.
    All,
    /// These alone.
    Only(&'s BTreeSet<Rule>),
    /// All but these.
    Without(&'s BTreeSet<Rule>),
}

impl Scope<'_> {
    /// Whether a rule holds.
    pub fn holds(self, rule: Rule) -> bool {
        match self {
            Self::All => true,
            Self::Only(rules) => rules.contains(&rule),
            Self::Without(rules) => !rules.contains(&rule),
        }
    }
}
