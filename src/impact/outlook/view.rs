//! What becomes of each installed distribution, row by row, and why.

use super::super::TORCH;
use super::{Conflicts, Fate, Row};
use crate::facts::{Distribution, Facts};
use crate::pep::Version;
use crate::rules::model::{Build, Release};
use crate::rules::obstacle::obstacles;
use crate::rules::requirement::{self, is_about, normalise, satisfied, specifiers};
use crate::rules::role::is_runtime_wheel;
use crate::rules::{RuleDb, Target};
use crate::solve::{AskedRequirement, Pin, Resolution};
use crate::text::list;

/// What the rows are made from.
pub(super) struct View<'v, 'db> {
    pub(super) facts: &'v Facts,
    pub(super) target: &'v Target,
    pub(super) db: &'db RuleDb,
    pub(super) wanted: &'v [AskedRequirement],
    pub(super) resolution: &'v Resolution<'db>,
    pub(super) changed: &'v [&'v Pin<'db>],
    pub(super) torch: Option<&'v Pin<'db>>,
}

impl View<'_, '_> {
    pub(super) fn rows(&self, conflicts: &Conflicts) -> Vec<Row> {
        let distributions = self.facts.active_distributions().filter(|it| !is_runtime_wheel(&it.name));
        let mut rows: Vec<Row> = distributions.map(|distribution| self.row(distribution, conflicts)).collect();
        for pin in self.changed.iter().filter(|pin| self.facts.distribution(pin.name).is_none()) {
            rows.push(Row {
                name: pin.name.to_owned(),
                before: None,
                after: Some(pin.version()),
                fate: Fate::Add,
                why: pin.reason.to_string(),
                rebuild: self.compile(pin),
            });
        }
        rows
    }

    pub(super) fn row(&self, distribution: &Distribution, conflicts: &Conflicts) -> Row {
        let before = distribution.full_version().to_owned();
        let row = |after: Option<String>, fate, why: String, rebuild| Row {
            name: distribution.name.clone(),
            before: Some(before.clone()),
            after,
            fate,
            why,
            rebuild,
        };
        let same = Some(before.clone());
        if let Some(why) = conflicts.get(&distribution.name) {
            return row(None, Fate::Conflict, why.clone(), None);
        }
        if let Some(pin) = self.changed.iter().find(|pin| pin.name == distribution.name) {
            let why = self.why_changed(distribution, pin);
            return row(Some(pin.version()), Fate::Change, why, self.compile(pin));
        }
        let torch_changes = self.changed.iter().any(|pin| pin.name == TORCH);
        if let Some(why) = self.why_rebuilt(distribution).filter(|_| torch_changes) {
            return row(same, Fate::Rebuild, why, Some(self.rebuild(distribution)));
        }
        let declares: Vec<String> = self.declared(distribution);
        if torch_changes && self.holds_unread_code(distribution) {
            let why = "it holds compiled code that nobody read, and requires torch: compile it again if that is linked with it";
            return row(same, Fate::Unknown, why.to_owned(), None);
        }
        if !declares.is_empty() {
            return row(same, Fate::Safe, format!("declares {}", list(&declares)), None);
        }
        if self.is_known(distribution) {
            return row(same, Fate::Unchanged, String::new(), None);
        }
        let why = "the rules do not cover it, and nothing is known of its files and of what it declares";
        row(same, Fate::Unknown, why.to_owned(), None)
    }

    /// Whether a distribution that the rules do not cover is of a wheel for one platform, names torch, and nobody read its libraries.
    fn holds_unread_code(&self, distribution: &Distribution) -> bool {
        let requires = distribution.metadata.value().map(|metadata| metadata.requires.as_slice()).unwrap_or_default();
        self.db.package(&distribution.name).is_none()
            && distribution.libraries.value().is_none()
            && distribution.wheel_tags.iter().any(|tag| !tag.ends_with("-any"))
            && requires.iter().any(|line| is_about(line, TORCH) && !line.contains("extra"))
    }

    /// Why an installed build cannot stay.
    pub(super) fn why_changed(&self, distribution: &Distribution, pin: &Pin<'_>) -> String {
        if self.wanted.iter().any(|asked| asked.requirement.name.as_ref() == distribution.name) {
            return "asked for".to_owned();
        }
        let version = distribution.build_version();
        let row = version.as_ref().and_then(|version| self.row_of(&distribution.name, version));
        if let Some((release, build)) = row {
            let lines = release.requires.iter().chain(&build.requires);
            if let Some((line, other)) = self.violated(lines) {
                let subject = format!("{} {}", distribution.name, distribution.full_version());
                return format!("{subject} needs `{line}`, and {} {} is to be there", other.name, other.version());
            }
            let package = self.db.package(&distribution.name);
            let found = package.map(|package| obstacles(package, release, build, self.target, self.db));
            if let Some(obstacle) = found.iter().flatten().next() {
                return format!("{} {} {obstacle}", distribution.name, distribution.full_version());
            }
        }
        let others = self.resolution.pins.iter();
        let demand = others.filter(|other| other.name != pin.name).find_map(|other| {
            let mut lines = other.release.requires.iter().chain(&other.build.requires);
            let line = lines.find(|line| {
                requirement::parse(line).is_ok_and(|wanted| {
                    let range = specifiers(&wanted);
                    wanted.name.as_ref() == pin.name
                        && range.zip(version.as_ref()).is_some_and(|(range, version)| !satisfied(&range, version))
                })
            })?;
            Some(format!(
                "{} {} needs `{}`",
                other.name,
                other.version(),
                line.split(';').next().unwrap_or(line).trim()
            ))
        });
        demand.unwrap_or_else(|| format!("built for another partner than {}", self.partners()))
    }

    pub(super) fn partners(&self) -> String {
        let names: Vec<_> = self.changed.iter().map(|pin| format!("{} {}", pin.name, pin.version())).collect();
        list(&names)
    }

    pub(super) fn row_of(&self, name: &str, version: &Version) -> Option<(&Release, &Build)> {
        let platform = self.target.platform.as_deref().unwrap_or_default();
        let (release, builds) = self.db.builds(name, version, platform)?;
        Some((release, builds.first().copied()?))
    }

    /// The first of some requirements that the new set does not meet.
    pub(super) fn violated<'l>(&self, mut lines: impl Iterator<Item = &'l String>) -> Option<(String, &Pin<'_>)> {
        lines.find_map(|line| {
            let wanted = requirement::parse(line).ok()?;
            let pin = self.resolution.pins.iter().find(|pin| pin.name == wanted.name.as_ref())?;
            let version = pin.release.build_version(pin.build)?;
            let met = satisfied(&specifiers(&wanted)?, &version);
            (!met).then(|| (line.split(';').next().unwrap_or(line).trim().to_owned(), pin))
        })
    }

    /// What an installer makes of a package that the rules do not cover, because what is new wants another version of it.
    pub(super) fn moved(&self, name: &str) -> Option<(String, String)> {
        if self.db.package(name).is_some() {
            return None;
        }
        let version = self.facts.distribution(name)?.stated_version()?;
        let environment = requirement::markers(self.target);
        self.changed.iter().find_map(|pin| {
            let lines = pin.release.requires.iter().chain(&pin.build.requires);
            let wanted = lines.filter_map(|line| requirement::parse(line).ok()).find(|wanted| {
                let active = environment.as_ref().is_none_or(|env| requirement::applies(wanted, env, &[]));
                active
                    && normalise(wanted.name.as_ref()) == name
                    && specifiers(wanted).is_some_and(|it| !satisfied(&it, &version))
            })?;
            let range = specifiers(&wanted)?.to_string().replace(' ', "");
            let why = format!("{} {} needs `{name}{range}`", pin.name, pin.version());
            Some((range.strip_prefix("==").map_or(range.clone(), str::to_owned), why))
        })
    }
}
