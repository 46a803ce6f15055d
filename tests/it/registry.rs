//! The rules of the checks: all are declared, each says what it means, and messages name them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gpudoc::check::registry;
use gpudoc::finding::Kind;

/// The sources below `src/check`, as paths from there.
fn sources() -> Vec<(PathBuf, String)> {
    fn read(folder: &Path, root: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).expect("src/check is readable") {
            let path = entry.expect("src/check is readable").path();
            if path.is_dir() {
                read(&path, root, found);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a source is text");
            found.push((path.strip_prefix(root).expect("below src/check").to_owned(), text));
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check");
    let mut found = Vec::new();
    read(&root, &root, &mut found);
    found
}

/// The names after `pub` in every `rule!` of a source, with the ids: `NO_KERNEL` and `gpu-arch/{package}`.
fn rules(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let declared = text.split("rule! {").skip(1).filter_map(|rest| rest.split("pub ").nth(1));
    declared
        .filter_map(|rest| rest.split_once(" = \""))
        .filter_map(|(name, rest)| Some((name, rest.split_once('"')?.0)))
}

/// `gpu_arch::no_kernel::` of `gpu_arch/no_kernel.rs`, and `xid::` of `xid.rs` or `xid/mod.rs`.
fn module(path: &Path) -> String {
    let path = path.with_extension("");
    let names = path.iter().map(|name| name.to_string_lossy()).filter(|name| name != "mod");
    names.map(|name| format!("{name}::")).collect()
}

#[test]
fn every_declared_rule_is_registered() {
    let sources = sources();
    let mut declared: Vec<&str> = sources.iter().flat_map(|(_, text)| rules(text).map(|(_, id)| id)).collect();
    assert!(declared.contains(&"gpu-arch/{package}"), "{declared:?}");
    declared.sort_unstable();
    let mut listed: Vec<&str> = registry::RULES.iter().map(|rule| rule.id).collect();
    listed.sort_unstable();
    assert_eq!(listed, declared);
}

/// A case that fires and one that does not stand in the rule's own file and name it, or its id where no other rule of the file
/// has the same.
#[test]
fn every_rule_has_its_cases_beside_it() {
    let mut without = Vec::new();
    for (path, text) in sources() {
        let (code, tests) = text.split_once("#[cfg(test)]\nmod tests").unwrap_or((&text, ""));
        let names: BTreeSet<&str> =
            tests.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').collect();
        let ids: Vec<&str> = tests.split([' ', '"', ':', ',', '\n']).collect();
        let declared: Vec<_> = rules(code).collect();
        for (name, id) in &declared {
            let alone = declared.iter().filter(|(_, other)| other == id).count() == 1;
            let rule = registry::RULES.iter().find(|rule| rule.id == *id).expect("a registered rule");
            let shown = ids.iter().any(|text| rule.reads(text).is_some_and(|read| read.to_string() == *text));
            if !(names.contains(name) || alone && shown) {
                without.push(format!("{}{name}", module(&path)));
            }
        }
    }
    assert!(without.is_empty(), "no test beside them names {without:?}");
}

/// What a test says of a machine that is well, or nearly what the rule is about: nothing, or something else.
const NEAR_MISS: &[&str] = &[
    "is_empty()",
    "[]",
    "[\"\"; 0]",
    "None",
    "assert!(!",
    "&& !",
    "is_none()",
    ", \"\")",
    "assert_ne!",
    "NotApplicable",
    "Pass",
    ", 0)",
];

#[test]
fn every_file_of_rules_has_a_near_miss() {
    let without: Vec<_> = sources()
        .into_iter()
        .filter(|(_, text)| rules(text).next().is_some())
        .filter(|(_, text)| {
            let (_, tests) = text.split_once("#[cfg(test)]").unwrap_or((text, ""));
            !NEAR_MISS.iter().any(|words| tests.contains(words))
        })
        .map(|(path, _)| path)
        .collect();
    assert!(without.is_empty(), "only what fires is shown in {without:?}");
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
