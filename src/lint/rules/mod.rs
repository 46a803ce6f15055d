//! What is wrong with an environment.

mod arch_list;
mod compat;
mod image;
mod ranges;
mod solving;
mod steps;
mod view;

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::project::{Environment, Project};
use super::{Edit, Finding};
use crate::finding::Severity;
use crate::parse::place::Place;
use crate::rules::{RuleDb, Target};

use self::view::View;

/// What was solved already, wherever it stands: files of one repository often ask for the same.
pub type Solved = RefCell<BTreeSet<String>>;

/// Judges one environment on all targets.
pub fn judge(
    project: &Project,
    environment: &Environment,
    targets: &[Target],
    db: &RuleDb,
    solved: &Solved,
    out: &mut Vec<Finding>,
) {
    let any = [Target { platform: Some("linux_x86_64".to_owned()), ..Target::default() }];
    let targets = if targets.is_empty() || environment.elsewhere { &any[..] } else { targets };
    let first = out.len();
    let view = View::new(project, environment, targets, db);
    steps::judge(&view, out);
    arch_list::judge(&view, out);
    image::judge(&view, out);
    for (number, target) in targets.iter().enumerate() {
        let mut target = compat::judge(&view, target, out);
        // Who asks for CPU builds means them.
        target.cpu_only |= view.wants_cpu();
        if !view.is_covered() {
            continue;
        }
        let failed = solving::judge(&view, number, &target, solved, out);
        if !failed && !environment.locked {
            ranges::judge(&view, &target, out);
        }
    }
    // Nobody knows whether it comes to that.
    let fresh = out.iter_mut().skip(first).filter(|finding| finding.severity == Severity::Fail);
    fresh.filter(|_| environment.conditional).for_each(|finding| finding.severity = Severity::Warn);
}

/// A finding without notes.
fn finding(
    view: &View<'_>,
    id: &'static str,
    severity: Severity,
    file: usize,
    place: &Place,
    message: String,
) -> Finding {
    let (file, place) = (view.project.path(file).to_owned(), place.clone());
    Finding { id, severity, file, place, message, notes: Vec::new(), hint: None, fix: None }
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
