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
mod cards;
mod clean;
mod commands;
mod draft;
mod field;
mod fields;
mod finish;
mod gpu_fields;
mod import_failed;
mod json;
mod lists;
mod people;
mod product;
mod prose;
mod replaced;
mod said;
mod sentences;
mod shell;
mod smi;
mod split;
mod system_fields;
mod targets;
mod token;
mod vendor;
mod words;

use crate::facts::field::Field;
use crate::facts::redact::{Identity, redact};
use crate::facts::{Facts, Reading};
use crate::machine::xid::parse_xids;
use crate::python::named;

pub use clean::{Clean, Line, clean};
pub use product::Series;

/// What the readers must know of the world.
pub struct Vocabulary<'a> {
    /// Whether a normalised name is that of a distribution worth knowing, e.g. `flash-attn`.
    pub is_package: &'a (dyn Fn(&str) -> bool + Sync),
    /// The distribution that a module belongs to, e.g. `flash-attn` for `flash_attn_2_cuda`.
    pub distribution_of: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The local label of the builds of a package at an index, by address and name, e.g. `cu124`.
    pub variant: &'a (dyn Fn(&str, &str) -> Option<String> + Sync),
    /// What a field of a report is about, by its name in lower case, e.g. `nvidia driver version`.
    pub field: &'a (dyn Fn(&str) -> Option<Field> + Sync),
    /// Whether a program prints a field of such a name of the environment that it runs in.
    pub is_of_running: &'a (dyn Fn(&str) -> bool + Sync),
    /// Whether the value of a heading stands on the line below, e.g. `your gpu`.
    pub is_heading: &'a (dyn Fn(&str) -> bool + Sync),
    /// Whether a name is that of an environment variable worth knowing, e.g. `CUDA_HOME`; others may be secrets.
    pub is_variable: &'a (dyn Fn(&str) -> bool + Sync),
    /// How people call GPUs.
    pub series: &'a [Series<'a>],
    /// Words with which people begin the names of boards, e.g. `Jetson`.
    pub boards: &'a [&'a str],
    /// Whether a text names a GPU, e.g. `GeForce RTX 5090`, `H100`.
    pub is_gpu: &'a (dyn Fn(&str) -> bool + Sync),
    /// The vendor other than NVIDIA whose stack a line names, e.g. `AMD ROCm`.
    pub other_vendor: &'a (dyn Fn(&str) -> Option<String> + Sync),
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
    /// What took the place of what.
    Replaced,
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
    pub const ALL: [Self; 12] = [
        Self::Vendor,
        Self::Replaced,
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
            Self::Replaced => replaced::read(text, draft),
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

/// Reads a text with readers; with [`Reader::ALL`] all that is known of it. `hear` finds the error messages in it and tells where
/// they begin, in bytes.
#[must_use]
pub fn read<H: Send>(
    readers: &[Reader],
    text: &Clean<'_>,
    vocabulary: &Vocabulary<'_>,
    hear: impl FnOnce(&str) -> (H, Vec<usize>) + Send,
) -> (Report, H) {
    let known = |name: &str| (vocabulary.is_package)(name) || (vocabulary.distribution_of)(name).is_some();
    // Neither needs the other.
    let (mut draft, (heard, places), people) = std::thread::scope(|scope| {
        let others = scope.spawn(|| (hear(&text.log.flat), people(text, known)));
        let mut draft = draft::Draft::default();
        readers.iter().for_each(|reader| reader.read(text, vocabulary, &mut draft));
        let (heard, people) = others.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (draft, heard, people)
    });
    places.iter().for_each(|place| draft.saw(draft::MESSAGES, text.log.line_at(*place)));
    let mut facts = redact(&draft.finish(text), &people);
    let place = |at: usize| format!("the report's words, line {}", text.log.line_at(at));
    if let Some((cuda, at)) = named::toolkit(&text.log.flat) {
        facts.toolchain.named = Reading::told(cuda, place(at));
    }
    if let Some(at) = named::torch(&text.log.flat) {
        facts.spoken_of = Reading::told(vec!["torch".to_owned()], place(at));
    }
    (Report { facts, people }, heard)
}

/// The names of people and machines that a text gives away. `is_known` is what names a package or a module.
#[must_use]
pub fn people(text: &Clean<'_>, is_known: impl Fn(&str) -> bool) -> Identity {
    people::read(&text.log, &is_known)
}

#[cfg(test)]
mod tests;
