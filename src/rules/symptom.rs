//! Finds known error messages in a text, all of them in one pass.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};

use super::raw_symptoms::RawSymptom;

/// Between the parts of a pattern, `a…b`, at most so many bytes.
const GAP: usize = 400;
/// `unless` is looked for so far around a match.
const AROUND: usize = 300;
/// Matches of messages not yet found that are looked at; hostile texts repeat themselves.
const MOST: usize = 20_000;

/// All messages, ready to be looked for.
#[derive(Default)]
pub struct Matcher {
    automaton: OnceLock<Option<AhoCorasick>>,
}

/// A message that occurs in a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen<'db> {
    /// Which.
    pub symptom: &'db RawSymptom,
    /// Where its first match begins.
    pub place: usize,
}

/// What a text was found to say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heard<'db> {
    /// The messages that occur, in the order of the rules, each at its first place.
    pub symptoms: Vec<Seen<'db>>,
    /// Those that advisories quote, word for word, in the order of the rules.
    pub quoted: Vec<&'db str>,
}

/// All patterns, each with the place of its message.
fn patterns(symptoms: &[RawSymptom]) -> impl Iterator<Item = (usize, &str)> {
    symptoms
        .iter()
        .enumerate()
        .flat_map(|(at, symptom)| symptom.matches.iter().map(move |pattern| (at, pattern.as_str())))
}

/// The parts of a pattern.
fn parts(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('…').map(str::trim)
}

/// The part that is looked for first: the longest is the rarest.
fn anchor(pattern: &str) -> &str {
    parts(pattern).max_by_key(|part| part.len()).unwrap_or(pattern)
}

impl Matcher {
    /// Builds what looks for them all, which takes some milliseconds, unless that was done before.
    pub fn build(&self, symptoms: &[RawSymptom], quotes: &[&str]) -> Option<&AhoCorasick> {
        let automaton = self.automaton.get_or_init(|| {
            let anchors = patterns(symptoms).map(|(_, pattern)| anchor(pattern));
            AhoCorasickBuilder::new()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                // A faster automaton takes longer to build than most reports take to search.
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .build(anchors.chain(quotes.iter().copied()))
                .ok()
        });
        automaton.as_ref()
    }

    /// Looks for the messages of `symptoms` in whatever case, and for those that advisories quote as they are.
    pub fn find<'db>(&self, symptoms: &'db [RawSymptom], quotes: &[&'db str], text: &str) -> Heard<'db> {
        let Some(automaton) = self.build(symptoms, quotes) else { return Heard::default() };
        let patterns: Vec<(usize, &str)> = patterns(symptoms).collect();
        let mut first: Vec<Option<usize>> = vec![None; symptoms.len()];
        let mut said = vec![false; quotes.len()];
        let mut looked = 0;
        for found in automaton.find_overlapping_iter(text) {
            let at = found.pattern().as_usize();
            let Some((at, pattern)) = patterns.get(at) else {
                let at = at - patterns.len();
                if let (Some(said), Some(quote)) = (said.get_mut(at), quotes.get(at)) {
                    *said = *said || text.get(found.range()) == Some(*quote);
                }
                continue;
            };
            let (Some(slot), Some(symptom)) = (first.get_mut(*at), symptoms.get(*at)) else { continue };
            if slot.is_none() && looked < MOST {
                looked += 1;
                if holds(symptom, pattern, text, found.start()) {
                    *slot = Some(found.start());
                }
            }
        }
        Heard {
            symptoms: symptoms
                .iter()
                .zip(first)
                .filter_map(|(symptom, at)| Some(Seen { symptom, place: at? }))
                .collect(),
            quoted: quotes.iter().zip(said).filter(|(_, said)| *said).map(|(quote, _)| *quote).collect(),
        }
    }
}

/// Whether the other parts stand around the anchor, in order, and nothing of `unless`.
fn holds(symptom: &RawSymptom, pattern: &str, text: &str, place: usize) -> bool {
    let anchor = anchor(pattern);
    let mut before: Vec<&str> = Vec::new();
    let mut after: Vec<&str> = Vec::new();
    let mut passed = false;
    for part in parts(pattern) {
        match (passed, part == anchor) {
            (false, true) => passed = true,
            (false, false) => before.push(part),
            (true, _) => after.push(part),
        }
    }
    let mut from = place + anchor.len();
    for part in after {
        let Some(found) = find(window(text, from, from + GAP), part) else { return false };
        from += found + part.len();
    }
    let mut to = place;
    for part in before.into_iter().rev() {
        let start = to.saturating_sub(GAP);
        let near = window(text, start, to);
        let Some(found) = rfind(near, part) else { return false };
        to -= near.len() - found;
    }
    let around = window(text, place.saturating_sub(AROUND), place + anchor.len() + AROUND);
    !symptom.unless.iter().any(|words| find(around, words).is_some())
}

/// A part of a text, in bytes: the patterns are ASCII, so that no letter is cut wrongly.
fn window(text: &str, from: usize, to: usize) -> &[u8] {
    let to = to.min(text.len());
    text.as_bytes().get(from.min(to)..to).unwrap_or_default()
}

fn find(text: &[u8], words: &str) -> Option<usize> {
    places(text, words).next()
}

fn rfind(text: &[u8], words: &str) -> Option<usize> {
    places(text, words).next_back()
}

/// Where words stand in a text, in whatever case.
fn places(text: &[u8], words: &str) -> impl DoubleEndedIterator<Item = usize> {
    let words = words.as_bytes();
    let first = words.first().copied().unwrap_or_default();
    memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text)
        .filter(move |at| text.get(*at..*at + words.len()).is_some_and(|piece| piece.eq_ignore_ascii_case(words)))
}
