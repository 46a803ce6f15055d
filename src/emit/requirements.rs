//! requirements.txt: the whole set, for `pip install -r` and `uv pip install -r`.

use super::{Answer, Emitted};
use crate::rules::artefact::sha256;
use crate::solve::Pin;

/// The file: indexes, one pin a line with its reason, then the user's other lines as written.
///
/// With `hashes`, each pin carries the SHA-256 of the file that every target gets. pip refuses a file in which some lines have
/// hashes and others have none, so it is all or nothing: where one is not known, none is written and a note names the lines.
#[must_use]
pub fn requirements(answer: &Answer<'_>, hashes: bool) -> Emitted {
    let passed = answer.others();
    // One file must do for all targets.
    let hash = |pin: &Pin<'_>| {
        let mut hashes: Vec<_> =
            answer.targets.iter().map(|target| sha256(pin.build, &pin.version(), target).map(str::to_owned)).collect();
        hashes.dedup();
        hashes.pop().flatten().filter(|_| hashes.is_empty())
    };
    let rows: Vec<_> = answer.pins().map(|(word, pin)| (hash(pin), word, pin)).collect();
    let without = rows.iter().filter(|(hash, ..)| hash.is_none()).map(|(_, word, _)| word);
    let without: Vec<_> = without.chain(&passed).map(|word| format!("`{word}`")).collect();
    let written = hashes && without.is_empty();
    let mut notes = Vec::new();
    if hashes && !written {
        notes.push(format!(
            "no hashes written, for pip wants all or none, and the rules have none for {}",
            crate::text::list(&without)
        ));
    }
    let mut text = answer.comments();
    if written {
        text += "# With hashes pip also wants those of all dependencies: `pip install --no-deps`, or uv, which checks these\n";
    }
    for index in answer.indexes() {
        text += &format!("--extra-index-url {}\n", index.url);
    }
    let width = rows.iter().map(|(_, word, _)| word.len()).max().unwrap_or_default();
    for (hash, word, pin) in &rows {
        match hash.as_ref().filter(|_| written) {
            Some(hash) => text += &format!("{word} --hash=sha256:{hash}  # {}\n", pin.reason),
            None => text += &format!("{word:width$}  # {}\n", pin.reason),
        }
    }
    if !passed.is_empty() {
        text += "# Not covered by the rules, and passed on\n";
    }
    for line in passed {
        text += &format!("{line}\n");
    }
    Emitted { text, notes }
}
