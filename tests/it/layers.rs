//! The layers of the design, read off the `crate::` paths of the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each module may use: `main → commands → {probe, index, check, solve, impact, emit, report}`,
/// `probe, index → machine, python, objects → facts → version`, `check, solve, impact → rules → facts`.
const ALLOWED: &[(&str, &[&str])] = &[
    ("pep", &[]),
    ("version", &[]),
    ("step", &["text", "pep"]),
    ("text", &[]),
    ("exit", &["finding"]),
    ("own", &[]),
    ("parallel", &[]),
    ("log", &[]),
    ("facts", &["version", "pep"]),
    ("finding", &["step", "version"]),
    ("objects", &["facts", "version"]),
    ("python", &["objects", "version", "pep"]),
    ("imports", &["python", "facts", "pep"]),
    ("project", &["python", "version", "text", "pep"]),
    ("machine", &["facts", "version"]),
    ("told", &["machine", "project", "python", "facts", "log", "version", "text", "pep"]),
    ("journal", &["own", "parallel", "python"]),
    ("probe", &["own", "parallel", "imports", "machine", "python", "objects", "facts", "version", "text", "pep"]),
    ("index", &["python", "objects", "facts", "version", "text"]),
    ("rules", &["project", "python", "objects", "facts", "finding", "step", "version", "text", "pep"]),
    ("harvest", &["rules", "python", "facts", "objects", "version", "pep"]),
    ("check", &["rules", "parallel", "log", "facts", "finding", "step", "version", "text", "pep"]),
    ("solve", &["rules", "facts", "finding", "version", "text", "pep"]),
    ("impact", &["check", "project", "solve", "rules", "facts", "finding", "step", "version", "text", "pep"]),
    ("cause", &["check", "fix", "rules", "facts", "finding", "step", "version", "text", "pep"]),
    ("diff", &["facts", "finding", "version", "text"]),
    ("lint", &["project", "python", "solve", "rules", "facts", "finding", "version", "text", "pep"]),
    ("fix", &["check", "facts", "finding", "step", "text", "pep"]),
    ("emit", &["solve", "rules", "facts", "finding", "step", "version", "text"]),
    (
        "session",
        &[
            "check", "config", "diff", "emit", "exit", "facts", "finding", "fix", "impact", "lint", "machine",
            "project", "report", "rules", "solve", "told", "text", "version", "pep",
        ],
    ),
    (
        "report",
        &[
            "cause", "check", "diff", "fix", "impact", "lint", "project", "solve", "rules", "facts", "finding", "step",
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

/// A module's path below the crate, e.g. `["solve", "universe"]`.
type Module = Vec<String>;

/// The module that a file of `src` is.
fn module_of(relative: &Path) -> Module {
    let mut parts: Module =
        relative.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    parts.pop_if(|last| last == "mod");
    parts
}

/// Every path that a source names after `crate::`, `super::` or `self::`, in code or in a group (`use crate::{facts, …}`),
/// from the crate on.
fn paths(text: &str, own: &[String]) -> Vec<Vec<String>> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    let mut before = "";
    for piece in code.split_inclusive("::") {
        let word = piece.trim_end_matches("::").rsplit(|letter: char| !is_of_name(letter)).next().unwrap_or_default();
        let goes_on = before.ends_with("::") && piece.trim_end_matches("::") == word;
        before = piece;
        if goes_on || !["crate", "super", "self"].contains(&word) || !piece.ends_with("::") {
            continue;
        }
        // `piece` is a part of `code`: what follows it is the rest of the path.
        let start = piece.as_ptr() as usize - code.as_ptr() as usize + piece.len() - "::".len() - word.len();
        tree(&code[start..], own, &[], &mut found);
    }
    found
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// Reads `a::b`, or `a::{b, c::d}`, below a path; returns what follows.
fn tree<'t>(text: &'t str, own: &[String], above: &[String], found: &mut Vec<Vec<String>>) -> &'t str {
    let mut path = above.to_vec();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if let Some(group) = rest.strip_prefix('{') {
            rest = group;
            while !rest.trim_start().starts_with('}') && !rest.trim_start().is_empty() {
                rest = tree(rest, own, &path, found).trim_start();
                rest = rest.strip_prefix(',').unwrap_or(rest);
            }
            return rest.trim_start().strip_prefix('}').unwrap_or_default();
        }
        let end = rest.find(|letter| !is_of_name(letter)).unwrap_or(rest.len());
        match &rest[..end] {
            "crate" => path.clear(),
            "self" if path.is_empty() => path = own.to_vec(),
            "self" => {}
            "super" => {
                if above.is_empty() && path.is_empty() {
                    path = own.to_vec();
                }
                path.pop();
            }
            word => path.push(word.to_owned()),
        }
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(more) => rest = more,
            None => break,
        }
    }
    found.push(path);
    // `name as other`, `*`.
    &rest[rest.find([',', '}', ';']).filter(|_| !above.is_empty() || text.starts_with('{')).unwrap_or(0)..]
}

/// The top-level modules that a source names.
fn edges(text: &str) -> BTreeSet<String> {
    let paths = paths(text, &["here".to_owned()]);
    paths.into_iter().filter_map(|path| path.into_iter().next()).filter(|top| top != "here").collect()
}

/// Which files use which: of each path the longest part that is a file. A folder's `mod.rs` and what lies in the folder belong
/// together, so that between these no use counts; nor does what stands in tests.
fn uses(files: &BTreeMap<Module, String>) -> BTreeMap<Module, BTreeSet<Module>> {
    let target = |mut path: Vec<String>| {
        while !path.is_empty() && !files.contains_key(&path) {
            path.pop();
        }
        path
    };
    let of = |(own, text): (&Module, &String)| {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code = code.split("#[cfg(all(test").next().unwrap_or_default();
        let targets = paths(code, own).into_iter().map(target);
        let others = targets.filter(|other| !other.is_empty() && !other.starts_with(own) && !own.starts_with(other));
        (own.clone(), others.collect())
    };
    files.iter().map(of).collect()
}

/// The shortest way from each file back to itself, each circle once: `a::b → a::c → a::b`.
fn circles(uses: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<String> {
    let mut found: BTreeMap<BTreeSet<&Module>, String> = BTreeMap::new();
    for start in uses.keys() {
        let mut from: BTreeMap<&Module, &Module> = BTreeMap::new();
        let mut waiting = std::collections::VecDeque::from([start]);
        'search: while let Some(next) = waiting.pop_front() {
            for other in uses.get(next).into_iter().flatten() {
                if other == start {
                    let mut way = vec![start, next];
                    while let Some(before) = from.get(way[way.len() - 1]).filter(|_| way[way.len() - 1] != start) {
                        way.push(before);
                    }
                    let names: Vec<String> = way.iter().rev().map(|module| module.join("::")).collect();
                    found.entry(way.iter().copied().collect()).or_insert_with(|| names.join(" → "));
                    break 'search;
                }
                if !from.contains_key(other) {
                    from.insert(other, next);
                    waiting.push_back(other);
                }
            }
        }
    }
    found.into_values().collect()
}

fn all_files() -> BTreeMap<Module, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let read = |file: PathBuf| {
        let relative = file.strip_prefix(&root).expect("below src");
        (module_of(relative), std::fs::read_to_string(&file).expect("readable"))
    };
    files.into_iter().map(read).collect()
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let uses = uses(&all_files());
    assert!(uses[&vec!["check".to_owned(), "registry".to_owned()]].len() > 10, "the test reads no edges");
    let circles: Vec<String> = circles(&uses).into_iter().collect();
    assert!(circles.is_empty(), "what two files share belongs in a file of its own:\n{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found_over_any_number_of_files() {
    let file = |name: &str, text: &str| (name.split("::").map(str::to_owned).collect::<Module>(), text.to_owned());
    let mut files: BTreeMap<Module, String> = [
        file("a", "pub mod b;\nuse self::b::B;"),
        file("a::b", "use super::c::{C, d};\nuse super::A;\n#[cfg(test)]\nuse crate::e::E;"),
        file("a::c", "use std::fmt;\nfn c() { crate::{e::E, f}; }"),
        file("e", "use crate::g::{self, G as H, h::{I, J}};"),
        file("g", "// use crate::a::b::B;\nuse super::{a, e2};"),
    ]
    .into();
    assert_eq!(circles(&uses(&files)), BTreeSet::new());
    files.insert(vec!["g".to_owned()], "fn g() { crate::a::b::f(super::nothing::X) }".to_owned());
    let circle = "a::b → a::c → e → g → a::b".to_owned();
    assert_eq!(circles(&uses(&files)), [circle].into());
}

#[test]
fn nothing_points_back() {
    let mut wrong = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (own, text) in all_files() {
        let module = own.first().expect("a file").clone();
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == module) else {
            assert!(
                ["main", "lib", "cli", "config", "commands"].contains(&module.as_str()),
                "module `{module}` has no layer: add it to ALLOWED"
            );
            continue;
        };
        // In a file's tests `super` is the file itself.
        let (code, tests) = text.split_once("\nmod tests {").unwrap_or((&text, ""));
        let within: Module = own.iter().cloned().chain(["tests".to_owned()]).collect();
        let all = paths(code, &own).into_iter().chain(paths(tests, &within));
        let edges = all.filter_map(|path| path.into_iter().next());
        for edge in edges.collect::<BTreeSet<_>>() {
            *seen.entry(module.clone()).or_default() += 1;
            if edge != module && edge.starts_with(char::is_lowercase) && !allowed.contains(&edge.as_str()) {
                wrong.push(format!("{} uses crate::{edge}", own.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen["check"] > 5, "the test reads no edges");
}

/// How rows are written is read by the build script, before there is a store: it knows nothing of what is made of them.
#[test]
fn what_stands_in_files_knows_neither_store_nor_judge() {
    let files = all_files();
    let is_below = |module: &Module, folder: &str| module.starts_with(&["rules".to_owned(), folder.to_owned()]);
    let uses = uses(&files);
    let of_schema = uses.iter().filter(|(module, _)| is_below(module, "schema"));
    let up = |others: &BTreeSet<Module>| {
        others.iter().filter(|other| is_below(other, "store") || is_below(other, "judge")).cloned().collect::<Vec<_>>()
    };
    let wrong: Vec<_> =
        of_schema.map(|(module, others)| (module, up(others))).filter(|(_, up)| !up.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let store = &uses[&["rules", "store", "pack"].map(str::to_owned).to_vec()];
    assert!(store.iter().any(|other| is_below(other, "schema")), "the test reads no edges");
}

#[test]
fn edges_are_read_from_every_spelling() {
    let text =
        "use crate::facts::Facts;\nuse crate::{rules, text::list};\n// crate::probe\nfn f() { crate::index::g() }";
    let expected: BTreeSet<String> = ["facts", "rules", "text", "index"].map(str::to_owned).into();
    assert_eq!(edges(text), expected);
}

/// A file of `src` is an idea; what is longer than this holds two.
const LONGEST: usize = 500;

#[test]
fn no_file_is_too_long_to_be_one_idea() {
    let lines = |(module, text): (Module, String)| (text.lines().count(), module.join("::"));
    let long: Vec<_> = all_files().into_iter().map(lines).filter(|(lines, _)| *lines > LONGEST).collect();
    assert!(long.is_empty(), "split these by subject: {long:?}");
}

#[test]
fn one_file_knows_the_crates_of_python_versions_and_requirements() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let names = |path: &&PathBuf| {
        let text = std::fs::read_to_string(path).expect("a source is text");
        text.contains("pep440_rs") || text.contains("pep508_rs")
    };
    let found: Vec<_> = files.iter().filter(names).map(|path| path.strip_prefix(&root).expect("below src")).collect();
    assert_eq!(found, [Path::new("pep.rs")]);
}
