//! A line split into words, and which of them have a number.

/// The words of a line.
#[derive(Default)]
pub struct Words<'l> {
    pub all: Vec<&'l str>,
    /// Places of those that have a digit: only these can be a version or a product.
    pub numbers: Vec<usize>,
}

impl<'l> Words<'l> {
    /// Splits a line; what was split before goes.
    pub fn split(&mut self, text: &'l str) {
        self.all.clear();
        self.numbers.clear();
        let (mut start, mut numbered) = (0, false);
        let mut end = |at: usize, letter: char, numbered: bool| {
            if let Some(word) = text.get(start..at).filter(|word| !word.is_empty()) {
                self.numbers.extend(numbered.then_some(self.all.len()));
                self.all.push(word);
            }
            start = at + letter.len_utf8();
        };
        // Most lines are ASCII.
        if text.is_ascii() {
            for (at, byte) in text.bytes().enumerate() {
                numbered |= byte.is_ascii_digit();
                if ends_word(char::from(byte)) {
                    end(at, ' ', std::mem::take(&mut numbered));
                }
            }
        } else {
            for (at, letter) in text.char_indices() {
                numbered |= letter.is_ascii_digit();
                if ends_word(letter) {
                    end(at, letter, std::mem::take(&mut numbered));
                }
            }
        }
        end(text.len(), ' ', numbered);
    }

    /// Those that have a digit.
    pub fn numbered(&self) -> impl Iterator<Item = &'l str> {
        self.numbers.iter().filter_map(|at| self.all.get(*at).copied())
    }
}

fn ends_word(letter: char) -> bool {
    matches!(
        letter,
        ' ' | ',' | '(' | ')' | '`' | '"' | '\'' | ';' | '/' | '=' | ':' | '，' | '（' | '）' | '*' | '。' | '@'
    )
}
