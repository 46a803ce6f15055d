//! The second plan: where the first takes a framework's release for the sake of what serves, or asks for another driver, one that
//! keeps it.

use std::collections::BTreeSet;

use super::{Draft, Wanted, fall};
use crate::check::registry;
use crate::finding::{Finding, Id, Remedy};
use crate::impact::outlook::{Fate, Outlook, Row};
use crate::pep::Version;
use crate::rules::model::Fall;
use crate::rules::schema::Headline;
use crate::rules::{Target, requirement};
use crate::solve::{AskedRequirement, INSTALLED};
use crate::text;
use crate::version::DriverVersion;

/// Another set, in which the framework keeps the release that the plan takes from it.
pub(super) struct Instead {
    /// E.g. `torch 2.9.0`.
    keeps: String,
    outlook: Outlook,
}

impl Instead {
    /// What goes on the driver that is there, where the plan asks for a newer one.
    pub(super) fn on_driver(driver: &DriverVersion, outlook: Outlook) -> Self {
        Self { keeps: format!("driver {driver}"), outlook }
    }
}

impl Draft<'_> {
    /// The oldest newer driver under which nothing falls back by more than a minor release.
    pub(super) fn with_a_newer_driver(
        &self,
        asked: &Wanted,
        target: &Target,
        is_part: &dyn Fn(&str) -> bool,
    ) -> Option<(Target, Outlook)> {
        let now = target.driver.as_ref()?;
        let families = self.db.families().iter().map(|row| &row.linux_driver).filter(|driver| *driver > now);
        families.map(|driver| Target { driver: Some(driver.clone()), compat: None, ..target.clone() }).find_map(
            |newer| {
                let outlook = self.foreseen(asked, &newer, is_part).filter(|it| fall(it, self.db) < Fall::Far)?;
                Some((newer, outlook))
            },
        )
    }

    /// The same with the frameworks as they are, where the outlook takes their release for the sake of what serves: the owner may
    /// have upgraded them on purpose. None where that sets something with a role back.
    pub(super) fn with_the_framework(
        &self,
        asked: &Wanted,
        outlook: &Outlook,
        target: &Target,
        is_part: &dyn Fn(&str) -> bool,
    ) -> Option<Instead> {
        let role = |name: &str| self.db.package(name).and_then(|package| package.headline);
        let serves = outlook.rows.iter().find(|row| role(&row.name) == Some(Headline::Serving))?;
        let left = outlook.rows.iter().filter(|row| role(&row.name) == Some(Headline::Framework));
        let left = left.filter(|row| row.fate == Fate::Change).map(|row| (row, row.releases()));
        let left = left.filter(|(_, (before, after))| before != after);
        let kept: Vec<_> = left.filter_map(|(row, (before, _))| Some((row.name.clone(), before?))).collect();
        if kept.is_empty() || serves.fate == Fate::Change {
            return None;
        }
        let lines = kept.iter().filter_map(|(name, version)| requirement::parse(&format!("{name}=={version}")).ok());
        let lines =
            asked.lines.iter().cloned().chain(lines.map(|line| AskedRequirement::new(line, INSTALLED))).collect();
        let wanted = Wanted { lines, refused: asked.refused.clone() };
        let other = self.foreseen(&wanted, target, is_part)?;
        let goes_back = |(before, after): (Option<Version>, Option<Version>)| after < before;
        let falls = |row: &Row| role(&row.name).is_some() && goes_back(row.releases());
        if other.rows.iter().any(|row| row.fate == Fate::Change && falls(row)) {
            return None;
        }
        let words: Vec<_> = kept.iter().map(|(name, version)| format!("{name} {version}")).collect();
        Some(Instead { keeps: text::list(&words), outlook: other })
    }

    /// The other set as a remedy, where it leaves nothing but what may stay: ids that the plan leaves or brings too.
    pub(super) fn offered(
        &self,
        instead: Instead,
        findings: &[Finding],
        may_stay: &BTreeSet<Id>,
        before: &BTreeSet<Id>,
    ) -> Option<Remedy> {
        let Instead { keeps, mut outlook } = instead;
        let mut parts = self.doubles_before(findings, &mut outlook);
        let left: BTreeSet<_> =
            outlook.remaining.iter().chain(&outlook.introduced).map(|finding| finding.id.clone()).collect();
        // What it is there for runs without what is assembled here.
        let stays = |id: &Id| may_stay.contains(id) || id.is(&registry::OLD_FOR_ASSEMBLER);
        parts.push(format!("install {}", outlook.in_words()));
        let summary = format!("Keep {keeps}: {}", text::list(&parts));
        left.iter().all(stays).then(|| Remedy {
            requirements: outlook.full,
            change: Some(outlook.change),
            verified: self.known && outlook.known && left.is_subset(before),
            ..Remedy::new(summary, outlook.steps)
        })
    }
}
