//! Does a distribution meet a requirement?

use crate::check::Installed;
use crate::pep::Requirement;
use crate::rules::requirement::{satisfied, specifiers};

/// Whether an installed distribution meets a requirement, by the version in its metadata or by its full one.
pub fn is_met(requirement: &Requirement, found: &Installed<'_>) -> bool {
    // A URL stands for itself, and a version that cannot be read is reported by the probe, not here.
    let Some(specifiers) = specifiers(requirement) else { return true };
    let declared = found.distribution.stated_version();
    match (declared, &found.version) {
        (None, None) => true,
        (declared, full) => {
            declared.is_some_and(|version| satisfied(&specifiers, &version))
                || full.as_ref().is_some_and(|version| satisfied(&specifiers, version))
        }
    }
}
