//! What the project says it does: whether its model fits, and what is known of such work with the releases that are installed.

use pep440_rs::Version;

use super::solver::Pins;
use super::view::View;
use super::{finding, on};
use crate::finding::Severity;
use crate::lint::{Declared, Finding};
use crate::rules::advisory::{Environment, applies};
use crate::rules::raw_platform::{RawAdvisory, RawSeverity};
use crate::rules::workload::{Told, judge};
use crate::rules::{RuleDb, Target};

/// Judges the memory of the targets, at the lines of gpudoc.toml.
pub fn memory(declared: &Declared, targets: &[Target], db: &RuleDb, out: &mut Vec<Finding>) {
    for target in targets {
        // Of a GPU whose memory nobody knows nothing is said.
        for told in judge(&declared.workload, target, db).unwrap_or_default() {
            out.extend(of_memory(declared, target, told));
        }
    }
}

fn of_memory(declared: &Declared, target: &Target, told: Told) -> Option<Finding> {
    // What fits needs no line.
    if told.severity == Severity::Info {
        return None;
    }
    let place = if told.id == "min-vram" { &declared.min_vram } else { &declared.model_params };
    Some(Finding {
        id: told.id,
        severity: told.severity,
        file: declared.file.clone(),
        place: place.clone(),
        message: match &target.name {
            Some(name) => format!("`{name}`: {}", told.title),
            None => told.title,
        },
        notes: [Some(told.sum), told.citation].into_iter().flatten().collect(),
        hint: told.hint,
        fix: None,
    })
}

/// Tells the advisories about this sort of work that hold for what an installer takes.
pub fn advisories(view: &View<'_>, target: &Target, pins: &Pins, uses: &[String], out: &mut Vec<Finding>) {
    if uses.is_empty() || view.environment.elsewhere {
        return;
    }
    let installed = |name: &str| pins.iter().find(|(own, _)| own == name).map(|(_, version)| version.clone());
    let environment = Environment { installed: &installed, cuda: None, target, workload: uses, messages: &[] };
    let of_work = |advisory: &&RawAdvisory| advisory.when.iter().any(|when| !when.workload.is_empty());
    for advisory in view.db.advisories().filter(of_work) {
        let Some(hit) = applies(advisory, &environment) else { continue };
        // Only what the files ask for has a line.
        let line = hit.installed.iter().find_map(|(name, ..)| view.lines.iter().find(|line| line.name == *name));
        let Some(line) = line else { continue };
        let severity = match advisory.severity {
            RawSeverity::Fail => Severity::Fail,
            RawSeverity::Warn => Severity::Warn,
            RawSeverity::Info => Severity::Info,
        };
        let title = advisory.title.trim_end_matches('.');
        let message = if hit.gpus.is_empty() {
            format!("{}: {title}", advisory.id)
        } else {
            format!("{}: {title}, {}", advisory.id, on(target))
        };
        let mut found = finding(view, "workload-advisory", severity, line.at.file, &line.at.place, message);
        let taken = hit.installed.iter().map(|(name, version, _)| taken(name, version));
        found.notes = vec![
            format!("an installer takes {}", crate::text::list(&taken.collect::<Vec<_>>())),
            advisory.story.split_whitespace().collect::<Vec<_>>().join(" "),
        ];
        found.hint = advisory.remedies.first().map(|remedy| match remedy.commands.first() {
            Some(command) => format!("{}: `{command}`", remedy.summary),
            None => remedy.summary.clone(),
        });
        out.push(found);
    }
}

/// `torch 2.6.0`: the label of the build does not matter here.
fn taken(name: &str, version: &str) -> String {
    let plain = version.parse::<Version>().map(|version| version.only_release().to_string());
    format!("{name} {}", plain.as_deref().unwrap_or(version))
}
