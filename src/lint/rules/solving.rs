//! Sets that cannot be met: the solver's proof, at the line that causes it, and the cheapest edit that was solved again.

use super::view::{View, is_pin};
use super::{Solved, edit, finding, on};
use crate::finding::Severity;
use crate::lint::project::{From, IndexAt, Line};
use crate::lint::{Edit, Finding, Fix};
use crate::rules::Target;
use crate::rules::requirement::{parse, specifiers};
use crate::solve::{Action, Change, Proof, Request, solve};
use crate::text::list;
use crate::version::CudaVersion;

/// Judges the set on one target; says whether it failed.
pub fn judge(view: &View<'_>, number: usize, target: &Target, solved: &Solved, out: &mut Vec<Finding>) -> bool {
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
    let question = question(&request);
    if solved.borrow().contains(&question) {
        return false;
    }
    let Err(proof) = solve(&request, view.db) else {
        solved.borrow_mut().insert(question);
        return false;
    };
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

/// A request without the places from which it comes.
fn question(request: &Request) -> String {
    use std::fmt::Write;
    let mut text = format!("{:?}", request.target);
    for asked in &request.requirements {
        let _ = write!(text, "\n{}", asked.requirement);
    }
    for asked in &request.constraints {
        let _ = write!(text, "\n-c {}", asked.requirement);
    }
    for from in &request.from_index {
        let _ = write!(text, "\n-i {:?} {}", from.package, from.index);
    }
    text
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
    parse(requirement).is_ok_and(|parsed| parsed.name.as_ref() == name)
}

/// A line with other versions.
struct Rewritten<'p> {
    line: &'p Line,
    /// E.g. `==2.7.0`.
    versions: String,
}

/// The cheapest edit that makes the set work on this target without breaking it on the others: the versions of lines, the index
/// of another CUDA, or both.
fn mended(view: &View<'_>, target: &Target, others: &[Target]) -> Option<Fix> {
    let joint = |other: Option<&str>| Request { beside: others.to_vec(), ..view.request(target, other) };
    let of_lines = |other: Option<&str>| {
        let request = joint(other);
        match solve(&request, view.db) {
            Ok(_) => Some(Vec::new()),
            Err(proof) => proof.actions.iter().find_map(|action| rewritten(view, target, &request, action)),
        }
    };
    let written = |lines: &[Rewritten<'_>]| {
        let edits = lines
            .iter()
            .filter_map(|one| Some(edit(view, one.line.at.file, one.line.versions.as_ref()?, one.versions.clone())));
        let words = lines.iter().map(|one| format!("`{}{}`", one.line.name, one.versions));
        (edits.collect::<Vec<_>>(), words.collect::<Vec<_>>())
    };
    let Some((index, now, name)) = view.cuda_index() else {
        let (edits, words) = written(&of_lines(None)?);
        return (!edits.is_empty()).then(|| Fix { summary: format!("write {}", list(&words)), edits });
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
    // The nearest newer one first, then the nearest older one.
    names.sort();
    let (older, newer): (Vec<_>, Vec<_>) = names.into_iter().partition(|(cuda, _)| *cuda < now);
    let mut best: Option<(usize, Fix)> = None;
    for (_, other) in newer.iter().chain(older.iter().rev()) {
        let Some(lines) = of_lines(Some(other)) else { continue };
        let (mut edits, mut words) = written(&lines);
        if *other != name {
            let Some(all) = index_edits(view, index, &name, other) else { continue };
            edits.extend(all);
            words.insert(0, format!("the index `{other}`"));
        }
        let cost = edits.len();
        if edits.is_empty() || best.as_ref().is_some_and(|(known, _)| *known <= cost) {
            continue;
        }
        best = Some((cost, Fix { summary: format!("write {}", list(&words)), edits }));
    }
    best.map(|(_, fix)| fix)
}

/// The lines that an action rewrites, if it changes lines alone. A pin stays a pin: the nearest release that works, else the one
/// that a new resolution takes.
fn rewritten<'p>(view: &View<'p>, target: &Target, request: &Request, action: &Action) -> Option<Vec<Rewritten<'p>>> {
    let (mut near, mut taken) = (Vec::new(), Vec::new());
    for change in &action.changes {
        let Change::Requirement { from, to: Some(to) } = change else { return None };
        let versions =
            |text: &str| text.find(['=', '<', '>', '~', '!']).and_then(|at| text.get(at..)).map(str::to_owned);
        let lines: Vec<&Line> = view.applying(target).filter(|line| is_about(from, &line.name)).collect();
        if lines.is_empty() {
            return None;
        }
        for line in lines {
            line.versions.as_ref()?;
            let range = versions(to)?;
            if !is_pin(&specifiers(&line.requirement)?) {
                near.push(Rewritten { line, versions: range.clone() });
                taken.push(Rewritten { line, versions: range });
                continue;
            }
            let bound = range.trim_start_matches(['=', '<', '>', '~', '!']);
            near.push(Rewritten { line, versions: format!("=={bound}") });
            // A label only where there was one.
            let labelled = line.text.contains('+');
            let pin = action.takes.iter().find(|taken| is_about(taken, &line.name)).and_then(|pin| versions(pin));
            let pin = pin.map(|pin| pin.split('+').next().filter(|_| !labelled).unwrap_or(&pin).to_owned());
            taken.push(Rewritten { line, versions: pin.unwrap_or(range) });
        }
    }
    [near, taken].into_iter().find(|lines| works(request, lines, view))
}

/// Whether a request with other versions has a solution.
fn works(request: &Request, lines: &[Rewritten<'_>], view: &View<'_>) -> bool {
    let mut request = request.clone();
    for asked in request.requirements.iter_mut().chain(&mut request.constraints) {
        let own = lines.iter().find(|one| one.line.name == asked.requirement.name.as_ref());
        if let Some(one) = own {
            let Ok(other) = parse(&format!("{}{}", one.line.name, one.versions)) else { return false };
            asked.requirement.version_or_url = other.version_or_url;
        }
    }
    solve(&request, view.db).is_ok()
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
