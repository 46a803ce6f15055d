//! Sets that cannot be met: the solver's proof, at the line that causes it, and the cheapest edit that was solved again.

use std::collections::BTreeSet;

use super::view::{View, is_pin};
use super::{edit, finding, on};
use crate::finding::Severity;
use crate::lint::project::{From, IndexAt, Line};
use crate::lint::{Edit, Finding, Fix};
use crate::rules::Target;
use crate::rules::requirement::specifiers;
use crate::solve::{Action, Change, Proof, Request, solve};
use crate::version::CudaVersion;

/// Judges the set on one target; says whether it failed.
pub fn judge(view: &View<'_>, number: usize, target: &Target, out: &mut Vec<Finding>) -> bool {
    let request = view.request(target, None);
    if request.requirements.is_empty() && request.constraints.is_empty() {
        return false;
    }
    // Constraints alone are judged as if all that they name were installed.
    let request = if request.requirements.is_empty() {
        Request { requirements: request.constraints.clone(), constraints: Vec::new(), ..request }
    } else {
        request
    };
    let Err(proof) = solve(&request, view.db) else { return false };
    // Beside an extra index there is PyPI.
    let extra = view.lines.iter().any(|line| matches!(line.source, From::Extra(_)));
    if extra && solve(&view.request(target, Some("pypi")), view.db).is_ok() {
        return false;
    }
    let index = blamed_index(view, &proof);
    let Some((id, file, place)) = (match index {
        Some(index) => Some(("index-without-build", index.at.file, index.at.place.clone())),
        None => blamed_line(view, target, &proof).map(|line| ("unsatisfiable", line.at.file, line.at.place.clone())),
    }) else {
        return true;
    };
    let message = match index {
        Some(index) => {
            let name = view.db.index_at(&index.url).unwrap_or_default();
            format!("the index {name} has no build of what is asked for that works {}", on(target))
        }
        None => format!("{} {}", subject(&proof), on(target)),
    };
    let mut found = finding(view, id, Severity::Fail, file, &place, message);
    found.notes = proof.steps.iter().map(|step| step.text.clone()).collect();
    let others: Vec<Target> =
        view.targets.iter().enumerate().filter(|(at, _)| *at != number).map(|(_, one)| one.clone()).collect();
    match mended(view, target, &others) {
        Some(fix) if !view.environment.locked => {
            found.hint = Some(fix.summary.clone());
            found.fix = (!fix.edits.is_empty()).then_some(fix);
        }
        _ => found.hint = proof.actions.first().map(|action| action.summary.clone()),
    }
    out.push(found);
    true
}

fn subject(proof: &Proof) -> String {
    let hidden = proof.steps.iter().find(|step| !matches!(step.rule.as_str(), "asked" | "requirement" | "target"));
    match hidden {
        Some(step) if step.rule == "gpu-arch" || step.rule == "driver" || step.rule == "cpu-build" => {
            "what is asked for does not work".to_owned()
        }
        _ => "what is asked for cannot be installed together".to_owned(),
    }
}

/// Whether a sentence of a proof speaks of a place: `req.in:1` is not `req.in:12`.
fn speaks_of(text: &str, origin: &str) -> bool {
    text.match_indices(origin).any(|(at, _)| {
        let behind = text.get(at + origin.len()..).and_then(|rest| rest.chars().next());
        behind.is_none_or(|letter| !letter.is_ascii_digit())
    })
}

/// The index that a proof rests on.
fn blamed_index<'p>(view: &View<'p>, proof: &Proof) -> Option<&'p IndexAt> {
    let asked =
        proof.steps.iter().filter(|step| step.text.contains(" from the index ") && !step.text.contains("index pypi"));
    let mut lines = asked.flat_map(|step| view.lines.iter().filter(|line| step.packages.contains(&line.name)));
    lines.find_map(|line| match &line.source {
        From::Main(at) | From::Extra(at) => Some(at),
        _ => None,
    })
}

/// The line that the cheapest change is about, else the last one of the proof.
fn blamed_line<'p>(view: &View<'p>, target: &Target, proof: &Proof) -> Option<&'p Line> {
    let lines: Vec<&Line> = view.applying(target).collect();
    let changed = proof.actions.first().into_iter().flat_map(|action| &action.changes);
    let changed = changed.filter_map(|change| match change {
        Change::Requirement { from, .. } => Some(from.as_str()),
        _ => None,
    });
    let named = |from: &str| lines.iter().rev().find(|line| is_about(from, &line.name)).copied();
    let mut changed = changed.filter_map(named);
    changed.next().or_else(|| {
        let spoken = |line: &&&Line| {
            let origin = view.origin(line);
            proof.steps.iter().any(|step| step.packages.contains(&line.name) && speaks_of(&step.text, &origin))
        };
        lines.iter().rfind(spoken).copied()
    })
}

/// Whether a requirement names a package.
fn is_about(requirement: &str, name: &str) -> bool {
    crate::rules::requirement::parse(requirement).is_ok_and(|parsed| parsed.name.as_ref() == name)
}

/// The cheapest edit that makes the set work on this target without breaking it on the others: the versions of lines, the index
/// of another CUDA, or both.
fn mended(view: &View<'_>, target: &Target, others: &[Target]) -> Option<Fix> {
    let joint = |other: Option<&str>| Request { beside: others.to_vec(), ..view.request(target, other) };
    let of_lines = |other: Option<&str>| match solve(&joint(other), view.db) {
        Ok(_) => Some((Vec::new(), Vec::new())),
        Err(proof) => {
            let action = proof.actions.iter().find_map(|action| line_edits(view, target, action))?;
            Some(action)
        }
    };
    let Some((index, now, name)) = view.cuda_index() else {
        let (edits, words) = of_lines(None)?;
        return (!edits.is_empty()).then(|| Fix { summary: format!("write {}", crate::text::list(&words)), edits });
    };
    let mut names: Vec<(CudaVersion, String)> = Vec::new();
    for package in view.lines.iter().filter_map(|line| view.db.package(&line.name)) {
        for build in package.releases.iter().flat_map(|release| &release.builds) {
            if let Some(cuda) = CudaVersion::from_variant(&build.index)
                && !names.iter().any(|(_, known)| *known == build.index)
            {
                names.push((cuda, build.index.clone()));
            }
        }
    }
    // The nearest newer one first, then older ones; the present one last, for lines alone may be wrong.
    names.sort_by_key(|(cuda, _)| {
        (
            *cuda < now,
            if *cuda < now { u32::MAX - cuda.major * 100 - cuda.minor } else { cuda.major * 100 + cuda.minor },
        )
    });
    let mut best: Option<(usize, Fix)> = None;
    for (_, other) in &names {
        let Some((mut edits, mut words)) = of_lines(Some(other)) else { continue };
        if *other != name {
            let Some(all) = index_edits(view, index, &name, other) else { continue };
            edits.extend(all);
            words.insert(0, format!("the index `{other}`"));
        }
        let cost = edits.iter().map(|edit| (&edit.file, edit.start)).collect::<BTreeSet<_>>().len();
        if edits.is_empty() || best.as_ref().is_some_and(|(known, _)| *known <= cost) {
            continue;
        }
        best = Some((cost, Fix { summary: format!("write {}", crate::text::list(&words)), edits }));
    }
    best.map(|(_, fix)| fix)
}

/// The edits of an action that changes lines alone, and the new lines in words.
fn line_edits(view: &View<'_>, target: &Target, action: &Action) -> Option<(Vec<Edit>, Vec<String>)> {
    let (mut edits, mut words) = (Vec::new(), Vec::new());
    for change in &action.changes {
        let Change::Requirement { from, to: Some(to) } = change else { return None };
        let lines: Vec<&Line> = view.applying(target).filter(|line| is_about(from, &line.name)).collect();
        for line in &lines {
            let place = line.versions.as_ref()?;
            let range = specifiers(&line.requirement)?;
            let pinned = action.takes.iter().find(|taken| is_about(taken, &line.name));
            let text = match pinned {
                // A pin stays a pin; a label only where there was one.
                Some(pin) if is_pin(&range) => {
                    let labelled = line.text.contains('+');
                    pin.split('+').next().filter(|_| !labelled).unwrap_or(pin).to_owned()
                }
                _ => to.clone(),
            };
            let versions = text.find(['=', '<', '>', '~', '!']).and_then(|at| text.get(at..))?;
            words.push(format!("`{text}`"));
            edits.push(edit(view, line.at.file, place, versions.to_owned()));
        }
        if lines.is_empty() {
            return None;
        }
    }
    Some((edits, words))
}

/// The edits that put another index in the place of one, wherever the environment names it.
fn index_edits(view: &View<'_>, index: &IndexAt, name: &str, other: &str) -> Option<Vec<Edit>> {
    let all = view.lines.iter().filter_map(|line| match &line.source {
        From::Main(at) | From::Extra(at) if at.url == index.url => Some(at),
        _ => None,
    });
    let mut edits: Vec<Edit> = Vec::new();
    for at in all {
        let written = view.project.written(at.at.file, &at.at.place);
        let from = written.rfind(name)?;
        let start = at.at.place.span.start + from;
        let file = view.project.path(at.at.file).to_owned();
        let one = Edit { file, start, end: start + name.len(), text: other.to_owned() };
        if !edits.contains(&one) {
            edits.push(one);
        }
    }
    (!edits.is_empty()).then_some(edits)
}
