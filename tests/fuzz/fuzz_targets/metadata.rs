//! METADATA, and the requirement lines in it.

#![no_main]

use gpudoc::python::dist_info::headers_end;
use gpudoc::python::metadata::{Metadata, is_for_extra, requirement_name};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = headers_end(data).map(|end| &data[..end]);
    let text = String::from_utf8_lossy(data);
    let _ = Metadata::parse(&text);
    for line in text.lines() {
        let _ = (is_for_extra(line), requirement_name(line));
    }
});
