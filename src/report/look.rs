//! How a report looks on what it is written to.

use anstyle::{AnsiColor, Style};

use crate::check::Verdict;
use crate::finding::Severity;

pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const RED: Style = AnsiColor::Red.on_default().bold();
pub const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub const GREEN: Style = AnsiColor::Green.on_default().bold();
pub const CYAN: Style = AnsiColor::Cyan.on_default();

/// What a text is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Characters of a line; taken as at least 40 and at most 100.
    pub width: usize,
    /// Signs as `✗` in front; else the words that scripts and logs are searched for: `fail`.
    pub signs: bool,
}

impl Look {
    /// For a pipe or a file of so many columns.
    #[must_use]
    pub fn plain(width: usize) -> Self {
        Self { width, signs: false }
    }

    /// Characters of a line.
    pub(super) fn columns(self) -> usize {
        self.width.clamp(40, 100)
    }

    /// What stands in front of a cause.
    pub(super) fn of(self, severity: Severity) -> (&'static str, Style) {
        match (severity, self.signs) {
            (Severity::Fail, true) => ("✗", RED),
            (Severity::Fail, false) => ("fail", RED),
            (Severity::Warn, true) => ("!", YELLOW),
            (Severity::Warn, false) => ("warn", YELLOW),
            (Severity::Info, true) => ("·", CYAN),
            (Severity::Info, false) => ("info", CYAN),
        }
    }

    /// What stands in front of the last line.
    pub(super) fn verdict(self, verdict: &Verdict) -> (&'static str, Style) {
        match (verdict, self.signs) {
            (Verdict::Pass(_), true) => ("✓", GREEN),
            (Verdict::Pass(_), false) => ("pass", GREEN),
            (Verdict::Warn, _) => self.of(Severity::Warn),
            (Verdict::Fail, _) => self.of(Severity::Fail),
            (Verdict::Unknown, true) => ("?", YELLOW),
            (Verdict::Unknown, false) => ("unknown", YELLOW),
        }
    }

    /// Characters in front of a text: the mark and a space, or the widest word with two.
    pub(super) fn indent(self) -> usize {
        if self.signs { 2 } else { 6 }
    }
}
