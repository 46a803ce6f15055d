//! What the rules say about some words: `symmetric memory`, `sm_103a`, `compile hangs`.

use crate::rules::RuleDb;
use crate::rules::schema::{Advisory, Symptom};

/// Words that every sentence has.
const COMMON: [&str; 36] = [
    "the", "and", "for", "with", "from", "not", "does", "did", "why", "how", "what", "when", "this", "that", "are",
    "was", "has", "have", "can", "cannot", "error", "fails", "failed", "work", "works", "working", "problem", "issue",
    "help", "about", "into", "after", "before", "while", "use", "using",
];

/// What speaks of all the words of a text, best first.
#[derive(Default)]
pub struct About<'db> {
    /// Advisories.
    pub advisories: Vec<&'db Advisory>,
    /// Error messages.
    pub symptoms: Vec<&'db Symptom>,
}

/// Looks for advisories and messages in which each word occurs: in the title counts most, then in the messages, then in the
/// story. One ordinary word alone says too little.
pub fn about<'db>(text: &str, db: &'db RuleDb) -> About<'db> {
    let wanted: Vec<String> = words(text).filter(|word| word.len() > 2 && !COMMON.contains(&word.as_str())).collect();
    let telling = |word: &String| word.contains(['_', '.']) || word.bytes().any(|byte| byte.is_ascii_digit());
    if wanted.is_empty() || wanted.len() == 1 && !wanted.iter().any(telling) {
        return About::default();
    }
    let advisories = db.advisories().filter_map(|advisory| {
        let fields = [advisory.title.clone(), advisory.symptoms.join(" "), advisory.story.clone()];
        Some((score(&wanted, &fields)?, advisory))
    });
    let symptoms = db.symptoms().iter().filter_map(|symptom| {
        let titles: Vec<&str> = symptom.causes.iter().map(|cause| cause.title.as_str()).collect();
        Some((score(&wanted, &[titles.join(" "), symptom.matches.join(" "), symptom.meaning.clone()])?, symptom))
    });
    About { advisories: sorted(advisories), symptoms: sorted(symptoms) }
}

fn sorted<T>(found: impl Iterator<Item = (usize, T)>) -> Vec<T> {
    let mut found: Vec<(usize, T)> = found.collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, item)| item).collect()
}

/// How well fields, the most telling first, speak of words; none where a word is in no field.
fn score(wanted: &[String], fields: &[String; 3]) -> Option<usize> {
    let fields = fields.each_ref().map(|field| words(field).collect::<Vec<_>>());
    let best = |word: &String| {
        let held = |field: &Vec<String>| field.iter().any(|other| is_same(word, other));
        fields.iter().position(held).map(|at| fields.len() - at)
    };
    wanted.iter().map(best).sum()
}

/// Whether a word of a text is the word that is asked for, or another form of it: `hang` and `hangs`, `compile` in
/// `torch.compile`.
fn is_same(wanted: &str, word: &str) -> bool {
    let stem = |word: &str| {
        let cut = ["ing", "es", "s", "ed", "e"].iter().find_map(|end| word.strip_suffix(end));
        cut.filter(|cut| cut.len() > 3 && cut.bytes().all(|byte| byte.is_ascii_lowercase())).unwrap_or(word).to_owned()
    };
    wanted == word || stem(wanted) == stem(word) || word.split('.').any(|part| part == wanted)
}

/// The words of a text in lower case; names such as `sm_103a`, `torch.compile`, `flash-attn` are one.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let inside = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-');
    text.split(move |letter: char| !inside(letter))
        .map(|word| word.trim_matches(['.', '-']).to_lowercase())
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_forms_of_a_word_are_the_word() {
        for (wanted, word) in
            [("hangs", "hang"), ("compile", "torch.compile"), ("compiling", "compile"), ("sm_103a", "sm_103a")]
        {
            assert!(is_same(wanted, word), "{wanted} {word}");
        }
        for (wanted, word) in [("sm_103a", "sm_100a"), ("memory", "memo"), ("bus", "bu"), ("torch", "touch")] {
            assert!(!is_same(wanted, word), "{wanted} {word}");
        }
    }

    #[test]
    fn every_word_must_be_there_and_a_title_counts_most() {
        let fields = |title: &str, story: &str| [title.to_owned(), String::new(), story.to_owned()];
        let wanted = ["symmetric".to_owned(), "memory".to_owned()];
        assert_eq!(score(&wanted, &fields("Symmetric memory needs torch", "")), Some(6));
        assert_eq!(score(&wanted, &fields("Symmetric what?", "its memory")), Some(4));
        assert_eq!(score(&wanted, &fields("Symmetric", "")), None);
    }
}
