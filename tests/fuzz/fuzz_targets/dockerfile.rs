//! Dockerfiles: whatever they say, all places lie in them.

#![no_main]

use gpudoc::project::dockerfile::{Dockerfile, Kind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = &*String::from_utf8_lossy(data);
    let file = Dockerfile::parse(text);
    for one in &file.instructions {
        assert!(text.get(one.place.span.clone()).is_some());
        match &one.kind {
            Kind::From(from) => assert!(text.get(from.image.place.span.clone()).is_some()),
            Kind::Set(all) => assert!(all.iter().all(|one| text.get(one.value.value.whole()).is_some())),
            Kind::Run(commands) => {
                let mut words = commands.iter().flat_map(|command| &command.words);
                assert!(words.all(|word| text.get(word.place.span.clone()).is_some()));
            }
            Kind::Other => {}
        }
    }
    for stage in 0..file.stages() {
        assert!(file.lineage(stage).len() <= file.stages());
    }
});
