//! What all rows share: the pages that they were read on, and a table of them.

use std::collections::BTreeMap;

use pep508_rs::{PackageName, VerbatimUrl};
use serde::{Deserialize, Serialize};

use super::super::fault::{Fault, day};

/// A file of `platform/`: its rows, and what must be true of them.
pub trait Table: serde::de::DeserializeOwned {
    /// The file's name without `.toml`, e.g. `gpus`.
    const FILE: &str;

    /// Checks all rows.
    ///
    /// # Errors
    ///
    /// The first row that is wrong, with its place.
    fn check(&self) -> Result<(), Fault>;
}

/// A page that was opened, named once per file and cited by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Page {
    /// An address, or the name of a wheel and the file in it.
    pub page: String,
    /// The day it was read, `2026-11-20`.
    pub read: String,
}

/// A wheel that was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OpenedWheel {
    /// Its file name.
    pub wheel: String,
    /// Its SHA-256 in hexadecimal digits, as the index states it.
    pub sha256: String,
    /// The day it was read, `2026-11-21`.
    pub read: String,
}

pub fn wheel(source: &OpenedWheel) -> Result<(), String> {
    if source.sha256.len() != 64 || !source.sha256.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(format!("`sha256` of `{}` is not 64 hexadecimal digits", source.wheel));
    }
    Ok(())
}

pub fn normalised(name: &str) -> Result<(), String> {
    if PackageName::new(name.to_owned()).map_err(|error| error.to_string())?.as_ref() != name {
        return Err(format!("`{name}` is not a normalised name"));
    }
    Ok(())
}

pub fn requirement(line: &str) -> Result<pep508_rs::Requirement<VerbatimUrl>, String> {
    line.parse().map_err(|error| format!("`{line}`: {error}"))
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
