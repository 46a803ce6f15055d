//! requirements.txt: whatever it says, all places lie in it.

#![no_main]

use gpudoc::project::requirements::{RequirementsFile, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = decode(data);
    let file = RequirementsFile::parse(&text, &|name| (name == "TOKEN").then(|| "secret".to_owned()));
    for entry in &file.entries {
        assert!(text.get(entry.line.span.clone()).is_some());
    }
    for line in file.requirements() {
        assert!(text.get(line.dependency.place.span.clone()).is_some());
        if let Some(versions) = &line.dependency.versions {
            assert!(text.get(versions.span.clone()).is_some());
        }
    }
    for error in file.errors.iter().chain(&file.warnings) {
        assert!(text.get(error.place.span.clone()).is_some());
    }
});
