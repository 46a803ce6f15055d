//! Are the requirements met that the installed distributions declare?
//!
//! All that `pip check` finds: missing distributions and wrong versions, with markers evaluated for this Python and the
//! extras followed that are asked for, and `Requires-Python`. Of a report also what its installer said.

modules!(check::requirement);

use std::collections::{BTreeMap, BTreeSet, HashMap};

use self::extras::{extras_of, may_apply, wanted_extras};
use super::cuda_libs::twins;
use super::{Context, Installed, Installer, Stack, looked};
use crate::facts::Origin;
use crate::finding::{Basis, Outcome, Severity};
use crate::parallel::in_parallel;
use crate::pep::{ExtraName, Requirement, VersionSpecifiers, is_line};
use crate::rules::requirement::{markers, parse, surely_applies};
use crate::rules::role::is_runtime_wheel;
use crate::step::{self, Step};

/// Compares every declared requirement with what is installed.
pub fn check(context: &Context<'_>) -> Outcome {
    if context.stack.installed.is_empty() {
        return Outcome::NotApplicable("nothing is installed".to_owned());
    }
    let environment = markers(&context.target);
    if environment.is_none() && context.facts.origin != Origin::Report {
        return Outcome::Skipped("the Python version and platform, which markers refer to".to_owned());
    }
    // Of a report that does not name its Python only what applies everywhere is known.
    let applies =
        |requirement: &Requirement, extras: &[ExtraName]| surely_applies(requirement, environment.as_ref(), extras);
    let asked: BTreeSet<String> = context
        .stack
        .installed
        .iter()
        .filter_map(Installed::requires)
        .flatten()
        .flat_map(|line| extras_of(line))
        .collect();
    let declared = in_parallel(&context.stack.installed, 24, |installed| {
        let lines = installed.requires()?.iter().filter(|line| may_apply(line, &asked));
        Some((installed, lines.filter_map(|line| parse(line).ok()).collect()))
    });
    let declared: Vec<(&Installed<'_>, Vec<Requirement>)> = declared.into_iter().flatten().collect();
    let mut findings = BTreeMap::new();
    for finding in stated_unmet::check(context) {
        findings.insert(finding.id.clone(), finding);
    }
    if declared.is_empty()
        && findings.is_empty()
        && !context.stack.installed.iter().any(|it| metadata::check(context, it).is_some())
    {
        return Outcome::Skipped("the metadata of the installed distributions".to_owned());
    }
    let by_name: HashMap<&str, &Installed<'_>> =
        context.stack.installed.iter().map(|installed| (installed.name(), installed)).collect();
    let wanted = wanted_extras(&declared, applies);
    for finding in context.stack.installed.iter().filter_map(|installed| metadata::check(context, installed)) {
        findings.insert(finding.id.clone(), finding);
    }
    for (installed, requirements) in &declared {
        let extras: Vec<_> = wanted.get(installed.name()).into_iter().flatten().cloned().collect();
        for requirement in requirements.iter().filter(|requirement| applies(requirement, &extras)) {
            let name = requirement.name.as_ref();
            let twin = || twins::of(context, name).is_some_and(|twin| met::is_met(requirement, twin));
            let met = match by_name.get(name) {
                // What a report does not name may well be there.
                None => context.facts.origin == Origin::Report || twin(),
                Some(found) => met::is_met(requirement, found),
            };
            if !met {
                let finding = unmet::check(context, installed, requirement, by_name.get(name).copied());
                findings.entry(finding.id.clone()).or_insert(finding);
            }
        }
        if let Some(finding) = python::check(context, installed) {
            findings.insert(finding.id.clone(), finding);
        }
    }
    looked(findings.into_values().collect())
}

/// Where the requirements of a distribution were read.
pub fn declared_in(installed: &Installed<'_>) -> String {
    match installed.required_by_rule() {
        Some(place) => place.to_owned(),
        None => format!("{}/METADATA", installed.distribution.metadata_dir),
    }
}

/// An unmet requirement of a report is a doubt unless it is between parts of the GPU stack that are built for each other: people
/// override pins, and what the report was pasted for may be something else.
pub fn unmet_severity(context: &Context<'_>, name: &str, other: &str, versions: &VersionSpecifiers) -> Severity {
    let by_host = severity(context, &[name, other]);
    let coupled = Stack::is_gpu(name, context.db) && Stack::is_gpu(other, context.db) && !is_runtime_wheel(other);
    if context.facts.origin == Origin::Report && !(coupled && versions.iter().any(is_line)) {
        return by_host.max(Severity::Warn);
    }
    by_host
}

/// Between parts of the GPU stack it fails.
pub fn severity(context: &Context<'_>, names: &[&str]) -> Severity {
    if names.iter().any(|name| Stack::is_gpu(name, context.db)) { Severity::Fail } else { Severity::Warn }
}

/// The call that brings a requirement into this environment.
pub fn install(context: &Context<'_>, line: &str) -> Vec<Step> {
    let line = step::requirement(line);
    line.and_then(|line| Installer::of(context.facts).install(&[], &[line])).into_iter().collect()
}

/// Whether the rules or the distribution itself say what it requires.
pub fn basis(installed: &Installed<'_>) -> Basis {
    if installed.required_by_rule().is_some() { Basis::Rule } else { Basis::Metadata }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked_at_import_fails_and_the_rest_is_a_doubt() {
        let of = crate::check::made::distribution;
        let mut facts = crate::facts::Facts::unknown(Origin::Report);
        facts.distributions = vec![
            of("transformers", "4.57.1", &["tokenizers<=0.23.0,>=0.22.0", "regex!=2019.12.17"]),
            of("matplotlib", "3.8.0", &["numpy<2,>=1.21"]),
            of("datasets", "5.0.1", &["tqdm>=4.66.3"]),
            of("tokenizers", "0.20.3", &[]),
            of("regex", "2025.10.22", &[]),
            of("numpy", "2.1.0", &[]),
            of("tqdm", "4.60.0", &[]),
        ];
        let (workload, heard) = (crate::rules::Workload::default(), crate::rules::symptom::Heard::default());
        let context = Context::new(&facts, crate::rules::embedded(), &workload, &heard);
        let Outcome::Findings(found) = check(&context) else { panic!("nothing found") };
        let told: Vec<_> = found.iter().map(|it| (it.id.to_string(), it.severity)).collect();
        // matplotlib looks at its lower bound alone, and datasets at nothing.
        assert_eq!(
            told,
            [
                ("requirement/datasets/tqdm".to_owned(), Severity::Warn),
                ("requirement/matplotlib/numpy".to_owned(), Severity::Warn),
                ("requirement/transformers/tokenizers".to_owned(), Severity::Fail),
            ]
        );
    }

    #[test]
    fn what_is_newer_than_a_cap_of_its_major_release_is_worth_knowing_and_a_twin_will_do() {
        let of = crate::check::made::distribution;
        let told = |distributions: Vec<crate::facts::Distribution>| {
            let mut facts = crate::facts::Facts::unknown(Origin::Report);
            facts.distributions = distributions;
            let (workload, heard) = (crate::rules::Workload::default(), crate::rules::symptom::Heard::default());
            let context = Context::new(&facts, crate::rules::embedded(), &workload, &heard);
            match check(&context) {
                Outcome::Findings(found) => found.iter().map(|it| (it.id.to_string(), it.severity)).collect(),
                _ => Vec::new(),
            }
        };
        let datasets = |range: &str, has: &str| told(vec![of("some", "5.0.1", &[range]), of("fsspec", has, &[])]);
        let one = |severity| vec![("requirement/some/fsspec".to_owned(), severity)];
        assert_eq!(datasets("fsspec>=2023.1.0,<=2026.6.0", "2026.9.0"), one(Severity::Info));
        assert_eq!(datasets("fsspec>=2023.1.0,<=2026.6.0", "2022.1.0"), one(Severity::Warn));
        assert_eq!(datasets("fsspec<2", "2.1"), one(Severity::Warn), "another major release");
        assert_eq!(datasets("fsspec<0.4", "0.4.1"), one(Severity::Warn), "and what is one before 1.0");
        assert_eq!(datasets("fsspec==1.2", "1.3"), one(Severity::Warn), "a pin is no cap");
    }
}
