//! A word while it is put together, with the places that its letters come from.

use std::ops::Range;

use super::{Assignment, Word};
use crate::project::sourced::Sourced;

/// A word that is being read.
pub(super) struct Builder {
    pub value: Sourced,
    pub known: bool,
    /// Something in it was quoted, so that it is a word even if it is empty.
    pub quoted: bool,
    /// Words that ended at a blank of a variable's value.
    before: Vec<(Sourced, bool)>,
}

impl Default for Builder {
    fn default() -> Self {
        Self { value: Sourced::default(), known: true, quoted: false, before: Vec::new() }
    }
}

impl Builder {
    /// A letter that stands at a byte of the script.
    pub fn push(&mut self, script: &Sourced, letter: char, at: usize) {
        let source = script.source(at..at + letter.len_utf8());
        let verbatim = source.len() == letter.len_utf8();
        self.value.push(letter.encode_utf8(&mut [0; 4]), source, verbatim);
    }

    /// A variable's value; without quotes it falls into words at blanks.
    pub fn put_in(&mut self, value: &str, source: Range<usize>, quoted: bool) {
        if quoted {
            self.quoted = true;
            self.value.push(value, source, false);
            return;
        }
        for (number, part) in value.split([' ', '\t', '\n']).enumerate() {
            if number > 0 && (self.quoted || !self.value.text.is_empty()) {
                self.before.push((std::mem::take(&mut self.value), self.known));
                (self.known, self.quoted) = (true, false);
            }
            self.value.push(part, source.clone(), false);
        }
    }

    pub fn done(self, place: &super::Place) -> Vec<Word> {
        let last = (self.quoted || !self.value.text.is_empty()).then_some((self.value, self.known));
        let all = self.before.into_iter().chain(last);
        all.map(|(value, known)| Word { place: place.clone(), known, value }).collect()
    }
}

/// `NAME=value` or `NAME+=value`, whose whole value is then not known.
pub(super) fn assignment(word: &Word) -> Option<Assignment> {
    let text = word.text();
    let equals = text.find('=')?;
    let left = text.get(..equals)?;
    let name = left.strip_suffix('+').unwrap_or(left);
    let starts = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    if !starts || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return None;
    }
    let value = word.value.part(equals + 1..text.len());
    let known = word.known && left.len() == name.len();
    Some(Assignment { name: name.to_owned(), value: Word { place: word.place.clone(), known, value } })
}
