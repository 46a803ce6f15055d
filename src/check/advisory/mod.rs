//! Does a hand-written advisory apply, and is anything newer than what the rules know?

modules!(check::advisory);

use crate::check::{Context, looked};
use crate::finding::Outcome;
use crate::rules::advisory::applies;
use crate::rules::schema::Advisory;

pub use self::by_hand::{id, kind, of};

/// Tries every advisory.
pub fn check(context: &Context<'_>) -> Outcome {
    if context.stack.installed.is_empty() {
        return Outcome::NotApplicable("nothing is installed".to_owned());
    }
    let installed = |name: &str| context.installed(name);
    let environment = context.environment(&installed);
    // Who printed the message that it needs is there, with all that it brings.
    let brought = |name: &str| context.installed_or_brought(name);
    let heard = context.environment(&brought);
    // Where the files were followed, they have decided.
    let walked = context.facts.imports.value().is_some();
    let open = |advisory: &&Advisory| !walked || advisory.import.is_none();
    let found = context.db.advisories().filter(open).filter_map(|advisory| {
        let hit = applies(advisory, if advisory.needs_symptom { &heard } else { &environment })?;
        Some(by_hand::finding(context, advisory, &hit))
    });
    looked(found.chain(newer::findings(context)).collect())
}
