//! Pasted text to facts: environment reports, lists of distributions, `nvidia-smi`, error messages, and people's words.
//!
//! In comes whatever somebody copied: clipped, quoted, wrapped, with the prefixes of a logger, several reports in one, in any
//! order. Out come [`Facts`] of origin [`Origin::Report`](crate::facts::Origin): what the text does not say is unknown, and
//! what it says in two ways is told. Each reader looks at every line and takes what it knows; none needs a heading, so that
//! half a report is worth half of it. What the world is like (names of GPUs and packages) comes in as a [`Vocabulary`].

mod bare;
mod beside;
mod bus;
mod candidates;
mod clean;
mod commands;
mod draft;
mod field;
mod fields;
mod finish;
mod gpu_fields;
mod json;
mod lists;
mod people;
mod prose;
mod said;
mod sentences;
mod shell;
mod smi;
mod system_fields;
mod token;
mod vendor;
mod words;

use crate::facts::Facts;
use crate::facts::redact::{Identity, redact};
use crate::machine::xid::parse_xids;

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
    /// The vendor other than NVIDIA whose stack a line names, e.g. `AMD ROCm`.
    pub other_vendor: &'a dyn Fn(&str) -> Option<String>,
}

/// What a text says.
pub struct Report {
    /// What it tells; without names of people, machines and secrets.
    pub facts: Facts,
    /// The names that it gave away, which are to be hidden in what is quoted of it.
    pub people: Identity,
}

/// How the kernel's log is called among what was recognised.
const KERNEL_LOG: &str = "kernel log";

/// One of those that read a text, each its own sort of statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// What `nvidia-smi` prints.
    Smi,
    /// What `lspci` prints.
    Bus,
    /// Names and values, of any report.
    Fields,
    /// Commands with their answers.
    Shell,
    /// What an installer weighed in vain.
    Candidates,
    /// Lists of distributions, and what pip says.
    Lists,
    /// Commands, tracebacks and ldd.
    Commands,
    /// Sentences of errors and warnings.
    Sentences,
    /// People's words.
    Prose,
    /// Xid errors of the kernel's log.
    KernelLog,
    /// Stacks of other vendors.
    Vendor,
}

impl Reader {
    /// All of them; the first to state something is asked first.
    pub const ALL: [Self; 11] = [
        Self::Vendor,
        Self::Smi,
        Self::Bus,
        Self::Fields,
        Self::Shell,
        Self::Candidates,
        Self::Lists,
        Self::Commands,
        Self::Sentences,
        Self::Prose,
        Self::KernelLog,
    ];

    fn read(self, text: &Clean<'_>, vocabulary: &Vocabulary<'_>, draft: &mut draft::Draft) {
        match self {
            Self::Smi => smi::read(&text.lines, draft),
            Self::Bus => bus::read(&text.lines, vocabulary, draft),
            Self::Fields => fields::read(&text.lines, vocabulary, draft),
            Self::Shell => shell::read(&text.lines, draft),
            Self::Candidates => candidates::read(text, draft),
            Self::Lists => lists::read(&text.lines, vocabulary, draft),
            Self::Commands => commands::read(&text.lines, vocabulary, draft),
            Self::Sentences => sentences::read(text, vocabulary, draft),
            Self::Prose => prose::read(&text.lines, vocabulary, draft),
            Self::KernelLog => kernel_log(text, draft),
            Self::Vendor => vendor::read(&text.lines, vocabulary, draft),
        }
    }
}

fn kernel_log(text: &Clean<'_>, draft: &mut draft::Draft) {
    draft.xids = parse_xids(text.raw);
    if !draft.xids.is_empty() {
        let lines = text.lines.iter().filter(|line| line.text.contains("NVRM: Xid ("));
        lines.for_each(|line| draft.saw(KERNEL_LOG, line.number));
    }
}

/// Reads a text with readers; with [`Reader::ALL`] all that is known of it.
#[must_use]
pub fn read(readers: &[Reader], text: &Clean<'_>, vocabulary: &Vocabulary<'_>) -> Report {
    let known = |name: &str| (vocabulary.is_package)(name) || (vocabulary.distribution_of)(name).is_some();
    let people = people(text, known);
    Report { facts: redact(&notes(readers, text, vocabulary).facts(text), &people), people }
}

/// What the readers found in a text.
pub struct Notes(draft::Draft);

/// Reads a text with readers, to make facts of it once it is known which of its lines are error messages.
#[must_use]
pub fn notes(readers: &[Reader], text: &Clean<'_>, vocabulary: &Vocabulary<'_>) -> Notes {
    let mut draft = draft::Draft::default();
    readers.iter().for_each(|reader| reader.read(text, vocabulary, &mut draft));
    Notes(draft)
}

impl Notes {
    /// Notes that a line holds an error message that is known.
    pub fn hear(&mut self, line: usize) {
        self.0.saw(draft::MESSAGES, line);
    }

    /// What the text tells, still with the names in it: [`people`] finds them, and [`redact`] hides them.
    #[must_use]
    pub fn facts(self, text: &Clean<'_>) -> Facts {
        self.0.finish(text)
    }
}

/// The names of people and machines that a text gives away. `is_known` is what names a package or a module.
#[must_use]
pub fn people(text: &Clean<'_>, is_known: impl Fn(&str) -> bool) -> Identity {
    people::read(&text.log, &is_known)
}

#[cfg(test)]
mod tests;
