//! Is torch pinned beside an extension that is compiled for one?

use super::finding;
use super::view::{TORCH, View};
use crate::finding::Severity;
use crate::lint::project::Line;
use crate::lint::{Finding, Rule};
use crate::pep::only_pin;
use crate::rules::requirement::{satisfied, specifiers};

/// torch is not pinned beside an extension that is.
pub static UNPINNED_TORCH: Rule = Rule {
    id: "unpinned-torch",
    title: "torch is not pinned beside an extension that is",
    help: "An extension is compiled for one torch. When a newer torch is published, the next installation takes it.",
    judge: Some(judge),
};

/// torch without a version beside an extension with one.
pub fn judge(view: &View<'_>, out: &mut Vec<Finding>) {
    if view.environment.locked {
        return;
    }
    let torch = view.lines.iter().filter(|line| line.name == TORCH);
    let limited = torch.clone().any(|line| specifiers(&line.requirement).is_some_and(|range| !range.is_empty()));
    let Some(torch) = torch.clone().find(|line| !line.constraint).filter(|_| !limited) else { return };
    let pinned = view.environment.lines.iter().find(|line| {
        let pin = specifiers(&line.requirement).is_some_and(|range| only_pin(&range).is_some()) && !line.elsewhere;
        pin && line.name != TORCH && view.db.source_build(&line.name).is_some() && !declares_torch(view, line)
    });
    let Some(pinned) = pinned else { return };
    let message = format!("`{}` is not pinned beside `{}`, which is compiled for one torch", torch.text, pinned.text);
    let mut found = finding(view, &UNPINNED_TORCH, Severity::Warn, torch.at.file, &torch.at.place, message);
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
