//! What `--from` names: a snapshot, or a text that somebody pasted.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;

use super::{file, note};
use crate::check::Told;
use crate::facts::redact::redact_text;
use crate::facts::{self, Facts};
use crate::machine::snapshot::snapshot;
use crate::rules::RuleDb;
use crate::rules::complete::complete_report;
use crate::told::{self, Reader, Report, Vocabulary};

/// Names of GPUs that are looked up in one text.
const LOOKUPS: u32 = 250;

/// What was read.
pub struct Input<'db> {
    /// The observations.
    pub facts: Facts,
    /// The text, with the error messages in it; none for a snapshot.
    pub told: Option<Told<'db>>,
}

impl Input<'_> {
    /// Whether anything was recognised: a report, a list, a known error message, a version in words, another vendor's stack.
    /// A snapshot always is.
    #[must_use]
    pub fn is_recognised(&self) -> bool {
        self.facts.pasted.as_ref().is_none_or(|pasted| !pasted.recognised.is_empty())
    }
}

/// Reads a snapshot or a pasted text, `-` for standard input.
///
/// # Errors
///
/// When the file cannot be read, or is a damaged snapshot.
pub fn read<'db>(path: &Path, db: &'db RuleDb) -> anyhow::Result<Input<'db>> {
    let text = file::read(path)?;
    if is_snapshot(&text) {
        return Ok(Input { facts: parsed(&text, path)?, told: None });
    }
    let input = paste(&text, db);
    tell(&input.facts, db);
    Ok(input)
}

/// Reads a snapshot and nothing else.
///
/// # Errors
///
/// When the file cannot be read, or is none.
pub fn snapshot_only(path: &Path) -> anyhow::Result<Facts> {
    parsed(&file::read(path)?, path)
}

fn parsed(text: &str, path: &Path) -> anyhow::Result<Facts> {
    snapshot(text).with_context(|| {
        let name = if path.as_os_str() == "-" { "standard input".to_owned() } else { format!("`{}`", path.display()) };
        format!("{name} is not a snapshot of `gpudoc probe` ({})", facts::SCHEMA)
    })
}

/// A text as it may be repeated: without names and secrets.
#[must_use]
pub fn without_people(text: &str, db: &RuleDb) -> String {
    redact_text(text, &told::people(&told::clean(text), is_known(db)))
}

/// What names a package or a module, and nobody.
fn is_known(db: &RuleDb) -> impl Fn(&str) -> bool {
    |name| db.is_known_distribution(name) || db.distribution_of_module(name).is_some()
}

/// Reads a pasted text, with what the rules know of the world.
#[must_use]
pub fn paste<'db>(text: &str, db: &'db RuleDb) -> Input<'db> {
    let is_package = |name: &str| db.is_known_distribution(name);
    let distribution_of = |module: &str| db.distribution_of_module(module);
    // A hostile text may name a GPU on every line; no machine has so many.
    let asked = AtomicU32::new(0);
    let is_gpu = |name: &str| {
        asked.fetch_add(1, Ordering::Relaxed) < LOOKUPS
            && (db.gpu_by_name(name).is_some() || !db.gpus_of_part(name).is_empty())
    };
    let variant = |url: &str, name: &str| db.variant_at(url, name);
    let other_vendor = |line: &str| db.vendor_in(line).map(str::to_owned);
    let vocabulary = Vocabulary {
        is_package: &is_package,
        distribution_of: &distribution_of,
        variant: &variant,
        is_gpu: &is_gpu,
        other_vendor: &other_vendor,
    };
    // Neither needs the other.
    let text = std::thread::scope(|scope| {
        scope.spawn(|| db.prepare_to_hear());
        told::clean(text)
    });
    let hear = |text: &str| {
        let heard = db.heard_in(text);
        let places = heard.places.clone();
        (heard, places)
    };
    let (Report { mut facts, people }, heard) = told::read(&Reader::ALL, &text, &vocabulary, hear);
    complete_report(&mut facts, db);
    Input { facts, told: Some(Told { text: text.log, heard, people }) }
}

/// A JSON document of gpudoc's own; other JSON (`pip list --format json`) is a report like any other.
fn is_snapshot(text: &str) -> bool {
    let start = text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    start.starts_with('{') && (start.get(..400).unwrap_or(start).contains("\"schema\"") || start.trim() == "{")
}

/// Says where nothing was recognised, or nothing that gpudoc judges.
fn tell(facts: &Facts, db: &RuleDb) {
    let Some(pasted) = &facts.pasted else { return };
    if pasted.recognised.is_empty() {
        note("nothing in this text is known to gpudoc: neither a report, nor a list of packages, nor an error message");
    }
    if let Some(vendor) = db.other_vendor(facts) {
        note(&format!("this is a stack for {} ({}), which gpudoc does not judge", vendor.name, vendor.by));
    }
}
