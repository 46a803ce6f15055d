//! What is wrong with an environment.

modules!(lint::rules);

use self::solver::Solver;
use self::solving::Outcome;
use self::view::View;
use super::project::{Environment, Project};
use super::{Edit, Finding, Rule};
use crate::finding::Severity;
use crate::project::place::Place;
use crate::rules::{RuleDb, Target};

/// Whether an environment installs anything that the rules know.
pub fn is_covered(environment: &Environment, db: &RuleDb) -> bool {
    environment.lines.iter().any(|line| db.package(&line.name).is_some())
}

/// Every rule of lint, by file, as SARIF lists them: the build script finds them in the sources.
pub static RULES: &[&Rule] = declared!(lint);

/// What judges an environment by itself.
pub type Judge = fn(&View<'_>, &mut Vec<Finding>);

/// Judges one environment on all targets.
pub fn judge(
    project: &Project,
    environment: &Environment,
    targets: &[Target],
    db: &RuleDb,
    solver: &Solver<'_>,
    uses: &[String],
    out: &mut Vec<Finding>,
) {
    let any = [Target { platform: Some("linux_x86_64".to_owned()), ..Target::default() }];
    let targets = if targets.is_empty() || environment.elsewhere { &any[..] } else { targets };
    let first = out.len();
    let view = View::new(project, environment, targets, db);
    RULES.iter().filter_map(|rule| rule.judge).for_each(|judge| judge(&view, out));
    steps::judge(&view, out);
    for (number, target) in targets.iter().enumerate() {
        let mut target = compat::judge(&view, target, out);
        // Who asks for CPU builds means them.
        target.cpu_only |= view.wants_cpu();
        if !view.is_covered() {
            continue;
        }
        undone::judge(&view, &target, out);
        match solving::judge(&view, number, &target, solver, out) {
            Outcome::Met(pins) => {
                workload_advisory::judge(&view, &target, &pins, uses, out);
                foreign_ptxas::judge(&view, &target, &pins, out);
                guard::settled(&view, &target, &pins, out);
                if !environment.locked {
                    ranges::judge(&view, &target, solver, out);
                }
            }
            Outcome::Refused(Some(mend)) => guard::changed(&view, &mend, out),
            Outcome::Refused(None) => {}
        }
    }
    // Nobody knows whether it comes to that.
    let fresh = out.iter_mut().skip(first).filter(|finding| finding.severity == Severity::Fail);
    fresh.filter(|_| environment.conditional).for_each(|finding| finding.severity = Severity::Warn);
}

/// Whether a line was told of already: one target is enough.
fn is_told(view: &View<'_>, rule: &Rule, file: usize, place: &Place, out: &[Finding]) -> bool {
    let file = view.project.path(file);
    out.iter().any(|one| one.rule == rule && one.place.span.start == place.span.start && one.file == file)
}

/// A finding without notes.
fn finding(
    view: &View<'_>,
    rule: &'static Rule,
    severity: Severity,
    file: usize,
    place: &Place,
    message: String,
) -> Finding {
    rule.found(severity, view.project.path(file).to_owned(), place.clone(), message)
}

/// An edit of the bytes at a place.
fn edit(view: &View<'_>, file: usize, place: &Place, text: String) -> Edit {
    Edit { file: view.project.path(file).to_owned(), start: place.span.start, end: place.span.end, text }
}

/// A target by name, e.g. ``on `train` (RTX 5090)``.
fn on(target: &Target) -> String {
    match &target.name {
        Some(name) => format!("on `{name}` ({})", target.in_words()),
        None if target.gpus.is_empty() && target.driver.is_none() => "on any machine".to_owned(),
        None => format!("on {}", target.in_words()),
    }
}
