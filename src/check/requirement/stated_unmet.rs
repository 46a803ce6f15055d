//! What did an installer itself say of unmet requirements, in a pasted report?

use super::{install, unmet_severity};
use crate::check::Context;
use crate::facts::Unmet;
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::rules::requirement::{parse, specifiers};

rule! {
    /// An installer said that a requirement is not met.
    ///
    /// Known from the words of pip or uv in a report. Install a release that meets it.
    pub STATED_UNMET = "requirement/{package}/{other}": Requirement, Warn, since "0.1.0", judged on [Report];
}

/// A finding for each of its sentences.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let unmet = context.facts.pasted.iter().flat_map(|pasted| &pasted.unmet);
    unmet.filter_map(|unmet| complaint(context, unmet)).collect()
}

fn complaint(context: &Context<'_>, unmet: &Unmet) -> Option<Finding> {
    let wanted = parse(&unmet.requirement).ok()?;
    let name = wanted.name.as_ref();
    let (package, version) = &unmet.package;
    let versions = specifiers(&wanted).map(|specifiers| specifiers.to_string()).unwrap_or_default();
    let title = match &unmet.found {
        Some(found) => format!("{package} {version} requires {name}{versions}, but {found} is installed"),
        None => format!("{package} {version} requires {name}{versions}, which is not installed"),
    };
    let mut packages = vec![package.clone(), name.to_owned()];
    packages.sort();
    Some(
        STATED_UNMET
            .found(&[package, name], title)
            .severity(unmet_severity(context, package, name, &versions))
            .message("pip said so itself: the last installation left this requirement unmet.")
            .packages(packages)
            .evidence([Evidence::metadata("pip", format!("`{}`", unmet.requirement)).cited(unmet.place.clone())])
            .remedies([Remedy {
                summary: format!("Install `{name}{versions}`, or a {package} that accepts what is there"),
                requirements: vec![format!("{name}{versions}")],
                steps: install(context, &format!("{name}{versions}")),
                change: None,
                verified: false,
            }]),
    )
}
