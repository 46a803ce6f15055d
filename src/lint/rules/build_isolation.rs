//! Does the build of an extension see the installed torch?

use super::view::View;
use super::{edit, finding};
use crate::finding::Severity;
use crate::lint::project::{Line, Step};
use crate::lint::{Finding, Fix, Rule};
use crate::project::place::Place;
use crate::rules::schema::SourceBuild;

/// A package that compiles against the installed torch is installed with build isolation.
pub static BUILD_ISOLATION: Rule = Rule {
    id: "build-isolation",
    title: "A package that compiles against the installed torch is installed with build isolation",
    help: "In isolation its setup sees no torch: pass `--no-build-isolation`, with torch installed before.",
    judge: None,
};

/// A line that is compiled in isolation.
pub fn judge(view: &View<'_>, step: &Step, line: &Line, build: &SourceBuild) -> Option<Finding> {
    let isolated = !step.has("--no-build-isolation") && !step.has("--no-build-isolation-package");
    let unset = |name: &str| view.setting(name).is_none();
    if !(isolated && unset("PIP_NO_BUILD_ISOLATION") && unset("UV_NO_BUILD_ISOLATION")) {
        return None;
    }
    let why = if build.isolation {
        "its build requirements bring a torch of their own, which need not be the installed one"
    } else {
        "its setup needs torch, which its build requirements do not name"
    };
    // Older pips build what has no pyproject.toml without isolation.
    let severity = Severity::Warn;
    let message = format!("`{}` is compiled without sight of the installed torch", line.text);
    let mut found = finding(view, &BUILD_ISOLATION, severity, line.at.file, &line.at.place, message);
    found.notes = vec![why.to_owned(), crate::rules::cite(&build.source)];
    found.hint = Some("add `--no-build-isolation`".to_owned());
    if line.at.file == step.at.file {
        let place = Place { span: step.verb.span.end..step.verb.span.end, ..step.verb.clone() };
        let edits = vec![edit(view, step.at.file, &place, " --no-build-isolation".to_owned())];
        found.fix = Some(Fix { summary: "add `--no-build-isolation`".to_owned(), edits });
    }
    Some(found)
}
