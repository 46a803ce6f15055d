//! pyproject.toml: whatever it says, all places lie in it, and choosing ends.

#![no_main]

use gpudoc::project::pyproject::{PyProject, Selection};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = &*String::from_utf8_lossy(data);
    let project = PyProject::parse(text);
    let all = Selection { all_extras: true, all_groups: true, ..Selection::default() };
    for chosen in project.select(&all).unwrap_or_default() {
        assert!(text.get(chosen.dependency.place.span.clone()).is_some());
        if let Some(versions) = &chosen.dependency.versions {
            assert!(text.get(versions.span.clone()).is_some());
        }
    }
    for error in project.errors.iter().chain(&project.warnings) {
        assert!(text.get(error.place.span.clone()).is_some());
    }
});
