//! Lines that several texts are made of.

use std::fmt::Write;

use anstyle::Style;

use crate::text::wrap;

const DIM: Style = Style::new().dimmed();

/// A unified diff, e.g. for `patch -p1`, with so many lines around what differs.
#[must_use]
pub fn unified_diff(name: &str, before: &str, after: &str, around: usize) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    diff.unified_diff().context_radius(around).header(&format!("a/{name}"), &format!("b/{name}")).to_string()
}

/// A column of labels with their texts, each continued under itself.
pub struct Labels {
    /// Spaces before a label.
    pub indent: usize,
    /// Characters of a label with the space behind it.
    pub label: usize,
    /// Characters of a line.
    pub width: usize,
}

impl Labels {
    /// Adds `label  text`.
    pub fn add(&self, out: &mut String, label: &str, text: &str) {
        self.styled(out, DIM, Style::new(), label, text);
    }

    /// The same with styles for the label and the text.
    pub fn styled(&self, out: &mut String, style: Style, of_text: Style, label: &str, text: &str) {
        let Self { indent, label: column, width } = *self;
        for (index, line) in wrap(text, width.saturating_sub(indent + column).max(20)).into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let _ = writeln!(out, "{:indent$}{style}{label:<column$}{style:#}{of_text}{line}{of_text:#}", "");
        }
    }
}
