//! Is an extension compiled before the torch is installed that it is to work with?

use super::finding;
use super::view::{TORCH, View};
use crate::finding::Severity;
use crate::lint::project::Line;
use crate::lint::{Finding, Rule};

/// An extension is compiled before the torch that it is to work with is installed.
pub static BUILT_BEFORE_TORCH: Rule = Rule {
    id: "built-before-torch",
    title: "An extension is compiled before the torch that it is to work with is installed",
    help: "It is compiled for the torch that is there then, or for none.",
    judge: None,
};

/// A line of the command of this number, compiled against the installed torch.
pub fn judge(view: &View<'_>, number: usize, line: &Line) -> Option<Finding> {
    let has_torch = |line: &&Line| line.name == TORCH && !line.constraint;
    let torch = view.environment.lines.iter().filter(has_torch);
    let here = torch.clone().find(|torch| torch.step == Some(number));
    let before = torch.clone().any(|torch| torch.step.is_some_and(|step| step < number));
    let image = view.environment.images.iter().any(|image| image.name.text().contains("torch"));
    let later = torch.clone().find(|torch| torch.step.is_some_and(|step| step > number));
    if before || image {
        return None;
    }
    if let Some(later) = later {
        let message = format!("`{}` is compiled against the installed torch, which is installed only later", line.text);
        let mut found = finding(view, &BUILT_BEFORE_TORCH, Severity::Fail, line.at.file, &line.at.place, message);
        found.notes = vec![format!("`{}` is installed at {}", later.text, view.origin(later))];
        found.hint = Some("install torch first".to_owned());
        Some(found)
    } else if let Some(torch) = here {
        let message = format!("`{}` is compiled in the command that installs `{}`", line.text, torch.text);
        let mut found = finding(view, &BUILT_BEFORE_TORCH, Severity::Fail, line.at.file, &line.at.place, message);
        found.notes = vec!["an installer builds before it installs: the setup sees no torch, or another".to_owned()];
        found.hint = Some("install torch in a command before".to_owned());
        Some(found)
    } else {
        None
    }
}
