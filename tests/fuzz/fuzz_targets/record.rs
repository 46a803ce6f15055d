//! RECORD, and the names in it.

#![no_main]

use gpudoc::python::record::{is_library, parse_record};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for file in parse_record(text) {
        let _ = is_library(&file.path);
    }
});
