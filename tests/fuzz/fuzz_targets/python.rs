//! The text of a Python module, its functions, and the walk of its import.

#![no_main]

use std::sync::Arc;

use gpudoc::imports::{Found, Modules, Prepared, Walk};
use libfuzzer_sys::fuzz_target;

/// One module, which may import itself by any name that begins with `m`.
struct One<'a>(&'a str);

impl Modules for One<'_> {
    fn find(&self, name: &str) -> Found {
        if !name.starts_with('m') || name.len() > 20 {
            return Found::Missing;
        }
        Found::Text { path: name.to_owned(), package: name.len() % 2 == 0 }
    }

    fn read(&self, _: &str, name: &str) -> Option<Arc<Prepared>> {
        Prepared::read(self.0, name).map(Arc::new)
    }

    fn version(&self, _: &str) -> Option<Option<String>> {
        None
    }

    fn variable(&self, _: &str) -> Option<Option<String>> {
        None
    }

    fn python(&self) -> (i64, i64, i64) {
        (3, 12, 1)
    }
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let one = One(&text);
    let mut walk = Walk::new(&one);
    walk.import("module");
    let lines = text.lines().count() + 1;
    for (evidence, _) in walk.end().evidence {
        assert!(evidence.line as usize <= lines);
    }
});
