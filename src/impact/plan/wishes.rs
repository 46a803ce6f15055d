//! What findings wish by their own words, where no build of the whole mends them.

use std::collections::BTreeSet;

use super::super::outlook::{Fate, Outlook, have_to_move};
use super::super::{is_heard, serious};
use super::measure::{Measure, measure};
use super::{Draft, fall, falls, is_certain, is_told};
use crate::check::registry;
use crate::facts::Distribution;
use crate::finding::{Change, Finding, Id, Kind, Remedy, Severity};
use crate::pep::{Version, read_pin};
use crate::rules::Target;
use crate::rules::model::Fall;
use crate::rules::requirement::{self, normalise, satisfied};
use crate::rules::role::is_runtime_wheel;
use crate::rules::schema::{Headline, Line};
use crate::solve::AskedRequirement;

/// What is asked of the solver for the sake of findings.
pub(super) struct Wanted {
    pub lines: Vec<AskedRequirement>,
    /// Packages whose installed build cannot stay.
    pub refused: BTreeSet<String>,
}

impl Wanted {
    /// The same with some lines more.
    fn with(&self, lines: &[String], origin: &Id) -> Self {
        let lines = lines.iter().filter_map(|line| requirement::parse(line).ok());
        let more = lines.map(|line| AskedRequirement::new(line, origin.to_string()));
        Self { lines: self.lines.iter().cloned().chain(more).collect(), refused: self.refused.clone() }
    }
}

impl Draft<'_> {
    /// Goes on with what no rule forbids and a finding complains of: by one of the finding's own wishes that sets nothing back, or
    /// moves nothing but what it names, or for what fails goes back a minor release at most; far back goes only what stands below
    /// another that the finding names and that stays, as transformers does beside a vLLM. Of several that end it the one that changes
    /// least. For what may be taken out nothing moves that serves.
    pub(super) fn by_their_own_wish(
        &self,
        findings: &[Finding],
        dispensable: &BTreeSet<String>,
        mut asked: Wanted,
        mut outlook: Outlook,
        target: &Target,
        is_part: &dyn Fn(&str) -> bool,
    ) -> Outlook {
        let mut left = self.ids_with(&outlook);
        // A message alone tells which packages; which of them is to move, only where it says so.
        let asks = |it: &Finding| it.remedies.first().is_some_and(|remedy| !remedy.requirements.is_empty());
        let is_wish = |it: &&Finding| serious(it) && (!is_told(&it.id) || is_certain(it, self.db) && asks(it));
        for finding in findings.iter().filter(is_wish) {
            // What only a message tells of no check finds, and what it blames may be exchanged already: its first remedy counts.
            if self.by_words(finding).is_some() || self.is_of_what_moves(finding) {
                continue;
            }
            let heard = is_heard(&finding.id, self.db, self.workload);
            let first = finding.remedies.first().is_some_and(|remedy| !remedy.requirements.is_empty());
            let moved =
                || outlook.rows.iter().any(|row| row.fate == Fate::Change && finding.packages.contains(&row.name));
            if if heard { !first || moved() } else { !left.contains(&finding.id) } {
                continue;
            }
            let mut best: Option<(Measure, Wanted, Outlook, BTreeSet<Id>)> = None;
            for wish in self.wishes(&asked, finding).into_iter().take(if heard { 1 } else { usize::MAX }) {
                // What it names is wanted, though a report does not list it.
                let wanted = |name: &str| wish.lines.iter().any(|asked| asked.requirement.name.as_ref() == name);
                // What the wish names, it may set back where nothing else has to move for it.
                let alone = |it: &Outlook| it.rows.iter().all(|row| row.fate != Fate::Change || wanted(&row.name));
                let bound = if finding.severity == Severity::Fail { Fall::Near } else { Fall::None };
                let other = self.foreseen(&wish, target, &|name| is_part(name) || wanted(name));
                let fits =
                    |it: &Outlook| fall(it, self.db) <= bound || alone(it) || self.falls_below_what_stays(it, finding);
                let spared = finding.packages.iter().any(|name| dispensable.contains(name));
                let fits = |it: &Outlook| fits(it) && !(spared && self.anchors(it) > self.anchors(&outlook));
                let Some(other) = other.filter(fits) else { continue };
                let size = measure(&other, self.facts, self.db);
                if best.as_ref().is_some_and(|(least, ..)| *least <= size) {
                    continue;
                }
                let then = self.ids_with(&other);
                if !then.contains(&finding.id) && then.is_subset(&left) {
                    best = Some((size, wish, other, then));
                }
            }
            if let Some((_, wish, other, then)) = best {
                (asked, outlook, left) = (wish, other, then);
            }
        }
        outlook
    }

    /// What is asked with one wish of a finding more, for each that it has. Where an advisory blames several packages for not going
    /// together, that one of them leaves its release is a wish too; the framework, which the others are there for, comes last.
    fn wishes(&self, asked: &Wanted, finding: &Finding) -> Vec<Wanted> {
        let told = finding.remedies.iter().map(|remedy| &remedy.requirements).filter(|lines| !lines.is_empty());
        let mut wishes: Vec<Wanted> = told.map(|lines| asked.with(lines, &finding.id)).collect();
        match finding.packages.as_slice() {
            [package] if finding.kind == Kind::GpuArch => {
                let refused = asked.refused.iter().cloned().chain([package.clone()]).collect();
                wishes.push(Wanted { lines: asked.lines.clone(), refused });
            }
            [_, _, ..] if finding.id.is(&registry::ADVISORY) && !wishes.is_empty() => {
                let leaves = |name: &&String| {
                    let package = self.db.package(name).filter(|_| !is_runtime_wheel(name));
                    package.is_some_and(|package| package.headline != Some(Headline::Framework))
                };
                let other = |name: &String| {
                    let version = self.facts.distribution(name)?.version.value()?.split('+').next()?;
                    let others = self.as_bad(name, &finding.id).into_iter().map(|it| it.to_string());
                    let bad: BTreeSet<String> = others.chain([version.to_owned()]).collect();
                    let bad: Vec<String> = bad.iter().map(|version| format!("!={version}")).collect();
                    Some(asked.with(&[format!("{name}{}", bad.join(","))], &finding.id))
                };
                wishes.extend(finding.packages.iter().filter(leaves).filter_map(other));
            }
            _ => {}
        }
        wishes
    }

    /// The releases of a package of which an advisory says the same beside the others that it names, as they are installed.
    fn as_bad(&self, name: &str, id: &Id) -> Vec<Version> {
        let version = |other: &str| self.facts.distribution(other).and_then(Distribution::stated_version);
        let Some(advisory) = self.db.advisories().find(|it| registry::advisory(it) == *id) else { return Vec::new() };
        let is_bad = |candidate: &Version| {
            let holds = |line: &Line| {
                let there =
                    line.name().and_then(|own| if own == name { Some(candidate.clone()) } else { version(own) });
                line.range().zip(there).is_some_and(|(range, there)| range.contains(&there))
            };
            advisory.when.iter().any(|condition| condition.installed.iter().all(holds))
        };
        let releases = self.db.package(name).into_iter().flat_map(|package| &package.releases);
        releases.map(|release| release.version.clone()).filter(is_bad).collect()
    }

    /// Whether all that goes far back in an outlook has a lesser role than something that the finding names and that stays.
    fn falls_below_what_stays(&self, outlook: &Outlook, finding: &Finding) -> bool {
        let role = |name: &str| self.db.package(name).and_then(|package| package.headline);
        let stays = |name: &&String| {
            self.facts.distribution(name).is_some()
                && outlook.rows.iter().all(|row| row.name != **name || row.fate != Fate::Change)
        };
        let highest = finding.packages.iter().filter(stays).filter_map(|name| role(name)).min();
        let far = outlook.rows.iter().filter(|row| falls(row, self.db) == Some(Fall::Far));
        highest.is_some_and(|highest| far.into_iter().all(|row| role(&row.name).is_none_or(|own| highest < own)))
    }

    /// Whether what requires something has to move itself, and no solver chooses its release.
    fn is_of_what_moves(&self, finding: &Finding) -> bool {
        // What an installer refused was weighed, and is not installed.
        let declared = finding.kind == Kind::Requirement && !finding.id.is(&registry::REFUSED);
        finding.id.subject().filter(|_| declared).is_some_and(|name| {
            let version = self.facts.distribution(name).and_then(Distribution::stated_version);
            self.db.package(name).is_none()
                && version.is_some_and(|version| {
                    let there = |other: &str| (other == name).then_some(&version);
                    !have_to_move(self.facts, there).is_empty()
                })
        })
    }

    /// The lines of the first remedy for what is installed, where they name only packages that the rules do not cover, of which no
    /// solver chooses.
    pub(super) fn by_words<'f>(&self, finding: &'f Finding) -> Option<&'f [String]> {
        let name = |line: &String| normalise(requirement::name_of(line));
        let there = |remedy: &&Remedy| {
            remedy.requirements.iter().any(|line| self.facts.distribution(&name(line)).is_some())
                || remedy.requirements.is_empty()
        };
        let lines = finding.remedies.iter().find(there)?.requirements.as_slice();
        let uncovered = |name: String| self.db.package(&name).is_none() && self.facts.distribution(&name).is_some();
        (!lines.is_empty() && lines.iter().all(|line| uncovered(name(line)))).then_some(lines)
    }

    /// What findings ask for and no solver chooses, in the findings' own words, where that ends them and makes none.
    pub(super) fn own_words(&mut self, findings: &[Finding]) {
        let asking = findings.iter().filter(|it| serious(it) && is_certain(it, self.db));
        for finding in asking {
            self.beside(finding);
            let Some(lines) = self.by_words(finding).and_then(|lines| self.bounded(lines)) else { continue };
            let now = self.ids_after(&self.changes);
            let changes: Vec<Change> = self.changes.iter().cloned().chain([Change::Install(lines.clone())]).collect();
            let then = self.ids_after(&changes);
            if !now.contains(&finding.id) || then.contains(&finding.id) || !then.is_subset(&now) {
                continue;
            }
            self.also_install(lines.clone(), lines, Some(then));
        }
    }

    /// What a remedy that the solver took over says of packages beside those that it chooses.
    fn beside(&mut self, finding: &Finding) {
        let chosen = |line: &String| {
            let range = requirement::parse(line).ok().and_then(|it| requirement::specifiers(&it));
            let pins = self.requirements.iter().filter(|pin| requirement::name_of(pin) == requirement::name_of(line));
            let versions = pins.filter_map(|pin| Some(read_pin(pin)?.1));
            range.is_some_and(|range| versions.clone().any(|version| satisfied(&range, &version)))
        };
        let lines = finding.remedies.iter().find_map(|remedy| {
            let is_covered = |line: &&String| self.db.package(&normalise(requirement::name_of(line))).is_some();
            let (covered, others): (Vec<&String>, Vec<&String>) = remedy.requirements.iter().partition(is_covered);
            let there = |line: &&String| self.facts.distribution(&normalise(requirement::name_of(line))).is_some();
            let all = !covered.is_empty() && covered.into_iter().all(chosen);
            all.then(|| others.into_iter().filter(there).cloned().collect::<Vec<_>>())
        });
        let lines = lines.filter(|lines| !lines.is_empty()).and_then(|lines| self.bounded(&lines));
        let Some(lines) = lines else { return };
        self.also_install(lines.clone(), lines, None);
    }
}
