//! The order and the options of commands: what is compiled against torch needs it before, seen and pinned.

use super::view::View;
use super::{build_isolation, built_before_torch};
use crate::lint::Finding;
use crate::lint::project::{Line, Step};
use crate::project::install::Tool;

/// Judges what commands compile.
pub fn judge(view: &View<'_>, out: &mut Vec<Finding>) {
    for (number, step, lines) in view.steps() {
        out.extend(lines.iter().filter_map(|line| compiled(view, step, number, line)));
    }
}

/// What compiles against torch when it is installed.
fn compiled(view: &View<'_>, step: &Step, number: usize, line: &Line) -> Option<Finding> {
    let build = view.source_build(line)?;
    if matches!(step.tool, Tool::UvAdd | Tool::UvSync) {
        return None;
    }
    built_before_torch::judge(view, number, line).or_else(|| build_isolation::judge(view, step, line, build))
}
