//! What a proposed change would do to an environment: each distribution before and after, and the findings that come and go.

mod rebuild;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use self::rebuild::is_compiled;
use self::view::View;
use super::order::{self, stays};
use super::tried::compile;
use super::{apply, orphans};
use crate::check;
use crate::facts::{Distribution, Facts, TORCH};
use crate::finding::{Change, Finding, Severity};
use crate::pep::Version;
use crate::rules::model::Package;
use crate::rules::requirement::{self, satisfied, specifiers};
use crate::rules::role::is_runtime_wheel;
use crate::rules::schema::KnownHow;
use crate::rules::target::arch_list;
use crate::rules::{RuleDb, Target, Workload};
use crate::solve::{self, AskedRequirement, INSTALLED, Outsider, Pin, Prefer, Proof, Request, Resolution};
use crate::step::Step;
use crate::text::list;
use crate::version::CudaVersion;

pub use self::rebuild::Rebuild;

/// What would happen.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// Every distribution, what needs attention first, then by name.
    pub rows: Vec<Row>,
    /// Findings that are there now and would be gone.
    pub fixed: Vec<Finding>,
    /// Findings that would be new.
    pub introduced: Vec<Finding>,
    /// Findings that would stay.
    pub remaining: Vec<Finding>,
    /// What to run, in order.
    pub steps: Vec<Step>,
    /// What the change installs as an installer is asked for it, e.g. `torch==2.7.1+cu128`, sorted.
    pub pins: Vec<String>,
    /// The same with the label of each build, also where the default index's file does not carry it.
    pub full: Vec<String>,
    /// What of that conda installs, as conda calls it, e.g. `pytorch=2.7.1=cuda*`.
    pub by_conda: Vec<String>,
    /// The change itself.
    pub change: Change,
    /// What everything that it installs requires is known.
    pub known: bool,
    /// The indexes that serve them beside PyPI.
    pub indexes: Vec<String>,
    /// torch's CUDA afterwards.
    pub cuda: Option<CudaVersion>,
    /// The GPU targets for `TORCH_CUDA_ARCH_LIST`, e.g. `9.0;12.0`.
    pub arch_list: String,
}

impl Outlook {
    /// What it compiles, e.g. `flash-attn 2.7.4.post1`, or `flash-attn again`; empty where that is nothing.
    #[must_use]
    pub fn compiled_in_words(&self) -> String {
        let compiled = self.rows.iter().filter(|row| row.rebuild.is_some());
        let (again, others): (Vec<_>, Vec<_>) = compiled.partition(|row| row.fate == Fate::Rebuild);
        let named = |row: &&Row| Some(format!("{} {}", row.name, row.after.as_ref()?));
        let mut words: Vec<String> = others.iter().filter_map(named).collect();
        if !again.is_empty() {
            words.push(format!("{} again", list(&again.iter().map(|row| row.name.as_str()).collect::<Vec<_>>())));
        }
        list(&words)
    }

    /// What it installs as its commands name it, what is compiled apart, e.g. `torch 2.7.1 (PyPI's build, for CUDA 12.6) and triton 3.3.1`.
    #[must_use]
    pub fn in_words(&self) -> String {
        // What an installer is asked for without the label that it has: PyPI's own build.
        let label = |pin: &String, full: &String| full.strip_prefix(pin.as_str())?.strip_prefix('+').map(str::to_owned);
        let label = |(pin, full)| (pin, label(pin, full).and_then(|label| CudaVersion::from_variant(&label)));
        if !self.by_conda.is_empty() {
            // conda's builds carry no labels, and its command says what they are for.
            let words = self.pins.iter().map(|pin| pin.split('+').next().unwrap_or(pin).replace("==", " "));
            return format!("{} with conda", list(&words.collect::<Vec<_>>()));
        }
        let compiled =
            |pin: &String| self.rows.iter().any(|row| row.rebuild.is_some() && row.name == requirement::name_of(pin));
        let pins = self.pins.iter().zip(&self.full).filter(|(pin, _)| !compiled(pin));
        let named: Vec<(&String, Option<CudaVersion>)> = pins.map(label).collect();
        let builds: Vec<&String> = named.iter().filter(|(_, cuda)| cuda.is_some()).map(|(pin, _)| *pin).collect();
        let told = named.iter().map(|(pin, cuda)| {
            let words = pin.replace("==", " ");
            match cuda.filter(|_| builds.last() == Some(pin)) {
                Some(cuda) if builds.len() == 1 => format!("{words} (PyPI's build, for CUDA {cuda})"),
                Some(cuda) => format!("{words} (PyPI's builds, for CUDA {cuda})"),
                None => words,
            }
        });
        list(&told.collect::<Vec<_>>())
    }
}

/// One distribution before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// E.g. `xformers`.
    pub name: String,
    /// The version now, e.g. `0.0.29.post1`; none for what is new.
    pub before: Option<String>,
    /// The version then; none for what goes.
    pub after: Option<String>,
    /// What becomes of it.
    pub fate: Fate,
    /// Why, in one sentence without full stop; empty where there is nothing to say.
    pub why: String,
    /// How to compile it, for [`Fate::Rebuild`] and for what is chosen as source.
    pub rebuild: Option<Rebuild>,
}

impl Row {
    /// The releases now and then, without the labels of their builds; none where there is none, or its version does not parse.
    #[must_use]
    pub fn releases(&self) -> (Option<Version>, Option<Version>) {
        let public = |text: &Option<String>| Some(text.as_ref()?.parse::<Version>().ok()?.without_local());
        (public(&self.before), public(&self.after))
    }
}

/// What becomes of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// No release of it goes with the change.
    Conflict,
    /// Another release or build of it is needed.
    Change,
    /// It stays at its version and must be compiled again.
    Rebuild,
    /// New.
    Add,
    /// No longer needed, and in the way.
    Remove,
    /// Nobody knows.
    Unknown,
    /// It has to do with what changes, and goes with it.
    Safe,
    /// It has nothing to do with it.
    Unchanged,
}

impl Fate {
    /// The name in JSON, e.g. `must-change`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Change => "must-change",
            Self::Rebuild => "must-rebuild",
            Self::Add => "added",
            Self::Remove => "removed",
            Self::Unknown => "unknown",
            Self::Safe => "safe",
            Self::Unchanged => "unchanged",
        }
    }
}

/// What is asked of an outlook.
#[derive(Clone, Copy)]
pub struct Wish<'w> {
    /// What is to be installed.
    pub wanted: &'w [AskedRequirement],
    /// What must hold of what is installed.
    pub constraints: &'w [AskedRequirement],
    /// Packages whose installed build cannot stay.
    pub refused: &'w BTreeSet<String>,
    /// Of what the solver chooses, only these packages are changed.
    pub is_part: &'w dyn Fn(&str) -> bool,
    /// An outlook is wanted only where all that is installed can stay; why there is none, which takes long to tell, nobody asks.
    pub bare: bool,
}

/// Looks ahead: installs what is wanted with as few other changes as can be.
///
/// # Errors
///
/// The proof, where what is wanted contradicts itself or the machine.
pub fn foresee(
    facts: &Facts,
    wish: Wish<'_>,
    target: &Target,
    db: &RuleDb,
    workload: &Workload,
) -> Result<Outlook, Box<Proof>> {
    let Wish { wanted, constraints, refused, is_part, bare } = wish;
    let stack = Stack { refused: refused.clone(), ..Stack::of(facts, db) };
    let (mut resolution, conflicts) = stack.resolve(wanted, constraints, target, db, bare)?;
    order::label(facts, &stack.installed, &mut resolution);
    let is_changed = |pin: &&Pin<'_>| !stays(pin, &stack.installed) && is_part(pin.name);
    let mut changed: Vec<&Pin<'_>> = resolution.pins.iter().filter(is_changed).collect();
    let asked: Vec<&str> = wanted.iter().map(|asked| asked.requirement.name.as_ref()).collect();
    let needless = super::needed::needless(facts, &changed, &asked, target);
    changed.retain(|pin| !needless.contains(pin.name));
    let torch = resolution.pins.iter().find(|pin| pin.name == TORCH);
    let view = View { facts, target, db, wanted, resolution: &resolution, changed: &changed, torch };
    let mut rows = view.rows(&conflicts);
    let gone = orphans(facts, &resolution.pins, &changed, db);
    let rebuilt: Vec<&str> = rows.iter().filter(|row| row.fate == Fate::Rebuild).map(|row| row.name.as_str()).collect();

    let full = |pin: &&Pin<'_>| format!("{}=={}", pin.name, pin.release.full_version(pin.build));
    let remove = |it: &&Distribution| Change::Remove { name: it.name.clone(), location: it.location.clone() };
    let mut changes: Vec<Change> = gone.iter().map(remove).collect();
    let installs: Vec<String> = changed.iter().map(full).collect();
    let strangers = if bare { Vec::new() } else { strangers(facts, wanted, db) };
    changes.push(Change::Install(installs.iter().cloned().chain(strangers.iter().map(ToString::to_string)).collect()));
    let change = Change::All(changes);
    let after = left(facts, &change, &rebuilt, db);
    let (now, then) = (wrong(facts, db, workload), wrong(&after, db, workload));
    let missing = |from: &Vec<Finding>, finding: &&Finding| !from.iter().any(|other| other.id == finding.id);

    for distribution in &gone {
        rows.retain(|row| row.name != distribution.name);
        rows.push(removed(distribution));
    }
    rows.extend(runtime_wheels(facts, &after, &gone));
    for row in rows.iter_mut().filter(|row| matches!(row.fate, Fate::Unchanged | Fate::Safe | Fate::Unknown)) {
        if let Some((after, why)) = view.moved(&row.name) {
            (row.after, row.fate, row.why) = (Some(after), Fate::Change, why);
        }
    }
    for stranger in &strangers {
        rows.retain(|row| row.name != stranger.name.as_ref());
        rows.push(unread(facts, stranger));
    }
    rows.sort_by(|one, other| (one.fate, &one.name).cmp(&(other.fate, &other.name)));

    let fetched: Vec<&Pin<'_>> = changed.iter().filter(|pin| !is_compiled(pin, db)).copied().collect();
    let mut steps = order::steps(facts, &fetched, &gone, db);
    let (by_conda, _) = order::by_conda(facts, &changed, db);
    let lines: Vec<String> = strangers.iter().map(ToString::to_string).collect();
    steps.extend(check::Installer::of(facts).install(&[], &lines));
    steps.extend(rows.iter().filter_map(|row| row.rebuild.as_ref()).flat_map(|rebuild| rebuild.steps.clone()));
    let indexes: BTreeSet<_> = changed.iter().filter(|pin| !pin.on_pypi()).map(|pin| pin.index()).collect();
    // Of conda's builds nobody read what they require.
    let known = strangers.is_empty() && by_conda.is_empty() && is_known(&rows, &changed, target, db);
    Ok(Outlook {
        fixed: now.iter().filter(|finding| missing(&then, finding)).cloned().collect(),
        introduced: then.iter().filter(|finding| missing(&now, finding)).cloned().collect(),
        remaining: then.iter().filter(|finding| !missing(&now, finding)).cloned().collect(),
        rows,
        steps,
        pins: changed.iter().map(|pin| format!("{}=={}", pin.name, pin.version())).collect(),
        full: installs,
        by_conda,
        change,
        known,
        indexes: indexes.into_iter().filter_map(|index| db.index_url(index)).collect(),
        cuda: torch.and_then(|pin| pin.build.cuda),
        arch_list: arch_list(target.capabilities()),
    })
}

/// The facts as a change leaves them; of what is compiled anew nothing is known.
fn left(facts: &Facts, change: &Change, rebuilt: &[&str], db: &RuleDb) -> Facts {
    let mut after = apply(facts, change, db);
    after.distributions.iter_mut().filter(|it| rebuilt.contains(&it.name.as_str())).for_each(compile);
    after
}

/// What the checks find that is more than worth knowing.
fn wrong(facts: &Facts, db: &RuleDb, workload: &Workload) -> Vec<Finding> {
    let mut findings = check::findings(&check::run(facts, db, workload));
    findings.retain(|finding| finding.severity != Severity::Info);
    findings
}

/// The row of what is taken away.
fn removed(distribution: &Distribution) -> Row {
    Row {
        name: distribution.name.clone(),
        before: Some(distribution.full_version().to_owned()),
        after: None,
        fate: Fate::Remove,
        why: "only what is replaced needs it, and the new one would lie in the same files".to_owned(),
        rebuild: None,
    }
}

/// The row of a [stranger](strangers).
fn unread(facts: &Facts, line: &crate::pep::Requirement) -> Row {
    let range = specifiers(line).map(|range| range.to_string().replace(' ', "")).unwrap_or_default();
    Row {
        name: line.name.to_string(),
        before: facts.distribution(line.name.as_ref()).map(|it| it.full_version().to_owned()),
        after: Some(if range.is_empty() { "newest".to_owned() } else { range.trim_start_matches("==").to_owned() }),
        fate: Fate::Unknown,
        why: "asked for; the rules do not cover it, and nothing is known of what it needs".to_owned(),
        rebuild: None,
    }
}

/// Whether all that is changed was read: what a rebuild makes, nobody knows before, and what another system's builds of a package
/// hold, nobody read.
fn is_known(rows: &[Row], changed: &[&Pin<'_>], target: &Target, db: &RuleDb) -> bool {
    let platform = target.platform.as_deref();
    let unread = |name: &str| db.package(name).is_some_and(|own| own.holds_code() && !own.is_known_on(platform));
    rows.iter().all(|row| row.rebuild.is_none() && !unread(&row.name))
        && changed.iter().all(|pin| pin.requires_known() != KnownHow::Unknown)
}

/// What is asked for, the rules do not cover, and is not there as it is asked for.
fn strangers(facts: &Facts, wanted: &[AskedRequirement], db: &RuleDb) -> Vec<crate::pep::Requirement> {
    let is_there = |line: &crate::pep::Requirement| {
        let version = facts.distribution(line.name.as_ref()).and_then(Distribution::stated_version);
        specifiers(line).zip(version).is_some_and(|(range, version)| satisfied(&range, &version))
    };
    let lines = wanted.iter().map(|asked| &asked.requirement);
    lines.filter(|line| db.package(line.name.as_ref()).is_none() && !is_there(line)).cloned().collect()
}

/// Why a package that is installed has no place in the result.
type Conflicts = BTreeMap<String, String>;

/// Of some packages, with the versions that are installed, those that an installed distribution requires in another release:
/// they have to move themselves.
pub(super) fn have_to_move<'v>(facts: &Facts, version: impl Fn(&str) -> Option<&'v Version>) -> BTreeSet<String> {
    let lines = facts.active_distributions().filter_map(|it| Some(&it.metadata.value()?.requires)).flatten();
    let moved = lines.filter_map(|line| {
        let name = requirement::normalise(requirement::name_of(line));
        let version = version(&name)?;
        let wanted = requirement::parse(line).ok().filter(|wanted| wanted.marker.is_true())?;
        let range = requirement::specifiers(&wanted)?;
        (!requirement::satisfied(&range, version)).then_some(name)
    });
    moved.collect()
}

/// What is installed, as the solver is asked to keep it.
struct Stack {
    /// By name, with full versions; also packages that the rules do not cover.
    installed: BTreeMap<String, Version>,
    /// Covered packages that are there in a version that nobody read.
    present: BTreeSet<String>,
    requested: BTreeSet<String>,
    refused: BTreeSet<String>,
    outsiders: BTreeMap<String, Outsider>,
}

impl Stack {
    fn of(facts: &Facts, db: &RuleDb) -> Self {
        let own = |name: &str| db.package(name).is_some() && !is_runtime_wheel(name);
        let mut stack = Self {
            installed: BTreeMap::new(),
            present: BTreeSet::new(),
            requested: BTreeSet::new(),
            refused: BTreeSet::new(),
            outsiders: solve::installed_outsiders(facts, db),
        };
        // What it asks for goes with it.
        let moved = have_to_move(facts, |name| Some(&stack.outsiders.get(name)?.version));
        stack.outsiders.retain(|name, _| !moved.contains(name));
        for distribution in facts.active_distributions() {
            // Of a line of releases any may be there: the newest needs the least change.
            let newest = || distribution.version.part()?.among().iter().filter_map(|text| text.parse().ok()).max();
            match distribution.build_version().or_else(newest) {
                Some(version) => drop(stack.installed.insert(distribution.name.clone(), version)),
                None if own(&distribution.name) => drop(stack.present.insert(distribution.name.clone())),
                None => {}
            }
            if distribution.requested {
                stack.requested.insert(distribution.name.clone());
            }
        }
        stack
    }

    /// The fewest changes; what is installed and stands in the way of any solution is set aside.
    fn resolve<'db>(
        &self,
        wanted: &[AskedRequirement],
        constraints: &[AskedRequirement],
        target: &Target,
        db: &'db RuleDb,
        bare: bool,
    ) -> Result<(Resolution<'db>, Conflicts), Box<Proof>> {
        let mut conflicts = Conflicts::new();
        loop {
            // NVIDIA's runtime wheels follow what needs them.
            let judged = |package: &Package| package.is_known_on(target.platform.as_deref());
            let covered = self.installed.keys();
            let covered = covered.filter(|name| db.package(name).is_some_and(judged) && !is_runtime_wheel(name));
            let names = covered.chain(&self.present).chain(self.outsiders.keys());
            let names = names.filter(|name| !conflicts.contains_key(*name));
            let kept = names.filter_map(|name| Some(AskedRequirement::new(requirement::parse(name).ok()?, INSTALLED)));
            let request = Request {
                target: target.clone(),
                requirements: wanted.iter().cloned().chain(kept).collect(),
                constraints: constraints.to_vec(),
                installed: self.installed.clone(),
                requested: self.requested.clone(),
                refused: self.refused.clone(),
                outsiders: self.outsiders.clone(),
                prefer: Prefer::Installed,
                ..Request::default()
            };
            if bare {
                return solve::possible(&request, db).map(|it| (it, conflicts)).ok_or_else(Box::default);
            }
            let proof = match solve::solve(&request, db) {
                Ok(resolution) => return Ok((resolution, conflicts)),
                Err(proof) => proof,
            };
            let wanted_itself = |name: &&String| wanted.iter().any(|asked| asked.requirement.name.as_ref() == **name);
            // torch is what the others are there for.
            let mut blamed: Vec<&String> = proof.installed.iter().filter(|name| !wanted_itself(name)).collect();
            blamed.sort_by_key(|name| (*name == TORCH, (*name).clone()));
            match blamed.first() {
                Some(name) => {
                    let steps: Vec<_> = proof.steps.iter().map(|step| step.text.clone()).collect();
                    conflicts.insert((*name).clone(), steps.join("; "));
                }
                None => return Err(proof),
            }
        }
    }
}

/// NVIDIA's runtime wheels, which follow what needs them.
fn runtime_wheels(before: &Facts, after: &Facts, gone: &[&Distribution]) -> Vec<Row> {
    let version = |facts: &Facts, name: &str| facts.distribution(name).map(|it| it.full_version().to_owned());
    let own = before.active_distributions().chain(after.active_distributions());
    let names: BTreeSet<&str> = own.map(|it| it.name.as_str()).filter(|name| is_runtime_wheel(name)).collect();
    let names = names.into_iter().filter(|name| !gone.iter().any(|other| other.name == *name));
    names
        .map(|name| {
            let (before, after) = (version(before, name), version(after, name));
            let fate = match (&before, &after) {
                (None, _) => Fate::Add,
                (Some(before), Some(after)) if before != after => Fate::Change,
                _ => Fate::Unchanged,
            };
            let why = if fate == Fate::Unchanged { String::new() } else { "follows what needs it".to_owned() };
            Row { name: name.to_owned(), before, after, fate, why, rebuild: None }
        })
        .collect()
}
