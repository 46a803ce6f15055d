//! Why a request has no solution, told on the fewest targets that have none together.

use std::collections::BTreeSet;

use super::action::{Action, Change};
use super::conflict::{shrink, used};
use super::nearest::best;
use super::provider::Tree;
use super::request::Request;
use super::rule::Rule;
use super::scope::Scope;
use super::universe::Universe;
use super::{Proof, action, numbering, proof};
use crate::rules::{RuleDb, Target};

/// Proves that a request has no solution.
pub(super) fn disprove(request: &Request, universe: &Universe<'_>, tree: &Tree, db: &RuleDb) -> Box<Proof> {
    if request.beside.is_empty() {
        return tell(request, universe, tree, db);
    }
    let narrow = narrowed(request, universe, tree, db);
    let universe = numbering::universe(&narrow, db);
    match best(&universe) {
        Ok(_) => tell(request, &numbering::universe(request, db), tree, db),
        Err(tree) => {
            let mut proof = tell(&narrow, &universe, &tree, db);
            if !narrow.beside.is_empty() {
                proof.actions.extend(apart(request, db));
            }
            proof
        }
    }
}

fn tell(request: &Request, universe: &Universe<'_>, tree: &Tree, db: &RuleDb) -> Box<Proof> {
    let mut off: BTreeSet<Rule> = universe.wishes.iter().map(|ask| Rule::Ask(*ask)).collect();
    off.extend(&universe.given_up);
    let conflict = shrink(universe, Scope::Without(&off), tree);
    let mut proof = proof::tell(universe, &conflict);
    proof.actions = action::find(request, universe, &conflict, db);
    Box::new(proof)
}

/// The request for the fewest targets that have no solution together: one, two, or what is left after leaving out each that
/// is not needed.
fn narrowed(request: &Request, universe: &Universe<'_>, tree: &Tree, db: &RuleDb) -> Request {
    let fails = |request: &Request| best(&numbering::universe(request, db)).is_err();
    let targets = universe.targets.len();
    let single = (0..targets).map(|target| only(request, universe, &[target])).find(fails);
    if let Some(request) = single {
        return request;
    }
    let blamed: Vec<usize> = blamed(universe, tree);
    let pairs =
        blamed.iter().enumerate().flat_map(|(at, one)| blamed[at + 1..].iter().map(move |other| [*one, *other]));
    if let Some(request) = pairs.map(|pair| only(request, universe, &pair)).find(fails) {
        return request;
    }
    let mut left: Vec<usize> = (0..targets).collect();
    for target in 0..targets {
        let fewer: Vec<usize> = left.iter().copied().filter(|other| *other != target).collect();
        if !fewer.is_empty() && fails(&only(request, universe, &fewer)) {
            left = fewer;
        }
    }
    only(request, universe, &left)
}

/// The targets of which the derivation speaks.
fn blamed(universe: &Universe<'_>, tree: &Tree) -> Vec<usize> {
    let rules = used(universe, Scope::All, tree);
    let of = |rule: &Rule| match *rule {
        Rule::Ask(ask) => Some(universe.asks[ask].package),
        Rule::Needs { package, .. }
        | Rule::Block { package, .. }
        | Rule::Partner { package, .. }
        | Rule::Abi { package }
        | Rule::Files { package, .. }
        | Rule::Library { package } => Some(package),
        Rule::Advisory(_) | Rule::Shared { .. } => None,
    };
    let targets: BTreeSet<usize> =
        rules.iter().filter_map(of).map(|package| universe.packages[package].target).collect();
    targets.into_iter().collect()
}

/// The same request for some of its targets.
fn only(request: &Request, universe: &Universe<'_>, targets: &[usize]) -> Request {
    let mut chosen = targets.iter().map(|target| universe.targets[*target].clone());
    let target: Target = chosen.next().unwrap_or_default();
    Request { target, beside: chosen.collect(), ..request.clone() }
}

/// A file for each target, where each has a solution of its own.
fn apart(request: &Request, db: &RuleDb) -> Option<Action> {
    let all = [&request.target].into_iter().chain(&request.beside);
    let alone = |target: &Target| Request { target: target.clone(), beside: Vec::new(), ..request.clone() };
    let works = all.map(alone).all(|request| best(&numbering::universe(&request, db)).is_ok());
    works.then(|| Action {
        summary: "give each target a file of its own (`--per-target`)".to_owned(),
        changes: vec![Change::PerTarget],
        takes: Vec::new(),
    })
}
