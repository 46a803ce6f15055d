//! What a text is that somebody hands over: a snapshot, or something pasted.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::check::Told;
use crate::facts::Facts;
use crate::facts::redact::redact_text;
use crate::machine::snapshot::{SnapshotError, snapshot};
use crate::rules::RuleDb;
use crate::rules::complete::complete_report;
use crate::rules::schema::SeriesRow;
use crate::rules::target::complete_gpus;
use crate::told::{self, Reader, Report, Series, Vocabulary};

/// Names of GPUs that are looked up in one text.
const LOOKUPS: u32 = 250;

/// What was read.
pub struct Input<'db> {
    /// The observations.
    pub facts: Facts,
    /// The text, with the error messages in it; none for a snapshot.
    pub told: Option<Told<'db>>,
}

/// Reads a text as what it is.
///
/// # Errors
///
/// When it is a damaged snapshot.
pub fn read<'db>(text: &str, db: &'db RuleDb) -> Result<Input<'db>, SnapshotError> {
    if is_snapshot(text) { Ok(Input { facts: of_snapshot(text, db)?, told: None }) } else { Ok(paste(text, db)) }
}

/// Reads a snapshot, and adds what the rules know of its GPUs.
///
/// # Errors
///
/// When it is damaged.
pub fn of_snapshot(text: &str, db: &RuleDb) -> Result<Facts, SnapshotError> {
    let mut facts = snapshot(text)?;
    complete_gpus(&mut facts, db);
    Ok(facts)
}

/// What the user should know of a text: that gpudoc does not judge what it is about.
#[must_use]
pub fn remark(facts: &Facts, db: &RuleDb) -> Option<String> {
    facts.pasted.as_ref()?;
    let vendor = db.other_vendor(facts)?;
    Some(format!("this is a stack for {} ({}), which gpudoc does not judge", vendor.name, vendor.by))
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
    let of_row = |row: &'db SeriesRow| Series { word: &row.word, brand: &row.brand, begins: &row.begins };
    let series: Vec<Series<'_>> = db.gpu_series().iter().map(of_row).collect();
    let other_vendor = |line: &str| db.vendor_in(line).map(str::to_owned);
    let fields = &db.tables().report_fields;
    let names = fields.by_name();
    let vocabulary = Vocabulary {
        is_package: &is_package,
        distribution_of: &distribution_of,
        variant: &variant,
        field: &|name| names.get(name).and_then(|row| row.about),
        is_of_running: &|name| names.get(name).is_some_and(|row| row.running),
        is_heading: &|name| fields.is_heading(name),
        is_variable: &|name| db.variable(name).is_some(),
        series: &series,
        boards: &db.gpu_boards(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Origin;
    use crate::rules::embedded;

    #[test]
    fn a_snapshot_is_read_back_and_any_other_text_is_a_report() {
        let facts = Facts::unknown(Origin::Host);
        let text = serde_json::to_string(&facts).expect("facts serialise");
        let input = read(&text, embedded()).expect("a snapshot");
        assert!(input.facts == facts && input.told.is_none());
        assert!(read(r#"{"schema": "gpudoc.facts/9"}"#, embedded()).is_err());
        let pasted = read(r#"[{"name": "torch", "version": "2.4.0"}]"#, embedded()).expect("a list is no snapshot");
        assert!(pasted.told.is_some() && pasted.facts.distribution("torch").is_some());
    }

    #[test]
    fn what_is_not_judged_is_remarked() {
        let of = |text: &str| remark(&paste(text, embedded()).facts, embedded());
        assert_eq!(of("torch==2.4.0+cu124"), None);
        let amd = of("ROCM used to build PyTorch: 6.3.42131\nPyTorch version: 2.6.0+rocm6.3");
        assert!(amd.is_some_and(|text| text.starts_with("this is a stack for AMD ROCm")));
    }
}
