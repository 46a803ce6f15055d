//! From a failed search to the fewest rules that still contradict each other.

use std::collections::BTreeSet;

use pubgrub::{DerivationTree, External, VersionSet};

use super::node::Node;
use super::provider::{Provider, Tree, search};
use super::rule::{BlockKind, Rule};
use super::scope::Scope;
use super::universe::Universe;
use super::versions::{ABSENT, Versions};

/// Rules that contradict each other, none of which can be left out.
pub(super) struct Conflict {
    /// Sorted.
    pub rules: BTreeSet<Rule>,
    /// How they contradict each other.
    pub leaves: Vec<Leaf>,
}

/// A place where a rule enters the contradiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leaf {
    /// Some versions of a node allow only some of another.
    Demands { rule: Rule, from: Node, versions: Versions, to: Node, allowed: Versions },
    /// Which builds some releases have.
    Published { package: usize, releases: Versions },
    /// None of these versions of a node can be used.
    Unusable { node: Node, versions: Versions },
}

/// Leaves out one rule after the other as long as the rest has no solution: what remains is needed, every bit of it.
pub(super) fn shrink(universe: &Universe<'_>, scope: Scope<'_>, tree: &Tree) -> Conflict {
    let mut rules = used(universe, scope, tree);
    let mut tree = tree.clone();
    let mut order: Vec<_> = rules.iter().copied().collect();
    order.sort_by_key(|rule| (dispensable(*rule), std::cmp::Reverse(*rule)));
    for rule in order {
        if !rules.contains(&rule) {
            continue;
        }
        let mut fewer = rules.clone();
        fewer.remove(&rule);
        if let Err(smaller) = search(universe, Scope::Only(&fewer)) {
            rules = rules_of(universe, &leaves(universe, Scope::Only(&fewer), &smaller), Scope::Only(&fewer));
            tree = *smaller;
        }
    }
    // The last search may have used more than remains; search once more so that the leaves speak of the rest only.
    if let Err(last) = search(universe, Scope::Only(&rules)) {
        tree = *last;
    }
    let leaves = leaves(universe, Scope::Only(&rules), &tree);
    Conflict { rules, leaves }
}

/// Which rules to try to leave out first: the user's lines, so that a proof blames as few as it can; then odd reasons.
fn dispensable(rule: Rule) -> u8 {
    match rule {
        Rule::Ask(_) => 0,
        Rule::Block { kind: BlockKind::Withdrawn | BlockKind::PreRelease | BlockKind::Unread, .. } => 1,
        Rule::Partner { .. } => 2,
        Rule::Advisory(_) | Rule::Block { kind: BlockKind::Advisory(_), .. } => 3,
        Rule::Library { .. } | Rule::Abi { .. } | Rule::Files { .. } | Rule::Shared { .. } => 4,
        Rule::Needs { .. } => 5,
        Rule::Block { .. } => 6,
    }
}

/// The rules that a derivation uses.
pub(super) fn used(universe: &Universe<'_>, scope: Scope<'_>, tree: &Tree) -> BTreeSet<Rule> {
    rules_of(universe, &leaves(universe, scope, tree), scope)
}

/// The places where rules enter a derivation, in the order of the derivation, each once.
fn leaves(universe: &Universe<'_>, scope: Scope<'_>, tree: &Tree) -> Vec<Leaf> {
    let mut found = Vec::new();
    let mut waiting = vec![tree];
    let mut seen = BTreeSet::new();
    while let Some(next) = waiting.pop() {
        match next {
            DerivationTree::Derived(derived) => {
                if derived.shared_id.is_none_or(|id| seen.insert(id)) {
                    waiting.push(&derived.cause2);
                    waiting.push(&derived.cause1);
                }
            }
            DerivationTree::External(External::NoVersions(node, versions)) => {
                found.push(Leaf::Unusable { node: *node, versions: versions.clone() });
            }
            DerivationTree::External(External::FromDependencyOf(from, versions, to, allowed)) => {
                found.extend(demand(universe, scope, (*from, versions), (*to, allowed)));
            }
            DerivationTree::External(External::NotRoot(..) | External::Custom(..)) => {}
        }
    }
    let mut unique: Vec<Leaf> = Vec::new();
    for leaf in found {
        if !unique.contains(&leaf) {
            unique.push(leaf);
        }
    }
    unique
}

fn demand(
    universe: &Universe<'_>,
    scope: Scope<'_>,
    (from, versions): (Node, &Versions),
    (to, allowed): (Node, &Versions),
) -> Option<Leaf> {
    let first = real_versions(universe, from).find(|version| versions.contains(version))?;
    let edges = Provider { universe, scope }.edges(from, first);
    let edge = edges.into_iter().find(|edge| edge.to == to && edge.allowed == *allowed)?;
    let (versions, allowed) = (versions.clone(), allowed.clone());
    match (edge.rule, from) {
        (Some(rule), _) => Some(Leaf::Demands { rule, from, versions, to, allowed }),
        (None, Node::Release(package)) => Some(Leaf::Published { package, releases: versions }),
        (None, _) => None,
    }
}

/// The real versions of a node.
pub(super) fn real_versions(universe: &Universe<'_>, node: Node) -> std::ops::Range<u32> {
    match node {
        Node::Root | Node::Ask(_) => 1..2,
        Node::Release(package) => universe.packages[package].releases(),
        Node::Build(package) => 1..u32::try_from(universe.packages[package].builds.len()).unwrap_or(u32::MAX - 1) + 1,
        Node::Choice(clause) => 1..u32::try_from(universe.clauses[clause].terms.len()).unwrap_or(u32::MAX),
        Node::SharedRelease(package) => universe.packages[package].releases(),
        Node::SharedBuild(package) => 1..u32::try_from(universe.pins[package].len()).unwrap_or(u32::MAX - 1) + 1,
    }
}

/// The builds that a leaf calls unusable.
pub(super) fn unusable_builds(universe: &Universe<'_>, node: Node, versions: &Versions) -> Vec<(usize, u32)> {
    let real = real_versions(universe, node).filter(|version| *version != ABSENT && versions.contains(version));
    match node {
        Node::Release(package) => {
            real.flat_map(|release| universe.packages[package].builds_of(release)).map(|it| (package, it)).collect()
        }
        Node::Build(package) => real.map(|build| (package, build)).collect(),
        Node::Root | Node::Ask(_) | Node::Choice(_) | Node::SharedRelease(_) | Node::SharedBuild(_) => Vec::new(),
    }
}

/// The rules behind some leaves, among those that are on.
fn rules_of(universe: &Universe<'_>, leaves: &[Leaf], scope: Scope<'_>) -> BTreeSet<Rule> {
    let mut rules = BTreeSet::new();
    for leaf in leaves {
        match leaf {
            Leaf::Demands { rule, .. } => {
                rules.insert(*rule);
            }
            Leaf::Published { .. } => {}
            Leaf::Unusable { node, versions } => {
                for (package, build) in unusable_builds(universe, *node, versions) {
                    let kinds = universe.blocks(package, build).iter().map(super::candidates::Block::kind);
                    rules.extend(kinds.map(|kind| Rule::Block { package, kind }));
                }
            }
        }
    }
    rules.retain(|rule| scope.holds(*rule));
    rules
}
