//! What took the place of what, in pasted text.

#![no_main]

mod reader;

use gpudoc::told::Reader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| reader::fuzz(Reader::Replaced, data));
