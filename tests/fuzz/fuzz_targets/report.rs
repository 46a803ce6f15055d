//! Pasted text: cleaned, read by every reader, searched for messages, judged and put in order.

#![no_main]

use gpudoc::session::paste::paste;
use gpudoc::{check, rules};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let db = rules::embedded();
    let input = paste(&String::from_utf8_lossy(data), db);
    let Some(told) = input.told else { return };
    let findings = check::findings(&check::run_with(&input.facts, db, &rules::Workload::default(), &told.heard));
    let _ = check::explain(&input.facts, db, &rules::Workload::default(), &told, findings);
});
