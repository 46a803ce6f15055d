//! What did an installer itself say of unmet requirements?

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
    context.facts.installing.unmet.iter().filter_map(|unmet| complaint(context, unmet)).collect()
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

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::made::found;
    use crate::facts::{Facts, Origin, Unmet};

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
}
