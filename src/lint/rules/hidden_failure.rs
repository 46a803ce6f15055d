//! Does a command hide that a build failed?

use super::finding;
use super::view::View;
use crate::finding::Severity;
use crate::lint::project::{Line, Step};
use crate::lint::{Finding, Rule};

/// The failure of a build is hidden.
pub static HIDDEN_FAILURE: Rule = Rule {
    id: "hidden-failure",
    title: "The failure of a build is hidden",
    help: "Behind `|| echo …` an image is built also where an extension does not compile, and its import fails later, \
           elsewhere.",
    judge: Some(judge),
};

/// What compiles code may fail, and the build goes on without it.
pub fn judge(view: &View<'_>, out: &mut Vec<Finding>) {
    out.extend(view.steps().filter_map(|(_, step, lines)| hidden(view, step, &lines)));
}

fn hidden(view: &View<'_>, step: &Step, lines: &[&Line]) -> Option<Finding> {
    let place = step.hidden.as_ref()?;
    let line = lines.iter().find(|line| line.elsewhere || view.source_build(line).is_some())?;
    let written = view.project.written(step.at.file, place);
    let message = format!("`{written}` hides it when `{}` does not compile", line.text);
    let mut found = finding(view, &HIDDEN_FAILURE, Severity::Warn, step.at.file, place, message);
    found.notes = vec!["the image is built without it, and its import fails where it runs".to_owned()];
    found.hint = Some(format!("take `{written}` out"));
    Some(found)
}
