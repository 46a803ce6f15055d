//! What pasting does to a text comes off: the lines are bare, and the log says the same in one line.

#![no_main]

use gpudoc::told::clean;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = &*String::from_utf8_lossy(data);
    let clean = clean(text);
    let last = text.split('\n').count();
    assert!(clean.lines.len() <= clean.count && clean.count <= 2 * last);
    for line in &clean.lines {
        assert!(!line.text.is_empty() && (1..=last).contains(&line.number));
        assert!(!line.text.contains(['\u{1b}', '\r', '\t', '\0']), "{:?}", line.text);
    }
    assert!(!clean.log.flat.contains("  "));
    for place in 0..=clean.log.flat.len() {
        assert!((0..=last).contains(&clean.log.line_at(place)));
        let _ = clean.log.line_around(place);
    }
});
