use super::Request;
use crate::rules::RuleDb;
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

/// Names one or two letters away from a package that the rules cover, which are slips more likely than other packages.
/// Short names, and names that only add a part to a covered one (`torchio`, `xformers2`), are left alone.
#[must_use]
pub fn unknown_names(request: &Request, db: &RuleDb) -> Vec<Unknown> {
    let mut found = Vec::new();
    for asked in request.requirements.iter().chain(&request.constraints) {
        let name = asked.requirement.name.as_ref();
        if name.len() < 4 || db.package_names().any(|known| known == name) {
            continue;
        }
        let near = db.package_names().filter(|known| !name.starts_with(known) && !known.starts_with(name));
        let best = near.map(|known| (distance(name, known), known)).filter(|(edits, _)| *edits <= 2).min();
        if let Some((_, meant)) = best {
            let (name, origin, meant) = (name.to_owned(), asked.origin.clone(), meant.to_owned());
            found.push(Unknown { name, origin, meant });
        }
    }
    found
}
