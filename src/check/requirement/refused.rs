//! Which requirements exclude each other, where a report holds an installer's proof that no set exists?
//!
//! What the installer weighed is not installed for that: nothing here blames an environment. It says who declares what, which
//! line of the user forbids it, what going against it would break, and what the releases that it weighed are known to break.

use std::collections::BTreeMap;

use crate::check::Context;
use crate::facts::Candidate;
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::pep::{Requirement, Version, pinned};
use crate::rules::advisory::{Environment, judge};
use crate::rules::requirement::{parse, satisfied, specifiers};
use crate::rules::schema::{Advisory, Condition};
use crate::step::Step;
use crate::text;

rule! {
    /// An installer found no set of releases for the lines it was given.
    ///
    /// Known from the text that pip or uv printed. What the installer only considered is not taken for installed: the
    /// finding names who declares what, and which of the user's lines stands against it. Change that line, or take a
    /// release of the other package that agrees.
    pub REFUSED = "requirement/refused/{package}": Requirement, Fail, since "0.1.0", judged on [Report], by check;
}

/// One statement of a proof.
struct Statement<'a> {
    said: &'a Candidate,
    wanted: Requirement,
    /// The release that declares it; none where the user asks, or where the release is not told.
    by: Option<(String, Option<Version>)>,
}

impl Statement<'_> {
    /// `torch 2.6.0`, `the project demo`.
    fn who(&self) -> Option<String> {
        let (name, version) = self.by.as_ref()?;
        Some(match version {
            Some(version) => format!("{name} {version}"),
            None => self.said.package.clone().unwrap_or_else(|| name.clone()),
        })
    }

    /// `triton==3.2.0`, in the installer's words.
    fn line(&self) -> &str {
        &self.said.requirement
    }

    /// The one release that meets it: `3.2.0` of `==3.2.0`.
    fn only(&self) -> Option<Version> {
        pinned(&specifiers(&self.wanted)?).cloned()
    }

    fn meets(&self, version: &Version) -> bool {
        specifiers(&self.wanted).is_none_or(|specifiers| satisfied(&specifiers, version))
    }
}

/// A finding for each package of which it found no release.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let candidates = context.facts.installing.candidates.iter();
    let statements: Vec<Statement<'_>> = candidates.filter_map(statement).collect();
    let mut by_name: BTreeMap<&str, Vec<&Statement<'_>>> = BTreeMap::new();
    for one in &statements {
        by_name.entry(one.wanted.name.as_ref()).or_default().push(one);
    }
    let refused = by_name.into_iter().filter_map(|(name, said)| {
        let (declared, against) = pair(context, name, &said)?;
        Some(finding(context, &statements, (name, declared, against)))
    });
    refused.collect()
}

fn statement(said: &Candidate) -> Option<Statement<'_>> {
    let wanted = parse(&said.requirement).ok()?;
    let by = match &said.package {
        None => None,
        Some(line) => {
            let package = parse(line).ok()?;
            Some((package.name.to_string(), pinned(&specifiers(&package)?).cloned()))
        }
    };
    Some(Statement { said, wanted, by })
}

/// Two statements about one package that no release meets both: what a release declares, and what stands against it, the
/// user's own line first.
fn pair<'s, 'a>(
    context: &Context<'_>,
    name: &str,
    said: &[&'s Statement<'a>],
) -> Option<(&'s Statement<'a>, &'s Statement<'a>)> {
    let known = context.db.package(name).map(|package| package.releases.as_slice()).unwrap_or_default();
    let mut versions: Vec<Version> = known.iter().map(|release| release.version.clone()).collect();
    for one in said.iter().filter_map(|one| specifiers(&one.wanted)) {
        versions.extend(one.iter().map(|one| one.version().clone()));
    }
    let agree = |one: &Statement<'_>, other: &Statement<'_>| {
        versions.iter().any(|version| one.meets(version) && other.meets(version))
    };
    let mut pairs =
        said.iter().enumerate().flat_map(|(at, one)| said.iter().skip(at + 1).map(move |other| (*one, *other)));
    let mut found: Vec<_> = pairs.by_ref().filter(|(one, other)| !agree(one, other)).collect();
    found.iter_mut().for_each(|(one, other)| {
        if one.by.is_none() {
            std::mem::swap(one, other);
        }
    });
    found.sort_by_key(|(declared, against)| (declared.by.is_none(), against.by.is_some(), !against.said.constraint));
    found.first().copied()
}

fn finding(
    context: &Context<'_>,
    statements: &[Statement<'_>],
    (name, declared, against): (&str, &Statement<'_>, &Statement<'_>),
) -> Finding {
    let against_line = against.line();
    let title = match (declared.who(), against.who()) {
        (Some(who), None) if against.said.constraint => {
            format!("{who} requires {}, which the constraint `{against_line}` forbids", declared.line())
        }
        (Some(who), None) => format!("{who} requires {}, but `{against_line}` is asked for", declared.line()),
        (Some(who), Some(other)) => format!("{who} requires {}, but {other} requires {against_line}", declared.line()),
        (None, _) => {
            format!("`{}` and `{against_line}` are asked for, which no release of {name} meets", declared.line())
        }
    };
    let mut message =
        "The installer only weighed these releases and installed none: what is installed the text does not say."
            .to_owned();
    let forced = newest(context, name, against).filter(|_| against.by.is_none());
    if let (Some(who), Some(forced), Some((package, Some(version)))) = (declared.who(), &forced, &declared.by) {
        let pins = BTreeMap::from([(package.as_str(), version.clone()), (name, forced.clone())]);
        let broken: Vec<String> = matching(context, &pins, &[]).into_iter().map(named).collect();
        message.push_str(&match broken.as_slice() {
            [] => format!(" An override would install {name} {forced} beside {who}, which is not made for it."),
            broken => format!(" Do not override it with {name} {forced}: {}.", broken.join("; ")),
        });
    }
    let mut remedies = vec![cure(name, declared, against)];
    let (traps, upgrades) = traps(context, statements);
    traps.iter().for_each(|trap| message.push_str(&format!(" Then mind this one too: {trap}.")));
    remedies.extend(upgrades);
    let mut packages: Vec<String> =
        [declared, against].iter().filter_map(|one| Some(one.by.as_ref()?.0.clone())).collect();
    packages.push(name.to_owned());
    packages.sort();
    packages.dedup();
    REFUSED
        .found(&[name], title)
        .message(message)
        .packages(packages)
        .evidence([declared, against].into_iter().flat_map(|one| evidence(context, one)))
        .remedies(remedies)
}

/// Which line to change.
fn cure(name: &str, declared: &Statement<'_>, against: &Statement<'_>) -> Remedy {
    let brings = declared.only().map_or_else(|| declared.line().to_owned(), |version| format!("{name} {version}"));
    match (declared.who(), against.by.is_none()) {
        (Some(who), true) if against.said.constraint => {
            Remedy::new(format!("Take the constraint `{}` out: {who} brings {brings} itself", against.line()), NOTHING)
        }
        (Some(who), true) => {
            Remedy::new(format!("Leave `{}` out, or ask for {brings}, as {who} does", against.line()), NOTHING)
        }
        _ => Remedy::new(
            format!("Loosen one of the two, and let `gpudoc resolve` find releases that agree on {name}"),
            Step::fixed("gpudoc resolve -r requirements.txt"),
        ),
    }
}

const NOTHING: [Step; 0] = [];

/// What is said, and what the rules know of it.
fn evidence(context: &Context<'_>, one: &Statement<'_>) -> Vec<Evidence> {
    let fact = match (one.who(), one.said.constraint) {
        (Some(who), _) => format!("{who} declares"),
        (None, true) => "constraint".to_owned(),
        (None, false) => "asked for".to_owned(),
    };
    let said = Evidence::metadata(fact, format!("`{}`", one.line())).cited(one.said.place.clone());
    std::iter::once(said).chain(declared_in_rules(context, one)).collect()
}

/// The same requirement in the release's own metadata.
fn declared_in_rules(context: &Context<'_>, one: &Statement<'_>) -> Option<Evidence> {
    let (name, version) = one.by.as_ref()?;
    let release = context.db.release(name, version.as_ref()?)?;
    let lines = release.requires.iter().chain(release.builds.iter().flat_map(|build| &build.requires));
    let line = lines
        .filter(|line| crate::rules::requirement::is_about(line, one.wanted.name.as_ref()))
        .find(|line| parse(line).is_ok_and(|known| specifiers(&known) == specifiers(&one.wanted)))?;
    Some(
        Evidence::rule(format!("{name} {} in the rules", release.version), format!("`Requires-Dist: {line}`"))
            .cited(release.builds.first().map(|build| build.source.citation())),
    )
}

/// The newest release that a line allows: what an override would install.
fn newest(context: &Context<'_>, name: &str, line: &Statement<'_>) -> Option<Version> {
    if let Some(only) = line.only() {
        return Some(only);
    }
    let releases = &context.db.package(name)?.releases;
    releases.iter().rev().map(|release| release.version.clone()).find(|version| line.meets(version))
}

/// Advisories on what the user asks for beside the releases that were weighed, in words, and the releases that are free of
/// them.
fn traps(context: &Context<'_>, statements: &[Statement<'_>]) -> (Vec<String>, Vec<Remedy>) {
    let mut pins: BTreeMap<&str, Version> = BTreeMap::new();
    for one in statements {
        if let Some((name, Some(version))) = &one.by {
            pins.insert(name, version.clone());
            pins.extend(one.only().map(|version| (one.wanted.name.as_ref(), version)));
        }
    }
    let asked: Vec<&Statement<'_>> = statements
        .iter()
        .filter(|one| one.by.is_none() && !one.said.constraint && !pins.contains_key(one.wanted.name.as_ref()))
        .collect();
    let found = matching(context, &pins, &asked);
    let upgrades = found.iter().filter_map(|advisory| {
        let remedy = advisory.remedies.iter().find(|remedy| !remedy.requirements.is_empty())?;
        let summary = format!("Take {} with it: {}", text::list(&remedy.requirements), advisory.id);
        Some(Remedy { requirements: remedy.requirements.clone(), ..Remedy::new(summary, NOTHING) })
    });
    (found.iter().map(|advisory| named(advisory)).collect(), upgrades.collect())
}

/// Advisories that need no error message and speak of two at least of these, of what is asked for at least of one: it may be
/// in any release that its line allows.
fn matching<'c>(context: &Context<'c>, pins: &BTreeMap<&str, Version>, asked: &[&Statement<'_>]) -> Vec<&'c Advisory> {
    let installed = |name: &str| pins.get(name).cloned();
    let environment = Environment { installed: &installed, ..context.environment(&installed) };
    let may_be = |wanted: &Requirement| {
        asked.iter().filter(|one| one.wanted.name == wanted.name).any(|one| {
            one.only().is_none_or(|version| specifiers(wanted).is_none_or(|wanted| satisfied(&wanted, &version)))
        })
    };
    let holds = |advisory: &&Advisory| {
        !advisory.needs_symptom
            && advisory.when.iter().any(|when| {
                let (known, open): (Vec<_>, Vec<_>) =
                    when.installed.iter().partition(|line| line.name().is_some_and(|name| pins.contains_key(name)));
                let rest = Condition { installed: known.iter().map(|line| (*line).clone()).collect(), ..when.clone() };
                let wanted = if asked.is_empty() {
                    open.is_empty() && known.len() > 1
                } else {
                    !open.is_empty() && !known.is_empty()
                };
                wanted
                    && when.workload.is_empty()
                    && open.iter().all(|line| line.requirement().is_some_and(may_be))
                    && judge(&rest, &environment, false) == Some(true)
            })
    };
    context.db.advisories().filter(holds).collect()
}

fn named(advisory: &Advisory) -> String {
    format!("{} [{}]", advisory.title, advisory.id)
}

#[cfg(test)]
mod tests {
    use super::{Candidate, REFUSED};
    use crate::check::cases::Case;

    #[test]
    fn a_release_that_the_users_own_line_forbids() {
        let with = |asked: &str| {
            let says = |package: Option<&str>, requirement: &str| Candidate {
                package: package.map(str::to_owned),
                requirement: requirement.to_owned(),
                constraint: false,
                place: "pip, line 4".to_owned(),
            };
            let candidates = vec![says(Some("torch==2.6.0"), "triton==3.2.0"), says(None, asked)];
            Case::report().with(|facts| facts.installing.candidates = candidates).found(&REFUSED)
        };
        let title = "torch 2.6.0 requires triton==3.2.0, but `triton==3.1.0` is asked for";
        assert_eq!(with("triton==3.1.0"), [format!("requirement/refused/triton: {title}")]);
        assert_eq!(with("triton>=3.1"), [""; 0]);
    }
}
