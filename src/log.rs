//! A text that is searched for sentences: all of it in one line, with the way back to the lines that it had.

/// A text with single spaces, so that a sentence is whole wherever it was broken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// The text.
    pub flat: String,
    /// Where the lines begin in it, ascending, with their numbers in the text as it came, from 1.
    starts: Vec<(usize, usize)>,
}

impl Log {
    /// Room for a text of so many bytes.
    #[must_use]
    pub fn of_size(bytes: usize) -> Self {
        Self { flat: String::with_capacity(bytes), starts: Vec::new() }
    }

    /// Adds a line; `glued` without the space that stands for a line break.
    pub fn push(&mut self, text: &str, number: usize, glued: bool) {
        if !glued && !self.flat.is_empty() {
            self.flat.push(' ');
        }
        self.starts.push((self.flat.len(), number));
        if is_flat(text) {
            self.flat.push_str(text);
            return;
        }
        for (at, word) in text.split_whitespace().enumerate() {
            if at > 0 {
                self.flat.push(' ');
            }
            self.flat.push_str(word);
        }
    }

    /// The number of the line in which a place of the text stands.
    #[must_use]
    pub fn line_at(&self, place: usize) -> usize {
        let after = self.starts.partition_point(|(start, _)| *start <= place);
        after.checked_sub(1).and_then(|at| self.starts.get(at)).map_or(1, |(_, number)| *number)
    }

    /// The numbers of its lines, each once.
    pub fn numbers(&self) -> impl Iterator<Item = usize> + '_ {
        let mut last = None;
        self.starts.iter().map(|(_, number)| *number).filter(move |number| last.replace(*number) != Some(*number))
    }

    /// The whole line in which a place of the text stands.
    #[must_use]
    pub fn line_around(&self, place: usize) -> &str {
        let after = self.starts.partition_point(|(start, _)| *start <= place);
        let start = after.checked_sub(1).and_then(|at| self.starts.get(at)).map_or(0, |(start, _)| *start);
        let end = self.starts.get(after).map_or(self.flat.len(), |(start, _)| *start);
        self.flat.get(start..end).unwrap_or_default().trim()
    }
}

/// Whether all white space in a text is single spaces between words; most lines are so.
fn is_flat(text: &str) -> bool {
    let plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    plain && !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_leads_back_to_its_line() {
        let mut log = Log::default();
        log.push("one  two", 1, false);
        log.push("three", 4, false);
        assert_eq!(log.flat, "one two three");
        let place = log.flat.find("three").expect("it is there");
        assert_eq!((log.line_at(place), log.line_around(place)), (4, "three"));
        assert_eq!((log.line_at(0), log.line_around(4)), (1, "one two"));
        assert_eq!(Log::default().line_around(7), "");
        let mut log = Log::of_size(0);
        [" a", "b ", "c  d", "e\u{3000}f", "g h"].into_iter().for_each(|text| log.push(text, 1, false));
        assert_eq!(log.flat, "a b c d e f g h");
    }
}
