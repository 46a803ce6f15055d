//! Will the installed packages be imported? What the walk of their files has found, told as findings.

pub mod missing_module;
pub mod missing_name;
pub mod stopped;

use crate::pep::{Operator, Version};

use super::requirement::install;
use super::{Context, Installed, looked};
use crate::facts::{Reading, Want, Wanted};
use crate::finding::{Basis, Evidence, Finding, Outcome, Remedy, Rule, Severity};
use crate::rules::requirement::{applies, is_about, markers, parse, specifiers};

/// One finding for each thing that is not there.
pub fn check(context: &Context<'_>) -> Outcome {
    let imports = match &context.facts.imports {
        Reading::Known { value, .. } => value,
        Reading::Unreadable { error } => return Outcome::Skipped(error.clone()),
        _ => return Outcome::NotApplicable("no import was followed".to_owned()),
    };
    let told = imports.wants.iter().filter(|want| !is_declared(context, want));
    looked(told.filter_map(|want| finding(context, want)).collect())
}

fn finding(context: &Context<'_>, want: &Want) -> Option<Finding> {
    // What gpudoc's user did not install by a package is his own.
    let importer = context.stack.get(want.importer.as_deref()?)?;
    let owner = want.owner.as_deref().and_then(|name| context.stack.get(name));
    Some(match want.wanted {
        Wanted::Module => missing_module::finding(context, want, importer, owner),
        Wanted::Name | Wanted::Attribute => missing_name::finding(context, want, importer, owner),
        Wanted::Stop => stopped::finding(want, importer),
    })
}

/// What all of them share: severity, place, packages, and what would help.
fn told(
    context: &Context<'_>,
    rule: &'static Rule,
    want: &Want,
    (importer, owner): (&Installed<'_>, Option<&Installed<'_>>),
    (subject, title, observed): (&str, String, String),
) -> Finding {
    let is_certain = !want.stops.is_empty();
    let place = place(want, importer);
    let message = match want.stops.as_slice() {
        [] => format!("`{place}` asks for it where a condition decides, and stops there if that holds."),
        [one] => format!("`import {one}` stops at `{place}`."),
        [one, ..] => format!("`import {one}` and the import of {} more stop at `{place}`.", want.stops.len() - 1),
    };
    let mut packages: Vec<String> = vec![importer.name().to_owned()];
    packages.extend(owner.map(|owner| owner.name().to_owned()).filter(|name| name != importer.name()));
    packages.sort();
    rule.found(&[importer.name(), subject], title)
        .severity(if is_certain { Severity::Fail } else { Severity::Warn })
        .message(message)
        .packages(packages)
        .evidence([Evidence::of(Basis::Binary, place, format!("asks for `{subject}`")).required(observed)])
        .remedies(owner.map(|owner| remedies(context, importer, owner)).unwrap_or_default())
}

/// File and line, below the folder of the packages: `peft/tuners/tuners_utils.py:30`.
fn place(want: &Want, importer: &Installed<'_>) -> String {
    let below = want.file.strip_prefix(importer.distribution.location.as_str()).unwrap_or(&want.file);
    format!("{}:{}", below.trim_start_matches('/'), want.line)
}

/// Another release of the one or of the other. Who asks for what the other one's release does not have is mostly older than
/// it, unless it says itself that it was made with none newer.
fn remedies(context: &Context<'_>, importer: &Installed<'_>, owner: &Installed<'_>) -> Vec<Remedy> {
    let (Some(own), Some(other)) = (&importer.version, &owner.version) else { return Vec::new() };
    let (own, other) = (own.clone().without_local(), other.clone().without_local());
    let newer = |name: &str, version: &Version| vec![format!("{name}>{version}")];
    let older = |name: &str, version: &Version| vec![format!("{name}<{version}")];
    let mut ways = if is_near_lower_bound(importer, owner.name(), &other) {
        vec![newer(owner.name(), &other), older(importer.name(), &own)]
    } else {
        vec![newer(importer.name(), &own), older(owner.name(), &other)]
    };
    ways.dedup();
    let remedy = |lines: Vec<String>| Remedy {
        summary: format!("Install `{}`", lines.join("`, `")),
        steps: lines.iter().flat_map(|line| install(context, line)).collect(),
        requirements: lines,
        change: None,
        verified: false,
    };
    ways.into_iter().map(remedy).collect()
}

/// Whether a release is of the minor release at which a declared range begins, or of the one before.
fn is_near_lower_bound(importer: &Installed<'_>, name: &str, version: &Version) -> bool {
    let minor = |version: &Version| {
        let mut numbers = version.release().iter().copied();
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
    };
    let lines = importer.requires().into_iter().flatten().filter(|line| is_about(line, name));
    let bounds = lines
        .filter_map(|line| specifiers(&parse(line).ok()?))
        .flat_map(|range| range.iter().cloned().collect::<Vec<_>>());
    let lower = [Operator::GreaterThan, Operator::GreaterThanEqual, Operator::TildeEqual];
    bounds.filter(|one| lower.contains(one.operator())).any(|one| minor(one.version()) >= minor(version))
}

/// Whether the importer declares that it needs another release of the owner than there is: one cause, which is told there.
fn is_declared(context: &Context<'_>, want: &Want) -> bool {
    let (Some(importer), Some(owner)) = (want.importer.as_deref(), want.owner.as_deref()) else { return false };
    unmet(context, importer, owner)
}

/// Whether a requirement of one installed distribution on another is not met.
fn unmet(context: &Context<'_>, by: &str, of: &str) -> bool {
    let (Some(by), Some(of)) = (context.stack.get(by), context.stack.get(of)) else { return false };
    let Some(version) = of.distribution.stated_version() else { return false };
    let Some(environment) = markers(&context.target) else { return false };
    by.requires().into_iter().flatten().filter(|line| is_about(line, of.name())).any(|line| {
        let Ok(requirement) = parse(line) else { return false };
        let range = specifiers(&requirement);
        applies(&requirement, &environment, &[])
            && range.is_some_and(|range| !crate::rules::requirement::satisfied(&range, &version))
    })
}

/// What stops an import of one distribution for certain because of another: file and line.
pub fn certain(context: &Context<'_>, by: &str, of: &str) -> Option<Evidence> {
    let imports = context.facts.imports.value()?;
    let is_it = |want: &&Want| {
        !want.stops.is_empty() && want.importer.as_deref() == Some(by) && want.owner.as_deref() == Some(of)
    };
    let want = imports.wants.iter().find(is_it)?;
    let importer = context.stack.get(by)?;
    let subject = subject(want);
    Some(Evidence::of(Basis::Binary, place(want, importer), format!("asks for `{subject}`, which is not there")))
}

/// What is asked for, in full: `transformers.modeling_layers`, `numpy.float_`.
fn subject(want: &Want) -> String {
    match want.name.as_str() {
        "" => want.module.clone(),
        name => format!("{}.{name}", want.module),
    }
}

/// Whose it is, with its release: `transformers 4.46.3`, `Python 3.12`.
fn holder(context: &Context<'_>, owner: Option<&Installed<'_>>) -> String {
    match owner {
        Some(owner) => owner.title(),
        None => {
            let python = context.facts.python.value().and_then(|it| it.version.value());
            python.map_or_else(|| "this Python".to_owned(), |it| format!("Python {}.{}", it.major, it.minor))
        }
    }
}

/// What the tests of the rules share.
#[cfg(test)]
mod made {
    use super::{Want, Wanted};
    use crate::check::cases::Case;
    use crate::facts::{Imports, Reading};

    /// peft beside transformers, and what its walk found.
    pub fn case(change: impl FnOnce(&mut Want)) -> Case {
        let mut want = Want {
            importer: Some("peft".to_owned()),
            file: "/site/peft/tuners/tuners_utils.py".to_owned(),
            line: 30,
            wanted: Wanted::Module,
            module: "transformers.modeling_layers".to_owned(),
            name: String::new(),
            owner: Some("transformers".to_owned()),
            stops: vec!["peft".to_owned()],
        };
        change(&mut want);
        let case = Case::host().python("3.12");
        let case = case.distribution("peft", "0.18.0", |own| own.location = "/site".to_owned());
        let imports = Imports { wants: vec![want], ..Imports::default() };
        let case = case.installed("transformers", "4.46.3");
        case.with(|facts| facts.imports = Reading::binary(imports, "the test"))
    }
}
