//! One dependency, as pip and as a pyproject.toml read it; ranges of Poetry; entries of YAML; the project's own settings.

#![no_main]

use gpudoc::config::Config;
use gpudoc::project::dependency::{Style, parse};
use gpudoc::project::poetry_range::translate;
use gpudoc::project::{mend, yaml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = &*String::from_utf8_lossy(data);
    for style in [Style::Pip, Style::Pep508] {
        if let Ok((_, Some(range))) = parse(text, style) {
            assert!(text.get(range).is_some());
        }
    }
    let _ = (translate(text), mend::versions(text), mend::marker(text));
    let _ = (yaml::entries(text), Config::parse(text), Config::parse_pyproject(text));
});
