//! Which GPUs people speak of, and which of them is the one at hand: `my RTX 5090, on the old 3090 it works`.

use super::Vocabulary;
use super::draft::{Draft, WORDS};
use super::product::{is_cache, product};
use super::said::Rank;
use super::sentences::gpu;
use super::split::Words;
use crate::facts::Gpu;

/// Products by the words that people use: `RTX 4090`, `5070ti`, `A100`, `GTX 1080 Ti`; returns how often it looked one up.
pub fn gpus(words: &Words<'_>, number: usize, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> usize {
    let mut looked = boards(words, number, vocabulary, draft);
    let is_series = |word: &str| vocabulary.series.iter().any(|series| word.eq_ignore_ascii_case(series.word));
    // A series without a number has it in the next word.
    let series = |at: &usize| at.checked_sub(1).filter(|at| words.all.get(*at).is_some_and(|word| is_series(word)));
    for at in words.numbers.iter().flat_map(|at| series(at).into_iter().chain([*at])) {
        let word = |further: usize| words.all.get(at + further).copied();
        if is_cache(word(0), word(1), word(2)) {
            continue;
        }
        let Some(name) = word(0).and_then(|first| product(first, [word(1), word(2), word(3)], vocabulary.series))
        else {
            continue;
        };
        looked += 1;
        if (vocabulary.is_gpu)(&name) {
            let mut gpu = gpu(&name, &format!("the report's words, line {number}"));
            gpu.index = u32::try_from(looked).unwrap_or(0) - 1;
            let rank = if is_elsewhere(words, at) { Rank::Aside } else { Rank::Told };
            draft.gpu(unique(gpu, number), rank, "the report's words");
            draft.saw(WORDS, number);
        }
    }
    looked
}

/// Whether the words before a product say that it is not the one at hand: `works on my 4090`, `the old one was a 3090`, `upgraded
/// from a GTX 1080`, `unlike my 3080`.
fn is_elsewhere(words: &Words<'_>, at: usize) -> bool {
    const FURTHEST: usize = 6;
    const ELSEWHERE: [&str; 11] = [
        "old",
        "older",
        "previous",
        "previously",
        "former",
        "works",
        "unlike",
        "than",
        "replaced",
        "swapped",
        "instead",
    ];
    const MOVED: [&str; 6] = ["upgraded", "upgrading", "moved", "moving", "switched", "migrated"];
    // A new clause speaks of another machine, and what does not work there is here.
    const ENDS: [&str; 9] = ["but", "and", "now", "new", "to", "not", "no", "never", "nothing"];
    let before = words.all.get(..at).unwrap_or_default().iter().rev().take(FURTHEST);
    let before = before.map(|word| word.to_ascii_lowercase()).take_while(|word| !ENDS.contains(&word.as_str()));
    let before: Vec<String> = before.collect();
    let has = |all: &[&str]| before.iter().any(|word| all.contains(&word.as_str()));
    has(&ELSEWHERE) || has(&MOVED) && has(&["from"])
}

/// Boards that are called without a number: `Jetson AGX Orin 64GB`. Returns how many it took.
fn boards(words: &Words<'_>, number: usize, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> usize {
    let is_board = |word: &str| vocabulary.boards.contains(&word);
    let Some(first) = words.all.iter().position(|word| is_board(word)) else { return 0 };
    let is_name = |word: &&&str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let rest: Vec<&str> = words.all.iter().skip(first).take(4).take_while(is_name).copied().collect();
    let names = (2..=rest.len()).filter_map(|count| rest.get(..count)).map(|name| name.join(" "));
    let Some(name) = names.into_iter().find(|name| (vocabulary.is_gpu)(name)) else { return 0 };
    draft.gpu(
        unique(gpu(&name, &format!("the report's words, line {number}")), number),
        Rank::Told,
        "the report's words",
    );
    draft.saw(WORDS, number);
    1
}

/// Each line's GPUs are apart, so that different names are seen to differ.
pub fn unique(mut gpu: Gpu, number: usize) -> Gpu {
    gpu.index = gpu.index.saturating_add(u32::try_from(number).unwrap_or(0).saturating_mul(64));
    gpu
}
