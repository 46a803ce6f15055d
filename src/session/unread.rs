//! What nobody read never makes a verdict better.

#![expect(clippy::disallowed_methods, reason = "it reads the fixtures")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::paste::read;
use crate::check::{self, Verdict};
use crate::facts::Facts;
use crate::rules::symptom::Heard;
use crate::rules::{RuleDb, Workload, embedded};

fn judged(facts: &Facts, heard: &Heard<'_>, db: &RuleDb) -> Verdict {
    let checked = check::run_with(facts, db, &Workload::default(), heard);
    let findings = check::findings(&checked);
    check::verdict(facts, &checked, &findings)
}

/// Packages of the rules that are there and of which the rules tell what they require.
fn told(facts: &Facts, db: &RuleDb) -> BTreeSet<String> {
    let requires =
        |name: &&str| db.package(name).is_some_and(|it| it.releases.iter().any(|it| !it.requires.is_empty()));
    facts.distributions.iter().map(|it| it.name.as_str()).filter(requires).map(str::to_owned).collect()
}

#[test]
fn a_requirement_row_taken_away_never_gives_a_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files =
        ["snapshots", "reports"].into_iter().flat_map(|kind| fs::read_dir(folder.join(kind)).expect("a folder"));
    let texts: Vec<(String, String)> = files
        .map(|entry| entry.expect("a file").path())
        .map(|path| (path.display().to_string(), fs::read_to_string(path).expect("a text")))
        .collect();
    let db = embedded();
    let mut about: Vec<(BTreeSet<String>, &(String, String))> = Vec::new();
    for text in &texts {
        let input = read(&text.1, db).expect("a fixture");
        let heard = input.told.map(|told| told.heard).unwrap_or_default();
        let verdict = judged(&input.facts, &heard, db);
        if !matches!(verdict, Verdict::Pass(_)) {
            about.push((told(&input.facts, db), text));
        }
    }
    let packages: BTreeSet<&String> = about.iter().flat_map(|(names, _)| names).collect();
    let (mut tried, mut wrong) = (0, Vec::new());
    for package in packages {
        let unread = crate::rules::without_requirements(package);
        for (_, (path, text)) in about.iter().filter(|(names, _)| names.contains(package)) {
            let input = read(text, &unread).expect("a fixture");
            let heard = input.told.map(|told| told.heard).unwrap_or_default();
            tried += 1;
            if let Verdict::Pass(looked) = judged(&input.facts, &heard, &unread) {
                wrong.push(format!("{path}, without {package}: {}", looked.in_words()));
            }
        }
    }
    assert!(wrong.is_empty(), "of {tried}:\n{}", wrong.join("\n"));
    assert!(tried > 60, "{tried}");
}
