//! What did an installer itself say of unmet requirements?

use std::str::FromStr;

use super::{install, unmet_severity};
use crate::check::Context;
use crate::facts::Unmet;
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::pep::{Version, VersionSpecifiers};
use crate::rules::requirement::{parse, satisfied, specifiers};

rule! {
    /// An installer said that a requirement is not met.
    ///
    /// Known from the words of pip or uv in a report. Install a release that meets it.
    pub STATED_UNMET = "requirement/{package}/{other}": Requirement, Warn, since "0.1.0", judged on [Report];
}

/// A finding for each of its sentences.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    context.facts.installing.unmet.iter().filter_map(|unmet| complaint(context, unmet)).collect()
}

fn complaint(context: &Context<'_>, unmet: &Unmet) -> Option<Finding> {
    let wanted = parse(&unmet.requirement).ok()?;
    let name = wanted.name.as_ref();
    let (package, version) = &unmet.package;
    if is_over(context, unmet, name, specifiers(&wanted).as_ref()) {
        return None;
    }
    let range = specifiers(&wanted).unwrap_or_default();
    let versions = range.to_string();
    let title = match &unmet.found {
        Some(found) => format!("{package} {version} requires {name}{versions}, but {found} is installed"),
        None => format!("{package} {version} requires {name}{versions}, which is not installed"),
    };
    let mut packages = vec![package.clone(), name.to_owned()];
    packages.sort();
    Some(
        STATED_UNMET
            .found(&[package, name], title)
            .severity(unmet_severity(context, package, name, &range))
            .message("pip said so itself: the last installation left this requirement unmet.")
            .packages(packages)
            .evidence([Evidence::metadata("pip", format!("`{}`", unmet.requirement)).cited(unmet.place.clone())])
            .remedies([Remedy {
                requirements: vec![format!("{name}{versions}")],
                ..Remedy::new(
                    format!("Install `{name}{versions}`, or a {package} that accepts what is there"),
                    install(context, &format!("{name}{versions}")),
                )
            }]),
    )
}

/// Whether it is as the installer saw it no longer: the package has another release, or what it requires meets it now. Where the
/// report names two versions of that, and the installer saw the other one, nobody knows.
fn is_over(context: &Context<'_>, unmet: &Unmet, name: &str, wanted: Option<&VersionSpecifiers>) -> bool {
    let version = |name: &str| context.facts.distribution(name)?.stated_version();
    let public = |version: &Version| version.clone().without_local();
    let other = |text: &str, version: &Version| Version::from_str(text).is_ok_and(|it| public(&it) != public(version));
    let (package, was) = &unmet.package;
    // What another release of the package requires, nobody said.
    if context.facts.distribution(package).is_some() && version(package).is_none_or(|now| other(was, &now)) {
        return true;
    }
    let Some((now, wanted)) = version(name).zip(wanted) else { return false };
    let disputed = |used: &str| other(used, &now) || unmet.found.as_ref().is_none_or(|found| !other(found, &now));
    let mut told = context.facts.pasted.iter().flat_map(|pasted| &pasted.contradictions);
    let is_disputed = told.any(|it| it.what == name && !disputed(&it.used.0));
    satisfied(wanted, &now) && !is_disputed
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::made::found;
    use crate::facts::{Contradiction, Distribution, Facts, Origin, Pasted, Reading, Unmet};

    #[test]
    fn what_pip_called_unmet_is_told_and_what_is_no_requirement_is_not() {
        let with = |requirement: &str| {
            let mut facts = Facts::unknown(Origin::Report);
            let unmet = Unmet {
                package: ("torchvision".to_owned(), "0.19.0".to_owned()),
                requirement: requirement.to_owned(),
                found: Some("2.5.0".to_owned()),
                place: "pip, line 2".to_owned(),
            };
            facts.installing.unmet = vec![unmet];
            found(&facts, check)
        };
        let title = "torchvision 0.19.0 requires torch==2.4.0, but 2.5.0 is installed";
        assert_eq!(with("torch==2.4.0"), [format!("requirement/torchvision/torch: {title}")]);
        assert_eq!(with("torch=="), [""; 0]);
    }

    /// pip said what it saw; what the plan would leave, or a later list, may be otherwise.
    #[test]
    fn what_pip_saw_may_be_over() {
        let titles = |now: &[(&str, &str)], disputed: Option<(&str, &str)>| {
            let mut facts = Facts::unknown(Origin::Report);
            let unmet = Unmet {
                package: ("vllm".to_owned(), "0.10.0".to_owned()),
                requirement: "torch==2.7.1".to_owned(),
                found: Some("2.8.0".to_owned()),
                place: "pip, line 2".to_owned(),
            };
            let contradictions = disputed.into_iter().map(|(used, other)| Contradiction {
                what: "torch".to_owned(),
                used: (used.to_owned(), "a list".to_owned()),
                other: (other.to_owned(), "pip".to_owned()),
            });
            let contradictions = contradictions.collect();
            facts.installing.unmet = vec![unmet];
            facts.pasted = Some(Pasted { contradictions, ..Pasted::default() });
            facts.distributions = now
                .iter()
                .map(|(name, version)| Distribution {
                    name: (*name).to_owned(),
                    version: Reading::metadata((*version).to_owned(), "a list"),
                    ..Distribution::default()
                })
                .collect();
            found(&facts, check).len()
        };
        assert_eq!(titles(&[("vllm", "0.10.0"), ("torch", "2.8.0")], None), 1);
        assert_eq!(titles(&[("vllm", "0.10.0"), ("torch", "2.7.1")], None), 0);
        assert_eq!(titles(&[("vllm", "0.10.2"), ("torch", "2.8.0")], None), 0);
        // A list says 2.7.1, and pip 2.8.0: one of them is not of now.
        assert_eq!(titles(&[("vllm", "0.10.0"), ("torch", "2.7.1")], Some(("2.7.1", "2.8.0"))), 1);
    }
}
