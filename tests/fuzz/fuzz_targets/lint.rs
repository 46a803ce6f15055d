//! Every sort of file that a project has, by the first byte: whatever it says, all places lie in it.

#![no_main]

use gpudoc::lint::kind::FileKind;
use gpudoc::lint::read::Reader;
use libfuzzer_sys::fuzz_target;

const KINDS: [(&str, FileKind); 9] = [
    ("requirements.txt", FileKind::Requirements),
    ("constraints.txt", FileKind::Constraints),
    ("pyproject.toml", FileKind::PyProject),
    ("uv.lock", FileKind::Lock),
    ("environment.yml", FileKind::Conda),
    ("Dockerfile", FileKind::Dockerfile),
    ("compose.yaml", FileKind::Compose),
    ("setup.sh", FileKind::Shell),
    (".github/workflows/test.yml", FileKind::Workflow),
];

fuzz_target!(|data: &[u8]| {
    let Some((first, data)) = data.split_first() else { return };
    let (path, kind) = KINDS[usize::from(*first) % KINDS.len()];
    let text = &*String::from_utf8_lossy(data);
    let mut reader = Reader::new(&|_| None);
    reader.add(path, kind, text);
    let project = reader.finish();
    for finding in &project.findings {
        assert!(text.get(finding.place.span.clone()).is_some(), "{finding:?}");
    }
});
