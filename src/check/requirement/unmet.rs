//! Does what is installed meet a declared requirement, and how bad is it if not?

use super::{basis, declared_in, install, unmet_severity};
use crate::check::import::certain;
use crate::check::{Context, Installed};
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};
use crate::pep::{Operator, Requirement, Version};
use crate::rules::requirement::specifiers;
use crate::rules::schema::Stop;

rule! {
    /// A declared requirement is not met.
    ///
    /// It fails where the missing part is needed at import, or where the package refuses to start without it; otherwise
    /// it is a warning. Known from the metadata of both distributions. Install the release that is asked for, or
    /// another release of the one that asks.
    pub UNMET = "requirement/{package}/{other}": Requirement, Fail, since "0.1.0", judged on [Distributions];
}

/// A requirement that is not met by what was found, or by nothing.
pub fn check(
    context: &Context<'_>,
    installed: &Installed<'_>,
    requirement: &Requirement,
    found: Option<&Installed<'_>>,
) -> Finding {
    let name = requirement.name.as_ref();
    let range = specifiers(requirement).unwrap_or_default();
    let versions = range.to_string();
    let (observed, title) = match found {
        None => (
            "not installed".to_owned(),
            format!("{} requires {name}{versions}, which is not installed", installed.title()),
        ),
        Some(found) => {
            let version = found.distribution.full_version();
            (version.to_owned(), format!("{} requires {name}{versions}, but {version} is installed", installed.title()))
        }
    };
    let mut packages = vec![installed.name().to_owned(), name.to_owned()];
    packages.sort();
    let guard = guard(context, installed, requirement, found).or_else(|| certain(context, installed.name(), name));
    UNMET
        .found(&[installed.name(), name], title)
        .severity(match guard {
            Some(_) => Severity::Fail,
            None => {
                let severity = unmet_severity(context, installed.name(), name, &range);
                let newer = found.is_some_and(|found| is_only_newer(requirement, found));
                if newer && severity == Severity::Warn { Severity::Info } else { severity }
            }
        })
        .message(if guard.is_some() {
            format!("{} checks {name} when it is imported, and stops.", installed.name())
        } else if found.is_some() {
            format!("{} declares that it needs another version of {name}.", installed.name())
        } else {
            format!("{} may fail when it imports {name}.", installed.name())
        })
        .packages(packages)
        .evidence(
            [
                Evidence::of(
                    basis(installed),
                    format!("{} metadata", installed.name()),
                    format!("`Requires-Dist: {requirement}`"),
                )
                .cited(declared_in(installed)),
                Evidence::metadata(name.to_owned(), observed)
                    .required(if versions.is_empty() { "installed".to_owned() } else { versions.clone() })
                    .cited(found.map(listed_in)),
            ]
            .into_iter()
            .chain(guard),
        )
        .remedies([Remedy {
            requirements: vec![format!("{name}{versions}")],
            ..Remedy::new(format!("Install `{name}{versions}`"), install(context, &format!("{name}{versions}")))
        }])
}

/// Whether what is installed is above the range, and of the same major release as its end: a cap that was written before there
/// was any newer release, such as `fsspec<=2026.6.0` with 2026.9.0.
fn is_only_newer(requirement: &Requirement, found: &Installed<'_>) -> bool {
    let Some((range, version)) = specifiers(requirement).zip(found.version.as_ref()) else { return false };
    // Before 1.0 a minor release is what a major one is after it.
    let major = |version: &Version| {
        let mut numbers = version.release().iter().copied();
        let first = numbers.next().unwrap_or_default();
        (first, if first == 0 { numbers.next().unwrap_or_default() } else { 0 })
    };
    let unmet: Vec<_> = range.iter().filter(|one| !one.contains(version)).collect();
    let is_cap = |one: &&crate::pep::VersionSpecifier| {
        let (first, second) = major(one.version());
        let unit = one.version().release().iter().skip(if first == 0 && second > 0 { 2 } else { 1 });
        // `<2` and `<0.4` end before that major release begins.
        let within = match one.operator() {
            Operator::LessThanEqual => true,
            Operator::LessThan => unit.copied().any(|number| number > 0),
            _ => false,
        };
        within && (first, second) == major(version)
    };
    !unmet.is_empty() && unmet.iter().all(is_cap)
}

/// What says that the import of a package stops with what there is of another, where it does.
fn guard(
    context: &Context<'_>,
    installed: &Installed<'_>,
    requirement: &Requirement,
    found: Option<&Installed<'_>>,
) -> Option<Evidence> {
    let name = requirement.name.as_ref();
    let (stop, citation) = context.db.guard(installed.name(), installed.version.as_ref()?, name)?;
    let is_below = |found: &Installed<'_>| {
        let version = found.version.clone()?.without_local();
        let range = specifiers(requirement)?;
        let lower = [Operator::GreaterThan, Operator::GreaterThanEqual, Operator::TildeEqual];
        Some(range.iter().any(|it| lower.contains(it.operator()) && !it.contains(&version)))
    };
    let stops = match (stop, found) {
        (_, None) | (Stop::Unmet, _) => true,
        (Stop::Below, Some(found)) => is_below(found).unwrap_or(false),
        (Stop::Missing, Some(_)) => false,
    };
    stops.then(|| Evidence::rule(format!("import of {}", installed.name()), format!("checks {name}")).cited(citation))
}

/// Where its version was read.
fn listed_in(installed: &Installed<'_>) -> String {
    match installed.distribution.metadata_dir.as_str() {
        "" => installed.distribution.version.source().map_or_else(String::new, |source| source.place().to_owned()),
        folder => format!("{folder}/METADATA"),
    }
}

#[cfg(test)]
mod tests {
    use super::UNMET;
    use crate::check::cases::Case;
    use crate::facts::{Metadata, Reading};

    #[test]
    fn a_version_outside_the_declared_range() {
        let with = |version: &str| {
            let case = Case::host().python("3.12").distribution("some", "1.0", |own| {
                let metadata = Metadata { requires: vec!["other<2".to_owned()], ..Metadata::default() };
                own.metadata = Reading::metadata(metadata, "METADATA");
            });
            case.installed("other", version).found(&UNMET)
        };
        assert_eq!(with("2.1"), ["requirement/some/other: some 1.0 requires other<2, but 2.1 is installed"]);
        assert_eq!(with("1.9"), [""; 0]);
    }
}
