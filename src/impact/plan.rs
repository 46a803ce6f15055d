//! The one plan: what to install, build again, remove and set, so that the whole report is mended.
//!
//! The builds are the solver's smallest change of the whole stack. What the rules do not cover and somebody who stays requires
//! otherwise is added; then what no build mends, such as a variable or a cuda-compat folder, in the order of the findings.

mod blamed;
mod doubles;
mod extras;
mod family;
mod front;
mod heard;
mod instead;
mod leftovers;
mod measure;
mod ranges;
mod twins;
mod wishes;

use std::collections::BTreeSet;

use self::blamed::dispensable;
use self::wishes::Wanted;
use super::outlook::{Fate, Outlook, Row, Wish, foresee};
use super::{apply, installable, is_by_hand, is_heard, serious, serious_ids};
use crate::check::{self, registry};
use crate::facts::{Distribution, Facts, Origin, Reading, Stray};
use crate::finding::{Change, Finding, Id, Kind, Plan, Remedy, Severity};
use crate::pep::{Version, is_line, read_pin, read_range};
use crate::rules::driver::{compat_fault, least_driver};
use crate::rules::machine;
use crate::rules::model::Fall;
use crate::rules::requirement::{self, normalise, satisfied};
use crate::rules::schema::GpuClass;
use crate::rules::{RuleDb, Target, Workload};
use crate::step::Step;
use crate::text;
use crate::version::CudaVersion;
use front::Front;
use instead::Instead;
use measure::measure;
use ranges::bounded;

/// A plan with what it changes.
pub(super) struct Planned {
    pub plan: Plan,
    pub change: Change,
    /// What else mends all that the plan mends.
    pub instead: Option<Remedy>,
}

/// What a plan is made of while it grows.
struct Draft<'d> {
    facts: &'d Facts,
    db: &'d RuleDb,
    workload: &'d Workload,
    parts: Vec<String>,
    requirements: Vec<String>,
    steps: Vec<Step>,
    changes: Vec<Change>,
    /// Ids of what fails or warns after the changes, where that is known already.
    after: Option<BTreeSet<Id>>,
    /// Nothing that it installs has requirements that nobody read.
    known: bool,
    /// What would do in the place of what it installs.
    instead: Option<Instead>,
    /// Findings whose own remedy is taken over, because no build mends them.
    by_setting: BTreeSet<Id>,
}

/// Whether one of some packages goes back to another major release, which is another program: flash-attn 1 for 2.
fn goes_back(outlook: &Outlook, names: &BTreeSet<String>) -> bool {
    let major = |version: Option<Version>| version.and_then(|version| version.release().first().copied());
    let mut rows = outlook.rows.iter().filter(|row| row.fate == Fate::Change && names.contains(&row.name));
    rows.any(|row| {
        let (before, after) = row.releases();
        major(after) < major(before)
    })
}

/// Plans for findings; none where nothing that gpudoc can name mends any of them.
pub(super) fn plan(facts: &Facts, db: &RuleDb, workload: &Workload, findings: &[Finding]) -> Option<Planned> {
    let before = serious_ids(findings);
    if before.is_empty() {
        return None;
    }
    let front = Front::of(facts, db, workload, findings);
    let (facts, findings) = (&front.facts, front.findings.as_slice());
    let mut draft = Draft {
        facts,
        db,
        workload,
        parts: Vec::new(),
        requirements: Vec::new(),
        steps: Vec::new(),
        changes: Vec::new(),
        after: None,
        known: true,
        instead: None,
        by_setting: BTreeSet::new(),
    };
    let asks = |finding: &Finding| finding.remedies.iter().any(|remedy| !remedy.requirements.is_empty());
    // Of what a message blames alone, and nobody tells the version, no other release is known to be better.
    let known = |name: &String| facts.distribution(name).is_some_and(|it| it.version.value().is_some());
    let can = |it: &Finding| asks(it) || installable(it) && (!is_told(&it.id) || it.packages.iter().any(known));
    if findings.iter().any(|it| serious(it) && is_certain(it, db) && can(it)) {
        draft.install(findings);
    }
    draft.leftovers();
    draft.doubles(findings);
    draft.own_words(findings);
    draft.extras(findings);
    let after = draft.set(findings, &serious_ids(findings));
    draft.heard(findings);
    draft.records();
    draft.parts.splice(0..0, front.parts);
    draft.steps.splice(0..0, front.steps);
    draft.changes.splice(0..0, front.changes);
    draft.requirements.extend(front.requirements);
    draft.known &= front.known;
    // What only a message says, no check finds gone: it is mended where what it blames is exchanged, and that is not verified.
    let is_heard = |id: &Id| is_heard(id, db, workload);
    let blamed = |finding: &&Finding| {
        let exchanged = || !is_by_hand(finding) && finding.packages.iter().any(|it| draft.changes_package(it));
        is_heard(&finding.id) && (draft.by_setting.contains(&finding.id) || exchanged())
    };
    let told: BTreeSet<Id> = findings.iter().filter(blamed).map(|finding| finding.id.clone()).collect();
    let mut fixes: BTreeSet<Id> = before.difference(&after).filter(|id| !is_heard(id)).cloned().collect();
    let checked = !fixes.is_empty();
    fixes.extend(told.into_iter().chain(front.answered));
    if fixes.is_empty() || draft.changes.is_empty() {
        return None;
    }
    // Nobody has read the files of the other release.
    let mut forgotten = findings.iter().filter(|it| it.kind == Kind::Import && fixes.contains(&it.id));
    let verified = checked
        && forgotten.next().is_none()
        && draft.known
        && draft.is_seen()
        && after.is_subset(&before)
        && draft.requirements.iter().all(|it| read_range(&it[requirement::name_of(it).len()..]).iter().any(is_line));
    draft.requirements.sort();
    let twice = before.iter().filter(|id| id.is(&registry::TWICE));
    let may_stay: BTreeSet<Id> = before.difference(&fixes).chain(&after).chain(twice).cloned().collect();
    let instead = draft.instead.take().and_then(|instead| draft.offered(instead, findings, &may_stay, &before));
    let plan = Plan {
        summary: text::sentence(&text::list(&draft.parts)),
        requirements: draft.requirements,
        steps: draft.steps,
        leaves: before.difference(&fixes).cloned().collect(),
        fixes: fixes.into_iter().collect(),
        verified,
        instead: None,
    };
    let plan = Plan { instead: instead.clone(), ..plan };
    Some(Planned { plan, change: Change::All(draft.changes), instead })
}

impl Draft<'_> {
    /// The builds that the solver chooses for the whole stack. Where that sets what the stack is there for back by more than a
    /// minor release, or nothing fits, and a newer driver avoids it, the driver comes first.
    fn install(&mut self, findings: &[Finding]) {
        let mut target = Target::to_plan_for(self.facts, self.db);
        // What runs on a Jetson comes with its JetPack, from NVIDIA: no index that the rules know serves it.
        if target.gpus.iter().any(|gpu| gpu.class == Some(GpuClass::JetsonTegra)) {
            return;
        }
        // A compat library that cannot work is no help to plan with.
        let without_compat = compat_fault(&target, self.db).is_some();
        if without_compat {
            target.compat = None;
        }
        let named =
            |name: &str| findings.iter().filter(|it| serious(it)).any(|it| it.packages.iter().any(|it| it == name));
        let told = self.facts.origin == Origin::Report;
        let version = |name: &str| self.facts.distribution(name).and_then(|it| it.version.value());
        // Of a driver that nobody names it is only known that it knows the GPUs; what is installed may well run on it.
        let driver_known = target.driver.is_some();
        let is_chosen = |it: &Distribution| {
            it.version.value().is_some() && self.db.package(&it.name).is_some_and(|package| package.headline.is_some())
        };
        if !driver_known && !self.facts.active_distributions().any(is_chosen) {
            target.driver = least_driver(&target, self.db);
        }
        // What a report does not name may be there, and what it names without a version may be right.
        let asked = Wanted { lines: self.blamed(findings), refused: self.unfit(findings) };
        let is_asked: BTreeSet<String> =
            asked.lines.iter().map(|asked| asked.requirement.name.as_ref().to_owned()).collect();
        let is_part = |name: &str| !told || version(name).is_some() || named(name) || is_asked.contains(name);
        let mut outlook = self.foreseen(&asked, &target, &is_part);
        let dispensable = dispensable(findings);
        let stays = |name: &str| is_part(name) && !dispensable.contains(name);
        // What can be taken out moves nothing that somebody asked for or that serves.
        if let Some(with) = outlook.as_ref().filter(|_| !dispensable.is_empty()).map(|it| self.anchors(it))
            && let back = outlook.as_ref().is_some_and(|it| goes_back(it, &dispensable))
            && (back || with > (0, 0))
            && let Some(other) = self.foreseen(&asked, &target, &stays)
            && (self.anchors(&other) < with || back && self.anchors(&other) == with)
        {
            outlook = Some(other);
        }
        if !driver_known && outlook.is_none() {
            target.driver = None;
            outlook = self.foreseen(&asked, &target, &is_part);
        }
        let mut kept_driver = None;
        if driver_known
            && outlook.as_ref().is_none_or(|outlook| fall(outlook, self.db) == Fall::Far)
            && let Some((newer, other)) = self.with_a_newer_driver(&asked, &target, &is_part)
        {
            kept_driver = outlook.take().zip(target.driver.take());
            if let Some(driver) = &newer.driver {
                let task = machine::driver(driver, self.facts, self.db);
                self.parts.push(task.words);
                self.steps.extend(task.steps);
                self.changes.push(Change::Driver(driver.clone()));
            }
            (outlook, target) = (Some(other), newer);
        }
        let Some(outlook) = outlook else { return };
        self.instead = match kept_driver {
            Some((outlook, driver)) => Some(Instead::on_driver(&driver, outlook)),
            None => self.with_the_framework(&asked, &outlook, &target, &is_part),
        };
        let outlook = self.by_their_own_wish(findings, &dispensable, asked, outlook, &target, &is_part);
        // Which builds run and install, the driver and the Python decide.
        let cuda = outlook.full.iter().any(|pin| CudaVersion::is_said_by(pin));
        self.known = target.python.is_some() && (!cuda || driver_known);
        self.take(outlook);
        let compat = self.facts.loader.libcuda.value().filter(|_| without_compat && !self.changes.is_empty());
        if let Some(library) = compat {
            // The machine is put right before anything is installed on it.
            let remedy = check::out_of_path(library, self.facts);
            self.after = None;
            self.parts.insert(0, text::lower_first(&remedy.summary));
            self.steps.splice(0..0, remedy.steps);
            self.changes.push(Change::NoCompat);
        }
    }

    /// How many of the packages that somebody asked for, and of those that serve, leave their release.
    fn anchors(&self, outlook: &Outlook) -> (usize, usize) {
        measure(outlook, self.facts, self.db).anchors()
    }

    /// What the solver makes of the stack; none where there is no solution, or one only without some of what is installed: to
    /// take that out is for the environment's owner to say.
    fn foreseen(&self, asked: &Wanted, target: &Target, is_part: &dyn Fn(&str) -> bool) -> Option<Outlook> {
        let wish = Wish { wanted: &asked.lines, constraints: &[], refused: &asked.refused, is_part, bare: true };
        let outlook = foresee(self.facts, wish, target, self.db, self.workload).ok();
        outlook.filter(|it| it.rows.iter().all(|row| row.fate != Fate::Conflict))
    }

    /// Ids of what fails or warns after an outlook on top of what is planned.
    fn ids_with(&self, outlook: &Outlook) -> BTreeSet<Id> {
        if self.changes.is_empty() {
            return outlook.remaining.iter().chain(&outlook.introduced).map(|finding| finding.id.clone()).collect();
        }
        self.ids_after(&self.changes.iter().cloned().chain([outlook.change.clone()]).collect::<Vec<_>>())
    }

    /// Ids of what fails or warns after some changes.
    fn ids_after(&self, changes: &[Change]) -> BTreeSet<Id> {
        let facts = apply(self.facts, &Change::All(changes.to_vec()), self.db);
        serious_ids(&check::findings(&check::run(&facts, self.db, self.workload)))
    }

    fn take(&mut self, outlook: Outlook) {
        if outlook.full.is_empty() {
            return;
        }
        if self.changes.is_empty() {
            self.after = Some(self.ids_with(&outlook));
        }
        self.known &= outlook.known;
        let install = outlook.in_words();
        if !install.is_empty() {
            self.parts.push(format!("install {install}"));
        }
        let built = outlook.compiled_in_words();
        if !built.is_empty() {
            let toolkits = outlook.rows.iter().filter_map(|row| row.rebuild.as_ref()?.toolkit);
            let nvcc = toolkits.max().map_or_else(String::new, |cuda| format!(" with the nvcc of CUDA {cuda}"));
            self.parts.push(format!("build {built}{nvcc}"));
        }
        self.requirements.extend(outlook.full.iter().cloned());
        self.steps.extend(outlook.steps.iter().cloned());
        self.changes.push(outlook.change);
    }

    /// Whether a package becomes another than it is. What a report does not list, and something that it lists requires as the
    /// plan has it, is there like that.
    fn changes_package(&self, name: &str) -> bool {
        let pins = self.requirements.iter().filter(|line| requirement::name_of(line) == name);
        pins.filter_map(|line| read_pin(line))
            .any(|(_, version)| self.facts.distribution(name).is_some() || !self.is_brought(name, &version))
    }

    /// Whether an installed distribution requires a package in a range that holds this version.
    fn is_brought(&self, name: &str, version: &Version) -> bool {
        let metadata = self.facts.active_distributions().filter_map(|it| it.metadata.value());
        let lines = metadata.flat_map(|it| &it.requires).filter(|line| requirement::is_about(line, name));
        lines
            .filter_map(|line| requirement::specifiers(&requirement::parse(line).ok()?))
            .any(|it| satisfied(&it, version))
    }

    /// Lines as an installer may have them, which takes the newest release; none where one has none left.
    fn bounded(&self, lines: &[String]) -> Option<Vec<String>> {
        let (now, names) = (self.now(), lines.iter().map(|line| normalise(requirement::name_of(line))));
        let mut others = now;
        let names: BTreeSet<String> = names.collect();
        others.distributions.retain(|it| !names.contains(&it.name));
        lines.iter().map(|line| bounded(line, &others, self.db, self.workload)).collect()
    }

    fn now(&self) -> Facts {
        apply(self.facts, &Change::All(self.changes.clone()), self.db)
    }

    /// Installs lines beside what the solver chose, which brings `brought`; `after` is what is found then, where that is known.
    fn also_install(&mut self, lines: Vec<String>, brought: Vec<String>, after: Option<BTreeSet<Id>>) {
        self.steps.extend(check::Installer::of(self.facts).install(&[], &lines));
        self.parts.push(format!("install {}", text::list(&lines)));
        self.changes.push(Change::Install(brought));
        self.after = after;
        self.requirements.extend(lines);
    }

    /// Takes over, finding by finding, what no build mends; ids of what is left at the end.
    fn set(&mut self, findings: &[Finding], before: &BTreeSet<Id>) -> BTreeSet<Id> {
        let known = self.after.take();
        let mut after = match known {
            Some(after) => after,
            None if self.changes.is_empty() => before.clone(),
            None => self.ids_after(&self.changes),
        };
        after.retain(|id| !is_told(id));
        let (mut parts, mut steps, mut changes) = (Vec::new(), Vec::new(), self.changes.clone());
        for finding in findings.iter().filter(|finding| serious(finding)) {
            if !after.contains(&finding.id) {
                continue;
            }
            for remedy in &finding.remedies {
                let Some(change) = remedy.change.as_ref().filter(|change| !installs(change)) else { continue };
                // It is compiled beside the torch that stays.
                if change.is_compiled() && finding.packages.iter().any(|it| self.changes_package(it)) {
                    continue;
                }
                let more: Vec<Change> = changes.iter().cloned().chain([change.clone()]).collect();
                let left = self.ids_after(&more);
                if !left.contains(&finding.id) && left.is_subset(&after) {
                    (after, changes) = (left, more);
                    self.by_setting.insert(finding.id.clone());
                    parts.push(text::lower_first(&remedy.summary));
                    steps.extend(remedy.steps.iter().cloned());
                    break;
                }
            }
        }
        // The machine is put right before anything is installed on it.
        self.parts.splice(0..0, parts);
        self.steps.splice(0..0, steps);
        self.changes = changes;
        after
    }
}

impl Draft<'_> {
    /// Whether an index was seen to have what is installed again: a wheel of this machine, of an index.
    fn is_seen(&self) -> bool {
        fn seen(change: &Change, is_here: &dyn Fn(&str, &str) -> bool) -> bool {
            match change {
                Change::All(changes) => changes.iter().all(|change| seen(change, is_here)),
                Change::Again { name, location } => is_here(name, location),
                Change::Renew | Change::Compile { .. } => false,
                _ => true,
            }
        }
        let target = Target::to_plan_for(self.facts, self.db);
        let is_here = |name: &str, location: &str| {
            let found = self.facts.distributions.iter().find(|it| it.name == name && it.location == location);
            found.is_some_and(|it| !it.editable && !it.wheel_tags.is_empty() && check::suits(&it.wheel_tags, &target))
        };
        self.changes.iter().all(|change| seen(change, &is_here))
    }

    /// A dist-info folder without a RECORD goes before what is installed in its place: pip can neither remove nor replace it. So
    /// does one whose METADATA cannot be read, at which installers stop.
    fn records(&mut self) {
        let installed: BTreeSet<String> =
            self.requirements.iter().map(|it| normalise(requirement::name_of(it))).collect();
        let prefix = self.facts.python.value().map_or("", |python| python.prefix.as_str());
        let is_unread = |it: &Distribution| {
            matches!(it.metadata, Reading::Unreadable { .. }) || matches!(it.version, Reading::Unreadable { .. })
        };
        let is_stray = |it: &&Distribution| {
            (it.record == Some(Stray::Missing) || is_unread(it))
                && installed.contains(&it.name)
                && it.location.starts_with(prefix)
        };
        // A module of the old release beside the new one's may be found first.
        let both = |it: &Distribution| {
            let module = (it.record == Some(Stray::Missing)).then(|| it.name.replace('-', "_"));
            let names = [Some(it.metadata_dir.clone()), module].into_iter().flatten();
            names.map(|name| format!("{}/{name}", it.location)).collect::<Vec<_>>()
        };
        let folders: Vec<String> = self.facts.active_distributions().filter(is_stray).flat_map(both).collect();
        if self.facts.origin == Origin::Host
            && !folders.is_empty()
            && !self.facts.python.value().is_some_and(|python| python.management.external)
        {
            let words = ["rm", "-rf"].map(str::to_owned).into_iter().chain(folders);
            self.steps.splice(0..0, Step::run(words));
        }
    }
}

/// Whether only a message in a report says so.
pub(super) fn is_told(id: &Id) -> bool {
    id.is(&registry::SYMPTOM)
}

/// Whether a finding is more than a guess at what a message may come from.
fn is_certain(finding: &Finding, db: &RuleDb) -> bool {
    (!is_told(&finding.id) || finding.severity == Severity::Fail) && !registry::is_guess(finding, db)
}

/// How far an outlook sets back what people install for its own sake, at most.
fn fall(outlook: &Outlook, db: &RuleDb) -> Fall {
    outlook.rows.iter().filter_map(|row| falls(row, db)).max().unwrap_or(Fall::None)
}

/// How far a row sets back what people install for its own sake; none where it is no such package, or stays.
fn falls(row: &Row, db: &RuleDb) -> Option<Fall> {
    let package = db.package(&row.name).filter(|package| package.headline.is_some())?;
    let (before, after) = row.releases();
    (row.fate == Fate::Change).then_some(package.fall(&before?, &after?))
}

/// Whether a change brings packages, which is for the solver to choose.
fn installs(change: &Change) -> bool {
    match change {
        Change::Install(_) => true,
        Change::All(changes) => changes.iter().any(installs),
        _ => false,
    }
}
