//! Commands that undo what earlier ones did: an installer looks at one command, and replaces what stands in its way.

use super::reason::excludes;
use super::view::View;
use super::{finding, is_told};
use crate::finding::Severity;
use crate::lint::project::Line;
use crate::lint::{Finding, Rule};
use crate::rules::Target;
use crate::rules::advisory::{Environment, holds};
use crate::rules::model::{Package, Release};
use crate::rules::requirement::{is_about, satisfied, specifiers};
use crate::rules::schema::{Condition, Level};
use crate::text::list;

/// A command replaces what an earlier one installed, or what that needs.
pub static UNDOES_EARLIER: Rule = Rule {
    id: "undoes-earlier",
    title: "A command replaces what an earlier one installed, or what that needs",
    help: "Installers look at one command: what it names and needs is installed, and what was there before is \
           replaced, or left with requirements that are no longer met.",
    judge: None,
};

/// Judges each command against the lines of those before it.
pub fn judge(view: &View<'_>, target: &Target, out: &mut Vec<Finding>) {
    for number in 1..view.environment.steps.len() {
        let of = |line: &&Line| !line.constraint && !line.elsewhere && view.db.package(&line.name).is_some();
        let lines = || view.environment.lines.iter().filter(of);
        let own: Vec<&Line> = lines().filter(|line| line.step == Some(number)).collect();
        let before: Vec<&Line> = lines().filter(|line| line.step.is_some_and(|step| step < number)).collect();
        // What counts is what the last of them left.
        let last = |line: &&&Line| {
            before.iter().rfind(|other| other.name == line.name).is_some_and(|other| std::ptr::eq(*other, **line))
        };
        for earlier in before.iter().filter(last) {
            if own.iter().any(|line| line.name == earlier.name) {
                continue;
            }
            replaced(view, target, number, &own, earlier, out);
            broken(view, target, &own, earlier, out);
        }
    }
}

/// What the command's packages need is another release than the earlier line installed.
fn replaced(view: &View<'_>, target: &Target, step: usize, own: &[&Line], earlier: &Line, out: &mut Vec<Finding>) {
    if view.environment.steps.get(step).is_some_and(|step| step.has("--no-deps")) {
        return;
    }
    let needs = own.iter().filter_map(|line| Some((*line, needs(view, target, line, earlier)?)));
    let needs: Vec<(&Line, (String, String))> = needs.collect();
    let Some((first, (_, text))) = needs.first() else { return };
    if is_told(view, &UNDOES_EARLIER, first.at.file, &first.at.place, out) {
        return;
    }
    let message = format!(
        "`{}` needs `{text}`: this command replaces `{}` of {}, or is refused",
        first.text,
        earlier.text,
        view.origin(earlier)
    );
    let mut found = finding(view, &UNDOES_EARLIER, Severity::Fail, first.at.file, &first.at.place, message);
    let others: Vec<String> =
        needs.iter().skip(1).map(|(line, (_, text))| format!("`{}` needs `{text}`", line.text)).collect();
    if !others.is_empty() {
        found.notes.push(format!("{} too", list(&others)));
    }
    found.hint = Some("ask for releases that go together, all in one command".to_owned());
    out.push(found);
}

/// What the command names is another release than the earlier line needs.
fn broken(view: &View<'_>, target: &Target, own: &[&Line], earlier: &Line, out: &mut Vec<Finding>) {
    for line in own {
        let Some((needing, text)) = needs(view, target, earlier, line) else { continue };
        if is_told(view, &UNDOES_EARLIER, line.at.file, &line.at.place, out) {
            continue;
        }
        let message = format!(
            "`{}` puts another {} in the place of the one that `{}` of {} needs",
            line.text,
            line.name,
            earlier.text,
            view.origin(earlier)
        );
        let mut found = finding(view, &UNDOES_EARLIER, Severity::Fail, line.at.file, &line.at.place, message);
        found.notes.push(format!("{needing} needs `{text}`; an installer replaces it all the same"));
        found.notes.extend(known_to_fail(view, target, line, earlier));
        found.hint = Some(format!("ask for the {} that goes with the rest, or take the line out", line.name));
        out.push(found);
    }
}

/// What every release of a line requires of the package of another one, where that is none of those that the other admits: the
/// newest release, e.g. `torch 2.6.0`, and its requirement.
fn needs(view: &View<'_>, target: &Target, line: &Line, other: &Line) -> Option<(String, String)> {
    let (package, theirs) = (view.db.package(&line.name)?, view.db.package(&other.name)?);
    let (own, admitted) = (admitted(package, line), admitted(theirs, other));
    if own.is_empty() || admitted.is_empty() {
        return None;
    }
    let mut found = None;
    for release in own {
        let texts = release.requires.iter().chain(release.builds.iter().flat_map(|build| &build.requires));
        let mut texts = texts.filter(|text| is_about(text, &other.name));
        let text = texts.find(|text| admitted.iter().all(|one| excludes(text, &other.name, &one.version, target)))?;
        let text = text.split(';').next().unwrap_or(text).trim().to_owned();
        found = Some((format!("{} {}", line.name, release.version), text));
    }
    found
}

fn admitted<'r>(package: &'r Package, line: &Line) -> Vec<&'r Release> {
    let Some(range) = specifiers(&line.requirement) else { return Vec::new() };
    let offered = package.releases.iter().filter(|release| !release.yanked && !release.version.any_prerelease());
    offered.filter(|release| satisfied(&range, &release.version)).collect()
}

/// What an advisory says of the two together, whatever they are used for.
fn known_to_fail(view: &View<'_>, target: &Target, line: &Line, earlier: &Line) -> Option<String> {
    let newest = |line: &Line| {
        let release = view.db.package(&line.name).and_then(|package| admitted(package, line).pop())?;
        Some((line.name.clone(), release.version.clone()))
    };
    let pair = [newest(line)?, newest(earlier)?];
    let installed = |name: &str| pair.iter().find(|(own, _)| *own == name).map(|(_, version)| version.clone());
    let environment = Environment { installed: &installed, cuda: None, target, workload: &[], messages: &[] };
    let certain = view.db.advisories().filter(|advisory| advisory.severity != Level::Info && !advisory.needs_symptom);
    let mut hits = certain.filter(|advisory| {
        let both = advisory.when.iter().filter(|when| when.installed.len() > 1 && when.absent.is_empty());
        both.map(|when| Condition { workload: Vec::new(), ..when.clone() })
            .any(|when| holds(&when, &environment).is_some())
    });
    hits.next().map(|advisory| format!("{}: {}", advisory.id, advisory.title))
}
