//! The rules of the checks: all are declared, each says what it means, and messages name them.

use std::collections::BTreeSet;
use std::path::Path;

use gpudoc::check::registry;
use gpudoc::finding::Kind;

/// The names after `pub` in every `rule!` below `src/check`.
fn declared() -> BTreeSet<String> {
    fn read(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("src/check is readable") {
            let path = entry.expect("src/check is readable").path();
            if path.is_dir() {
                read(&path, found);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a source is text");
            let rules = text.split("rule! {").skip(1).filter_map(|rest| rest.split("pub ").nth(1));
            let stem = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            found.extend(rules.filter_map(|rest| rest.split_once(" = ")).map(|(name, _)| format!("{stem}::{name}")));
        }
    }
    let mut found = BTreeSet::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check"), &mut found);
    found
}

#[test]
fn every_declared_rule_is_registered() {
    let declared = declared();
    assert!(declared.contains("cpu_build::CPU_BUILD"), "{declared:?}");
    let registry = include_str!("../../src/check/registry.rs");
    let missing: Vec<_> = declared.iter().filter(|name| !registry.contains(&format!("{name},"))).collect();
    assert!(missing.is_empty(), "not in `RULES`: {missing:?}");
    assert_eq!(registry::RULES.len(), declared.len());
}

#[test]
fn every_rule_says_what_it_means() {
    for rule in registry::RULES {
        assert!(rule.line.trim_end().ends_with('.') && rule.line.len() < 100, "{}: {}", rule.id, rule.line);
        assert!(rule.page.trim().ends_with('.'), "{}: {}", rule.id, rule.page);
        assert!(!rule.needs.is_empty(), "{} is judged on nothing", rule.id);
        let family = rule.id.split(['/', '-']).next().unwrap_or_default();
        assert!(!family.is_empty() && !rule.id.contains(char::is_whitespace), "{}", rule.id);
    }
}

#[test]
fn messages_are_explained_by_what_can_be_found() {
    let db = gpudoc::rules::embedded();
    let kinds: Vec<String> = registry::RULES.iter().map(|rule| rule.kind.name().to_owned()).collect();
    for symptom in db.symptoms() {
        for selector in &symptom.explained_by {
            let id = selector.trim_start_matches('!').replace("{package}", "package");
            // `requirement/torch` stands for all that torch requires.
            let open = format!("{id}/other");
            let is_rule = [&id, &open].into_iter().any(|id| registry::rules_of(id).next().is_some());
            assert!(is_rule || kinds.contains(&id), "{}: nothing is called `{selector}`", symptom.id);
        }
    }
    assert_eq!(registry::id("gpu-arch/torch").map(|id| id.rule().kind), Some(Kind::GpuArch));
    assert_eq!(registry::id("gpu-arch"), None);
}
