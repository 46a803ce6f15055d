//! A change of files that lets a set be met: which lines and indexes, and with which edits.

use std::rc::Rc;

use super::edit;
use super::solver::Pins;
use super::view::View;
use crate::lint::project::{IndexAt, Line};
use crate::lint::{Edit, Fix};
use crate::text::list;

/// What changes, and what is then installed.
pub struct Mend<'p> {
    /// Lines with other versions.
    pub lines: Vec<Rewritten<'p>>,
    /// Indexes in the place of others.
    pub indexes: Vec<Exchanged<'p>>,
    /// What an installer takes then.
    pub pins: Rc<Pins>,
}

/// A line with other versions.
pub struct Rewritten<'p> {
    pub line: &'p Line,
    /// E.g. `==2.7.1`.
    pub versions: String,
}

/// An index in the place of another one.
pub struct Exchanged<'p> {
    pub at: &'p IndexAt,
    /// E.g. `cu124`.
    pub from: String,
    /// E.g. `cu128`.
    pub to: String,
    /// Wherever the environment names it.
    pub edits: Vec<Edit>,
}

impl Mend<'_> {
    /// All edits, with a sentence that says what is written.
    pub fn fix(&self, view: &View<'_>) -> Fix {
        let indexes = self.indexes.iter().map(|one| format!("the index `{}`", one.to));
        let words = indexes.chain(self.lines.iter().map(|one| format!("`{}{}`", one.line.name, one.versions)));
        let lines = self
            .lines
            .iter()
            .filter_map(|one| Some(edit(view, one.line.at.file, one.line.versions.as_ref()?, one.versions.clone())));
        let mut edits: Vec<Edit> = lines.chain(self.indexes.iter().flat_map(|one| one.edits.clone())).collect();
        edits.sort();
        edits.dedup();
        let mut written: Vec<String> = Vec::new();
        words.for_each(|word| {
            if !written.contains(&word) {
                written.push(word);
            }
        });
        Fix { summary: format!("write {}", list(&written)), edits }
    }
}
