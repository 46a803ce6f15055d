//! Pasted text to facts: environment reports, lists of distributions, `nvidia-smi`, error messages, and people's words.
//!
//! In comes whatever somebody copied: clipped, quoted, wrapped, with the prefixes of a logger, several reports in one, in any
//! order. Out come [`Facts`] of origin [`Origin::Report`](crate::facts::Origin): what the text does not say is unknown, and
//! what it says in two ways is told. Each reader looks at every line and takes what it knows; none needs a heading, so that
//! half a report is worth half of it. What the world is like (names of GPUs and packages) comes in as a [`Vocabulary`].

mod clean;
mod commands;
mod draft;
mod fields;
mod lists;
mod prose;
mod sentences;
mod shell;
mod smi;

use crate::facts::Facts;
use crate::facts::redact::{Identity, redact};
use crate::log::Log;
use crate::parse::xid::parse_xids;

pub use clean::{Clean, Line, clean};

/// What the readers must know of the world.
pub struct Vocabulary<'a> {
    /// Whether a normalised name is that of a distribution worth knowing, e.g. `flash-attn`.
    pub is_package: &'a dyn Fn(&str) -> bool,
    /// The distribution that a module belongs to, e.g. `flash-attn` for `flash_attn_2_cuda`.
    pub distribution_of: &'a dyn Fn(&str) -> Option<String>,
    /// The local label of the builds of a package at an index, by address and name, e.g. `cu124`.
    pub variant: &'a dyn Fn(&str, &str) -> Option<String>,
    /// Whether a text names a GPU, e.g. `GeForce RTX 5090`, `H100`.
    pub is_gpu: &'a dyn Fn(&str) -> bool,
}

/// A text that was read.
pub struct Report {
    /// What it tells; without names of people, machines and secrets.
    pub facts: Facts,
    /// The text without what pasting did to it, to look for error messages in.
    pub log: Log,
}

/// How the kernel's log is called among what was recognised.
const KERNEL_LOG: &str = "kernel log";

/// So many lines are read one by one; error messages are looked for in all of them.
const MOST_LINES: usize = 10_000;

/// Reads a text.
#[must_use]
pub fn read(text: &str, vocabulary: &Vocabulary<'_>) -> Report {
    let xids = parse_xids(text);
    let mut text = clean(text);
    let count = text.lines.len();
    if count > MOST_LINES {
        // Reports stand at the start or the end of a log.
        text.lines.drain(MOST_LINES / 2..count - MOST_LINES / 2);
    }
    let mut draft = draft::Draft::default();
    smi::read(&text.lines, &mut draft);
    fields::read(&text.lines, vocabulary, &mut draft);
    shell::read(&text.lines, &mut draft);
    lists::read(&text.lines, vocabulary, &mut draft);
    commands::read(&text.lines, vocabulary, &mut draft);
    sentences::read(&text, vocabulary, &mut draft);
    prose::read(&text.lines, vocabulary, &mut draft);
    if !xids.is_empty() {
        let lines = text.lines.iter().filter(|line| line.text.contains("NVRM: Xid ("));
        lines.for_each(|line| draft.saw(KERNEL_LOG, line.number));
        draft.xids = xids;
    }
    let facts = draft.finish(count);
    Report { facts: redact(&facts, &Identity::default()), log: text.log }
}

#[cfg(test)]
mod tests;
