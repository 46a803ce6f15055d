//! Sets that cannot be met: the solver's proof, at the line that causes it, and the cheapest edit that was solved again.

use std::rc::Rc;

use super::change::Mend;
use super::mend::mend;
use super::reason::{self, INDEX_WITHOUT_BUILD, UNSATISFIABLE};
use super::solver::{Pins, Solver, whole};
use super::unnamed_index;
use super::view::{PYPI, View};
use super::{finding, is_told, on};
use crate::finding::Severity;
use crate::lint::Finding;
use crate::lint::project::{From, IndexAt, Line};
use crate::rules::Target;
use crate::rules::requirement::is_about;
use crate::solve::{Change, Proof};

/// What becomes of a set on one target.
pub enum Outcome<'p> {
    /// It can be met: what an installer takes.
    Met(Rc<Pins>),
    /// It cannot, and what it takes to be met, if files alone can do it.
    Refused(Option<Mend<'p>>),
}

/// Judges the set on one target.
pub fn judge<'p>(
    view: &View<'p>,
    number: usize,
    target: &Target,
    solver: &Solver<'_>,
    out: &mut Vec<Finding>,
) -> Outcome<'p> {
    let request = view.request(target, None);
    if request.requirements.is_empty() && request.constraints.is_empty() {
        return Outcome::Met(Rc::default());
    }
    let proof = match solver.solve(&whole(request)) {
        Ok(pins) => {
            unnamed_index::judge(view, target, &pins, solver, out);
            return Outcome::Met(pins);
        }
        Err(proof) => proof,
    };
    // Beside an extra index there is PyPI.
    let extra = view.lines.iter().any(|line| matches!(line.source, From::Extra(_)));
    if extra && let Ok(pins) = solver.solve(&view.request(target, Some(PYPI))) {
        return Outcome::Met(pins);
    }
    let others = view.targets.iter().enumerate().filter(|(at, _)| *at != number);
    let others: Vec<Target> = others.map(|(_, one)| one.clone()).collect();
    let mend = if view.environment.locked { None } else { mend(view, target, &others, solver) };
    let is_fresh = tell(view, target, &proof, mend.as_ref(), out);
    if let Some(mend) = &mend {
        let told = out.len();
        reason::judge(view, target, mend, out);
        // What another environment was told of has its own change: what this one needs beside it stands at its first line.
        if let (false, Some(found)) = (is_fresh, out.get_mut(told)) {
            found.fix = Some(mend.fix(view));
        }
    }
    Outcome::Refused(mend)
}

/// The proof, at the line that causes it; false where that line was told of already.
fn tell(view: &View<'_>, target: &Target, proof: &Proof, mend: Option<&Mend<'_>>, out: &mut Vec<Finding>) -> bool {
    let index = blamed_index(view, proof);
    let (rule, file, place) = match (index, blamed_line(view, target, proof, mend)) {
        (Some(index), _) => (&INDEX_WITHOUT_BUILD, index.at.file, index.at.place.clone()),
        (None, Some(line)) => (&UNSATISFIABLE, line.at.file, line.at.place.clone()),
        (None, None) => return false,
    };
    if is_told(view, rule, file, &place, out) {
        return false;
    }
    let message = match index {
        Some(index) => {
            let name = view.db.index_at(&index.url).unwrap_or_default();
            format!("the index {name} has no build of what is asked for that works {}", on(target))
        }
        None => format!("{} {}", subject(proof), on(target)),
    };
    let mut found = finding(view, rule, Severity::Fail, file, &place, message);
    found.notes = proof.steps.iter().map(|step| step.text.clone()).collect();
    let first = proof.actions.first().map(|action| action.summary.clone());
    if view.environment.locked {
        let again = lock_again(view, file);
        found.hint = Some(first.map_or_else(|| again.clone(), |first| format!("{first}: {again}")));
    } else {
        let fix = mend.map(|mend| mend.fix(view));
        found.hint = fix.as_ref().map(|fix| fix.summary.clone()).or(first);
        found.fix = fix.filter(|fix| !fix.edits.is_empty());
    }
    out.push(found);
    true
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

/// The first line of the proof that changes, else one that the solver's cheapest change is about, else the last of the proof.
fn blamed_line<'p>(view: &View<'p>, target: &Target, proof: &Proof, mend: Option<&Mend<'p>>) -> Option<&'p Line> {
    let lines: Vec<&Line> = view.applying(target).collect();
    let spoken = |line: &&Line| {
        let origin = view.origin(line);
        proof.steps.iter().any(|step| step.packages.contains(&line.name) && speaks_of(&step.text, &origin))
    };
    let rewritten = mend.into_iter().flat_map(|mend| &mend.lines).map(|one| one.line);
    let changed = proof.actions.first().into_iter().flat_map(|action| &action.changes);
    let changed = changed.filter_map(|change| match change {
        Change::Requirement { from, .. } => Some(from.as_str()),
        _ => None,
    });
    let named = |from: &str| lines.iter().rev().find(|line| is_about(from, &line.name)).copied();
    let mut changed = changed.filter_map(named);
    rewritten
        .clone()
        .find(|line| spoken(line))
        .or_else(|| changed.next())
        .or_else(|| lines.iter().copied().rfind(spoken))
}
