//! /etc/ld.so.cache.

#![no_main]

use gpudoc::objects::ld_cache::parse_ld_cache;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for entry in parse_ld_cache(data).unwrap_or_default() {
        let _ = entry.fits("x86_64");
    }
});
