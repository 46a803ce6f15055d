//! The version.py of a build.

#![no_main]

use gpudoc::python::version_py::VersionPy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = VersionPy::parse(text);
});
