//! Version numbers are knowledge, and knowledge stands in `rules/`: no literal of the sources holds one that decides anything.

use std::path::{Path, PathBuf};

/// What may stand in a source: its file, the words around the number, and why.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("commands/init.rs", "570.133.20", "the comment that a new gpudoc.toml shows for a driver nobody told"),
    ("commands/init.rs", "3.12", "the same for Python"),
    ("commands/init.rs", "2.35", "the same for glibc"),
    ("facts/redact/secrets.rs", "127.0.0.1", "addresses that are the same on every machine"),
    ("index/simple.rs", "application/vnd.pypi.simple.v1", "media types and their weights in a header"),
    ("objects/ld_cache.rs", "ld.so-1.7.0", "the magic bytes of a file format"),
    ("objects/ld_cache.rs", "glibc-ld.so.cache1.1", "the same of its newer form"),
    ("probe/clock.rs", "{:>9.1} ms", "the width of a column"),
    ("report/ci/junit.rs", "<?xml version=", "the version of XML"),
    ("report/ci/mod.rs", "SARIF 2.1.0", "the version of SARIF that is written, in the words of --help"),
    ("report/ci/sarif.rs", "2.1.0", "the version of SARIF that is written"),
    ("version.rs", "ParseVersionError::new", "the example in an error message"),
];

/// Words after which a number is an example of a form, in a message to who wrote another.
const EXAMPLES: &[&str] = &["such as `", "such as `\\\"", "e.g. `", "https://"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("src is readable") {
        let path = entry.expect("src is readable").path();
        match path.is_dir() {
            true if path.file_name().is_some_and(|name| name == "tests") => {}
            true => sources(&path, found),
            false
                if path
                    .file_name()
                    .is_some_and(|name| name.to_string_lossy().ends_with("tests.rs") || name == "cases.rs") => {}
            false => found.extend(path.extension().is_some_and(|end| end == "rs").then_some(path)),
        }
    }
}

/// Whether a text holds digits, a dot, and digits.
fn has_version(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(3).any(|three| three[0].is_ascii_digit() && three[1] == b'.' && three[2].is_ascii_digit())
}

/// The string literals of a line of code.
fn literals(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = None;
    let mut escaped = false;
    for (at, letter) in line.char_indices() {
        match (letter, start) {
            ('"', None) => start = Some(at + 1),
            ('"', Some(from)) if !escaped => {
                found.push(&line[from..at]);
                start = None;
            }
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
    }
    found
}

/// Lines of code, without comments and tests, whose literals hold a version, as `file: line`.
fn versions(root: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    sources(root, &mut files);
    files.sort();
    let mut found = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a source is text");
        let code =
            text.split("#[cfg(test)]").next().unwrap_or_default().split("#[cfg(all(test").next().unwrap_or_default();
        let name = path.strip_prefix(root).expect("below src").to_string_lossy().replace('\\', "/");
        // A rule says since which release of gpudoc it is there.
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//") && !line.contains(", since \""));
        let with = lines.filter(|line| literals(line).into_iter().any(has_version));
        found.extend(with.map(|line| (name.clone(), line.trim().to_owned())));
    }
    found
}

#[test]
fn no_version_is_known_in_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut used = vec![false; ALLOWED.len()];
    let mut left = Vec::new();
    for (file, line) in versions(&root) {
        let known = ALLOWED.iter().position(|(own, words, _)| *own == file && line.contains(words));
        match known {
            Some(at) => used[at] = true,
            None if EXAMPLES.iter().any(|words| line.contains(words)) => {}
            None => left.push(format!("{file}: {line}")),
        }
    }
    assert!(left.is_empty(), "put what these know into rules/, or allow them with a reason:\n{}", left.join("\n"));
    let idle: Vec<_> = ALLOWED.iter().zip(&used).filter(|(_, used)| !**used).map(|(allowed, _)| allowed).collect();
    assert!(idle.is_empty(), "nothing is like these any more: {idle:?}");
}

/// Numbers of CUDA's errors are rows of `platform/cuda_errors.toml`; the pages of rules, which are fixed texts, may quote them.
#[test]
fn no_error_number_is_known_in_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let is_number = |rest: &str| rest.len() >= 3 && rest.bytes().take(3).all(|digit| digit.is_ascii_digit());
    let mut found = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a source is text");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let with = lines.filter(|line| line.split("error ").skip(1).any(is_number));
        found.extend(
            with.map(|line| format!("{}: {}", path.strip_prefix(&root).expect("below").display(), line.trim())),
        );
    }
    // A page of lint, as said above.
    assert_eq!(found, ["lint/rules/compat.rs: with error 803 or 804.\","]);
}

/// Which packages of `rules/packages/` a source may name: the file or folder, the names, and why.
const NAMED: &[(&str, &[&str], &str)] = &[
    ("check/abi/numpy_1.rs", &["numpy"], "the rule is about numpy's own C interface"),
    ("check/symptoms/quote.rs", &["numpy"], "every traceback names it: what else is named tells more"),
    ("check/toolchain/", &["triton"], "the rule is about what Triton needs to compile"),
    ("commands/opened.rs", &["nvidia-cuda-runtime"], "the wheel that the harvester takes a header from"),
    ("facts/mod.rs", &["torch"], "the constant, with the reason"),
    ("facts/redact/paths.rs", &["torch", "triton"], "folders that are named after no person"),
    ("harvest/variants.rs", &["torch", "torchvision", "torchaudio"], "the columns of a file that is read"),
    ("lint/rules/foreign_ptxas.rs", &["triton"], "the rule is about what Triton compiles with"),
    ("probe/build_stamp.rs", &["bitsandbytes", "xformers"], "files of their own that are read, which declare no torch"),
    ("probe/objects.rs", &["numpy"], "numpy's own C interface, as above"),
    ("project/conda_cuda.rs", &["cuda-toolkit"], "conda's packages of the compiler, not PyPI's"),
    ("project/pyproject.rs", &["setuptools"], "a table of pyproject.toml"),
    ("python/", &["torch"], "a part of the names of versions, modules and files"),
    ("rules/judge/companion.rs", &["cuda-toolkit"], "the one that names all of NVIDIA's wheels"),
    ("rules/judge/complete.rs", &["triton"], "what PyTorch's CPU builds and builds for Windows do not ask for"),
    ("rules/schema/symptoms.rs", &["torch"], "a place in the sentences of messages, filled with what is installed"),
    ("rules/store/windows.rs", &["triton"], "the same"),
    ("told/", &["torch", "xformers", "deepspeed"], "how reports spell sentences"),
];

/// Where the name of the hub is a part of another text, or a key of a file.
const PARTS: &[&str] = &[
    "strip_prefix(\"torch\")",
    ".replace(\"{torch}\"",
    "contains(\"torch\")",
    "rename = \"torch\"",
    "below(\"torch\"",
    "list(text, \"torch\"",
];

#[test]
fn no_package_is_known_in_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rows = std::fs::read_dir(root.join("rules/packages")).expect("the packages");
    let stem = |path: PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    let packages: std::collections::BTreeSet<String> = rows.map(|entry| stem(entry.expect("a file").path())).collect();
    let root = root.join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files.sort();
    let mut used = std::collections::BTreeSet::new();
    let mut left = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a source is text");
        let code =
            text.split("#[cfg(test)]").next().unwrap_or_default().split("#[cfg(all(test").next().unwrap_or_default();
        let file = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in lines.filter(|line| !PARTS.iter().any(|part| line.contains(part))) {
            for name in literals(line).into_iter().filter(|literal| packages.contains(*literal)) {
                match NAMED.iter().position(|(own, names, _)| file.starts_with(own) && names.contains(&name)) {
                    Some(at) => drop(used.insert((at, name.to_owned()))),
                    None => left.push(format!("{file}: {}", line.trim())),
                }
            }
        }
    }
    assert!(left.is_empty(), "ask the rules for these, or allow them with a reason:\n{}", left.join("\n"));
    let allowed = NAMED.iter().enumerate().flat_map(|(at, (_, names, _))| names.iter().map(move |name| (at, *name)));
    let idle: Vec<_> = allowed.filter(|(at, name)| !used.contains(&(*at, (*name).to_owned()))).collect();
    assert!(packages.contains("torch") && idle.is_empty(), "nothing is like these any more: {idle:?}");
}

#[test]
fn every_variable_that_a_check_asks_for_is_recorded() {
    let mut files = Vec::new();
    for folder in ["src/check", "src/cause", "src/impact"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    let mut asked = std::collections::BTreeSet::new();
    for path in &files {
        let text = std::fs::read_to_string(path).expect("a source is text");
        let names = text.split("environment.get(\"").skip(1).filter_map(|rest| rest.split('"').next());
        asked.extend(names.map(str::to_owned));
    }
    let unknown: Vec<_> = asked.iter().filter(|name| gpudoc::rules::embedded().variable(name).is_none()).collect();
    assert!(asked.contains("LD_LIBRARY_PATH") && unknown.is_empty(), "not in platform/environment.toml: {unknown:?}");
}

/// A package has its role by its row, or by a row of `cuda_names.toml`; nothing is known of the beginning of a name in code.
#[test]
fn no_role_follows_from_the_beginning_of_a_name() {
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    sources(&root, &mut files);
    let by_name = |path: &&PathBuf| {
        let text = std::fs::read_to_string(path).expect("a source is text");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        [r#"starts_with("nvidia-"#, r#"starts_with("cuda-"#, r#"contains("+cu"#]
            .iter()
            .any(|words| code.contains(words))
    };
    let mut found: Vec<_> = files.iter().filter(by_name).map(|path| path.strip_prefix(&root).expect("below")).collect();
    found.sort();
    // A folder of a toolkit in /usr/local, of which this machine is asked without the rules.
    assert_eq!(found, [Path::new("probe/loader.rs")]);
}

/// Also in comments: whoever looks a page up must see what was read.
#[test]
fn no_page_that_is_named_in_code_is_on_a_branch() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("a source is text");
    let moving: Vec<_> = files
        .iter()
        .filter(|path| !path.ends_with("schema/page.rs"))
        .filter_map(|path| {
            gpudoc::rules::schema::page::moving(&read(path)).map(|page| format!("{}: {page}", path.display()))
        })
        .collect();
    assert!(files.len() > 100 && moving.is_empty(), "name a tag or a commit: {moving:?}");
}

#[test]
fn a_version_in_a_literal_is_seen() {
    assert!(literals(r#"let old = cuda < "12.8" && x;"#).into_iter().any(has_version));
    assert!(literals(r#"a("it is \"2.6\" here", 'x')"#).into_iter().any(has_version));
    assert!(!literals(r#"let ratio = 1.05; f("a.b 1. 2")"#).into_iter().any(has_version));
}
