//! One line without what pasting, loggers and terminals put around it.

use std::borrow::Cow;

/// Columns at which terminals and mail programs break lines.
pub const WIDTHS: std::ops::RangeInclusive<usize> = 60..=160;

/// The characters of a line as a terminal shows it.
pub fn width(line: &str) -> usize {
    let line = line.trim_end_matches('\r');
    if line.contains('\u{1b}') { plain(line).chars().count() } else { line.chars().count() }
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
        b'0'..=b'9' => strip_time(text).or_else(|| strip_seconds(text)),
        b'#' => {
            let (step, rest) = text.strip_prefix('#')?.split_once(' ')?;
            let is_step = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
            strip_seconds(rest).filter(|_| is_step)
        }
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

/// BuildKit's seconds since the step began, with three decimals: `2.921 ERROR: …`, `#8 2.921 ERROR: …`.
fn strip_seconds(text: &str) -> Option<&str> {
    let (word, rest) = text.split_once(' ')?;
    let (seconds, parts) = word.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(seconds) && digits(parts) && parts.len() == 3).then_some(rest)
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
    // `(7, 0)` alone is an answer.
    if rest.trim().is_empty() && text.starts_with('(') {
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
