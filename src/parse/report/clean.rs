//! Takes off what pasting does to a text: colours, quote marks, log prefixes, Markdown, wrapping.

use std::borrow::Cow;
use std::collections::VecDeque;

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
/// Columns at which terminals and mail programs break lines.
pub const WIDTHS: std::ops::RangeInclusive<usize> = 60..=160;

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

/// The characters of a line as a terminal shows it.
pub fn width(line: &str) -> usize {
    let line = line.trim_end_matches('\r');
    if line.contains('\u{1b}') { plain(line).chars().count() } else { line.chars().count() }
}

/// Tables and rules are all of one width without having been broken.
fn is_table(text: &str) -> bool {
    text.starts_with(['|', '+', '-', '=', '#']) || text.ends_with(['|', '='])
}

/// One line without what was put around it.
pub fn bare(line: &str) -> Cow<'_, str> {
    let mut text: Cow<'_, str> = Cow::Borrowed(line.trim());
    if text.bytes().any(|byte| byte < 0x20 || byte == b'&' || byte == b'<' || byte >= 0x80) {
        text = Cow::Owned(plain(&text));
    }
    let start = text.len() - prefix_free(&text).len();
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text[start..].trim_end()),
        Cow::Owned(mut text) => {
            text.drain(..start);
            text.truncate(text.trim_end().len());
            Cow::Owned(text)
        }
    }
}

/// What forums leave of HTML, and what it stands for.
const MARKS: [(&str, &str); 11] = [
    ("&gt;", ">"),
    ("&lt;", "<"),
    ("&amp;", "&"),
    ("&quot;", "\""),
    ("<br>", ""),
    ("<br />", ""),
    ("<br/>", ""),
    ("<details>", ""),
    ("</details>", ""),
    ("<summary>", ""),
    ("</summary>", ""),
];

/// Without escape sequences, control characters, invisible ones and [`MARKS`].
fn plain(text: &str) -> String {
    let is_plain = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'&' && byte != b'<';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let end = rest.bytes().position(|byte| !is_plain(byte)).unwrap_or(rest.len());
        let (head, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        out.push_str(head);
        let mut letters = tail.chars();
        let Some(letter) = letters.next() else { break };
        let after = letters.as_str();
        rest = after;
        match letter {
            '\u{1b}' => rest = skip_escape(after),
            '\t' | '\u{a0}' | '\u{3000}' => out.push(' '),
            '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2060}' | '\u{fffd}' | '\u{fe0f}' => {}
            '：' => out.push(':'),
            '‘' | '’' => out.push('\''),
            '“' | '”' => out.push('"'),
            '\0'..='\u{1f}' | '\u{7f}' => {}
            '&' | '<' => match MARKS.iter().find_map(|(mark, to)| Some((tail.strip_prefix(mark)?, *to))) {
                Some((after, to)) => {
                    out.push_str(to);
                    rest = after;
                }
                None => out.push(letter),
            },
            letter => out.push(letter),
        }
    }
    out.trim().to_owned()
}

/// What follows an escape sequence: `[31m`, `]0;title\x07`, or one letter.
fn skip_escape(text: &str) -> &str {
    let mut bytes = text.bytes().enumerate();
    let end = match bytes.next() {
        Some((_, b'[')) => bytes.find(|(_, byte)| (0x40..=0x7e).contains(byte)).map(|(at, _)| at + 1),
        Some((_, b']')) => bytes.find(|(_, byte)| *byte == 7).map(|(at, _)| at + 1),
        Some(_) => Some(1),
        None => None,
    };
    end.and_then(|end| text.get(end..)).unwrap_or_default()
}

/// A line without quote marks and what loggers, process launchers and containers put in front.
fn prefix_free(text: &str) -> &str {
    let mut text = text.trim_start();
    // Each round takes one prefix; launchers nest a handful of them.
    for _ in 0..8 {
        let before = text;
        if let Some(rest) = strip_prefix(text) {
            text = rest.trim_start();
        }
        if text.len() == before.len() {
            break;
        }
    }
    text
}

fn strip_prefix(text: &str) -> Option<&str> {
    let first = text.bytes().next()?;
    if first >= 0x80 {
        return text.strip_prefix(TICKS);
    }
    match first {
        // A quotation. `>>> import torch` is a prompt, and goes too.
        b'>' => Some(text.trim_start_matches('>')),
        // `$ nvidia-smi`; the line of a shell is as good without.
        b'$' => text.strip_prefix("$ "),
        b'0'..=b'9' => strip_time(text),
        b'[' | b'(' => strip_bracket(text),
        b'|' => {
            // Log viewers draw columns: `| 2025-03-07T05:56:27.270Z | text`. Tables of nvidia-smi stay.
            let rest = text.trim_start_matches(['|', ' ']);
            let after = strip_time(rest)?;
            Some(after.trim_start_matches(['|', ' ']))
        }
        b'A'..=b'Z' => strip_level(text).or_else(|| strip_weekday(text)),
        _ => None,
    }
}

/// What scripts put before a line that went well, went wrong, or is to be noticed.
const TICKS: [char; 24] = [
    '✅', '✔', '✓', '☑', '❌', '✗', '✘', '✖', '❎', '⛔', '🚫', '🔴', '🟢', '🟡', '⚠', '❗', 'ℹ', '→', '➜', '➤', '▶',
    '•', '●', '🔥',
];

/// `2024-04-26 01:58:58,742`, `2025-03-07T05:56:27.270Z`, `17:22:43-020113`, `12:03:04.123`, `07-16 23:02:53`.
fn strip_time(text: &str) -> Option<&str> {
    let end = text.bytes().position(|byte| byte == b' ' || byte == b'|').unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end)?;
    let word = word.trim_end_matches([':', ',']);
    if is_clock(word)
        || is_date(word)
        || word.split_once(['T', 't']).is_some_and(|(day, time)| is_date(day) && is_clock(time))
    {
        let rest = rest.trim_start();
        // Followed by a separator of its own, as in `2024-01-01 10:00:00,123 - sglang - INFO - text`.
        return Some(rest.strip_prefix("- ").unwrap_or(rest));
    }
    None
}

fn is_clock(word: &str) -> bool {
    let bytes = word.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let colon = |at: usize| bytes.get(at) == Some(&b':');
    digit(0)
        && digit(1)
        && colon(2)
        && digit(3)
        && digit(4)
        && colon(5)
        && digit(6)
        && digit(7)
        && word.bytes().skip(8).all(|byte| byte.is_ascii_digit() || b".,-+:Zz".contains(&byte))
}

fn is_date(word: &str) -> bool {
    let parts = || word.split(['-', '/']);
    let numbers = parts().all(|part| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()));
    match parts().count() {
        3 => numbers,
        2 => numbers && parts().all(|part| part.len() == 2),
        _ => false,
    }
}

/// `[rank0]:`, `[1,1]<stderr>:`, `(VllmWorker rank=0 pid=20455)`, `[core.py:387]`, `[2025-01-01 10:00:00]`, `[INFO]`.
fn strip_bracket(text: &str) -> Option<&str> {
    let close = if text.starts_with('[') { ']' } else { ')' };
    let end = text.find(close)?;
    let (inside, rest) = (text.get(1..end)?, text.get(end + 1..)?);
    // `[pip3] torch==2.7.1` and `[conda]` say where a list comes from.
    if matches!(inside, "pip3" | "pip" | "conda") || inside.len() > 90 {
        return None;
    }
    let known = inside.starts_with("rank")
        || inside.contains("pid=")
        || inside.contains("rank=")
        || (inside.contains(".py:") && inside.bytes().last().is_some_and(|byte| byte.is_ascii_digit()))
        || LEVELS.contains(&inside.trim())
        || OUTCOMES.contains(&inside.trim())
        || inside.starts_with(TICKS)
        || strip_time(inside).is_some()
        || rest.starts_with("<std")
        || (inside.bytes().all(|byte| byte.is_ascii_digit() || b",:. ".contains(&byte)) && !inside.is_empty());
    if !known {
        return None;
    }
    let rest = rest.strip_prefix("<stderr>").or_else(|| rest.strip_prefix("<stdout>")).unwrap_or(rest);
    Some(rest.trim_start_matches([':', ' ']))
}

const LEVELS: [&str; 10] =
    ["INFO", "WARNING", "WARN", "ERROR", "DEBUG", "CRITICAL", "FATAL", "TRACE", "STDERR", "STDOUT"];

const OUTCOMES: [&str; 9] = ["OK", "ok", "PASS", "FAIL", "FAILED", "SKIP", "+", "!", "*"];

/// `ERROR 07-08 15:41:43 [multiproc_executor.py:487] text`, `WARNING: text`, `INFO    text`, `ERROR - text`.
fn strip_level(text: &str) -> Option<&str> {
    let end = text.bytes().position(|byte| !byte.is_ascii_uppercase()).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end)?;
    if !LEVELS.contains(&word) {
        return None;
    }
    // `WARNING[XFORMERS]: text` names its speaker.
    let rest = rest.strip_prefix("[XFORMERS]").unwrap_or(rest);
    let after = rest.trim_start_matches([':', ' ', '-', '|']);
    // `services.py:1996 -- text`, `_custom_ops.py:20] text`.
    let (first, others) = after.split_once(' ').unwrap_or((after, ""));
    if first.contains(".py:") && first.trim_end_matches(']').bytes().last().is_some_and(|byte| byte.is_ascii_digit()) {
        return Some(others.trim_start_matches(['-', ' ']));
    }
    // `ERROR 07-08 15:41:43 file.py:1] text`: the time goes with it.
    let mut rest = after;
    for _ in 0..2 {
        rest = strip_time(rest).map_or(rest, str::trim_start);
    }
    let (first, others) = rest.split_once(' ').unwrap_or((rest, ""));
    if rest.len() < after.len() && first.contains(".py:") {
        return Some(others.trim_start_matches(['-', ' ']));
    }
    (rest.len() < text.len()).then_some(rest)
}

/// `Thu Jan 23 11:55:50 2025[1,1]<stderr>:text`, `Jan 23 11:55:50 host python[12]: text`.
fn strip_weekday(text: &str) -> Option<&str> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.splitn(6, ' ').filter(|word| !word.is_empty());
    let first = words.next()?;
    let month = if MONTHS.contains(&first) { first } else { words.next()? };
    let (day, clock) = (words.next()?, words.next()?);
    if !MONTHS.contains(&month) || day.parse::<u32>().is_err() || !is_clock(clock) {
        return None;
    }
    let at = text.find(clock)? + clock.len();
    let rest = text.get(at..)?.trim_start();
    let year = rest.get(..4).filter(|year| year.bytes().all(|byte| byte.is_ascii_digit()));
    let rest = year.map_or(rest, |_| rest.get(4..).unwrap_or_default());
    // Alone on a line it is the head of nvidia-smi's table: nothing is lost.
    Some(rest)
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
