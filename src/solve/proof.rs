//! A conflict in words: one line per rule, in the order in which a reader meets them.

mod blocked;

use std::collections::{BTreeMap, BTreeSet};

use pubgrub::VersionSet;
use serde::Serialize;

use super::action::Action;
use super::ask::NumberedRequirement;
use super::conflict::{Conflict, Leaf, real_versions};
use super::need::{DeclaredRequirement, admits_below};
use super::node::{Node, TORCH};
use super::request::INSTALLED;
use super::rule::Rule;
use super::universe::Universe;
use super::versions::Versions;
use super::words;
use crate::rules::Target;
use crate::rules::model::Agreement;
use crate::rules::obstacle::code_obstacles;
use crate::rules::schema::LibraryPick;
use crate::rules::torch_abi::needs_torch;
use crate::text::list;

pub(super) use self::blocked::in_short;

/// Why there is no solution, and what would give one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proof {
    /// The conclusion, one sentence.
    pub conclusion: String,
    /// Statements that cannot all hold, none of which can be left out.
    pub steps: Vec<Step>,
    /// Changes that were solved again and work, cheapest first.
    pub actions: Vec<Action>,
    /// Names that the user wrote and the rules do not cover.
    pub unchecked: Vec<String>,
    /// Of the packages that contradict each other, those that are there only because they are installed; sorted.
    pub installed: Vec<String>,
}

/// One statement of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The sort of rule: `asked`, `requirement`, `pairing`, `gpu-arch`, `driver`, …, or the id of an advisory.
    pub rule: String,
    /// The statement.
    pub text: String,
    /// The packages that it is about.
    pub packages: Vec<String>,
    /// Where it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub citation: Option<String>,
}

/// Tells a conflict.
pub(super) fn tell(universe: &Universe<'_>, conflict: &Conflict) -> Proof {
    let teller = Teller { universe, conflict };
    let mut rules: Vec<_> = conflict.rules.iter().copied().collect();
    rules.sort_by_key(|rule| (place(*rule), *rule));
    let mut steps: Vec<Step> = Vec::new();
    for step in rules.into_iter().flat_map(|rule| teller.steps(rule)) {
        // A line of the user holds on every target.
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    let on = match universe.targets.as_slice() {
        [one] => one.in_words(),
        all => list(&all.iter().map(named).collect::<Vec<_>>()),
    };
    let conclusion = match (teller.not_known(), universe.targets.len()) {
        (Some(known), _) => format!("{known}, and none of that fits {on}"),
        (None, 1) => format!("nothing fits {on}"),
        (None, _) => format!("no one set fits {on}"),
    };
    let installed = teller.installed();
    Proof { conclusion, steps, actions: Vec::new(), unchecked: universe.unchecked.clone(), installed }
}

/// A target of a fleet: ``train` (H100 (compute capability 9.0), driver 570.133.20)`.
fn named(target: &Target) -> String {
    match &target.name {
        Some(name) => format!("`{name}` ({})", target.in_words()),
        None => target.in_words(),
    }
}

fn place(rule: Rule) -> u8 {
    match rule {
        Rule::Ask(_) => 0,
        Rule::Needs { .. } => 1,
        Rule::Partner { .. } | Rule::Library { .. } | Rule::Abi { .. } | Rule::Files { .. } | Rule::Advisory(_) => 2,
        Rule::Block { .. } => 3,
        Rule::Shared { .. } => 4,
    }
}

/// What a rule says at one place of a conflict: these versions of one node allow only some of another.
pub(super) struct Said<'t> {
    from: Node,
    versions: Vec<u32>,
    to: Node,
    allowed: &'t Versions,
}

struct Teller<'t, 'a> {
    universe: &'t Universe<'a>,
    conflict: &'t Conflict,
}

impl Teller<'_, '_> {
    fn steps(&self, rule: Rule) -> Vec<Step> {
        match rule {
            Rule::Ask(ask) => vec![self.ask(&self.universe.asks[ask])],
            Rule::Needs { package, on } => vec![self.needs(rule, package, on)],
            Rule::Partner { package, with } => self.partner(package, with).into_iter().collect(),
            Rule::Library { package } => vec![self.library(rule, package)],
            Rule::Abi { package } => self.abi(rule, package),
            Rule::Files { package, with } => vec![self.files(rule, package, with)],
            Rule::Advisory(clause) => vec![self.advisory(clause)],
            Rule::Block { package, kind } => self.blocked(package, kind),
            Rule::Shared { package } => vec![self.shared(package)],
        }
    }

    fn shared(&self, package: usize) -> Step {
        let name = self.universe.packages[package].name;
        let text = format!("one file pins {name} to one build for all targets");
        Step { rule: "target".to_owned(), text, packages: names(&[name]), citation: None }
    }

    /// `on `train` `, where there is more than one target.
    fn on(&self, package: usize) -> String {
        let name = self.universe.target(package).name.as_ref().filter(|_| self.universe.targets.len() > 1);
        name.map(|name| format!("on `{name}` ")).unwrap_or_default()
    }

    fn installed(&self) -> Vec<String> {
        let asks = self.conflict.rules.iter().filter_map(|rule| match rule {
            Rule::Ask(ask) => Some(&self.universe.asks[*ask]),
            _ => None,
        });
        let mut names = BTreeSet::new();
        for ask in asks {
            names.extend(ask.owners.iter().cloned());
            if ask.owners.is_empty() && ask.origins.iter().all(|origin| origin == INSTALLED) {
                names.insert(self.universe.packages[ask.package].name.to_owned());
            }
        }
        names.into_iter().collect()
    }

    /// What the rules know of packages in this conflict of which older releases may help: `the rules know sglang from 0.5.12
    /// on`. They cannot where others say in this conflict what the package must be.
    fn not_known(&self) -> Option<String> {
        let rules = &self.conflict.rules;
        let is_held =
            |package: usize| rules.iter().any(|rule| matches!(rule, Rule::Needs { on, .. } if *on == package));
        let is_refused = |package: usize| {
            rules.iter().any(|rule| match *rule {
                Rule::Block { package: own, .. }
                | Rule::Needs { package: own, .. }
                | Rule::Partner { package: own, .. }
                | Rule::Abi { package: own }
                | Rule::Library { package: own } => own == package,
                _ => false,
            })
        };
        let mut parts = BTreeSet::new();
        let asks = rules.iter().filter_map(|rule| match *rule {
            Rule::Ask(ask) => Some(&self.universe.asks[ask]),
            _ => None,
        });
        for ask in asks.filter(|ask| ask.builds.is_none() && !is_held(ask.package)) {
            let own = &self.universe.packages[ask.package];
            let known = own.package.releases.first().filter(|_| own.package.partial);
            if let Some(first) = known
                && admits_below(&ask.specifiers, &first.version)
                && (ask.releases.is_empty() || is_refused(ask.package))
            {
                parts.insert(format!("{} from {} on", own.name, first.version));
            }
        }
        let parts: Vec<_> = parts.into_iter().collect();
        (!parts.is_empty()).then(|| format!("the rules know {}", list(&parts)))
    }

    fn ask(&self, ask: &NumberedRequirement) -> Step {
        let package = &self.universe.packages[ask.package];
        let origins: Vec<_> = ask.origins.iter().map(String::as_str).collect();
        let verb = if ask.constraint { "is a constraint" } else { "is asked for" };
        let mut text = match (ask.owners.is_empty(), origins.as_slice()) {
            (false, origins) => format!("{} needs `{}`", list(origins), ask.text),
            (true, [INSTALLED]) => format!("`{}` is installed", ask.text),
            (true, origins) => format!("`{}` {verb} ({})", ask.text, list(origins)),
        };
        if ask.releases.is_empty() {
            text += &format!(", {}", words::beyond(package, &ask.specifiers));
        }
        let rule = if ask.owners.is_empty() { "asked" } else { "requirement" };
        Step { rule: rule.to_owned(), text, packages: vec![package.name.to_owned()], citation: None }
    }

    /// The versions of which a rule speaks in this conflict, by the node that they belong to.
    fn speaks_of(&self, rule: Rule) -> Vec<Said<'_>> {
        let mut found = Vec::new();
        for leaf in &self.conflict.leaves {
            if let Leaf::Demands { rule: other, from, versions, to, allowed } = leaf
                && *other == rule
            {
                let real = real_versions(self.universe, *from).filter(|version| versions.contains(version));
                found.push(Said { from: *from, versions: real.collect(), to: *to, allowed });
            }
        }
        found
    }

    fn needs(&self, rule: Rule, package: usize, on: usize) -> Step {
        let own = &self.universe.packages[package];
        let other = &self.universe.packages[on];
        let mut by_text: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        let mut allowed = Versions::empty();
        for said in self.speaks_of(rule) {
            if said.to == Node::Release(on) {
                allowed = allowed.union(said.allowed);
            }
            for version in said.versions {
                let (needs, release): (&[DeclaredRequirement], u32) = match said.from {
                    Node::Release(_) => (self.universe.release_needs(package, version), version),
                    _ => (self.universe.build_needs(package, version), own.build(version).release + 1),
                };
                for need in needs.iter().filter(|need| need.on == on) {
                    by_text.entry(&need.text).or_default().insert(release);
                }
            }
        }
        let mut texts: Vec<_> = by_text.iter().collect();
        texts.sort_by_key(|(text, releases)| (releases.first().copied(), **text));
        let text = if texts.len() <= 3 {
            let phrases = texts.iter().map(|(text, releases)| {
                let unknown = self.universe.release_needs(package, releases.first().copied().unwrap_or(1));
                let none = unknown.iter().any(|need| need.text == **text && need.releases.is_empty());
                let suffix = if none { ", which the rules do not know" } else { "" };
                format!("{} needs `{text}`{suffix}", words::subject(own, releases))
            });
            phrases.collect::<Vec<_>>().join("; ")
        } else {
            let releases: BTreeSet<u32> = by_text.values().flatten().copied().collect();
            let wanted: BTreeSet<u32> = other.releases().filter(|number| allowed.contains(number)).collect();
            let what = if other.stand_in { other.name.to_owned() } else { words::subject(other, &wanted) };
            format!("{} needs {what}, each release its own", words::subject(own, &releases))
        };
        let newest = by_text.values().flatten().max().map(|number| own.builds_of(*number));
        let citation =
            newest.and_then(|mut builds| builds.next()).map(|build| own.build(build).build.source.citation());
        Step { rule: "requirement".to_owned(), text, packages: names(&[own.name, other.name]), citation }
    }

    fn partner(&self, package: usize, with: usize) -> Option<Step> {
        let own = &self.universe.packages[package];
        let other = &self.universe.packages[with];
        let partner = own.package.partners.iter().find(|partner| partner.with == other.name)?;
        let text = match &partner.agreement {
            Agreement::Extra(extra) => {
                format!("{} must be of a release that {}'s extra `{extra}` asks for", other.name, own.name)
            }
            Agreement::Release(_) => format!("{} and {} must be of the same release", own.name, other.name),
            Agreement::Cuda(_) => {
                let text = format!("{} and {} must be built for the same CUDA", own.name, other.name);
                let offers: Vec<_> =
                    [package, with].into_iter().filter_map(|package| self.published(package)).collect();
                if offers.is_empty() { text } else { format!("{text}: {}", offers.join("; ")) }
            }
        };
        let packages = names(&[own.name, other.name]);
        Some(Step { rule: "pairing".to_owned(), text, packages, citation: Some(partner.source.clone()) })
    }

    /// The CUDA versions for which the few releases that matter here are published.
    fn published(&self, package: usize) -> Option<String> {
        let own = &self.universe.packages[package];
        let mut releases = BTreeSet::new();
        for leaf in &self.conflict.leaves {
            if let Leaf::Published { package: other, releases: some } = leaf
                && *other == package
            {
                releases.extend(own.releases().filter(|number| some.contains(number)));
            }
        }
        if releases.is_empty() || releases.len() > 8 {
            return None;
        }
        let builds = releases.iter().flat_map(|release| own.builds_of(*release));
        let cudas: BTreeSet<_> = builds.map(|build| own.build(build).build.cuda).collect();
        Some(format!("{} is published {}", words::subject(own, &releases), words::cudas(&cudas)))
    }

    fn library(&self, rule: Rule, package: usize) -> Step {
        let own = &self.universe.packages[package];
        let mut releases = BTreeSet::new();
        let mut beside = BTreeSet::new();
        let torch = self.universe.find(own.target, TORCH);
        for Said { versions, allowed, .. } in self.speaks_of(rule) {
            releases.extend(versions.iter().map(|build| own.build(*build).release + 1));
            if let Some(torch) = torch {
                let builds = self.universe.packages[torch].builds.iter().zip(1..);
                beside.extend(builds.filter(|(_, number)| allowed.contains(number)).map(|(it, _)| it.build.cuda));
            }
        }
        let rule = releases
            .first()
            .and_then(|number| self.universe.db.library_pick(own.package, &own.release(*number).version));
        let pick = match rule.as_ref().map(|(pick, _)| pick) {
            Some(LibraryPick::TorchCudaMajor) => "its library for torch's CUDA or the nearest of that major release",
            _ => "its library for exactly torch's CUDA",
        };
        let subject = words::subject(own, &releases);
        let builds = releases.iter().flat_map(|release| own.builds_of(*release));
        let shipped: BTreeSet<_> =
            builds.flat_map(|build| &own.build(build).build.code).map(|code| code.for_cuda).collect();
        beside.remove(&None);
        let gpus: BTreeSet<_> = self.universe.target(package).gpus.iter().map(|gpu| gpu.capability).collect();
        let gpus: Vec<_> = gpus.iter().map(ToString::to_string).collect();
        let beside = if beside.is_empty() {
            format!("works beside no torch for CUDA on compute capability {}", list(&gpus))
        } else {
            format!("works only beside torch {}", words::cudas(&beside))
        };
        let lacking =
            if releases.iter().flat_map(|release| own.builds_of(*release)).all(|build| self.lacks(package, build)) {
                ", none of which has kernels for it"
            } else {
                ""
            };
        let on = self.on(package);
        let text =
            format!("{on}{subject} {beside}: it loads {pick}, and has those {}{lacking}", words::cudas(&shipped));
        let packages = names(&[own.name, TORCH]);
        Step { rule: "pairing".to_owned(), text, packages, citation: rule.map(|(_, source)| source) }
    }

    /// Two wheels of NVIDIA with the same files: the one that the user names, and one that another package brings.
    fn files(&self, rule: Rule, package: usize, with: usize) -> Step {
        let own = &self.universe.packages[package];
        let other = &self.universe.packages[with];
        let mut brings: Vec<String> = Vec::new();
        let mut releases = BTreeSet::new();
        for said in self.speaks_of(rule) {
            for version in said.versions {
                match said.from {
                    Node::Build(_) => {
                        releases.insert(other.build(version).release + 1);
                        let lines = other.build(version).build.requires.iter();
                        brings.extend(lines.filter_map(|line| self.universe.active_name(other.target, line)));
                    }
                    _ => brings.push(other.name.to_owned()),
                }
            }
        }
        brings.sort();
        brings.dedup();
        let shared = |name: &String| self.universe.db.shared_file(own.name, name).map(|found| (name.clone(), found));
        let found = brings.iter().find_map(shared);
        let (name, (file, source)) = found.unwrap_or_default();
        let subject = if releases.is_empty() || name == other.name {
            name.clone()
        } else {
            format!("{name}, which {} brings,", words::subject(other, &releases))
        };
        let text = format!("{}{} and {subject} install the same files: `{file}`", self.on(package), own.name);
        Step { rule: "cuda-libs".to_owned(), text, packages: names(&[own.name, &name]), citation: Some(source) }
    }

    /// One line per torch that builds of an extension are bound to.
    fn abi(&self, rule: Rule, package: usize) -> Vec<Step> {
        let own = &self.universe.packages[package];
        let mut by_text: BTreeMap<String, (BTreeSet<u32>, String)> = BTreeMap::new();
        for build in self.speaks_of(rule).into_iter().flat_map(|said| said.versions) {
            let Some(row) = self.universe.torch_abi(package, build) else { continue };
            let citation = || row.source.citation();
            let entry = by_text.entry(needs_torch(&row)).or_insert_with(|| (BTreeSet::new(), citation()));
            entry.0.insert(own.build(build).release + 1);
        }
        let steps = by_text.into_iter().map(|(text, (releases, citation))| Step {
            rule: "abi".to_owned(),
            text: format!("{}{} {text}", self.on(package), words::subject(own, &releases)),
            packages: names(&[own.name, TORCH]),
            citation: Some(citation),
        });
        steps.collect()
    }

    /// Whether none of a build's libraries has kernels for the GPUs.
    fn lacks(&self, package: usize, build: u32) -> bool {
        let code = &self.universe.packages[package].build(build).build.code;
        let target = self.universe.target(package);
        !target.gpus.is_empty()
            && code.iter().all(|code| !code_obstacles(&[code], code.for_cuda, target, self.universe.db).is_empty())
    }

    fn advisory(&self, clause: usize) -> Step {
        let clause = &self.universe.clauses[clause];
        let packages = clause.terms.iter().filter_map(|(node, _)| match node {
            Node::Release(package) | Node::Build(package) => Some(self.universe.packages[*package].name),
            _ => None,
        });
        Step {
            rule: clause.advisory.id.clone(),
            text: format!("{}: {}", clause.advisory.id, clause.advisory.title),
            packages: names(&packages.collect::<Vec<_>>()),
            citation: clause.advisory.references.first().map(crate::rules::cite),
        }
    }
}

fn names(names: &[&str]) -> Vec<String> {
    let sorted: BTreeSet<_> = names.iter().map(ToString::to_string).collect();
    sorted.into_iter().collect()
}
