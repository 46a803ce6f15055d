//! Takes off what pasting does to a text: colours, quote marks, log prefixes, Markdown, wrapping.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::bare::{WIDTHS, bare, width};
use super::json::documents;
use super::words::{Word, Words};
use crate::log::Log;

/// One line, cleaned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'t> {
    /// In the text as it came, from 1.
    pub number: usize,
    /// Without colours, quote marks, log prefixes and surrounding space.
    pub text: Cow<'t, str>,
    words: Words,
}

impl Line<'_> {
    /// Whether a word that readers look for stands in it.
    pub fn has(&self, word: Word) -> bool {
        self.words.has(word)
    }
}

/// A text made readable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clean<'t> {
    /// The lines that are not empty; of a long text those at its start and its end.
    pub lines: Vec<Line<'t>>,
    /// How many lines are not empty.
    pub count: usize,
    /// All of them in one line.
    pub log: Log,
    /// The text as it came.
    pub raw: &'t str,
}

/// So many lines are read one by one; error messages are looked for in all of them. Reports stand at the start or the end of
/// a log.
const MOST_LINES: usize = 3_000;

/// Cleans a text.
#[must_use]
pub fn clean(text: &str) -> Clean<'_> {
    let broken = broken_at(text);
    let mut log = Log::of_size(text.len());
    let mut kept = Kept::default();
    let mut joined: Option<Line> = None;
    let mut count = 0;
    let mut documents = documents(text).into_iter().peekable();
    for (at, raw) in split(text).enumerate() {
        let mut line = Line { number: at + 1, text: bare(raw), words: Words::default() };
        if line.text.is_empty() {
            continue;
        }
        count += 1;
        // A document counts for the list in it.
        if let Some(document) = documents.peek().filter(|document| document.lines.0 <= at) {
            if document.lines.0 == at {
                for (row, text) in &document.rows {
                    log.push(text, row + 1, false);
                    kept.push(Line { number: row + 1, text: Cow::Owned(text.clone()), words: Words::default() });
                }
            }
            if document.lines.1 > at {
                continue;
            }
            line.text = Cow::Owned(documents.next().map(|document| document.rest).unwrap_or_default());
            if line.text.is_empty() {
                continue;
            }
        }
        let cut = broken.is_some_and(|broken| width(raw) == broken && !is_table(&line.text));
        log.push(&line.text, line.number, joined.is_some());
        // A line that only happens to be as long as the broken ones must not swallow the next: that stays by itself too.
        if let Some(mut whole) = joined.take() {
            whole.text.to_mut().push_str(&line.text);
            kept.push(line);
            match cut && whole.text.len() < 4096 {
                true => joined = Some(whole),
                false => kept.push(whole),
            }
        } else if cut {
            kept.push(line.clone());
            joined = Some(line);
        } else {
            kept.push(line);
        }
    }
    if let Some(line) = joined {
        kept.push(line);
    }
    let Kept { first: mut lines, last } = kept;
    lines.extend(last);
    lines.iter_mut().for_each(|line| line.words = Words::of(&line.text));
    Clean { lines, count, log, raw: text }
}

/// The lines of a text, also those that are empty.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]);
    ends.scan(0, |start, end| Some(text.get(std::mem::replace(start, end + 1)..end).unwrap_or_default()))
}

/// The lines at the start of a text and those at its end.
#[derive(Default)]
struct Kept<'t> {
    first: Vec<Line<'t>>,
    last: VecDeque<Line<'t>>,
}

impl<'t> Kept<'t> {
    fn push(&mut self, line: Line<'t>) {
        if self.first.len() < MOST_LINES / 2 {
            self.first.push(line);
            return;
        }
        if self.last.len() == MOST_LINES / 2 {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }
}

/// The width at which lines were broken inside words: the longest that several lines have, if nothing is longer.
fn broken_at(text: &str) -> Option<usize> {
    let (mut longest, mut same) = (0, 0);
    for line in split(text).filter(|line| line.len() >= *WIDTHS.start()) {
        let width = width(line);
        if width < longest.max(*WIDTHS.start()) {
            continue;
        }
        let text = bare(line);
        if text.is_empty() || is_table(&text) {
            continue;
        }
        if width > *WIDTHS.end() {
            return None;
        }
        same = if width == longest { same + 1 } else { 1 };
        longest = width;
    }
    (same >= 2 || longest == 80).then_some(longest)
}

/// Tables and rules are all of one width without having been broken.
fn is_table(text: &str) -> bool {
    text.starts_with(['|', '+', '-', '=', '#']) || text.ends_with(['|', '='])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        clean(text).lines.into_iter().map(|line| line.text.into_owned()).collect()
    }

    #[test]
    fn what_was_put_around_a_line_goes() {
        for text in [
            "torch==2.7.1",
            "  torch==2.7.1\r",
            "> > torch==2.7.1",
            "\u{1b}[1;31mtorch==2.7.1\u{1b}[0m",
            "2026-01-02T03:04:05.678Z torch==2.7.1",
            "2026-01-02 03:04:05,678 - app - torch==2.7.1",
            "ERROR 01-02 03:04:05 [core.py:387] torch==2.7.1",
            "(VllmWorker rank=0 pid=20455) torch==2.7.1",
            "[rank0]: torch==2.7.1",
            "| 2026-01-02T03:04:05.678Z | torch==2.7.1",
            "Thu Jan 23 11:55:50 2025[1,1]<stderr>:torch==2.7.1",
            "✅ torch==2.7.1",
            "  ❌ torch==2.7.1",
            "⚠️  torch==2.7.1",
            "[OK] torch==2.7.1",
            "[✗] torch==2.7.1",
        ] {
            let found = lines(text);
            assert!(found.iter().all(|line| line.ends_with("torch==2.7.1")) && found.len() == 1, "{text}: {found:?}");
        }
    }

    #[test]
    fn what_belongs_to_a_line_stays() {
        for text in ["[pip3] torch==2.7.1", "| NVIDIA-SMI 570.26 |", "GPU 0: A100", "12.8", "INFORMATION: yes"] {
            assert_eq!(lines(text), [text]);
        }
    }

    #[test]
    fn a_broken_line_is_whole_again_and_each_part_stays() {
        let long = format!("{} sm_120 is not compatible", "x".repeat(90));
        let broken = format!("{}\n{}", &long[..80], &long[80..]);
        // It is there three times, and is two lines.
        assert_eq!((clean(&broken).lines.len(), clean(&broken).count), (3, 2));
        assert!(lines(&broken).contains(&long));
        assert!(clean(&broken).log.flat.contains("sm_120 is not compatible"));
        // A line that only happens to be long does not swallow the next.
        assert!(lines(&format!("{}\ntorch==2.7.1", "y".repeat(80))).contains(&"torch==2.7.1".to_owned()));
    }

    #[test]
    fn of_a_long_text_start_and_end_are_kept() {
        let text: String = (0..30_000).map(|at| format!("line {at}\n")).collect();
        let clean = clean(&text);
        let numbers: Vec<usize> = clean.lines.iter().map(|line| line.number).collect();
        assert_eq!((clean.count, numbers.len()), (30_000, MOST_LINES));
        assert_eq!((numbers[0], numbers[1_499], numbers[1_500], numbers[2_999]), (1, 1_500, 28_501, 30_000));
        assert!(clean.log.flat.contains("line 15000 line 15001"));
    }
}
