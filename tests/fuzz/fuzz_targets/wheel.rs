//! File names of wheels and metadata folders, and symbols.

#![no_main]

use gpudoc::python::dist_info::MetadataDir;
use gpudoc::objects::library::{cuda_in_name, version_numbers};
use gpudoc::python::local_label::LocalLabel;
use gpudoc::objects::symbol::is_torch_symbol;
use gpudoc::python::wheel::{WheelName, normalise_name, python_order};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(name) = text.parse::<WheelName>() {
        let _ = (name.platform(), name.glibc(), name.python_tags());
    }
    let _ = (python_order(text), normalise_name(text), MetadataDir::parse(text), LocalLabel::of_version(text));
    let _ = (cuda_in_name(text), version_numbers(text), is_torch_symbol(text));
});
