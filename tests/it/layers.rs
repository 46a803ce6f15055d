//! The layers of the design, read off the `crate::` paths of the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each module may use: `main → commands → {probe, index, check, solve, impact, emit, report}`,
/// `probe, index → parse → facts → version`, `check, solve, impact → rules → facts`.
const ALLOWED: &[(&str, &[&str])] = &[
    ("version", &[]),
    ("step", &["text"]),
    ("text", &[]),
    ("exit", &[]),
    ("own", &[]),
    ("parallel", &[]),
    ("log", &[]),
    ("facts", &["version"]),
    ("finding", &["step", "version"]),
    ("parse", &["facts", "log", "version", "text"]),
    ("journal", &["own", "parallel", "parse"]),
    ("probe", &["own", "parallel", "parse", "facts", "version", "text"]),
    ("index", &["parse", "facts", "version", "text"]),
    ("rules", &["parse", "facts", "finding", "step", "version", "text"]),
    ("check", &["rules", "parallel", "log", "facts", "finding", "step", "version", "text"]),
    ("solve", &["rules", "facts", "finding", "version", "text"]),
    ("impact", &["check", "parse", "solve", "rules", "facts", "finding", "step", "version", "text"]),
    ("cause", &["check", "fix", "rules", "facts", "finding", "step", "version", "text"]),
    ("diff", &["facts", "finding", "version", "text"]),
    ("lint", &["parse", "solve", "rules", "facts", "finding", "version", "text"]),
    ("fix", &["check", "facts", "finding", "step", "text"]),
    ("emit", &["solve", "rules", "facts", "finding", "step", "version", "text"]),
    (
        "report",
        &[
            "cause", "check", "diff", "fix", "impact", "lint", "parse", "solve", "rules", "facts", "finding", "step",
            "version", "text",
        ],
    ),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("src is readable") {
        let path = entry.expect("src is readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The top-level modules that a source names after `crate::`, in code or in a group (`use crate::{facts, …}`).
fn edges(text: &str) -> BTreeSet<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let word = |text: &str| text.chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '_').collect();
    let mut edges = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = group.split(';').next().unwrap_or_default();
                edges.extend(group.split(',').map(|item| word(item.trim())));
            }
            None => {
                edges.insert(word(rest));
            }
        }
    }
    edges.remove("");
    edges
}

#[test]
fn nothing_points_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for file in files {
        let relative = file.strip_prefix(&root).expect("below src");
        let module = relative.components().next().expect("a file").as_os_str().to_string_lossy();
        let module = module.trim_end_matches(".rs").to_owned();
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == module) else {
            assert!(
                ["main", "lib", "cli", "config", "commands"].contains(&module.as_str()),
                "module `{module}` has no layer: add it to ALLOWED"
            );
            continue;
        };
        for edge in edges(&std::fs::read_to_string(&file).expect("readable")) {
            *seen.entry(module.clone()).or_default() += 1;
            if edge != module && !allowed.contains(&edge.as_str()) {
                wrong.push(format!("{} uses crate::{edge}", relative.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen["check"] > 5, "the test reads no edges");
}

#[test]
fn edges_are_read_from_every_spelling() {
    let text =
        "use crate::facts::Facts;\nuse crate::{rules, text::list};\n// crate::probe\nfn f() { crate::index::g() }";
    let expected: BTreeSet<String> = ["facts", "rules", "text", "index"].map(str::to_owned).into();
    assert_eq!(edges(text), expected);
}
