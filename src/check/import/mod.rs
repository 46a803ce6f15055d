//! Will the installed packages be imported? What the walk of their files has found, told as findings.

modules!(check::import);

use crate::pep::{Operator, Requirement, Version};

use super::requirement::install;
use super::requirement::met::is_met;
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
    let found: Vec<Finding> = told.filter_map(|want| finding(context, want)).collect();
    match imports.left.as_slice() {
        [one, rest @ ..] if found.is_empty() => {
            let more = if rest.is_empty() { String::new() } else { format!(" and of {} more", rest.len()) };
            Outcome::Skipped(format!(
                "the import of `{one}`{more} was not followed, for the time it takes; `--imports all` does"
            ))
        }
        _ => looked(found),
    }
}

fn finding(context: &Context<'_>, want: &Want) -> Option<Finding> {
    // What gpudoc's user did not install by a package is his own.
    let importer = context.stack.get(want.importer.as_deref()?)?;
    let owner = want.owner.as_deref().and_then(|name| context.stack.get(name));
    // A part of a package that takes what is not installed is an option that nobody chose, and one that lacks a part of its own was
    // left out.
    if is_part(want) && owner.is_none_or(|owner| owner.name() == importer.name()) && !needs(context, want) {
        return None;
    }
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
    let is_certain = !want.stops.is_empty() || (is_part(want) && needs(context, want));
    let place = place(want, importer);
    let message = match if want.stops.is_empty() { want.parts.as_slice() } else { want.stops.as_slice() } {
        [] => format!("`{place}` asks for it where a condition decides, and stops there if that holds."),
        [one] => format!("`import {one}` stops at `{place}`."),
        [one, rest @ ..] => format!("`import {one}` and the import of {} more stop at `{place}`.", rest.len()),
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

/// Only modules below a package stop: itself it is imported.
fn is_part(want: &Want) -> bool {
    want.stops.is_empty() && !want.parts.is_empty()
}

/// Whether the importer declares that it needs the distribution whose module it is: what it cannot do without.
fn needs(context: &Context<'_>, want: &Want) -> bool {
    let top = want.module.split('.').next().unwrap_or_default();
    let owner = want.owner.clone().or_else(|| context.db.distribution_of_module(top));
    let (Some(owner), Some(importer)) = (owner, want.importer.as_deref()) else { return false };
    context.stack.get(&owner).is_some() && declared(context, importer, &owner).next().is_some()
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
        requirements: lines.clone(),
        ..Remedy::new(format!("Install `{}`", lines.join("`, `")), lines.iter().flat_map(|line| install(context, line)))
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
    want.importer.as_deref().is_some_and(|importer| match want.owner.as_deref() {
        Some(owner) => unmet(context, importer, owner),
        None => refused(context, want).is_some(),
    })
}

/// The distribution that an error of the importer's own names, of which it declares that it needs another release.
fn refused<'a>(context: &'a Context<'_>, want: &Want) -> Option<&'a str> {
    let importer = want.importer.as_deref().filter(|_| want.wanted == Wanted::Stop)?;
    let says = want.name.to_lowercase().replace('_', "-");
    let names = context.stack.installed.iter().map(Installed::name);
    let named = names.filter(|name| *name != importer && says.contains(name) && unmet(context, importer, name));
    named.max_by_key(|name| name.len())
}

/// The requirements of one installed distribution on another that hold here.
fn declared<'a>(context: &'a Context<'_>, by: &str, of: &'a str) -> impl Iterator<Item = Requirement> + 'a {
    let lines = context.stack.get(by).and_then(Installed::requires).into_iter().flatten();
    let environment = markers(&context.target);
    let requirements = lines.filter(move |line| is_about(line, of)).filter_map(|line| parse(line).ok());
    requirements.filter(move |it| environment.as_ref().is_some_and(|environment| applies(it, environment, &[])))
}

/// Whether a requirement of one installed distribution on another is not met.
fn unmet(context: &Context<'_>, by: &str, of: &str) -> bool {
    let found = context.stack.get(of);
    found.is_some_and(|found| declared(context, by, of).any(|it| !is_met(&it, found)))
}

/// What stops an import of one distribution for certain because of another: file and line.
pub fn certain(context: &Context<'_>, by: &str, of: &str) -> Option<Evidence> {
    let imports = context.facts.imports.value()?;
    let is_it = |want: &&Want| {
        !(want.stops.is_empty() && want.parts.is_empty())
            && want.importer.as_deref() == Some(by)
            && want.owner.as_deref().or_else(|| refused(context, want)) == Some(of)
    };
    let want = imports.wants.iter().find(is_it)?;
    let importer = context.stack.get(by)?;
    let observed = match want.wanted {
        Wanted::Stop => format!("raises an error: {}", want.name),
        _ => format!("asks for `{}`, which is not there", subject(want)),
    };
    Some(Evidence::of(Basis::Binary, place(want, importer), observed))
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
            parts: Vec::new(),
        };
        change(&mut want);
        let case = Case::host().python("3.12");
        let case = case.distribution("peft", "0.18.0", |own| own.location = "/site".to_owned());
        let imports = Imports { wants: vec![want], ..Imports::default() };
        let case = case.installed("transformers", "4.46.3");
        case.with(|facts| facts.imports = Reading::binary(imports, "the test"))
    }
}
