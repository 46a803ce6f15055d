//! Has a release that somebody asks for no wheel for this Python?

use std::str::FromStr;

use crate::check::{Context, Installed};
use crate::facts::{ASKED, Nowhere};
use crate::finding::{Evidence, Finding, Id, Remedy, Severity, rule};
use crate::pep::{Version, VersionSpecifiers, pinned};
use crate::rules::model::Release;
use crate::rules::obstacle::python_version;
use crate::rules::requirement::{self, satisfied, specifiers};
use crate::version::PythonVersion;

rule! {
    /// A release that is asked for is not made for this Python.
    ///
    /// pip then takes an older release, tries to compile, or stops. Known from the published wheels in the rules, or from what
    /// pip says that it passed over. Use a Python that the release supports.
    pub NO_WHEEL = "python/{package}": Python, Warn, since "0.1.0", judged on [Python, Distributions, Report];
}

/// A release of Python 3 that nobody has seen yet: what admits it has no upper bound.
const BEYOND: u32 = 40;

/// Releases that somebody asks for and that this Python has no wheel of: those that an installer did not find, which stops it,
/// and others.
pub fn findings(context: &Context<'_>) -> Vec<Finding> {
    let stopped = context.facts.installing.nowhere.iter().filter_map(|nowhere| not_found(context, nowhere));
    let mut found: Vec<Finding> = stopped.collect();
    let known: Vec<Id> = found.iter().map(|finding| finding.id.clone()).collect();
    let asked = context.stack.installed.iter().filter_map(|installed| asked(context, installed));
    found.extend(asked.filter(|finding| !known.contains(&finding.id)));
    found
}

/// What an installer found no release of, because of the Python.
fn not_found(context: &Context<'_>, nowhere: &Nowhere) -> Option<Finding> {
    let wanted = requirement::parse(&nowhere.requirement).ok()?;
    let range = specifiers(&wanted)?;
    let version = pinned(&range)?;
    let (name, python) = (wanted.name.as_ref(), context.target.python);
    let title = format!("{name} {version}");
    let place = format!("in the report: {}", nowhere.place);
    if let Some(range) = nowhere.requires_python.as_deref()
        && let Ok(admitted) = VersionSpecifiers::from_str(range)
    {
        let admits = |minor| satisfied(&admitted, &Version::new([3, u64::from(minor)]));
        let evidence = Evidence::metadata("Requires-Python", range.to_owned()).cited(place);
        return Some(
            found(name, format!("{title} requires Python {range}"), python, &admits)
                .severity(Severity::Fail)
                .message("pip passes over what is not for its Python, and then finds no release that it may take.")
                .evidence([evidence]),
        );
    }
    let finding = without_wheel(context, name, &title, context.db.release(name, version)?)?;
    Some(finding.severity(Severity::Fail).message("pip and uv find no version that satisfies the requirement here."))
}

/// A release that somebody asks for, and nobody says that it was not found.
fn asked(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    installed.distribution.version.source().filter(|source| source.place().starts_with(ASKED))?;
    let (release, _) = installed.row?;
    let finding = without_wheel(context, installed.name(), &installed.title(), release)?;
    Some(finding.message("pip and uv find no version that satisfies the requirement on this Python."))
}

/// A release of which all builds are for other Pythons.
fn without_wheel(context: &Context<'_>, name: &str, title: &str, release: &Release) -> Option<Finding> {
    let python = context.target.python?;
    let free_threaded = context.target.free_threaded;
    let tags = || release.builds.iter().flat_map(|build| &build.python);
    tags().next()?;
    if tags().any(|tag| tag.accepts(python, free_threaded)) {
        return None;
    }
    let admits = |minor| {
        let other = PythonVersion { major: 3, minor, micro: None };
        tags().any(|tag| tag.accepts(other, free_threaded))
            && release.requires_python.as_ref().is_none_or(|range| range.contains(&python_version(other)))
    };
    let mut wheels: Vec<String> = tags().map(ToString::to_string).collect();
    wheels.sort();
    wheels.dedup();
    let source = release.builds.iter().find(|build| !build.python.is_empty())?.source.citation();
    let title = format!("{title} has no wheel for Python {}.{}", python.major, python.minor);
    Some(
        found(name, title, Some(python), &admits)
            .evidence([Evidence::rule("python", python.to_string()).required(wheels.join(" ")).cited(source)]),
    )
}

/// The finding with the Python to take.
fn found(name: &str, title: String, python: Option<PythonVersion>, admits: &dyn Fn(u32) -> bool) -> Finding {
    let wanted = python_to_take(python, admits).unwrap_or_else(|| "a Python that it is made for".to_owned());
    let remedy = format!("Make the environment, or the image, with {wanted}; or take another {name}");
    NO_WHEEL.found(&[name], title).packages([name, "python"]).remedies([Remedy::new(remedy, [])])
}

/// `Python 3.12` where the Python is too new, `Python 3.10 or newer` where it is too old; none where nothing is admitted.
fn python_to_take(now: Option<PythonVersion>, admits: &dyn Fn(u32) -> bool) -> Option<String> {
    let unbounded = admits(BEYOND);
    let minors: Vec<u32> = (0..BEYOND).filter(|minor| admits(*minor)).collect();
    let older = minors.iter().rev().find(|minor| now.is_none_or(|now| **minor < now.minor));
    match (unbounded, now.is_some(), older) {
        (true, false, _) | (true, true, None) => Some(format!("Python 3.{} or newer", minors.first()?)),
        (_, _, Some(minor)) => Some(format!("Python 3.{minor}")),
        (false, _, None) => Some(format!("Python 3.{}", minors.first()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;
    use crate::facts::Reading;

    #[test]
    fn pip_is_asked_for_a_torch_that_this_python_has_no_wheel_of() {
        let of = |python| {
            let asked = |own: &mut crate::facts::Distribution| {
                own.version = Reading::metadata("2.2.0".to_owned(), format!("{ASKED} pip"));
            };
            Case::report().python(python).distribution("torch", "2.2.0", asked).found(&NO_WHEEL)
        };
        assert_eq!(of("3.13"), ["python/torch: torch 2.2.0 has no wheel for Python 3.13"]);
        assert!(of("3.11").is_empty());
    }

    fn nowhere(requirement: &str, range: Option<&str>, python: Option<&str>) -> Vec<(Severity, String, String)> {
        let requires_python = range.map(str::to_owned);
        let nowhere = Nowhere { requirement: requirement.to_owned(), requires_python, place: "pip, line 2".to_owned() };
        let case = Case::report().with(|facts| facts.installing.nowhere.push(nowhere));
        let case = python.into_iter().fold(case, Case::python);
        let found = case.findings(&NO_WHEEL).into_iter();
        found.map(|it| (it.severity, it.title.clone(), it.remedies[0].summary.clone())).collect()
    }

    #[test]
    fn what_pip_passed_over_says_which_python_it_is_for() {
        let say = |title: &str, wanted: &str, name: &str| {
            let remedy = format!("Make the environment, or the image, with {wanted}; or take another {name}");
            vec![(Severity::Fail, title.to_owned(), remedy)]
        };
        let range = Some(">=3.9.0, <3.12");
        let title = "tts 0.22.0 requires Python >=3.9.0, <3.12";
        assert_eq!(nowhere("TTS==0.22.0", range, None), say(title, "Python 3.11", "tts"));
        assert_eq!(nowhere("TTS==0.22.0", range, Some("3.8")), say(title, "Python 3.9", "tts"));
        let title = "demo 2.0 requires Python >=3.11";
        assert_eq!(nowhere("demo==2.0", Some(">=3.11"), Some("3.10")), say(title, "Python 3.11 or newer", "demo"));
        let title = "torch 2.4.1 has no wheel for Python 3.13";
        assert_eq!(nowhere("torch==2.4.1", None, Some("3.13")), say(title, "Python 3.12", "torch"));
        // Another index than the one that was asked may have it.
        assert!(nowhere("torch==2.4.1+cu121", None, Some("3.12")).is_empty());
        assert!(nowhere("demo==2.0", None, Some("3.10")).is_empty());
    }
}
