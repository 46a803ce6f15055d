//! Source distributions: the archive, then each text that says what is required.

#![no_main]

use gpudoc::python::sdist::Sdist;
use gpudoc::python::stated::stated;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = Sdist::read(data);
    let _ = Sdist::unpacked(data).map(|sdist| stated(&sdist));
    let text = Some(String::from_utf8_lossy(data).into_owned());
    let _ = stated(&Sdist { pyproject: text.clone(), ..Sdist::default() });
    let _ = stated(&Sdist { setup_cfg: text.clone(), ..Sdist::default() });
    let _ = stated(&Sdist { requires_txt: text, ..Sdist::default() });
});
