//! What is known of what the project does, with the releases that are installed?

use super::solver::Pins;
use super::view::{TORCH, View, marker_environment};
use super::{finding, on};
use crate::finding::Severity;
use crate::lint::{Declared, Finding, Rule};
use crate::pep::{Version, only_pin};
use crate::rules::advisory::{Environment, applies};
use crate::rules::model::{Build, Release};
use crate::rules::obstacle::obstacles;
use crate::rules::requirement::{parse, specifiers};
use crate::rules::schema::{Advisory, Level};
use crate::rules::{RuleDb, Target};

/// Something is known of what the project does with the releases that its files ask for.
pub static WORKLOAD_ADVISORY: Rule = Rule {
    id: "workload-advisory",
    title: "Something is known of what the project does with the releases that its files ask for",
    help: "`uses` of gpudoc.toml says what the project does. `gpudoc explain GPUDOC-…` tells the whole story, with \
           its sources.",
    judge: None,
};

/// Tells the advisories about this sort of work that hold for what an installer takes.
pub fn judge(view: &View<'_>, target: &Target, pins: &Pins, uses: &[String], out: &mut Vec<Finding>) {
    if uses.is_empty() || view.environment.elsewhere {
        return;
    }
    let installed = |name: &str| pins.iter().find(|(own, _)| own == name).map(|(_, version)| version.clone());
    let environment = Environment { installed: &installed, cuda: None, target, workload: uses, messages: &[] };
    let of_work = |advisory: &&Advisory| advisory.when.iter().any(|when| !when.workload.is_empty());
    for advisory in view.db.advisories().filter(of_work) {
        let Some(hit) = applies(advisory, &environment) else { continue };
        // Only what the files ask for has a line.
        let line = hit.installed.iter().find_map(|(name, ..)| view.lines.iter().find(|line| line.name == *name));
        let Some(line) = line else { continue };
        let severity = advisory.severity.into();
        let title = advisory.title.trim_end_matches('.');
        let message = if hit.gpus.is_empty() {
            format!("{}: {title}", advisory.id)
        } else {
            format!("{}: {title}, {}", advisory.id, on(target))
        };
        let mut found = finding(view, &WORKLOAD_ADVISORY, severity, line.at.file, &line.at.place, message);
        let taken = hit.installed.iter().map(|(name, version, _)| taken(name, version));
        found.notes = vec![
            format!("an installer takes {}", crate::text::list(&taken.collect::<Vec<_>>())),
            advisory.story.split_whitespace().collect::<Vec<_>>().join(" "),
        ];
        found.hint = hint(advisory);
        out.push(found);
    }
}

/// Tells the advisories about this sort of work where no file says what is installed: those that hold for any release of torch
/// that works on a target, with the releases.
pub fn foretold(declared: &Declared, targets: &[Target], uses: &[String], db: &RuleDb, out: &mut Vec<Finding>) {
    let Some(torch) = db.package(TORCH).filter(|_| !uses.is_empty()) else { return };
    let of_work = |advisory: &&Advisory| advisory.when.iter().any(|when| !when.workload.is_empty());
    let any = [Target { platform: Some("linux_x86_64".to_owned()), ..Target::default() }];
    for target in if targets.is_empty() { &any[..] } else { targets } {
        let usable = |release: &&Release| {
            let runs = |build: &Build| obstacles(torch, release, build, target, db).is_empty();
            !release.yanked && !release.version.any_prerelease() && release.builds.iter().any(runs)
        };
        let releases: Vec<&Release> = torch.releases.iter().filter(usable).collect();
        for advisory in db.advisories().filter(of_work) {
            let hit = |release: &&&Release| {
                let beside = pinned(release, target);
                let installed = |name: &str| match name {
                    TORCH => Some(release.version.clone()),
                    other => beside.iter().find(|(own, _)| own == other).map(|(_, version)| version.clone()),
                };
                let environment =
                    Environment { installed: &installed, cuda: None, target, workload: uses, messages: &[] };
                applies(advisory, &environment).is_some()
            };
            let held: Vec<&&Release> = releases.iter().filter(hit).collect();
            let (Some(first), Some(last)) = (held.first(), held.last()) else { continue };
            let title = advisory.title.trim_end_matches('.');
            let which = match (held.len() == releases.len(), first.version == last.version) {
                (true, _) => "every release of torch that works there".to_owned(),
                (false, true) => format!("torch {}", first.version),
                (false, false) => format!("torch {} to {}", first.version, last.version),
            };
            // Nothing is installed yet.
            let severity = if advisory.severity == Level::Info { Severity::Info } else { Severity::Warn };
            let message = format!("{}: {title}", advisory.id);
            let mut found = WORKLOAD_ADVISORY.found(severity, declared.file.clone(), declared.uses.clone(), message);
            found.notes = vec![
                format!("{}: {which}", on(target)),
                advisory.story.split_whitespace().collect::<Vec<_>>().join(" "),
            ];
            found.hint = hint(advisory);
            out.push(found);
        }
    }
}

/// What a release of torch pins, e.g. triton.
fn pinned(release: &Release, target: &Target) -> Vec<(String, Version)> {
    let markers = marker_environment(target);
    let texts = release.requires.iter().chain(release.builds.iter().flat_map(|build| &build.requires));
    let wanted = texts.filter_map(|text| parse(text).ok());
    let holds = wanted.filter(|wanted| markers.as_ref().is_some_and(|own| wanted.marker.evaluate(own, &[])));
    let pins = holds.filter_map(|wanted| Some((wanted.name.to_string(), only_pin(&specifiers(&wanted)?)?.clone())));
    pins.collect()
}

/// `torch 2.6.0`: the label of the build does not matter here.
fn taken(name: &str, version: &str) -> String {
    let plain = version.parse::<Version>().map(|version| version.only_release().to_string());
    format!("{name} {}", plain.as_deref().unwrap_or(version))
}

/// What to do, of the first remedy.
fn hint(advisory: &Advisory) -> Option<String> {
    advisory.remedies.first().map(|remedy| match remedy.commands.first() {
        Some(command) => format!("{}: `{command}`", remedy.summary),
        None => remedy.summary.clone(),
    })
}
