//! What `gpudoc explain` tells of an Xid error.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::lines::Labels;
use crate::rules::schema::{XidAction, XidError};
use crate::text::wrap;

const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// An error of NVIDIA's driver: what happened, where it comes from as a rule, and what to do.
#[must_use]
pub fn xid(row: &XidError, action: &XidAction, source: &str, width: usize) -> String {
    let width = width.clamp(40, 100);
    let labels = Labels { indent: 0, label: 10, width };
    let mut out = String::new();
    for line in wrap(&format!("Xid {}: {}", row.number, row.title), width) {
        let _ = writeln!(out, "{BOLD}{line}{BOLD:#}");
    }
    out.push('\n');
    for line in wrap(&row.meaning, width) {
        let _ = writeln!(out, "{line}");
    }
    out.push('\n');
    labels.add(&mut out, "cause", &format!("as a rule {}", row.cause.name()));
    labels.styled(&mut out, GREEN, Style::new(), "fix", &action.summary);
    for command in &action.commands {
        let _ = writeln!(out, "{:12}{CYAN}{command}{CYAN:#}", "");
    }
    labels.add(&mut out, "source", source);
    out
}
