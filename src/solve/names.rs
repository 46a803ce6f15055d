use std::collections::BTreeSet;

use super::Request;
use crate::rules::RuleDb;
use crate::rules::model::Release;
use crate::rules::requirement::{satisfied, specifiers};
use crate::text::distance;

/// A name that the rules do not know and that looks like a slip for one that they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// As written, normalised, e.g. `torhc`.
    pub name: String,
    /// Where it stands.
    pub origin: String,
    /// What was probably meant, e.g. `torch`.
    pub meant: String,
}

/// From so many letters on, two wrong ones are a slip; `sympy` is not meant to be `numpy`.
const LONG: usize = 8;

/// Names a letter away from a package that the rules cover, or with the same letters in another order, which are slips more
/// likely than other packages; long ones two letters away. Short names, and names that only add a part to a covered one
/// (`torchio`, `xformers2`), are left alone.
#[must_use]
pub fn unknown_names(request: &Request, db: &RuleDb) -> Vec<Unknown> {
    let mut found = Vec::new();
    for asked in request.requirements.iter().chain(&request.constraints) {
        let name = asked.requirement.name.as_ref();
        if name.len() < 4 || db.package_names().any(|known| known == name) {
            continue;
        }
        let extends = db.package_names().any(|known| name.starts_with(known));
        let near = db.package_names().filter(|known| !name.starts_with(known) && !known.starts_with(name));
        let slips = near.map(|known| (distance(name, known), known)).filter(|(edits, known)| match edits {
            1 => known.len() >= if extends { LONG } else { 4 },
            2 => known.len() >= LONG || letters(name) == letters(known),
            _ => false,
        });
        let best = slips.min();
        if let Some((_, meant)) = best {
            let (name, origin, meant) = (name.to_owned(), asked.origin.clone(), meant.to_owned());
            found.push(Unknown { name, origin, meant });
        }
    }
    found
}

/// What installers warn of: extras that no release of a package has, with the nearest that one has.
#[must_use]
pub fn unknown_extras(request: &Request, db: &RuleDb) -> Vec<String> {
    let mut found = Vec::new();
    for asked in request.requirements.iter().chain(&request.constraints) {
        let name = asked.requirement.name.as_ref();
        let Some(package) = db.package(name).filter(|_| !asked.requirement.extras.is_empty()) else { continue };
        let fits = specifiers(&asked.requirement).unwrap_or_default();
        let releases = package.releases.iter().filter(|release| satisfied(&fits, &release.version));
        let read: Vec<_> = releases.filter_map(Release::extras).collect();
        for extra in asked.requirement.extras.iter().filter(|_| !read.is_empty()) {
            if read.iter().any(|extras| extras.contains_key(extra.as_ref())) {
                continue;
            }
            let names: BTreeSet<&String> = read.iter().flat_map(|extras| extras.keys()).collect();
            let near = names.into_iter().map(|known| (distance(extra.as_ref(), known), known)).min();
            let meant = near.filter(|(edits, _)| *edits <= 3).map(|(_, known)| format!("; did you mean `{known}`?"));
            let meant = meant.unwrap_or_default();
            found.push(format!(
                "warning: `{}` ({}): {name} has no extra `{extra}`{meant}",
                asked.requirement, asked.origin
            ));
        }
    }
    found
}

/// The letters of a name, sorted.
fn letters(name: &str) -> Vec<char> {
    let mut letters: Vec<_> = name.chars().collect();
    letters.sort_unstable();
    letters
}
