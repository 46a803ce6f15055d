//! What findings wish for and no rule demands: which of their wishes is granted.

use std::collections::BTreeSet;

use super::measure::{Measure, measure};
use super::{Draft, fall, is_told, serious};
use crate::check::registry;
use crate::finding::{Finding, Id, Kind, Severity};
use crate::impact::is_heard;
use crate::impact::outlook::{Fate, Outlook};
use crate::rules::Target;
use crate::rules::model::Fall;
use crate::rules::requirement::{self, is_runtime_wheel};
use crate::rules::schema::Headline;
use crate::solve::Asked;

/// What is asked of the solver for the sake of findings.
pub(super) struct Wanted {
    pub lines: Vec<Asked>,
    /// Packages whose installed build cannot stay.
    pub refused: BTreeSet<String>,
}

impl Wanted {
    /// The same with some lines more.
    fn with(&self, lines: &[String], origin: &Id) -> Self {
        let lines = lines.iter().filter_map(|line| requirement::parse(line).ok());
        let more = lines.map(|line| Asked::new(line, origin.to_string()));
        Self { lines: self.lines.iter().cloned().chain(more).collect(), refused: self.refused.clone() }
    }
}

impl Draft<'_> {
    /// Goes on with what no rule forbids and a finding complains of: by one of the finding's own wishes that sets nothing back, or
    /// moves nothing but what it names, or for what fails goes back a minor release at most. Of several that end it the one that
    /// changes least.
    pub(super) fn by_their_own_wish(
        &self,
        findings: &[Finding],
        mut asked: Wanted,
        mut outlook: Outlook,
        target: &Target,
        is_part: &dyn Fn(&str) -> bool,
    ) -> Outlook {
        let mut left = self.ids_with(&outlook);
        for finding in findings.iter().filter(|finding| serious(finding) && !is_told(&finding.id)) {
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
                let Some(other) = other.filter(|it| fall(it, self.db) <= bound || alone(it)) else { continue };
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
                    Some(asked.with(&[format!("{name}!={version}")], &finding.id))
                };
                wishes.extend(finding.packages.iter().filter(leaves).filter_map(other));
            }
            _ => {}
        }
        wishes
    }
}
