//! Pasted text: cleaned, read by every reader, searched for messages, judged and put in order.

#![no_main]

use gpudoc::parse::report::{Vocabulary, read};
use gpudoc::rules::complete::complete_report;
use gpudoc::{check, rules};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let db = rules::embedded();
    let is_package = |name: &str| db.is_known_distribution(name);
    let distribution_of = |module: &str| db.distribution_of_module(module);
    let is_gpu = |name: &str| db.gpu_by_name(name).is_some();
    let variant = |url: &str, name: &str| db.variant_at(url, name);
    let vocabulary =
        Vocabulary { is_package: &is_package, distribution_of: &distribution_of, variant: &variant, is_gpu: &is_gpu };
    let mut report = read(&String::from_utf8_lossy(data), &vocabulary);
    complete_report(&mut report.facts, db);
    let findings = check::findings(&check::run_with(&report.facts, db, &rules::Workload::default(), &report.log.flat));
    let _ = check::explain(&report.facts, db, &rules::Workload::default(), &report.log, findings);
});
