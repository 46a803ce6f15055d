use serde::Serialize;

use crate::rules::RuleDb;
use crate::solve::{Pin, Resolution};

/// A package index that an installer needs beside PyPI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Index {
    /// E.g. `cu128`.
    pub name: String,
    /// Its address.
    pub url: String,
}

/// The indexes that serve the chosen builds, PyPI left out, sorted by name.
#[must_use]
pub fn indexes(resolution: &Resolution<'_>, db: &RuleDb) -> Vec<Index> {
    let mut names: Vec<&str> = resolution.pins.iter().filter(|pin| !pin.on_pypi()).map(Pin::index).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| Some(Index { name: name.to_owned(), url: db.index_url(name)? })).collect()
}
