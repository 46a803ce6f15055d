//! What a change does to the imports that were followed: of another release of a package nobody read the files.

use crate::facts::{Facts, Reading};
use crate::rules::RuleDb;

/// Forgets what was asked by or of a distribution that is another one after a change, and modules that come with a new one.
pub(super) fn settle(before: &Facts, after: &mut Facts, db: &RuleDb) {
    let Reading::Known { value: imports, .. } = &mut after.imports else { return };
    if imports.wants.is_empty() {
        return;
    }
    let distributions = &after.distributions;
    let is_other = |name: &str| before.distribution(name) != distributions.iter().find(|it| it.name == name);
    imports.wants.retain(|want| {
        let top = want.module.split('.').next().unwrap_or_default();
        let comes = || db.distribution_of_module(top).is_some_and(|name| is_other(&name));
        let moved = |name: &Option<String>| name.as_deref().is_some_and(is_other);
        !(moved(&want.importer) || moved(&want.owner) || (want.owner.is_none() && comes()))
    });
}
