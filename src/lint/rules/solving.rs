//! Sets that cannot be met: the solver's proof, at the line that causes it, and the cheapest edit that was solved again.

use std::rc::Rc;

use super::solver::{Pins, Solver};
use super::view::{View, is_pin};
use super::{edit, finding, is_told, on};
use crate::finding::Severity;
use crate::lint::project::{From, IndexAt, Line};
use crate::lint::{Edit, Finding, Fix};
use crate::rules::Target;
use crate::rules::requirement::{parse, specifiers};
use crate::solve::{Action, Change, Proof, Request};
use crate::text::list;
use crate::version::CudaVersion;

/// Judges the set on one target; gives what an installer takes, if there is anything.
pub fn judge(
    view: &View<'_>,
    number: usize,
    target: &Target,
    solver: &Solver<'_>,
    out: &mut Vec<Finding>,
) -> Option<Rc<Pins>> {
    let request = view.request(target, None);
    if request.requirements.is_empty() && request.constraints.is_empty() {
        return Some(Rc::default());
    }
    // Constraints alone are judged as if all that they name were installed.
    let request = if request.requirements.is_empty() {
        Request { requirements: request.constraints.clone(), constraints: Vec::new(), ..request }
    } else {
        request
    };
    let proof = match solver.solve(&request) {
        Ok(pins) => return Some(pins),
        Err(proof) => proof,
    };
    // Beside an extra index there is PyPI.
    let extra = view.lines.iter().any(|line| matches!(line.source, From::Extra(_)));
    if extra && let Ok(pins) = solver.solve(&view.request(target, Some("pypi"))) {
        return Some(pins);
    }
    let index = blamed_index(view, &proof);
    let (id, file, place) = match index {
        Some(index) => ("index-without-build", index.at.file, index.at.place.clone()),
        None => {
            let line = blamed_line(view, target, &proof)?;
            ("unsatisfiable", line.at.file, line.at.place.clone())
        }
    };
    if is_told(view, id, file, &place, out) {
        return None;
    }
    let message = match index {
        Some(index) => {
            let name = view.db.index_at(&index.url).unwrap_or_default();
            format!("the index {name} has no build of what is asked for that works {}", on(target))
        }
        None => format!("{} {}", subject(&proof), on(target)),
    };
    let mut found = finding(view, id, Severity::Fail, file, &place, message);
    found.notes = proof.steps.iter().map(|step| step.text.clone()).collect();
    let first = proof.actions.first().map(|action| action.summary.clone());
    if view.environment.locked {
        let again = lock_again(view, file);
        found.hint = Some(first.map_or_else(|| again.clone(), |first| format!("{first}: {again}")));
    } else {
        let others: Vec<Target> =
            view.targets.iter().enumerate().filter(|(at, _)| *at != number).map(|(_, one)| one.clone()).collect();
        let fix = mended(view, target, &others, solver);
        found.hint = fix.as_ref().map(|fix| fix.summary.clone()).or(first);
        found.fix = fix.filter(|fix| !fix.edits.is_empty());
    }
    out.push(found);
    None
}

/// What writes a lock anew, for nobody edits one: the command that the file itself names, else that of its maker.
fn lock_again(view: &View<'_>, file: usize) -> String {
    let path = view.project.path(file);
    let text = view.project.files.get(file).map_or("", |file| file.text.as_str());
    if path.rsplit('/').next() == Some("uv.lock") {
        return "ask for it in pyproject.toml, then run `uv lock`".to_owned();
    }
    let comments =
        text.lines().take_while(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let mut comments = comments.skip_while(|line| !line.ends_with("command:")).skip(1);
    let maker =
        text.lines().find_map(|line| line.strip_prefix("created-by")).map(|rest| rest.trim_matches([' ', '=', '"']));
    match (comments.next().filter(|command| !command.is_empty()), maker) {
        (Some(command), _) => format!("ask for it where the lock is made from, then run `{command}`"),
        (None, Some("pip")) => "ask for it where the lock is made from, then run `pip lock`".to_owned(),
        (None, Some(maker)) => format!("ask for it where the lock is made from, then lock again with {maker}"),
        (None, None) => "ask for it where the lock is made from, then lock again".to_owned(),
    }
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
fn mended(view: &View<'_>, target: &Target, others: &[Target], solver: &Solver<'_>) -> Option<Fix> {
    let joint = |other: Option<&str>| Request { beside: others.to_vec(), ..view.request(target, other) };
    let of_lines = |other: Option<&str>| {
        let request = joint(other);
        match solver.solve(&request) {
            Ok(_) => Some(Vec::new()),
            Err(proof) => proof.actions.iter().find_map(|action| rewritten(view, target, &request, action, solver)),
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
    let order: Vec<String> = newer.into_iter().chain(older.into_iter().rev()).map(|(_, other)| other).collect();
    // What an edit of the index costs, and one of lines beside it where that index alone does not do.
    let tried = order.iter().filter_map(|other| {
        let edits = if *other == name { Vec::new() } else { index_edits(view, index, &name, other)? };
        let alone = *other != name && solver.is_possible(&joint(Some(other)));
        let least = edits.len() + usize::from(!alone);
        Some((other, edits, alone, least))
    });
    let tried: Vec<_> = tried.collect();
    let mut best: Option<(usize, Fix)> = None;
    for (at, (other, edits, alone, least)) in tried.iter().enumerate() {
        let sure = tried.iter().skip(at + 1).filter(|(_, _, alone, _)| *alone).map(|(_, _, _, least)| *least).min();
        let bound = best.as_ref().map(|(cost, _)| *cost);
        if bound.is_some_and(|bound| bound <= *least) || sure.is_some_and(|sure| sure < *least) {
            continue;
        }
        let (lines, mut words) = if *alone {
            (Vec::new(), Vec::new())
        } else {
            let Some(lines) = of_lines(Some(other)) else { continue };
            written(&lines)
        };
        if **other != name {
            words.insert(0, format!("the index `{other}`"));
        }
        let edits: Vec<Edit> = lines.into_iter().chain(edits.iter().cloned()).collect();
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
fn rewritten<'p>(
    view: &View<'p>,
    target: &Target,
    request: &Request,
    action: &Action,
    solver: &Solver<'_>,
) -> Option<Vec<Rewritten<'p>>> {
    let (mut near, mut taken) = (Vec::new(), Vec::new());
    for change in &action.changes {
        let Change::Requirement { from, to: Some(to) } = change else { return None };
        let versions =
            |text: &str| text.find(['=', '<', '>', '~', '!']).and_then(|at| text.get(at..)).map(str::to_owned);
        let lines: Vec<&Line> = view.applying(target).filter(|line| is_about(from, &line.name)).collect();
        if lines.is_empty() {
            return None;
        }
        // One change for each of two lines about a package: each line is rewritten once.
        let is_new = |line: &&Line| !near.iter().any(|one: &Rewritten<'_>| std::ptr::eq(one.line, *line));
        let lines: Vec<&Line> = lines.into_iter().filter(is_new).collect();
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
    [near, taken].into_iter().find(|lines| works(request, lines, solver))
}

/// Whether a request with other versions has a solution.
fn works(request: &Request, lines: &[Rewritten<'_>], solver: &Solver<'_>) -> bool {
    let mut request = request.clone();
    for asked in request.requirements.iter_mut().chain(&mut request.constraints) {
        let own = lines.iter().find(|one| one.line.name == asked.requirement.name.as_ref());
        if let Some(one) = own {
            let Ok(other) = parse(&format!("{}{}", one.line.name, one.versions)) else { return false };
            asked.requirement.version_or_url = other.version_or_url;
        }
    }
    solver.is_possible(&request)
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
