//! Are the requirements met that the installed distributions declare?
//!
//! All that `pip check` finds: missing distributions and wrong versions, with markers evaluated for this Python and the
//! extras followed that are asked for, and `Requires-Python`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;

use pep440_rs::{Operator, Version, VersionSpecifiers};
use pep508_rs::ExtraName;

use super::cuda_libs::twins;
use super::{Context, Installed, Installer, Stack, again, looked};
use crate::facts::{Origin, Reading, Unmet};
use crate::finding::{Basis, Evidence, Finding, Outcome, Remedy, Severity, rule};
use crate::parallel::in_parallel;
use crate::rules::obstacle::python_version;
use crate::rules::raw_needs::Stop;
use crate::rules::requirement::{Requirement, applies, is_runtime_wheel, markers, parse, satisfied, specifiers};
use crate::step::{self, Step};

rule! {
    /// An installer said that a requirement is not met.
    ///
    /// Known from the words of pip or uv in a report. Install a release that meets it.
    pub STATED_UNMET = "requirement/{package}/{other}": Requirement, Warn, since "0.1.0", judged on [Report];
}

rule! {
    /// A declared requirement is not met.
    ///
    /// It fails where the missing part is needed at import, or where the package refuses to start without it; otherwise
    /// it is a warning. Known from the metadata of both distributions. Install the release that is asked for, or
    /// another release of the one that asks.
    pub UNMET = "requirement/{package}/{other}": Requirement, Fail, since "0.1.0", judged on [Distributions];
}

rule! {
    /// The metadata of a distribution cannot be read.
    ///
    /// Installers cannot judge or remove it. Known from its dist-info folder. Install it again.
    pub METADATA = "requirement/{package}/metadata": Requirement, Fail, since "0.1.0", judged on [Distributions];
}

rule! {
    /// A package requires another Python.
    ///
    /// Known from its Requires-Python. Install a release for this Python, or use the Python it asks for.
    pub PYTHON = "requirement/{package}/python": Requirement, Warn, since "0.1.0", judged on [Distributions, Python];
}

/// Compares every declared requirement with what is installed.
pub fn check(context: &Context<'_>) -> Outcome {
    if context.stack.installed.is_empty() {
        return Outcome::NotApplicable("nothing is installed".to_owned());
    }
    let environment = markers(&context.target);
    if environment.is_none() && context.facts.origin != Origin::Report {
        return Outcome::Skipped("the Python version and platform, which markers refer to".to_owned());
    }
    // Of a report that does not name its Python only what applies everywhere is known.
    let applies = |requirement: &Requirement, extras: &[ExtraName]| match &environment {
        Some(environment) => applies(requirement, environment, extras),
        None => requirement.marker.is_true(),
    };
    let asked: BTreeSet<String> = context
        .stack
        .installed
        .iter()
        .filter_map(Installed::requires)
        .flatten()
        .flat_map(|line| extras_of(line))
        .collect();
    let declared = in_parallel(&context.stack.installed, 24, |installed| {
        let lines = installed.requires()?.iter().filter(|line| may_apply(line, &asked));
        Some((installed, lines.filter_map(|line| parse(line).ok()).collect()))
    });
    let declared: Vec<(&Installed<'_>, Vec<Requirement>)> = declared.into_iter().flatten().collect();
    let mut findings = BTreeMap::new();
    for finding in complaints(context) {
        findings.insert(finding.id.clone(), finding);
    }
    if declared.is_empty()
        && findings.is_empty()
        && !context.stack.installed.iter().any(|it| unreadable(context, it).is_some())
    {
        return Outcome::Skipped("the metadata of the installed distributions".to_owned());
    }
    let by_name: HashMap<&str, &Installed<'_>> =
        context.stack.installed.iter().map(|installed| (installed.name(), installed)).collect();
    let wanted = wanted_extras(&declared, applies);
    for finding in context.stack.installed.iter().filter_map(|installed| unreadable(context, installed)) {
        findings.insert(finding.id.clone(), finding);
    }
    for (installed, requirements) in &declared {
        let extras: Vec<_> = wanted.get(installed.name()).into_iter().flatten().cloned().collect();
        for requirement in requirements.iter().filter(|requirement| applies(requirement, &extras)) {
            let name = requirement.name.as_ref();
            let twin = || twins::of(context, name).is_some_and(|twin| is_met(requirement, twin));
            let met = match by_name.get(name) {
                // What a report does not name may well be there.
                None => context.facts.origin == Origin::Report || twin(),
                Some(found) => is_met(requirement, found),
            };
            if !met {
                let finding = unmet(context, installed, requirement, by_name.get(name).copied());
                findings.entry(finding.id.clone()).or_insert(finding);
            }
        }
        if let Some(finding) = wrong_python(context, installed) {
            findings.insert(finding.id.clone(), finding);
        }
    }
    looked(findings.into_values().collect())
}

/// The extras that a line asks for, e.g. `http2` of `httpx[HTTP2]>=0.27`.
fn extras_of(line: &str) -> impl Iterator<Item = String> + '_ {
    let before = line.split(';').next().unwrap_or_default();
    let list = before.split_once('[').and_then(|(_, rest)| rest.split(']').next()).unwrap_or_default();
    list.split(',').filter(|name| !name.trim().is_empty()).map(normal)
}

/// Most lines of metadata are for an extra that nobody asked for. Telling so by the text saves parsing them.
fn may_apply(line: &str, asked: &BTreeSet<String>) -> bool {
    let Some((_, marker)) = line.split_once(';') else { return true };
    let only_extras = marker.contains("extra ==") && !marker.contains(" or ") && !marker.contains("!=");
    !only_extras || marker.split(['"', '\'']).any(|word| asked.contains(&normal(word)))
}

fn normal(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// The extras that other distributions ask of each one, followed until nothing is added.
fn wanted_extras<'a>(
    declared: &'a [(&Installed<'_>, Vec<Requirement>)],
    applies: impl Fn(&Requirement, &[ExtraName]) -> bool,
) -> HashMap<&'a str, BTreeSet<ExtraName>> {
    let mut wanted: HashMap<&str, BTreeSet<ExtraName>> = HashMap::new();
    // Only requirements that name extras can add any, and there are few of them.
    let asking: Vec<_> = declared
        .iter()
        .flat_map(|(installed, requirements)| {
            requirements.iter().filter(|it| !it.extras.is_empty()).map(|it| (installed.name(), it))
        })
        .collect();
    loop {
        let mut grown = false;
        for (from, requirement) in &asking {
            let extras: Vec<_> = wanted.get(from).into_iter().flatten().cloned().collect();
            if applies(requirement, &extras) {
                let into = wanted.entry(requirement.name.as_ref()).or_default();
                for extra in &requirement.extras {
                    grown |= into.insert(extra.clone());
                }
            }
        }
        if !grown {
            return wanted;
        }
    }
}

/// Whether an installed distribution meets a requirement, by the version in its metadata or by its full one.
fn is_met(requirement: &Requirement, found: &Installed<'_>) -> bool {
    // A URL stands for itself, and a version that cannot be read is reported by the probe, not here.
    let Some(specifiers) = specifiers(requirement) else { return true };
    let declared = found.distribution.version.value().and_then(|version| Version::from_str(version).ok());
    match (declared, &found.version) {
        (None, None) => true,
        (declared, full) => {
            declared.is_some_and(|version| satisfied(&specifiers, &version))
                || full.as_ref().is_some_and(|version| satisfied(&specifiers, version))
        }
    }
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
    let is_cap = |one: &&pep440_rs::VersionSpecifier| {
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

/// Where the requirements of a distribution were read.
fn declared_in(installed: &Installed<'_>) -> String {
    match installed.required_by_rule() {
        Some(place) => place.to_owned(),
        None => format!("{}/METADATA", installed.distribution.metadata_dir),
    }
}

/// Where its version was read.
fn listed_in(installed: &Installed<'_>) -> String {
    match installed.distribution.metadata_dir.as_str() {
        "" => installed.distribution.version.source().map_or_else(String::new, |source| source.place().to_owned()),
        folder => format!("{folder}/METADATA"),
    }
}

/// An unmet requirement of a report is a doubt unless it is between parts of the GPU stack that are built for each other: people
/// override pins, and what the report was pasted for may be something else.
fn unmet_severity(context: &Context<'_>, name: &str, other: &str, versions: &str) -> Severity {
    let by_host = severity(context, &[name, other]);
    let coupled = Stack::is_gpu(name, context.db) && Stack::is_gpu(other, context.db) && !is_runtime_wheel(other);
    if context.facts.origin == Origin::Report && !(coupled && versions.starts_with("==")) {
        return by_host.max(Severity::Warn);
    }
    by_host
}

/// What an installer itself said of unmet requirements, in a pasted report.
fn complaints(context: &Context<'_>) -> Vec<Finding> {
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

/// The call that brings a requirement into this environment.
fn install(context: &Context<'_>, line: &str) -> Vec<Step> {
    let line = step::requirement(line);
    line.and_then(|line| Installer::of(context.facts).install(&[], &[line])).into_iter().collect()
}

fn severity(context: &Context<'_>, names: &[&str]) -> Severity {
    if names.iter().any(|name| Stack::is_gpu(name, context.db)) { Severity::Fail } else { Severity::Warn }
}

fn unmet(
    context: &Context<'_>,
    installed: &Installed<'_>,
    requirement: &Requirement,
    found: Option<&Installed<'_>>,
) -> Finding {
    let name = requirement.name.as_ref();
    let versions = specifiers(requirement).map(|specifiers| specifiers.to_string()).unwrap_or_default();
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
    let guard = guard(context, installed, requirement, found);
    UNMET
        .found(&[installed.name(), name], title)
        .severity(match guard {
            Some(_) => Severity::Fail,
            None => {
                let severity = unmet_severity(context, installed.name(), name, &versions);
                let newer = found.is_some_and(|found| is_only_newer(requirement, found));
                if newer && severity == Severity::Warn { Severity::Info } else { severity }
            }
        })
        .message(if guard.is_some() {
            format!("{} checks {name} when it is imported, and stops.", installed.name())
        } else if found.is_some() {
            format!("{} was made and tested with another version of {name}.", installed.name())
        } else {
            format!("{} may fail when it imports {name}.", installed.name())
        })
        .packages(packages)
        .evidence(
            [
                Evidence::of(
                    if installed.required_by_rule().is_some() { Basis::Rule } else { Basis::Metadata },
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
            summary: format!("Install `{name}{versions}`"),
            requirements: vec![format!("{name}{versions}")],
            steps: install(context, &format!("{name}{versions}")),
            change: None,
            verified: false,
        }])
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

/// Whether an installed package asks for the version of another when it is imported.
fn is_guarded(context: &Context<'_>, name: &str) -> bool {
    let stops = |it: &Installed<'_>| Some(context.db.guard(it.name(), it.version.as_ref()?, name)?.0);
    context.stack.installed.iter().filter_map(stops).any(|stop| !matches!(stop, Stop::Missing))
}

/// A distribution whose metadata is damaged: what it requires cannot be told, and installers trip over it.
fn unreadable(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let distribution = installed.distribution;
    let error = match (&distribution.metadata, &distribution.version) {
        (Reading::Unreadable { error }, _) | (_, Reading::Unreadable { error }) => error,
        (Reading::Absent { looked }, _) => looked,
        _ => return None,
    };
    Some(
        METADATA
            .found(&[installed.name()], format!("the metadata of {} cannot be read", installed.name()))
            .severity(if is_guarded(context, installed.name()) {
                Severity::Fail
            } else {
                severity(context, &[installed.name()]).max(Severity::Warn)
            })
            .message("What it requires is not known, and installers may refuse to upgrade or remove it.")
            .packages([installed.name()])
            .evidence([Evidence::metadata("metadata", error.clone())
                .cited(format!("{}/{}", distribution.location, distribution.metadata_dir))])
            .remedies([again::remedy(context, installed).unwrap_or_else(|| {
                Remedy::new(
                    format!("Remove `{}` and install {} again", distribution.metadata_dir, installed.name()),
                    [],
                )
            })]),
    )
}

fn wrong_python(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let python = context.target.python?;
    let text = installed.metadata()?.requires_python.as_ref()?;
    let requires = VersionSpecifiers::from_str(text).ok()?;
    // Without its micro number a Python is judged by what any of its releases would satisfy.
    let fits = match python.micro {
        Some(_) => requires.contains(&python_version(python)),
        None => (0..=50).any(|micro| {
            requires.contains(&python_version(crate::version::PythonVersion { micro: Some(micro), ..python }))
        }),
    };
    if fits {
        return None;
    }
    Some(
        PYTHON
            .found(&[installed.name()], format!("{} requires Python {text}, but this is {python}", installed.title()))
            .severity(severity(context, &[installed.name()]))
            .message("The environment was made or copied with another Python, or the check was overridden.")
            .packages([installed.name()])
            .evidence([Evidence::of(
                if installed.required_by_rule().is_some() { Basis::Rule } else { Basis::Metadata },
                "Python",
                python.to_string(),
            )
            .required(text.clone())
            .cited(declared_in(installed))]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked_at_import_fails_and_the_rest_is_a_doubt() {
        let of = |name: &str, version: &str, requires: &[&str]| crate::facts::Distribution {
            name: name.to_owned(),
            version: Reading::metadata(version.to_owned(), "METADATA"),
            metadata: Reading::metadata(
                crate::facts::Metadata {
                    requires: requires.iter().map(|line| (*line).to_owned()).collect(),
                    ..crate::facts::Metadata::default()
                },
                "METADATA",
            ),
            ..crate::facts::Distribution::default()
        };
        let mut facts = crate::facts::Facts::unknown(Origin::Report);
        facts.distributions = vec![
            of("transformers", "4.57.1", &["tokenizers<=0.23.0,>=0.22.0", "regex!=2019.12.17"]),
            of("matplotlib", "3.8.0", &["numpy<2,>=1.21"]),
            of("datasets", "5.0.1", &["tqdm>=4.66.3"]),
            of("tokenizers", "0.20.3", &[]),
            of("regex", "2025.10.22", &[]),
            of("numpy", "2.1.0", &[]),
            of("tqdm", "4.60.0", &[]),
        ];
        let (workload, heard) = (crate::rules::Workload::default(), crate::rules::symptom::Heard::default());
        let context = Context::new(&facts, crate::rules::embedded(), &workload, &heard);
        let Outcome::Findings(found) = check(&context) else { panic!("nothing found") };
        let told: Vec<_> = found.iter().map(|it| (it.id.to_string(), it.severity)).collect();
        // matplotlib looks at its lower bound alone, and datasets at nothing.
        assert_eq!(
            told,
            [
                ("requirement/datasets/tqdm".to_owned(), Severity::Warn),
                ("requirement/matplotlib/numpy".to_owned(), Severity::Warn),
                ("requirement/transformers/tokenizers".to_owned(), Severity::Fail),
            ]
        );
    }

    #[test]
    fn what_is_newer_than_a_cap_of_its_major_release_is_worth_knowing_and_a_twin_will_do() {
        let of = crate::check::made::distribution;
        let told = |distributions: Vec<crate::facts::Distribution>| {
            let mut facts = crate::facts::Facts::unknown(Origin::Report);
            facts.distributions = distributions;
            let (workload, heard) = (crate::rules::Workload::default(), crate::rules::symptom::Heard::default());
            let context = Context::new(&facts, crate::rules::embedded(), &workload, &heard);
            match check(&context) {
                Outcome::Findings(found) => found.iter().map(|it| (it.id.to_string(), it.severity)).collect(),
                _ => Vec::new(),
            }
        };
        let datasets = |range: &str, has: &str| told(vec![of("some", "5.0.1", &[range]), of("fsspec", has, &[])]);
        let one = |severity| vec![("requirement/some/fsspec".to_owned(), severity)];
        assert_eq!(datasets("fsspec>=2023.1.0,<=2026.6.0", "2026.9.0"), one(Severity::Info));
        assert_eq!(datasets("fsspec>=2023.1.0,<=2026.6.0", "2022.1.0"), one(Severity::Warn));
        assert_eq!(datasets("fsspec<2", "2.1"), one(Severity::Warn), "another major release");
        assert_eq!(datasets("fsspec<0.4", "0.4.1"), one(Severity::Warn), "and what is one before 1.0");
        assert_eq!(datasets("fsspec==1.2", "1.3"), one(Severity::Warn), "a pin is no cap");
    }

    #[test]
    fn only_lines_for_extras_that_nobody_asks_for_are_passed_over() {
        let asked: BTreeSet<String> = extras_of("httpx[HTTP2, my__extra ]>=0.27; python_version > \"3\"").collect();
        assert_eq!(asked.iter().collect::<Vec<_>>(), ["http2", "my-extra"]);
        for line in
            ["h2", "h2; os_name == 'nt'", "h2; extra == 'http2'", "h2; extra == \"My.Extra\"", "h2[x]; extra != 'b'"]
        {
            assert!(may_apply(line, &asked), "{line}");
        }
        assert!(may_apply("h2; extra == 'dev' or os_name == 'nt'", &asked));
        for line in ["h2; extra == 'dev'", "h2 ; python_version < '4' and extra=='dev' and extra == \"doc\""] {
            assert!(!may_apply(line, &asked), "{line}");
        }
    }
}
