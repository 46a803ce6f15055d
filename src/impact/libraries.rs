//! What a change does to the libraries that were read: files that come back, and those that another release replaces.

use std::collections::BTreeSet;

use crate::facts::{Facts, Library, Link, Reading};
use crate::rules::RuleDb;

/// All libraries that were read.
pub(super) fn all(facts: &mut Facts) -> impl Iterator<Item = &mut Library> {
    let known = facts.distributions.iter_mut().filter_map(|distribution| match &mut distribution.libraries {
        Reading::Known { value, .. } => Some(value),
        _ => None,
    });
    known.flatten()
}

/// Files that come back, by their paths: who looked for them in vain finds them.
pub(super) fn found_again(facts: &mut Facts, files: &[String]) {
    for link in all(facts).flat_map(|library| &mut library.links).filter(|link| link.path.is_none()) {
        link.path = files.iter().find(|file| file.rsplit('/').next() == Some(&link.soname)).cloned();
    }
}

/// What libraries lacked of those of a distribution, the release that takes its place may have: it is not known.
pub(super) fn no_longer_lacking(facts: &mut Facts, name: &str, db: &RuleDb) {
    let Some(location) = facts.distribution(name).map(|old| old.location.clone()) else { return };
    let is_own = |link: &&Link| {
        let path = link.path.as_deref().filter(|path| path.starts_with(location.as_str()));
        path.is_some_and(|path| {
            db.distributions_with(path.rsplit('/').next().unwrap_or_default(), None).contains(&name)
        })
    };
    for library in all(facts).filter(|library| !library.unresolved.is_empty()) {
        let theirs: BTreeSet<String> = library.links.iter().filter(is_own).map(|link| link.soname.clone()).collect();
        library.unresolved.retain(|it| it.from.as_ref().is_none_or(|from| !theirs.contains(from)));
    }
}
