//! Every advisory's examples behave as they say.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;
use std::path::Path;

use gpudoc::rules::advisory::{Environment, applies};
use gpudoc::rules::requirement::normalise;
use gpudoc::rules::schema::{Advisory, AdvisoryExample};
use gpudoc::rules::{RuleDb, Target, TargetGpu, embedded};
use gpudoc::version::CudaVersion;
use pep440_rs::Version;

fn advisories() -> Vec<Advisory> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/advisories");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()).collect()
}

/// torch's CUDA runtime by the local label: `2.7.1+cu126` is 12.6.
fn cuda(torch: &Version) -> Option<CudaVersion> {
    let label = torch.local().first()?.to_string();
    let digits = label.strip_prefix("cu")?;
    let (major, minor) = digits.split_at(digits.len() - 1);
    format!("{major}.{minor}").parse().ok()
}

fn gpu(text: &str, db: &RuleDb) -> TargetGpu {
    if let Ok(capability) = text.parse() {
        return TargetGpu {
            label: text.to_owned(),
            name: text.to_owned(),
            index: None,
            capability,
            class: None,
            memory: Vec::new(),
        };
    }
    let model = db.gpu_by_loose_name(text).unwrap_or_else(|| panic!("no GPU is named `{text}`"));
    TargetGpu {
        label: text.to_owned(),
        name: text.to_owned(),
        index: None,
        capability: model.capability,
        class: model.class,
        memory: Vec::new(),
    }
}

fn hits(advisory: &Advisory, example: &AdvisoryExample, db: &RuleDb) -> bool {
    let installed: Vec<(String, Version)> = example
        .installed
        .iter()
        .map(|line| line.split_once("==").unwrap())
        .map(|(name, version)| (normalise(name), version.parse().unwrap()))
        .collect();
    let find = |name: &str| installed.iter().find(|(known, _)| known == name).map(|(_, version)| version.clone());
    let target = Target {
        gpus: example.gpus.iter().map(|text| gpu(text, db)).collect(),
        driver: example.driver.clone(),
        python: example.python.as_deref().map(|text| text.parse().unwrap()),
        free_threaded: example.free_threaded,
        platform: example.platform.clone(),
        ..Target::default()
    };
    let messages = db.heard_in(example.log.as_deref().unwrap_or_default()).quoted;
    let environment = Environment {
        installed: &find,
        cuda: find("torch").as_ref().and_then(cuda),
        target: &target,
        workload: &example.workload,
        messages: &messages,
    };
    applies(advisory, &environment).is_some()
}

#[test]
fn examples_behave_as_they_say() {
    let db = embedded();
    let wrong: Vec<String> = advisories()
        .iter()
        .flat_map(|advisory| {
            let not_as_said = |example: &&AdvisoryExample| hits(advisory, example, db) != example.hits;
            advisory.examples.iter().filter(not_as_said).map(|example| {
                let said = if example.hits { "should hit" } else { "should not hit" };
                format!("{}: `{}` {said}", advisory.id, example.why)
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ids_are_consecutive_and_embedded() {
    let advisories = advisories();
    for (at, advisory) in advisories.iter().enumerate() {
        assert_eq!(advisory.id, format!("GPUDOC-2026-{:04}", at + 1));
    }
    let kept = advisories.iter().filter(|advisory| advisory.withdrawn.is_none()).count();
    let by_hand = embedded().advisories().filter(|advisory| advisory.import.is_none());
    assert_eq!(by_hand.count(), kept);
}

/// A name that a package takes from another stops with the last release without it, and not with the first that has it.
#[test]
fn names_that_packages_take_from_each_other() {
    let db = embedded();
    let rows: Vec<_> = db.advisories().filter(|advisory| advisory.import.is_some()).collect();
    assert!(rows.len() >= 26);
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let hits = |installed: &[(&str, &str)]| {
        let at =
            |name: &str| installed.iter().find(|(own, _)| *own == name).map(|(_, version)| version.parse().unwrap());
        let target = Target::default();
        let environment = Environment { installed: &at, cuda: None, target: &target, workload: &[], messages: &[] };
        let found = rows.iter().filter(|row| applies(row, &environment).is_some());
        found.map(|row| row.id.trim_start_matches("import/").to_owned()).collect::<Vec<_>>()
    };
    assert!(ids.contains("import/trl/transformers.top_k_top_p_filtering"));
    assert_eq!(hits(&[("trl", "0.7.11"), ("transformers", "4.39.0")]), ["trl/transformers.top_k_top_p_filtering"]);
    assert_eq!(hits(&[("trl", "0.7.11"), ("transformers", "4.38.2")]), [""; 0]);
    assert_eq!(hits(&[("trl", "0.8.0"), ("transformers", "4.39.0")]), [""; 0]);
    assert_eq!(hits(&[("datasets", "2.14.6"), ("pyarrow", "21.0.0")]), ["datasets/pyarrow.PyExtensionType"]);
    assert_eq!(hits(&[("datasets", "2.14.6"), ("pyarrow", "20.0.0")]), [""; 0]);
}
