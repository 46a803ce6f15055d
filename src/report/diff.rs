//! Two environments side by side, as text and as JSON (`gpudoc.diff/1`).

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::finding::FindingDocument;
use super::lines::Labels;
use crate::diff::{Comparison, Difference};
use crate::finding::Id;
use crate::finding::Severity;
use crate::step::Shell;
use crate::text::{count, list, wrap};

const SCHEMA: &str = "gpudoc.diff/1";
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();

/// Writes a comparison for people. `names` are what the two environments were called.
#[must_use]
pub fn text(comparison: &Comparison, names: [&str; 2], width: usize) -> String {
    let width = width.clamp(40, 100);
    let labels = Labels { indent: 2, label: 2, width };
    let mut out = String::new();
    for (name, style, findings) in [(names[0], RED, &comparison.left), (names[1], GREEN, &comparison.right)] {
        let serious = findings.iter().filter(|finding| finding.severity != Severity::Info);
        let titles: Vec<_> = serious.map(|finding| format!("{} [{}]", finding.title, finding.id)).collect();
        let sign = if style == RED { "-" } else { "+" };
        let number = match titles.len() {
            0 => "no finding of its own".to_owned(),
            number => count(number, "finding of its own", "findings of its own"),
        };
        let _ = writeln!(out, "{style}{sign}{style:#} {BOLD}{name}{BOLD:#}: {number}");
        titles.iter().for_each(|title| labels.add(&mut out, "", title));
    }
    let explaining = comparison.differences.iter().take_while(|difference| !difference.explains.is_empty()).count();
    let (first, rest) = comparison.differences.split_at(explaining);
    for (title, part) in [("What explains them", first), ("What else differs", rest)] {
        if part.is_empty() {
            continue;
        }
        let title = if explaining == 0 { "What differs" } else { title };
        let _ = writeln!(out, "\n{BOLD}{title}{BOLD:#}");
        part.iter().for_each(|difference| write_difference(&mut out, difference, width));
    }
    if comparison.differences.is_empty() {
        let _ = writeln!(out, "\nno difference");
    }
    out
}

fn write_difference(out: &mut String, difference: &Difference, width: usize) {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none, or not known".to_owned());
    let line = format!("{}: {} → {}", difference.fact, value(&difference.left), value(&difference.right));
    if difference.explains.is_empty() && line.chars().count() + 2 <= width {
        let _ = writeln!(out, "  {line}");
        return;
    }
    let why = match difference.explains.as_slice() {
        [] => String::new(),
        ids => format!("  [{}]", list(ids)),
    };
    let _ = writeln!(out, "  {}{DIM}{why}{DIM:#}", difference.fact);
    for (sign, style, value) in [("-", RED, &value(&difference.left)), ("+", GREEN, &value(&difference.right))] {
        for (index, line) in wrap(value, width - 6).into_iter().enumerate() {
            let sign = if index == 0 { sign } else { " " };
            let _ = writeln!(out, "    {style}{sign}{style:#} {line}");
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    differences: Vec<Row<'a>>,
    only_left: Vec<FindingDocument<'a>>,
    only_right: Vec<FindingDocument<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    fact: &'a str,
    left: Option<&'a str>,
    right: Option<&'a str>,
    explains: &'a [Id],
}

impl<'a> Row<'a> {
    fn new(difference: &'a Difference) -> Self {
        let Difference { fact, left, right, explains } = difference;
        Self { fact, left: left.as_deref(), right: right.as_deref(), explains }
    }
}

/// A comparison as JSON, `gpudoc.diff/1`, with a newline at the end.
///
/// # Errors
///
/// Never in practice: every part serialises.
pub fn json(comparison: &Comparison) -> serde_json::Result<String> {
    let document = Document {
        schema: SCHEMA,
        differences: comparison.differences.iter().map(Row::new).collect(),
        only_left: FindingDocument::all(&comparison.left, Shell::Sh),
        only_right: FindingDocument::all(&comparison.right, Shell::Sh),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
