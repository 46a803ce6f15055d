//! The plan for an installer's proof: which of the user's own lines to change so that there is a set.
//!
//! What pip and uv list are candidates. Those that they ended with are taken for what is wanted, the user's lines for what may
//! change; what changes is the solver's smallest change of these. Where the report lists the lines beside the proof, as the
//! requirements file that was given to the installer, the plan for what it lists says what becomes of them all.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{self, registry};
use crate::facts::{Candidate, Facts};
use crate::finding::{Finding, Id, Plan};
use crate::pep::Version;
use crate::rules::requirement::{name_of, normalise, parse, satisfied, specifiers};
use crate::rules::{RuleDb, Target};
use crate::solve::{self, AskedRequirement, Change, Request};

/// The plan of a report: where it quotes a conflict, the one for that; else, or where the rules see no conflict in it, the one
/// that was made for what is listed.
pub(super) fn plan(facts: &Facts, db: &RuleDb, findings: &[Finding], listed: Option<Plan>) -> Option<Plan> {
    let quotes_proof = |id: &Id| {
        let message = id.subject().filter(|_| id.is(&registry::SYMPTOM)).and_then(|message| db.symptom(message));
        message.is_some_and(|message| message.no_solution)
    };
    let Some(about) = findings.iter().find(|it| it.id.is(&registry::REFUSED) || quotes_proof(&it.id)) else {
        return listed;
    };
    match listed {
        Some(mut listed) if lists_the_lines(facts) && mends_a_line(facts, &listed) => {
            listed.leaves.retain(|id| *id != about.id);
            if !listed.fixes.contains(&about.id) {
                listed.fixes.push(about.id.clone());
                listed.fixes.sort();
            }
            Some(listed)
        }
        listed => of_the_proof(facts, db, findings, about).or(listed),
    }
}

/// The user's own lines in a proof.
fn own_lines(facts: &Facts) -> impl Iterator<Item = &Candidate> {
    facts.installing.candidates.iter().filter(|candidate| candidate.package.is_none())
}

/// Whether a report lists, in the releases that they ask for, all that the user's own lines name.
fn lists_the_lines(facts: &Facts) -> bool {
    let is_listed = |candidate: &Candidate| {
        let line = parse(&candidate.requirement).ok()?;
        let version: Version = facts.distribution(line.name.as_ref())?.version.value()?.parse().ok()?;
        Some(satisfied(&specifiers(&line)?, &version))
    };
    own_lines(facts).next().is_some() && own_lines(facts).all(|candidate| is_listed(candidate) == Some(true))
}

/// Whether a plan gives a release to something that one of the user's own lines names.
fn mends_a_line(facts: &Facts, plan: &Plan) -> bool {
    let named = |line: &String| {
        let name = normalise(name_of(line));
        own_lines(facts).any(|candidate| normalise(name_of(&candidate.requirement)) == name)
    };
    plan.requirements.iter().any(named)
}

/// The plan for the conflict that a report quotes; none where the rules see no conflict in it.
fn of_the_proof(facts: &Facts, db: &RuleDb, findings: &[Finding], about: &Finding) -> Option<Plan> {
    let candidates = &facts.installing.candidates;
    let asked = |text: &str, place: &str| Some(AskedRequirement::new(parse(text).ok()?, place));
    let mut weighed: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for package in candidates.iter().filter_map(|candidate| candidate.package.as_deref()) {
        weighed.entry(normalise(name_of(package))).or_default().insert(package);
    }
    // Of a package of which many releases were weighed, none is wanted more than another.
    let wanted = weighed.iter().filter(|(name, _)| db.package(name).is_some());
    let wanted = wanted.filter_map(|(name, texts)| match texts.iter().collect::<Vec<_>>().as_slice() {
        [one] => asked(one, "the installer"),
        _ => asked(name, "the installer"),
    });
    let own = |constraint: bool| {
        let lines = candidates.iter().filter(move |it| it.package.is_none() && it.constraint == constraint);
        lines.filter_map(|Candidate { requirement, place, .. }| asked(requirement, place))
    };
    // What the rules do not cover binds all the same: by what the proof says that its one release declares.
    let single = |package: &str| weighed.get(&normalise(name_of(package))).is_some_and(|texts| texts.len() == 1);
    let declared = candidates.iter().filter_map(|candidate| {
        let package = candidate.package.as_deref()?;
        let name = normalise(name_of(package));
        let binds = db.package(&name).is_none() && single(package);
        let asked = asked(&candidate.requirement, package).filter(|_| binds)?;
        Some(AskedRequirement { on_behalf_of: Some(name), ..asked })
    });
    let target = Target::to_plan_for(facts, db);
    let request = Request {
        target,
        requirements: own(false).chain(wanted).collect(),
        constraints: own(true).chain(declared).collect(),
        ..Request::default()
    };
    let proof = solve::solve(&request, db).err()?;
    let users: BTreeSet<String> = own(false).chain(own(true)).map(|asked| asked.requirement.name.to_string()).collect();
    let is_own = |change: &Change| match change {
        Change::Requirement { from, .. } => {
            let name = normalise(name_of(from));
            users.contains(&name) && !weighed.contains_key(&name)
        }
        _ => false,
    };
    let said = |change: &Change| offer(change, facts, db);
    let actions = || proof.actions.iter().filter(|action| !action.changes.is_empty());
    let told = |action: &&solve::Action| action.changes.iter().all(|change| said(change).is_some());
    let of_theirs = |action: &&solve::Action| told(action) && action.changes.iter().all(is_own);
    let action = actions().find(of_theirs).or_else(|| actions().find(told))?;
    let words: Vec<String> = action.changes.iter().filter_map(said).collect();
    let steps = check::Installer::of(facts).install_from(&action.takes, &indexes(&action.takes, db));
    Some(Plan {
        summary: crate::text::sentence(&crate::text::list(&words)),
        requirements: action.takes.clone(),
        steps,
        fixes: vec![about.id.clone()],
        leaves: findings.iter().filter(|it| super::serious(it) && it.id != about.id).map(|it| it.id.clone()).collect(),
        verified: false,
        instead: None,
    })
}

/// A change in words, at a line that is the user's own: what a release declares is no line of theirs, and the one that brings the
/// release may be. None where it is at no line.
fn offer(change: &Change, facts: &Facts, db: &RuleDb) -> Option<String> {
    let Change::Requirement { from, to } = change else { return None };
    let line = parse(from).ok()?;
    let same = |candidate: &&Candidate| parse(&candidate.requirement).is_ok_and(|own| own == line);
    // What the rules cover was weighed by the installer, and declares by itself.
    let owner = facts.installing.candidates.iter().filter(same).find_map(|candidate| {
        let name = normalise(name_of(candidate.package.as_ref()?));
        db.package(&name).is_none().then_some(name)
    });
    let is_theirs = own_lines(facts).any(|candidate| same(&candidate));
    match (owner.filter(|_| !is_theirs), to) {
        (Some(owner), _) => {
            let brings = own_lines(facts).find(|candidate| normalise(name_of(&candidate.requirement)) == owner)?;
            let line = &brings.requirement;
            Some(if line.len() == owner.len() {
                format!("pin another release of `{line}`, or take it out")
            } else {
                format!("change `{line}` to another release, or take it out")
            })
        }
        (None, Some(to)) => Some(format!("change `{from}` to `{to}`, or take it out")),
        (None, None) => Some(format!("take `{from}` out")),
    }
}

/// The URLs of the indexes that serve labelled pins, each once.
fn indexes(pins: &[String], db: &RuleDb) -> Vec<String> {
    let labels = pins.iter().filter_map(|pin| pin.split_once('+').map(|(_, label)| label));
    labels.filter_map(|label| db.index_url(label)).collect::<BTreeSet<_>>().into_iter().collect()
}
