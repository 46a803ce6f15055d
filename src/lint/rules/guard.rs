//! Checks of versions in images and programs: those that the change trips, and those that what is installed trips already.

use std::collections::BTreeMap;

use super::beside::decided;
use super::change::Mend;
use super::solver::Pins;
use super::view::View;
use super::{finding, is_told};
use crate::finding::Severity;
use crate::lint::project::Snippet;
use crate::lint::{Finding, Rule};
use crate::pep::{Version, VersionSpecifiers};
use crate::project::place::Lines;
use crate::python::script::{Trip, Tripped};
use crate::rules::requirement::satisfied;
use crate::rules::schema::Line;
use crate::rules::{RuleDb, Target};
use crate::text::list;

/// A check of a version stops, or complains, with what is installed.
pub static VERSION_CHECK: Rule = Rule {
    id: "version-check",
    title: "A check of a version stops, or complains, with what is installed",
    help: "An assertion in an image or a program asks for another release than the files do, or than the change that \
           mends them. Let it ask for what is needed, or take it out.",
    judge: None,
};

type Versions = BTreeMap<String, Version>;

/// Judges the checks by what is installed after a change.
pub fn changed(view: &View<'_>, mend: &Mend<'_>, out: &mut Vec<Finding>) {
    let versions: Versions = mend.pins.iter().cloned().collect();
    judge(view, &versions, "the change to ", out);
}

/// Judges the checks by those releases of which the files leave no choice.
pub fn settled(view: &View<'_>, target: &Target, pins: &Pins, out: &mut Vec<Finding>) {
    let decided = decided(view, target);
    let public = |version: &Version| version.clone().without_local();
    // With the label of the build that is taken.
    let sure =
        pins.iter().filter(|(name, version)| decided.get(name).is_some_and(|own| public(own) == public(version)));
    let versions: Versions = sure.cloned().collect();
    if !versions.is_empty() {
        judge(view, &versions, "", out);
    }
}

fn judge(view: &View<'_>, versions: &Versions, change: &str, out: &mut Vec<Finding>) {
    let missing = missing(view.db, versions);
    let beside = view.project.snippets.iter().filter(|snippet| is_beside(view, snippet));
    for snippet in view.environment.snippets.iter().chain(beside) {
        let lines = Lines::of(view.project.files.get(snippet.file).map_or("", |file| file.text.as_str()));
        for tripped in tripped(view.db, snippet, versions, &missing) {
            let place = lines.place(snippet.source.source(tripped.span.clone()));
            if is_told(view, &VERSION_CHECK, snippet.file, &place, out) {
                continue;
            }
            let installed = |module: &String| {
                let name = view.db.distribution_of_module(module)?;
                Some(format!("{name} {}", versions.get(&name)?))
            };
            let gone = missing.iter().find(|one| tripped.modules.contains(&one.module));
            let message = match (tripped.trip, gone) {
                (Trip::Import, Some(gone)) => {
                    format!("{change}{} trips this import: it has no `{}`", gone.installed, gone.module)
                }
                (trip, _) => {
                    let what = list(&tripped.modules.iter().filter_map(installed).collect::<Vec<_>>());
                    format!("{change}{what} trips this {}", if trip == Trip::Assertion { "assertion" } else { "check" })
                }
            };
            let mut found = finding(view, &VERSION_CHECK, Severity::Warn, snippet.file, &place, message);
            found.notes = vec![match tripped.trip {
                Trip::Assertion | Trip::Stop | Trip::Import => "it stops there".to_owned(),
                Trip::Complaint => "it complains of what is right".to_owned(),
            }];
            found.notes.extend(gone.map(|gone| gone.why.clone()));
            found.hint = Some("let it ask for what is installed, or take it out".to_owned());
            out.push(found);
        }
    }
}

/// A file of Python in the folder of the commands that make the environment.
fn is_beside(view: &View<'_>, snippet: &Snippet) -> bool {
    let folder = |file: usize| view.project.path(file).rsplit_once('/').map_or("", |(folder, _)| folder);
    let files = view.environment.steps.iter().map(|step| step.at.file);
    files.map(folder).any(|own| own == folder(snippet.file))
}

/// What trips: with the label of the build, and without it where a package does not say it.
fn tripped(db: &RuleDb, snippet: &Snippet, versions: &Versions, missing: &[Missing]) -> Vec<Tripped> {
    let run = |labelled: bool| {
        let version = |module: &str| {
            let version = versions.get(&db.distribution_of_module(module)?)?;
            Some(if labelled { version.to_string() } else { version.clone().without_local().to_string() })
        };
        snippet.script.tripped(&version, &|module| missing.iter().any(|one| one.module == module))
    };
    let without = run(false);
    run(true).into_iter().filter(|one| without.contains(one)).collect()
}

/// A module that a release does not have.
struct Missing {
    /// E.g. `triton.ops`.
    module: String,
    /// E.g. `triton 3.3.1`.
    installed: String,
    /// The advisory that knows it.
    why: String,
}

/// The modules that advisories know to be missing from what is installed: those whose message is `No module named …`.
fn missing(db: &RuleDb, versions: &Versions) -> Vec<Missing> {
    let mut found = Vec::new();
    for advisory in db.advisories() {
        let named =
            advisory.symptoms.iter().filter_map(|text| text.strip_prefix("No module named '")?.strip_suffix('\''));
        for module in named.filter(|module| module.contains('.')) {
            let top = module.split('.').next().unwrap_or(module);
            let Some(name) = db.distribution_of_module(top) else { continue };
            let Some(version) = versions.get(&name) else { continue };
            let terms = advisory.when.iter().flat_map(|when| &when.installed);
            let ranges = terms.filter(|term| term.name() == Some(name.as_str())).filter_map(Line::range);
            let lacks = |range: &VersionSpecifiers| !range.is_empty() && satisfied(range, version);
            if ranges.into_iter().any(lacks) {
                let installed = format!("{name} {}", version.clone().without_local());
                let why = format!("{}: {}", advisory.id, advisory.title);
                found.push(Missing { module: module.to_owned(), installed, why });
            }
        }
    }
    found
}
