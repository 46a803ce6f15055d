//! The order and the options of commands: what is compiled against torch needs it before, seen and pinned.

use super::view::{TORCH, View, is_pin};
use super::{edit, finding};
use crate::finding::Severity;
use crate::lint::project::{Line, Step};
use crate::lint::{Finding, Fix};
use crate::parse::install::Tool;
use crate::rules::model::Release;
use crate::rules::requirement::{is_about, satisfied, specifiers};

/// Judges the commands, and the lines of files without any.
pub fn judge(view: &View<'_>, out: &mut Vec<Finding>) {
    unpinned(view, out);
    for (number, step) in view.environment.steps.iter().enumerate() {
        let lines: Vec<&Line> = view.environment.lines.iter().filter(|line| line.step == Some(number)).collect();
        forced(view, step, number, &lines, out);
        for line in &lines {
            compiled(view, step, number, line, out);
        }
        hidden(view, step, &lines, out);
    }
}

/// `--force-reinstall` reinstalls dependencies too.
fn forced(view: &View<'_>, step: &Step, number: usize, lines: &[&Line], out: &mut Vec<Finding>) {
    let flag = step.flags.iter().find(|(flag, _)| flag == "--force-reinstall" || flag == "--reinstall");
    let Some((flag, place)) = flag.filter(|_| !step.has("--no-deps")) else { return };
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
    let Some(line) = lines.iter().find(needs_torch) else { return };
    let before =
        view.environment.lines.iter().find(|other| other.name == TORCH && other.step.is_some_and(|step| step < number));
    let Some(before) = before.filter(|_| !lines.iter().any(|line| line.name == TORCH)) else { return };
    let message =
        format!("`{flag}` of `{}` also reinstalls `{}`, from the index of this command", line.text, before.text);
    let mut found = finding(view, "force-reinstall", Severity::Fail, step.at.file, place, message);
    found.notes = vec![format!("`{}` is installed at {}", before.text, view.origin(before))];
    found.hint = Some("add `--no-deps`".to_owned());
    let edits = vec![edit(view, step.at.file, place, format!("{flag} --no-deps"))];
    found.fix = Some(Fix { summary: "add `--no-deps`".to_owned(), edits });
    out.push(found);
}

/// What compiles against torch when it is installed.
fn compiled(view: &View<'_>, step: &Step, number: usize, line: &Line, out: &mut Vec<Finding>) {
    let Some(build) = view.source_build(line) else { return };
    if matches!(step.tool, Tool::UvAdd | Tool::UvSync) {
        return;
    }
    let has_torch = |line: &&Line| line.name == TORCH && !line.constraint;
    let torch = view.environment.lines.iter().filter(has_torch);
    let here = torch.clone().find(|torch| torch.step == Some(number));
    let before = torch.clone().any(|torch| torch.step.is_some_and(|step| step < number));
    let image = view.environment.images.iter().any(|image| image.name.text().contains("torch"));
    let later = torch.clone().find(|torch| torch.step.is_some_and(|step| step > number));
    let isolated = !step.has("--no-build-isolation") && !step.has("--no-build-isolation-package");
    let unset = |name: &str| view.setting(name).is_none();
    if let (Some(later), false, false) = (later, before, image) {
        let message = format!("`{}` is compiled against the installed torch, which is installed only later", line.text);
        let mut found = finding(view, "built-before-torch", Severity::Fail, line.at.file, &line.at.place, message);
        found.notes = vec![format!("`{}` is installed at {}", later.text, view.origin(later))];
        found.hint = Some("install torch first".to_owned());
        out.push(found);
    } else if let (Some(torch), false, false) = (here, before, image) {
        let message = format!("`{}` is compiled in the command that installs `{}`", line.text, torch.text);
        let mut found = finding(view, "built-before-torch", Severity::Fail, line.at.file, &line.at.place, message);
        found.notes = vec!["an installer builds before it installs: the setup sees no torch, or another".to_owned()];
        found.hint = Some("install torch in a command before".to_owned());
        out.push(found);
    } else if isolated && unset("PIP_NO_BUILD_ISOLATION") && unset("UV_NO_BUILD_ISOLATION") {
        let why = if build.isolation {
            "its build requirements bring a torch of their own, which need not be the installed one"
        } else {
            "its setup needs torch, which its build requirements do not name"
        };
        // Older pips build what has no pyproject.toml without isolation.
        let severity = Severity::Warn;
        let message = format!("`{}` is compiled without sight of the installed torch", line.text);
        let mut found = finding(view, "build-isolation", severity, line.at.file, &line.at.place, message);
        found.notes = vec![why.to_owned(), crate::rules::cite(&build.source)];
        found.hint = Some("add `--no-build-isolation`".to_owned());
        if line.at.file == step.at.file {
            let place =
                crate::parse::place::Place { span: step.verb.span.end..step.verb.span.end, ..step.verb.clone() };
            let edits = vec![edit(view, step.at.file, &place, " --no-build-isolation".to_owned())];
            found.fix = Some(Fix { summary: "add `--no-build-isolation`".to_owned(), edits });
        }
        out.push(found);
    }
}

/// What compiles code may fail, and the build goes on without it.
fn hidden(view: &View<'_>, step: &Step, lines: &[&Line], out: &mut Vec<Finding>) {
    let Some(place) = &step.hidden else { return };
    let Some(line) = lines.iter().find(|line| line.elsewhere || view.source_build(line).is_some()) else { return };
    let written = view.project.written(step.at.file, place);
    let message = format!("`{written}` hides it when `{}` does not compile", line.text);
    let mut found = finding(view, "hidden-failure", Severity::Warn, step.at.file, place, message);
    found.notes = vec!["the image is built without it, and its import fails where it runs".to_owned()];
    found.hint = Some(format!("take `{written}` out"));
    out.push(found);
}

/// torch without a version beside an extension with one.
fn unpinned(view: &View<'_>, out: &mut Vec<Finding>) {
    if view.environment.locked {
        return;
    }
    let torch = view.lines.iter().filter(|line| line.name == TORCH);
    let limited = torch.clone().any(|line| specifiers(&line.requirement).is_some_and(|range| !range.is_empty()));
    let Some(torch) = torch.clone().find(|line| !line.constraint).filter(|_| !limited) else { return };
    let pinned = view.environment.lines.iter().find(|line| {
        let pin = specifiers(&line.requirement).is_some_and(|range| is_pin(&range)) && !line.elsewhere;
        pin && line.name != TORCH && view.db.source_build(&line.name).is_some() && !declares_torch(view, line)
    });
    let Some(pinned) = pinned else { return };
    let message = format!("`{}` is not pinned beside `{}`, which is compiled for one torch", torch.text, pinned.text);
    let mut found = finding(view, "unpinned-torch", Severity::Warn, torch.at.file, &torch.at.place, message);
    found.notes = vec![format!("`{}` stands at {}", pinned.text, view.origin(pinned))];
    found.hint = Some("pin torch to the release that it was compiled for".to_owned());
    out.push(found);
}

/// Whether a package pins its torch itself, as xformers does.
fn declares_torch(view: &View<'_>, line: &Line) -> bool {
    let (Some(package), Some(range)) = (view.db.package(&line.name), specifiers(&line.requirement)) else {
        return false;
    };
    package.releases.iter().filter(|release| satisfied(&range, &release.version)).any(|release| {
        release
            .requires
            .iter()
            .chain(release.builds.iter().flat_map(|build| &build.requires))
            .any(|text| text.starts_with("torch=="))
    })
}
