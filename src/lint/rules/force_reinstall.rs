//! Does `--force-reinstall` replace the torch of an earlier command?

use super::view::{TORCH, View};
use super::{edit, finding};
use crate::finding::Severity;
use crate::lint::project::{Line, Step};
use crate::lint::{Finding, Fix, Rule};
use crate::rules::model::Release;
use crate::rules::requirement::{is_about, satisfied, specifiers};

/// `--force-reinstall` without `--no-deps` replaces torch or what is pinned beside it.
pub static FORCE_REINSTALL: Rule = Rule {
    id: "force-reinstall",
    title: "`--force-reinstall` without `--no-deps` replaces torch or what is pinned beside it",
    help: "It reinstalls all dependencies too, torch among them, from the index of that command.",
    judge: Some(judge),
};

/// `--force-reinstall` reinstalls dependencies too.
pub fn judge(view: &View<'_>, out: &mut Vec<Finding>) {
    out.extend(view.steps().filter_map(|(number, step, lines)| forced(view, step, number, &lines)));
}

fn forced(view: &View<'_>, step: &Step, number: usize, lines: &[&Line]) -> Option<Finding> {
    let flag = step.flags.iter().find(|(flag, _)| flag == "--force-reinstall" || flag == "--reinstall");
    let (flag, place) = flag.filter(|_| !step.has("--no-deps"))?;
    let needs_torch = |line: &&&Line| {
        line.name != TORCH
            && (view.db.source_build(&line.name).is_some()
                || view.db.package(&line.name).is_some_and(|package| {
                    let range = specifiers(&line.requirement);
                    let admitted = |one: &&Release| range.as_ref().is_none_or(|range| satisfied(range, &one.version));
                    let texts = package.releases.iter().filter(admitted).flat_map(|one| &one.requires);
                    texts.filter(|text| is_about(text, TORCH)).any(|text| !text.contains("extra"))
                }))
    };
    let line = lines.iter().find(needs_torch)?;
    let before =
        view.environment.lines.iter().find(|other| other.name == TORCH && other.step.is_some_and(|step| step < number));
    let before = before.filter(|_| !lines.iter().any(|line| line.name == TORCH))?;
    let message =
        format!("`{flag}` of `{}` also reinstalls `{}`, from the index of this command", line.text, before.text);
    let mut found = finding(view, &FORCE_REINSTALL, Severity::Fail, step.at.file, place, message);
    found.notes = vec![format!("`{}` is installed at {}", before.text, view.origin(before))];
    found.hint = Some("add `--no-deps`".to_owned());
    let edits = vec![edit(view, step.at.file, place, format!("{flag} --no-deps"))];
    found.fix = Some(Fix { summary: "add `--no-deps`".to_owned(), edits });
    Some(found)
}
