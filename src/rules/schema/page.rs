//! What all rows share: the pages that they were read on, and a table of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fault::{Fault, day};
use super::short;
use crate::pep::{PackageName, Requirement};

/// A file of `platform/`: its rows, and what must be true of them.
pub trait Table: serde::de::DeserializeOwned {
    /// Checks all rows.
    ///
    /// # Errors
    ///
    /// The first row that is wrong, with its place.
    fn check(&self) -> Result<(), Fault>;
}

/// A row of a table that stands in a package's file.
pub trait Row {
    /// The name of the table, e.g. `old-release`.
    const TABLE: &str;

    /// Checks the row.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn check(&self) -> Result<(), Fault>;
}

/// A page that was opened, named once per file and cited by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Page {
    /// An address, or the name of a wheel and the file in it.
    pub page: String,
    /// The day it was read, `2026-11-20`.
    #[serde(with = "short::day")]
    pub read: String,
}

/// A wheel that was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OpenedWheel {
    /// Its file name.
    pub wheel: String,
    /// Its SHA-256 in hexadecimal digits, as the index states it.
    #[serde(with = "short::hash")]
    pub sha256: String,
    /// The day it was read, `2026-11-21`.
    #[serde(with = "short::day")]
    pub read: String,
}

pub fn wheel(source: &OpenedWheel) -> Result<(), Fault> {
    if source.sha256.len() != 64 || !source.sha256.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Fault::new(format!("`sha256` of `{}` is not 64 hexadecimal digits", source.wheel)));
    }
    day(&source.read)
}

pub fn normalised(name: &str) -> Result<(), String> {
    if PackageName::new(name.to_owned()).map_err(|error| error.to_string())?.as_ref() != name {
        return Err(format!("`{name}` is not a normalised name"));
    }
    Ok(())
}

/// What a row calls an environment variable looks like one: `CUDA_HOME`.
pub fn variable(name: &str) -> Result<(), String> {
    let is_letter = |letter: u8| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == b'_';
    if name.is_empty() || !name.bytes().all(is_letter) {
        return Err(format!("`{name}` is no environment variable"));
    }
    Ok(())
}

pub fn requirement(line: &str) -> Result<Requirement, String> {
    line.parse().map_err(|error| format!("`{line}`: {error}"))
}

/// Names of branches: what is read there today may say something else tomorrow.
const BRANCHES: [&str; 7] = ["main", "master", "develop", "dev", "trunk", "nightly", "HEAD"];

/// The first page that a text names and that changes after it was read: a file on a branch of a repository, as in
/// `github.com/owner/name/blob/main/setup.py`, or in words, as in `RELEASE.md main`, and the documentation of a branch. A tag or
/// a commit stays.
#[must_use]
pub fn moving(text: &str) -> Option<&str> {
    let addresses = text.match_indices("https://").map(|(at, _)| {
        let rest = text.get(at..).unwrap_or_default();
        rest.split([' ', '"', '`', '\'', '<', '>', ')', '\n', '\\']).next().unwrap_or_default()
    });
    addresses.into_iter().find(|address| is_on_a_branch(address)).or_else(|| moving_in_words(text))
}

fn is_on_a_branch(address: &str) -> bool {
    const VIEWS: [&str; 5] = ["blob", "tree", "raw", "edit", "blame"];
    let is_branch =
        |part: Option<&&str>| part.is_some_and(|part| BRANCHES.contains(&part.trim_end_matches([':', ',', ';'])));
    let parts: Vec<&str> = address.split('/').skip(2).collect();
    match parts.split_first() {
        Some((&"raw.githubusercontent.com", path)) => {
            is_branch(path.get(2)) || (path.get(2..4) == Some(&["refs", "heads"]))
        }
        Some((_, path)) => match path.iter().skip(2).position(|part| VIEWS.contains(part)).map(|at| at + 2) {
            Some(view) => is_branch(path.get(view + 1)),
            None => path.iter().skip_while(|part| **part != "docs").skip(1).take(2).any(|part| is_branch(Some(part))),
        },
        None => false,
    }
}

/// A file, a repository or a time, and a branch behind it: `setup.py main`, `owner/name@master`, `2.10-era main`.
fn moving_in_words(text: &str) -> Option<&str> {
    let is_place = |word: &str| {
        let ending = word.rsplit_once('.').map_or("", |(_, ending)| ending);
        let of_owner = word.split_once('/').is_some_and(|(owner, _)| !owner.is_empty() && !owner.ends_with(':'));
        of_owner || word.ends_with("-era") || (!ending.is_empty() && ending.chars().all(char::is_alphabetic))
    };
    BRANCHES.iter().flat_map(|branch| text.match_indices(branch)).find_map(|(at, branch)| {
        let end = at + branch.len();
        let before = text.get(..at)?.strip_suffix([' ', '@'])?;
        let ends = text.get(end..)?.chars().next().is_none_or(|next| !next.is_alphanumeric() && !"-_./".contains(next));
        let place = before.rsplit([' ', '"', '`', '(', '\n']).next()?;
        (ends && is_place(place)).then(|| text.get(before.len() - place.len()..end))?
    })
}

/// What must stand in a page's name so that it can be opened: an address, an archive, or a repository at a tag or a commit. A
/// release by its name and version is one too, `timm 0.4.5: helpers.py`.
///
/// Returns the first page of a line of TOML, `page = "…"`, that names none of these, such as `(fixtures of build.sh)`.
#[must_use]
pub fn unopened(line: &str) -> Option<&str> {
    let pages = line.split("page = \"").skip(1).filter_map(|rest| rest.split('"').next());
    pages.into_iter().find(|page| !can_be_opened(page))
}

fn can_be_opened(page: &str) -> bool {
    const ARCHIVES: [&str; 4] = [".whl", ".tar.gz", ".zip", ".conda"];
    let is_commit = |word: &str| word.len() >= 7 && word.bytes().all(|digit| digit.is_ascii_hexdigit());
    let is_version = |word: &str| {
        let word = word.trim_start_matches('v');
        word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('.')
    };
    let named_in = |word: &str| {
        let word = word.trim_end_matches([',', ':', ';', ')']);
        let (_, at) = word.split_once('@').unwrap_or(("", word));
        ["wheel", "wheels", "sdist", "sdists"].contains(&word)
            || is_commit(at.split([':', '/']).next().unwrap_or_default())
            || (at != word && is_version(at))
    };
    let mut words = page.split([' ', ',', ':']);
    let first = words.next().unwrap_or_default();
    let is_release = first.rsplit_once('-').is_some_and(|(_, version)| is_version(version))
        || (first.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && !first.contains('/')
            && words.next().is_some_and(is_version));
    page.contains("https://")
        || ARCHIVES.iter().any(|archive| page.contains(archive))
        || page.split(' ').any(named_in)
        || is_release
}

/// A page in one line, e.g. `https://vendor.example/table, read 2026-11-20`.
#[must_use]
pub fn cite(page: &Page) -> String {
    format!("{}, read {}", page.page, page.read)
}

/// The page that a row cites by its key, as [`cite`] has it; checked tables have it.
#[must_use]
pub fn cite_key(sources: &BTreeMap<String, Page>, key: &str) -> String {
    sources.get(key).map(cite).unwrap_or_default()
}

pub fn pages(sources: &BTreeMap<String, Page>) -> Result<(), Fault> {
    for (key, page) in sources {
        day(&page.read).map_err(|found| Fault { path: vec!["sources".to_owned(), key.clone()], ..found })?;
    }
    Ok(())
}

pub fn cited(sources: &BTreeMap<String, Page>, key: &str, table: &str, index: usize) -> Result<(), Fault> {
    if sources.contains_key(key) {
        return Ok(());
    }
    Err(fault(table, index, &format!("source `{key}` is not in `[sources]`")))
}

pub fn fault(table: &str, index: usize, message: &str) -> Fault {
    Fault { path: vec![table.to_owned(), index.to_string()], message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{moving, unopened};

    #[test]
    fn a_page_on_a_branch_moves_and_one_at_a_tag_or_commit_stays() {
        for text in [
            "see https://github.com/a/b/blob/main/setup.py: name",
            "https://github.com/a/b/tree/master",
            "https://raw.githubusercontent.com/a/b/HEAD/x.toml",
            "https://raw.githubusercontent.com/a/b/refs/heads/release/x.toml",
            "https://gitlab.com/a/b/-/blob/develop/x",
            "https://docs.pytorch.org/docs/main/user_guide/x.html",
            "https://huggingface.co/docs/transformers/main/en/perf",
            "page = \"RELEASE.md main as of 2026-09\"",
            "(build_cuda.sh, 2.10-era main)",
            "huggingface/accelerate@main: setup.py",
        ] {
            assert!(moving(text).is_some(), "{text}");
        }
        for text in [
            "https://github.com/a/b/blob/v2.8.3/main/setup.py",
            "https://github.com/main/master/issues/1",
            "https://raw.githubusercontent.com/a/b/0768a9b/main.toml",
            "https://docs.example/dev/raw.html and blob/main",
            "https://docs.pytorch.org/docs/2.15/main.html",
            "https://github.com/a/b/blob/0768a9b/docs/main/x.md",
            "a/b@0768a9b: setup.py, the main modules",
            "cuda_setup/main.py and the main one, CUDA 12.8 nightly",
        ] {
            assert_eq!(moving(text), None, "{text}");
        }
    }

    #[test]
    fn a_page_names_something_that_can_be_opened() {
        for page in [
            "(verbatim fixtures of .ci/manywheel/build_cuda.sh at the release tag)",
            "pytorch/pytorch .ci/aarch64_linux/aarch64_ci_build.sh, the version with arms for 12.6 and 12.8",
            "cuda_dnn.cc of XLA, CudnnSupport::Init",
            "same commit",
        ] {
            assert_eq!(unopened(&format!("source = {{ page = \"{page}\", read = \"2026-11-20\" }}")), Some(page));
        }
        for page in [
            "https://github.com/a/b/pull/1: the list",
            "triton-3.2.0-cp311-cp311-linux_x86_64.whl has no triton/ops",
            "jax-0.4.1.tar.gz: setup.py",
            "torch/_dynamo/eval_frame.py in the torch wheels for macOS 2.0.0 to 2.15.0",
            "a/b@0768a9b: setup.py",
            "CHANGELOG.md of a/b at cec06d116c05f0d52adfceee3d3b730fdbcb0ce5",
            "huggingface/accelerate@v1.2.0: setup.py",
            "pip 23.2.1, `pip install --help`",
            "numba-0.58.1, 0.61.2: numba/__init__.py",
        ] {
            assert_eq!(unopened(&format!("page = \"{page}\"")), None);
        }
    }
}
