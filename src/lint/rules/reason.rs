//! Why each line must change that a change takes: a build without code for the GPU, a requirement of what is then installed, a
//! combination that is known to fail.

use super::beside::{Clash, clashes};
use super::change::Mend;
use super::view::View;
use super::{finding, is_told, on};
use crate::finding::Severity;
use crate::lint::project::{From, Line};
use crate::lint::{Finding, Rule};
use crate::pep::{Version, VersionSpecifiers};
use crate::rules::Target;
use crate::rules::model::{Package, Release};
use crate::rules::obstacle::obstacles;
use crate::rules::requirement::{parse, satisfied, specifiers};
use crate::text::list;

/// What is declared cannot all be installed, or not work, on a declared target.
pub static UNSATISFIABLE: Rule = Rule {
    id: "unsatisfiable",
    title: "What is declared cannot all be installed, or not work, on a declared target",
    help: "The notes are a proof: statements that cannot all hold, each with its source. The hint is the cheapest \
           change that was solved again.",
    judge: None,
};

/// A package index has no build that works on a declared target.
pub static INDEX_WITHOUT_BUILD: Rule = Rule {
    id: "index-without-build",
    title: "A package index has no build that works on a declared target",
    help: "The builds of another CUDA do. An index is chosen by the CUDA of the builds, and each build holds code for \
           some GPUs only.",
    judge: None,
};

/// Tells each line and index that changes with the first one, which has the edits.
pub fn judge(view: &View<'_>, target: &Target, mend: &Mend<'_>, out: &mut Vec<Finding>) {
    let told = |file: usize, place: &crate::project::place::Place, out: &[Finding]| {
        [&UNSATISFIABLE, &INDEX_WITHOUT_BUILD].iter().any(|rule| is_told(view, rule, file, place, out))
    };
    for one in &mend.lines {
        let line = one.line;
        if told(line.at.file, &line.at.place, out) {
            continue;
        }
        let why = of_line(view, target, line, mend);
        let message = format!("`{}` does not work {}", line.text, on(target));
        let message = match &why {
            Why::Alone(_) => message,
            Why::Beside(others, _) => format!("`{}` does not go with {others}", line.text),
            Why::Rest => format!("`{}` does not go with the rest {}", line.text, on(target)),
        };
        let mut found = finding(view, &UNSATISFIABLE, Severity::Fail, line.at.file, &line.at.place, message);
        found.notes = match why {
            Why::Alone(reason) | Why::Beside(_, reason) => vec![reason],
            Why::Rest => Vec::new(),
        };
        found.hint = Some(format!("write `{}{}`, with the other lines that change", line.name, one.versions));
        out.push(found);
    }
    for one in &mend.indexes {
        if told(one.at.at.file, &one.at.at.place, out) {
            continue;
        }
        let message = format!("the index {} has no build of what is needed {}", one.from, on(target));
        let mut found = finding(view, &INDEX_WITHOUT_BUILD, Severity::Fail, one.at.at.file, &one.at.at.place, message);
        let lines = view.environment.lines.iter().filter(|line| match &line.source {
            From::Main(at) | From::Extra(at) => at.url == one.at.url,
            _ => false,
        });
        let pins = lines.filter_map(|line| mend.pins.iter().find(|(name, _)| *name == line.name));
        let mut pins: Vec<String> = pins.map(|(name, version)| format!("{name} {version}")).collect();
        pins.sort();
        pins.dedup();
        if !pins.is_empty() {
            found.notes = vec![format!("it takes {}", list(&pins))];
        }
        found.hint = Some(format!("write the index `{}`, with the lines that change", one.to));
        out.push(found);
    }
}

enum Why {
    /// None of its builds works there.
    Alone(String),
    /// It does not go with these, and why.
    Beside(String, String),
    /// Only all of it together says so.
    Rest,
}

fn of_line(view: &View<'_>, target: &Target, line: &Line, mend: &Mend<'_>) -> Why {
    let (Some(package), Some(range)) = (view.db.package(&line.name), specifiers(&line.requirement)) else {
        return Why::Rest;
    };
    let admitted = |release: &&Release| satisfied(&range, &release.version);
    let releases: Vec<&Release> = package.releases.iter().filter(admitted).collect();
    if let Some(reason) = without_build(view, package, &releases, None, target) {
        return Why::Alone(reason);
    }
    // What is then installed needs another release.
    for (name, version) in mend.pins.iter() {
        if let Some(needs) = needs_of(view, name, version, &line.name, &range, target) {
            return Why::Beside(
                format!("{name} {}", plain(version)),
                format!("{name} {} needs `{needs}`", plain(version)),
            );
        }
    }
    // Or these releases need another release of it.
    for (name, version) in mend.pins.iter().filter(|(name, _)| *name != line.name) {
        let wants = |release: &&Release| {
            let mut texts = release.requires.iter().chain(release.builds.iter().flat_map(|build| &build.requires));
            texts.find(|text| excludes(text, name, version, target)).cloned()
        };
        let all: Option<Vec<String>> = releases.iter().map(wants).collect();
        if let (Some(text), Some(last)) = (all.and_then(|mut all| all.pop()), releases.last()) {
            let needs = text.split(';').next().unwrap_or(&text).trim();
            let reason = format!("{} {} needs `{needs}`", line.name, last.version);
            return Why::Beside(format!("{name} {}", plain(version)), reason);
        }
    }
    let decided = mend.pins.iter().filter(|(name, _)| *name != line.name).cloned().collect();
    let clashes = clashes(view, target, &decided, &line.name);
    let clash = |release: &&Release| Clash::of(&clashes, &release.version);
    match releases.iter().map(clash).collect::<Option<Vec<_>>>().and_then(|all| all.last().copied()) {
        Some(clash) => Why::Beside(clash.beside.clone(), clash.why.clone()),
        None => Why::Rest,
    }
}

/// Why no build of some releases, at one index or at any, works on a target, of the newest one.
pub fn without_build(
    view: &View<'_>,
    package: &Package,
    releases: &[&Release],
    index: Option<&str>,
    target: &Target,
) -> Option<String> {
    let mut reason = None;
    for release in releases {
        for build in release.builds.iter().filter(|build| index.is_none_or(|index| build.index == index)) {
            let all = obstacles(package, release, build, target, view.db);
            let first = all.iter().find(|one| one.kind() != crate::finding::Kind::Python).or_else(|| all.first())?;
            let is_gpu = first.kind() == crate::finding::Kind::GpuArch;
            if reason.is_none() || is_gpu {
                reason = Some(format!("{} {} {first}", package.name, release.full_version(build)));
            }
        }
    }
    reason
}

/// The requirement of one chosen release that excludes all of a range.
fn needs_of(
    view: &View<'_>,
    name: &str,
    version: &Version,
    other: &str,
    range: &VersionSpecifiers,
    target: &Target,
) -> Option<String> {
    let package = view.db.package(name)?;
    let theirs = view.db.package(other)?;
    let public = version.clone().without_local();
    let release = package.releases.iter().find(|release| release.version == public)?;
    let own = release.builds.iter().filter(|build| release.full_version(build) == version.to_string());
    let texts = release.requires.iter().chain(own.flat_map(|build| &build.requires));
    let mut hit = texts.filter(|text| {
        let admitted = theirs.releases.iter().filter(|one| satisfied(range, &one.version));
        let mut admitted = admitted.peekable();
        admitted.peek().is_some() && admitted.all(|one| excludes(text, other, &one.version, target))
    });
    hit.next().map(|text| text.split(';').next().unwrap_or(text).trim().to_owned())
}

/// Whether a requirement is about a package, holds on a target, and does not admit a version.
pub fn excludes(text: &str, name: &str, version: &Version, target: &Target) -> bool {
    if !crate::rules::requirement::is_about(text, name) {
        return false;
    }
    let Ok(wanted) = parse(text) else { return false };
    let holds = || super::view::marker_environment(target).is_some_and(|own| wanted.marker.evaluate(&own, &[]));
    specifiers(&wanted).is_some_and(|range| !satisfied(&range, version)) && holds()
}

/// `2.7.1` of `2.7.1+cu128`.
fn plain(version: &Version) -> Version {
    version.clone().without_local()
}
