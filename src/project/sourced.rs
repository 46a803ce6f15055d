//! A text made of parts of a file, each byte of which knows where in the file it comes from: joined lines, unquoted words,
//! variables with their values put in.
//!
//! ```text
//! numpy \          text `numpy   <2`, whose bytes 8..10 come from bytes 10..12 of the file
//!   <2
//! ```

use std::ops::Range;

/// A text and its origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sourced {
    /// What it says.
    pub text: String,
    /// In order.
    pieces: Vec<Piece>,
    /// The values that were put in, and what stands for them in the file, e.g. `secret` and `${TOKEN}`.
    values: Vec<(String, String)>,
}

/// Where a part of the text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// Its first byte in the text.
    at: usize,
    /// The bytes of the file.
    source: Range<usize>,
    /// Byte by byte; else as a whole, such as the value of `${TOKEN}`.
    verbatim: bool,
}

impl Sourced {
    /// A part of a file as it stands there.
    #[must_use]
    pub fn verbatim(file: &str, part: Range<usize>) -> Self {
        let mut found = Self::default();
        found.push(file.get(part.clone()).unwrap_or_default(), part, true);
        found
    }

    /// The bytes of the file from which a part of the text comes.
    #[must_use]
    pub fn source(&self, part: Range<usize>) -> Range<usize> {
        let start = self.start(part.start);
        if part.is_empty() {
            return start..start;
        }
        let piece = self.piece(part.end - 1);
        let end = piece.map_or(start, |piece| match piece.verbatim {
            true => (piece.source.start + (part.end - piece.at)).min(piece.source.end),
            false => piece.source.end,
        });
        start..end.max(start)
    }

    /// The bytes of the file from which the whole text comes.
    #[must_use]
    pub fn whole(&self) -> Range<usize> {
        self.source(0..self.text.len())
    }

    /// A sentence about the text in which variables stand for their values: these may be secret.
    #[must_use]
    pub fn discreet(&self, sentence: String) -> String {
        self.values.iter().fold(sentence, |sentence, (value, variable)| sentence.replace(value, variable))
    }

    fn start(&self, at: usize) -> usize {
        // Behind the end of the text is behind the end of its last piece.
        if at >= self.text.len() {
            return self.pieces.last().map_or(0, |piece| piece.source.end);
        }
        self.piece(at).map_or(0, |piece| piece.source.start + if piece.verbatim { at - piece.at } else { 0 })
    }

    /// The piece that holds a byte.
    fn piece(&self, at: usize) -> Option<&Piece> {
        self.pieces.get(self.pieces.partition_point(|piece| piece.at <= at).checked_sub(1)?)
    }

    /// Adds a text that comes from these bytes of the file: byte by byte, or as a whole.
    pub fn push(&mut self, text: &str, source: Range<usize>, verbatim: bool) {
        if text.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            Some(last) if verbatim && last.verbatim && last.source.end == source.start => last.source.end = source.end,
            _ => self.pieces.push(Piece { at: self.text.len(), source, verbatim }),
        }
        self.text.push_str(text);
    }

    /// A part as a text of its own.
    #[must_use]
    pub fn part(&self, part: Range<usize>) -> Self {
        let mut found = Self::default();
        let first = self.pieces.partition_point(|piece| piece.at <= part.start).saturating_sub(1);
        let held = self.pieces.iter().enumerate().skip(first).take_while(|(_, piece)| piece.at < part.end);
        for (number, piece) in held {
            let end = self.pieces.get(number + 1).map_or(self.text.len(), |next| next.at);
            let (from, to) = (piece.at.max(part.start), end.min(part.end));
            if from < to {
                let text = self.text.get(from..to).unwrap_or_default();
                let source = if piece.verbatim {
                    piece.source.start + (from - piece.at)..piece.source.start + (to - piece.at)
                } else {
                    piece.source.clone()
                };
                found.push(text, source, piece.verbatim);
            }
        }
        found
    }

    /// The text with the values of its `${NAMES}`; what has none, or an empty one, stays.
    #[must_use]
    pub fn expanded(&self, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut found = Self::default();
        let mut done = 0;
        for (start, _) in self.text.match_indices("${") {
            let rest = self.text.get(start + 2..).unwrap_or_default();
            let Some(length) = rest.find('}') else { break };
            let name = rest.get(..length).unwrap_or_default();
            let allowed = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
            if start < done || name.is_empty() || !name.chars().all(allowed) {
                continue;
            }
            if let Some(value) = variable(name).filter(|value| !value.is_empty()) {
                found.append(&self.part(done..start));
                done = start + 2 + length + 1;
                found.push(&value, self.source(start..done), false);
                let known = (value, format!("${{{name}}}"));
                if !found.values.contains(&known) {
                    found.values.push(known);
                }
            }
        }
        if done == 0 {
            return self.clone();
        }
        found.append(&self.part(done..self.text.len()));
        found
    }

    /// Adds another text behind.
    pub fn append(&mut self, other: &Self) {
        let offset = self.text.len();
        self.pieces.extend(other.pieces.iter().map(|piece| Piece { at: piece.at + offset, ..piece.clone() }));
        self.text.push_str(&other.text);
    }
}
