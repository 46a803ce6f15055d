//! Finds known error messages in a text, all of them in one pass.
//!
//! By hand: an automaton of all messages (`aho-corasick`) takes longer to build than most reports take to read.

use std::sync::OnceLock;

use crate::rules::schema::Symptom;

/// Between the parts of a pattern, `a…b`, at most so many bytes.
const GAP: usize = 400;
/// `unless` is looked for so far around a match.
const AROUND: usize = 300;
/// Matches of messages not yet found that are looked at; hostile texts repeat themselves.
const MOST: usize = 20_000;

/// All messages, ready to be looked for.
#[derive(Default)]
pub struct Matcher {
    pieces: OnceLock<Pieces>,
}

/// A message that occurs in a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen<'db> {
    /// Which.
    pub symptom: &'db Symptom,
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
    /// Where any of them stands, also where it is said again.
    pub places: Vec<usize>,
}

/// All patterns, each with the place of its message.
fn patterns(symptoms: &[Symptom]) -> impl Iterator<Item = (usize, &str)> {
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

/// Of each message a piece of so many letters is looked for; the shortest is as long.
const PIECE: usize = 5;
/// Pieces are numbers of five bytes.
const MASK: u64 = (1 << (8 * PIECE)) - 1;
/// As many drawers as numbers of so many bits.
const BITS: u32 = 14;

/// All messages by one rare piece of each. A text is gone through once, letter by letter, and where a piece stands the whole
/// message is compared: an automaton of all messages takes longer to build than most reports take to read.
struct Pieces {
    /// Where the entries of each drawer begin, and after the last the number of all.
    drawers: Vec<usize>,
    entries: Vec<Piece>,
}

/// One piece, and where it is from.
struct Piece {
    letters: u64,
    /// Of all patterns and quotes.
    number: usize,
    /// Where in its message it stands.
    start: usize,
}

impl Pieces {
    fn of<'a>(messages: impl Iterator<Item = &'a str>) -> Self {
        let mut entries: Vec<Piece> =
            messages.enumerate().filter_map(|(number, words)| rarest(number, words)).collect();
        entries.sort_by_key(|entry| drawer(entry.letters));
        let first = |drawer_number| entries.partition_point(|entry| drawer(entry.letters) < drawer_number);
        let drawers = (0..=1 << BITS).map(first).collect();
        Self { drawers, entries }
    }

    /// The entries whose piece stands in a text, each with the place where its message would begin.
    fn places<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, usize)> + 'a {
        let mut letters = 0;
        text.bytes().enumerate().flat_map(move |(end, byte)| {
            letters = (letters << 8 | u64::from(byte.to_ascii_lowercase())) & MASK;
            let drawer = drawer(letters);
            let (from, to) = (self.drawers.get(drawer), self.drawers.get(drawer + 1));
            let entries = from.zip(to).and_then(|(from, to)| self.entries.get(*from..*to)).unwrap_or_default();
            let found = move |entry: &&Piece| entry.letters == letters;
            entries
                .iter()
                .filter(found)
                .filter_map(move |entry| Some((entry.number, (end + 1).checked_sub(PIECE + entry.start)?)))
        })
    }
}

/// The drawer of a piece.
fn drawer(letters: u64) -> usize {
    // Fibonacci hashing.
    let bits = letters.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS);
    usize::try_from(bits).unwrap_or_default()
}

/// The rarest piece of some words; of equally rare ones the last, since messages begin alike.
fn rarest(number: usize, words: &str) -> Option<Piece> {
    let rarity = |byte: &u8| match byte.to_ascii_lowercase() {
        b' ' | b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 0_u32,
        b'l' | b'd' | b'c' | b'u' | b'm' | b'p' | b'h' | b'g' | b'f' => 1,
        b'b' | b'v' | b'w' | b'y' | b'k' => 2,
        _ => 3,
    };
    let pieces = words.as_bytes().windows(PIECE).enumerate();
    let (start, piece) = pieces.max_by_key(|(_, piece)| piece.iter().map(rarity).sum::<u32>())?;
    let letters = piece.iter().fold(0, |letters, byte| letters << 8 | u64::from(byte.to_ascii_lowercase()));
    Some(Piece { letters, number, start })
}

impl Matcher {
    /// Builds what looks for them all, unless that was done before.
    pub fn build(&self, symptoms: &[Symptom], quotes: &[&str]) {
        self.pieces(symptoms, quotes);
    }

    fn pieces(&self, symptoms: &[Symptom], quotes: &[&str]) -> &Pieces {
        self.pieces.get_or_init(|| {
            let anchors = patterns(symptoms).map(|(_, pattern)| anchor(pattern));
            Pieces::of(anchors.chain(quotes.iter().copied()))
        })
    }

    /// Looks for the messages of `symptoms` in whatever case, and for those that advisories quote as they are.
    pub fn find<'db>(&self, symptoms: &'db [Symptom], quotes: &[&'db str], text: &str) -> Heard<'db> {
        let pieces = self.pieces(symptoms, quotes);
        let patterns: Vec<(usize, &str, &str)> =
            patterns(symptoms).map(|(at, pattern)| (at, pattern, anchor(pattern))).collect();
        let mut first: Vec<Option<usize>> = vec![None; symptoms.len()];
        let mut said = vec![false; quotes.len()];
        let mut looked = 0;
        let mut places = Vec::new();
        for (number, start) in pieces.places(text) {
            let Some((at, pattern, anchor)) = patterns.get(number) else {
                let at = number - patterns.len();
                if let (Some(said), Some(quote)) = (said.get_mut(at), quotes.get(at))
                    && window(text, start, start + quote.len()) == quote.as_bytes()
                {
                    *said = true;
                    note(&mut places, start);
                }
                continue;
            };
            let (Some(slot), Some(symptom)) = (first.get_mut(*at), symptoms.get(*at)) else { continue };
            if looked < MOST && window(text, start, start + anchor.len()).eq_ignore_ascii_case(anchor.as_bytes()) {
                looked += 1;
                if holds(symptom, pattern, text, start) {
                    slot.get_or_insert(start);
                    note(&mut places, start);
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
            places,
        }
    }
}

/// Adds a place, of which one text has at most [`MOST`].
fn note(places: &mut Vec<usize>, place: usize) {
    if places.len() < MOST {
        places.push(place);
    }
}

/// Whether the other parts stand around the anchor, in order, and nothing of `unless`.
fn holds(symptom: &Symptom, pattern: &str, text: &str, place: usize) -> bool {
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
