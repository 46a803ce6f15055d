//! What `gpudoc explain` is asked: a claim about a build and a GPU, and the words of an error.

#![no_main]

use gpudoc::session::on_gpu::answer;
use gpudoc::rules;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = &*String::from_utf8_lossy(data);
    let db = rules::embedded();
    let _ = answer(text, db);
    for seen in db.heard_in(text).symptoms {
        assert!(seen.place < text.len());
    }
});
