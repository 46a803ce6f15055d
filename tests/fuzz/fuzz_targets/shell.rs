//! Shell scripts: whatever they say, all places lie in them, and what they install is read.

#![no_main]

use gpudoc::project::install::Install;
use gpudoc::project::place::Lines;
use gpudoc::project::shell::script;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = &*String::from_utf8_lossy(data);
    let lines = Lines::of(text);
    for command in script(text) {
        assert!(text.get(command.place.span.clone()).is_some());
        for word in &command.words {
            assert!(text.get(word.place.span.clone()).is_some());
        }
        for item in Install::of(&command, &lines).into_iter().flat_map(|install| install.items) {
            assert!(text.get(item.place.span.clone()).is_some());
            let versions = item.dependency.and_then(|dependency| dependency.versions);
            assert!(versions.is_none_or(|place| text.get(place.span).is_some()));
        }
    }
});
