//! The universe as `pubgrub` asks for it: nodes, their versions, and what each version demands of other nodes.

use std::convert::Infallible;

use pubgrub::{
    Dependencies, DependencyProvider, DerivationTree, PackageResolutionStatistics, PubGrubError, VersionSet,
};

use super::candidates::Candidate;
use super::node::{Node, TORCH};
use super::preference::{Preference, better};
use super::rule::Rule;
use super::scope::Scope;
use super::universe::Universe;
use super::versions::{ABSENT, UNLISTED, Versions};
use crate::rules::model::Agreement;
use crate::rules::obstacle::code_obstacles;
use crate::rules::partner::{goes_beside, goes_with, loaded_code};
use crate::rules::role::is_runtime_wheel;
use crate::rules::torch_abi::misfit;

/// The derivation of a failure.
pub(super) type Tree = DerivationTree<Node, Versions, String>;

/// The chosen release and build of each package that is installed, by place in the universe.
pub(super) type Picks = Vec<Option<(u32, u32)>>;

/// A demand of one version of a node on another node.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    /// The rule that says so; none for what ties releases and builds together.
    pub rule: Option<Rule>,
    /// The other node.
    pub to: Node,
    /// What it may be.
    pub allowed: Versions,
}

/// A universe under some of its rules.
pub(super) struct Provider<'u, 'a> {
    pub universe: &'u Universe<'a>,
    pub scope: Scope<'u>,
}

/// The version of nodes that have one.
const SOLE: u32 = 1;

/// Searches under some rules, or all of them.
pub(super) fn search(universe: &Universe<'_>, scope: Scope<'_>) -> Result<Picks, Box<Tree>> {
    match pubgrub::resolve(&Provider { universe, scope }, Node::Root, SOLE) {
        Ok(solution) => {
            let known = |version: &u32| !matches!(*version, ABSENT | UNLISTED);
            let chosen = |node| solution.get(&node).copied().filter(known);
            let pick = |package| Some((chosen(Node::Release(package))?, chosen(Node::Build(package))?));
            Ok((0..universe.packages.len()).map(pick).collect())
        }
        Err(PubGrubError::NoSolution(tree)) => Err(Box::new(tree)),
        Err(
            PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => match source {},
    }
}

impl Provider<'_, '_> {
    fn on(&self, rule: Rule) -> bool {
        self.scope.holds(rule)
    }

    /// What a version of a node demands.
    pub fn edges(&self, node: Node, version: u32) -> Vec<Edge> {
        let mut edges = Vec::new();
        match node {
            Node::Root => {
                let asked = (0..self.universe.asks.len()).filter(|ask| self.on(Rule::Ask(*ask)));
                edges.extend(asked.map(|ask| Edge {
                    rule: None,
                    to: Node::Ask(ask),
                    allowed: Versions::singleton(SOLE),
                }));
            }
            Node::Ask(ask) => self.ask_edges(ask, &mut edges),
            Node::Release(package) if version == UNLISTED => {
                // A build that the rules do not know of a release that they do: what its release requires holds for it too.
                if let Some(known) = self.universe.release_of_unlisted(package) {
                    self.need_edges(package, self.universe.release_needs(package, known), &mut edges);
                }
                self.shared_edges(package, Node::SharedRelease, Versions::singleton(version), &mut edges);
            }
            Node::Release(_) | Node::Build(_) if version == ABSENT => {}
            Node::Release(package) => {
                let allowed = Versions::of(self.universe.packages[package].builds_of(version));
                edges.push(Edge { rule: None, to: Node::Build(package), allowed });
                self.need_edges(package, self.universe.release_needs(package, version), &mut edges);
                self.clause_edges(node, version, &mut edges);
                self.file_edges(package, &[], &mut edges);
                self.shared_edges(package, Node::SharedRelease, Versions::singleton(version), &mut edges);
            }
            Node::Build(package) => {
                let release = self.universe.packages[package].build(version).release + 1;
                edges.push(Edge { rule: None, to: Node::Release(package), allowed: Versions::singleton(release) });
                self.need_edges(package, self.universe.build_needs(package, version), &mut edges);
                self.partner_edges(package, version, &mut edges);
                self.library_edges(package, version, &mut edges);
                self.abi_edges(package, version, &mut edges);
                self.file_edges(package, &self.universe.packages[package].build(version).build.requires, &mut edges);
                self.clause_edges(node, version, &mut edges);
                if let Some(pins) = self.universe.pins.get(package % self.universe.width) {
                    let own = &self.universe.packages[package];
                    let lines: Vec<_> = own.build(version).lines(own.package).collect();
                    let numbers = pins.iter().zip(1..).filter(|(pinned, _)| lines.contains(pinned));
                    let allowed = Versions::of(numbers.map(|(_, number)| number));
                    self.shared_edges(package, Node::SharedBuild, allowed, &mut edges);
                }
            }
            Node::SharedRelease(package) => {
                let allowed = Versions::of([ABSENT]).union(&Versions::singleton(version));
                let all = self.universe.kin(package).map(Node::Release);
                let rule = Some(Rule::Shared { package });
                edges.extend(all.map(|to| Edge { rule, to, allowed: allowed.clone() }));
            }
            Node::SharedBuild(package) => {
                let pinned = self.universe.pins[package][version as usize - 1];
                for kin in self.universe.kin(package) {
                    let builds = self.universe.packages[kin].builds.iter().zip(1..);
                    let own = self.universe.packages[kin].package;
                    let named = |build: &Candidate<'_>| build.lines(own).any(|line| line == pinned);
                    let same = builds.filter(|(build, _)| named(build)).map(|(_, number)| number);
                    let allowed = Versions::of([ABSENT].into_iter().chain(same));
                    edges.push(Edge { rule: Some(Rule::Shared { package }), to: Node::Build(kin), allowed });
                }
            }
            Node::Choice(clause) => {
                let rule = Rule::Advisory(clause);
                let (to, holds) = &self.universe.clauses[clause].terms[version as usize];
                edges.push(Edge { rule: Some(rule), to: *to, allowed: holds.complement() });
            }
        }
        edges
    }

    fn ask_edges(&self, ask: usize, edges: &mut Vec<Edge>) {
        let rule = Some(Rule::Ask(ask));
        let ask = &self.universe.asks[ask];
        let absent = if ask.constraint { Versions::singleton(ABSENT) } else { Versions::empty() };
        let allowed = ask.releases.union(&absent);
        edges.push(Edge { rule, to: Node::Release(ask.package), allowed });
        if let Some(builds) = &ask.builds {
            edges.push(Edge { rule, to: Node::Build(ask.package), allowed: builds.union(&absent) });
        }
    }

    fn need_edges(&self, package: usize, needs: &[super::need::DeclaredRequirement], edges: &mut Vec<Edge>) {
        for need in needs {
            let rule = Rule::Needs { package, on: need.on };
            if self.on(rule) {
                let rule = Some(rule);
                edges.push(Edge { rule, to: Node::Release(need.on), allowed: need.releases.clone() });
                if let Some(builds) = &need.builds {
                    edges.push(Edge { rule, to: Node::Build(need.on), allowed: builds.clone() });
                }
            }
        }
    }

    /// What is chosen on one target is chosen on all that have the package.
    fn shared_edges(&self, package: usize, node: fn(usize) -> Node, allowed: Versions, edges: &mut Vec<Edge>) {
        let package = package % self.universe.width;
        let rule = Rule::Shared { package };
        let pinned = !self.universe.packages[package].stand_in;
        if self.universe.targets.len() > 1 && pinned && self.on(rule) {
            edges.push(Edge { rule: Some(rule), to: node(package), allowed });
        }
    }

    fn partner_edges(&self, package: usize, number: u32, edges: &mut Vec<Edge>) {
        let own = &self.universe.packages[package];
        let build = own.build(number);
        let release = own.release_of(build);
        for partner in own.package.partners.iter().filter(|partner| partner.versions.contains(&release.version)) {
            let Some(with) = self.universe.find(own.target, &partner.with) else { continue };
            let rule = Rule::Partner { package, with };
            if !self.on(rule) {
                continue;
            }
            let candidates = &self.universe.packages[with];
            let (to, fit): (_, Vec<u32>) = match &partner.agreement {
                Agreement::Cuda(agreement) => {
                    let (rule, platform) = ((partner, *agreement), build.build.platform.as_str());
                    let others = candidates.builds.iter().zip(1..);
                    let others = others.filter(|(other, _)| {
                        goes_beside(rule, Some(release), platform, build.build.cuda, other.build.cuda)
                    });
                    (Node::Build(with), others.map(|(_, number)| number).collect())
                }
                Agreement::Release(_) | Agreement::Extra(_) => {
                    let listed = candidates.releases().map(|number| (number, &candidates.release(number).version));
                    let others = listed.chain(self.universe.unlisted(with).map(|version| (UNLISTED, version)));
                    let others =
                        others.filter(|(_, version)| goes_with(partner, &release.version, Some(release), version));
                    (Node::Release(with), others.map(|(number, _)| number).collect())
                }
            };
            let allowed = Versions::of([ABSENT].into_iter().chain(fit));
            edges.push(Edge { rule: Some(rule), to, allowed });
        }
    }

    fn library_edges(&self, package: usize, number: u32, edges: &mut Vec<Edge>) {
        let universe = self.universe;
        let own = &universe.packages[package];
        let build = own.build(number).build;
        let release = own.release_of(own.build(number));
        let rule = Rule::Library { package };
        if !self.on(rule) || !build.code.iter().any(|code| code.for_cuda.is_some()) {
            return;
        }
        let Some(torch) = universe.find(own.target, TORCH) else { return };
        let loads = |cuda| match loaded_code(own.package, &release.version, build, cuda, universe.db) {
            Ok(code) => {
                let chosen = code.iter().find_map(|code| code.for_cuda).or(build.cuda);
                code_obstacles(&code, chosen, universe.target(package), universe.db).is_empty()
            }
            Err(_) => false,
        };
        let mut known = Vec::new();
        let mut fit = vec![ABSENT];
        for (other, number) in universe.packages[torch].builds.iter().zip(1..) {
            let cuda = other.build.cuda;
            let verdict = known.iter().find(|(of, _)| *of == cuda).map(|(_, verdict)| *verdict);
            let verdict = verdict.unwrap_or_else(|| {
                let verdict = loads(cuda);
                known.push((cuda, verdict));
                verdict
            });
            if verdict {
                fit.push(number);
            }
        }
        edges.push(Edge { rule: Some(rule), to: Node::Build(torch), allowed: Versions::of(fit) });
    }

    fn abi_edges(&self, package: usize, number: u32, edges: &mut Vec<Edge>) {
        let universe = self.universe;
        let own = &universe.packages[package];
        let rule = Rule::Abi { package };
        let Some(row) = universe.torch_abi(package, number).filter(|_| self.on(rule)) else { return };
        let Some(torch) = universe.find(own.target, TORCH) else { return };
        let candidates = &universe.packages[torch];
        let others = candidates.builds.iter().zip(1..);
        let fit = others.filter(|(other, _)| {
            misfit(&row, &candidates.release_of(other).version, other.build, universe.db).is_none()
        });
        let allowed = Versions::of([ABSENT].into_iter().chain(fit.map(|(_, number)| number)));
        edges.push(Edge { rule: Some(rule), to: Node::Build(torch), allowed });
    }

    /// NVIDIA's wheels that cannot lie beside this package, or beside those that it requires.
    fn file_edges(&self, package: usize, requires: &[String], edges: &mut Vec<Edge>) {
        let universe = self.universe;
        let own = &universe.packages[package];
        for other in universe.runtime_wheels(own.target).filter(|other| *other != package) {
            let rule = Rule::Files { package: other, with: package };
            let name = universe.packages[other].name;
            let clashes = |with: &str| universe.db.shared_file(name, with).is_some();
            let wanted = requires.iter().filter_map(|line| universe.active_name(own.target, line));
            let itself = requires.is_empty() && is_runtime_wheel(own.name) && clashes(own.name);
            if self.on(rule) && (itself || wanted.into_iter().any(|with| clashes(&with))) {
                edges.push(Edge { rule: Some(rule), to: Node::Release(other), allowed: Versions::of([ABSENT]) });
            }
        }
    }

    fn clause_edges(&self, node: Node, version: u32, edges: &mut Vec<Edge>) {
        for (at, clause) in self.universe.clauses.iter().enumerate() {
            let rule = Rule::Advisory(at);
            let (first, rest) = match clause.terms.as_slice() {
                [first, rest @ ..] if !rest.is_empty() => (first, rest),
                _ => continue,
            };
            if first.0 != node || !first.1.contains(&version) || !self.on(rule) {
                continue;
            }
            edges.push(match rest {
                [(to, holds)] => Edge { rule: Some(rule), to: *to, allowed: holds.complement() },
                _ => {
                    let allowed = Versions::of((1..).take(rest.len()));
                    Edge { rule: Some(rule), to: Node::Choice(at), allowed }
                }
            });
        }
    }

    /// The versions of a node in a range that can be used.
    fn open(&self, node: Node, range: &Versions) -> Vec<u32> {
        let universe = self.universe;
        match node {
            Node::Root | Node::Ask(_) => [SOLE].into_iter().filter(|version| range.contains(version)).collect(),
            Node::Choice(clause) => {
                (1..).take(universe.clauses[clause].terms.len() - 1).filter(|it| range.contains(it)).collect()
            }
            Node::SharedRelease(package) => {
                let numbers = universe.packages[package].releases().chain([UNLISTED]);
                numbers.filter(|number| range.contains(number)).collect()
            }
            Node::SharedBuild(package) => {
                (1..).take(universe.pins[package].len()).filter(|number| range.contains(number)).collect()
            }
            Node::Release(package) => {
                let in_range = universe.packages[package].releases().filter(|number| range.contains(number));
                let usable = in_range.filter(|number| universe.release_usable(package, *number, self.scope));
                let unlisted = universe.unlisted(package).is_some() && range.contains(&UNLISTED);
                usable.chain(unlisted.then_some(UNLISTED)).collect()
            }
            Node::Build(package) => {
                let count = universe.packages[package].builds.len();
                let in_range = (1..).take(count).filter(|number| range.contains(number));
                in_range.filter(|number| universe.usable(package, *number, self.scope)).collect()
            }
        }
    }
}

/// Which node is decided next. Decided first, a node gets its best version; so what the user named and nothing depends on
/// comes first, then what it needs; builds after releases, from the one that most depend on; absence last of all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Priority {
    class: u8,
    central: i64,
    /// The later in the alphabet, the lower.
    name: std::cmp::Reverse<usize>,
}

impl DependencyProvider for Provider<'_, '_> {
    type P = Node;
    type V = u32;
    type VS = Versions;
    type Priority = Priority;
    type M = String;
    type Err = Infallible;

    fn prioritize(&self, node: &Node, range: &Versions, _: &PackageResolutionStatistics) -> Priority {
        let may_be_absent = range.contains(&ABSENT);
        let dependents = |package: usize| i64::try_from(self.universe.packages[package].dependents).unwrap_or(i64::MAX);
        let (class, central, place) = match *node {
            Node::Root | Node::Ask(_) => (7, 0, 0),
            Node::Release(_) | Node::Build(_) if may_be_absent => (1, 0, 0),
            Node::Choice(clause) => (0, 0, clause),
            Node::SharedRelease(package) => (7, 0, package),
            // Not before all targets have their builds, so that whichever lines are left will do.
            Node::SharedBuild(package) if range.only().is_none() => (1, 0, package),
            Node::SharedBuild(package) => (7, 0, package),
            Node::Release(package) | Node::Build(package) if range.only().is_some() => (6, 0, package),
            Node::Release(package) if self.universe.near.contains_key(&package) => (5, -dependents(package), package),
            // What comes along goes by what was there.
            Node::Release(package) if self.universe.is_kept(package) => (4, -dependents(package), package),
            Node::Release(package) => (3, -dependents(package), package),
            Node::Build(package) => (2, dependents(package), package),
        };
        Priority { class, central, name: std::cmp::Reverse(place) }
    }

    fn choose_version(&self, node: &Node, range: &Versions) -> Result<Option<u32>, Infallible> {
        let optional = matches!(node, Node::Release(_) | Node::Build(_));
        if optional && range.contains(&ABSENT) {
            return Ok(Some(ABSENT));
        }
        let preference = Preference { universe: self.universe };
        Ok(self.open(*node, range).into_iter().reduce(|best, next| better(&preference, *node, best, next)))
    }

    fn get_dependencies(&self, node: &Node, version: &u32) -> Result<Dependencies<Node, Versions, String>, Infallible> {
        let edges = self.edges(*node, *version);
        Ok(Dependencies::Available(edges.into_iter().map(|edge| (edge.to, edge.allowed)).collect()))
    }
}
