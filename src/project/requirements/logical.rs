//! Logical lines: joined where one ends in a backslash, without comments, with environment variables put in. Each byte of
//! them knows where in the file it comes from.

use std::ops::Range;

use crate::project::sourced::Sourced;

/// A line as pip reads it after its preparations: trimmed and not empty.
pub type Logical = Sourced;

/// The logical lines of a text that say something, in order.
///
/// `variable` is asked for the values of `${NAME}`.
pub fn logical_lines(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Logical> {
    let mut lines = Vec::new();
    let mut open = Logical::default();
    let mut is_open = false;
    for range in physical_lines(text) {
        let line = text.get(range.clone()).unwrap_or_default();
        let comment = line.trim_start().starts_with('#');
        if line.ends_with('\\') && !comment {
            let inner = line.trim_matches('\\');
            let start = range.start + (line.len() - line.trim_start_matches('\\').len()).min(line.len() - inner.len());
            open.push(inner, start..start + inner.len(), true);
            is_open = true;
            continue;
        }
        if comment {
            // So that it is a comment behind whatever it is joined to.
            open.push(" ", range.start..range.start, false);
        }
        open.push(line, range, true);
        is_open = false;
        lines.extend(finished(&std::mem::take(&mut open), variable));
    }
    if is_open {
        lines.extend(finished(&open, variable));
    }
    lines
}

/// A joined line without its comment and the blanks around it, and with its variables.
fn finished(joined: &Logical, variable: &dyn Fn(&str) -> Option<String>) -> Option<Logical> {
    let text = joined.text.as_str();
    let is_comment = |at: usize| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        before.is_none_or(char::is_whitespace)
    };
    let end = text.match_indices('#').map(|(at, _)| at).find(|at| is_comment(*at)).unwrap_or(text.len());
    let kept = text.get(..end).unwrap_or_default();
    let trimmed = kept.trim();
    let start = kept.len() - kept.trim_start().len();
    (!trimmed.is_empty()).then(|| joined.part(start..start + trimmed.len()).expanded(variable))
}

/// The lines without their ends, which are those of Python's `str.splitlines`; a byte order mark belongs to none.
fn physical_lines(text: &str) -> Vec<Range<usize>> {
    let is_end = |letter: char| {
        matches!(letter, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut start = text.len() - text.strip_prefix(crate::project::place::BYTE_ORDER_MARK).unwrap_or(text).len();
    let mut lines = Vec::new();
    while start < text.len() {
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.find(is_end).unwrap_or(rest.len());
        lines.push(start..start + length);
        let after = rest.get(length..).unwrap_or_default();
        let end = if after.starts_with("\r\n") { 2 } else { after.chars().next().map_or(0, char::len_utf8) };
        start += length + end;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(String, Range<usize>)> {
        let variable = |name: &str| (name == "TOKEN").then(|| "secret".to_owned());
        logical_lines(text, &variable).into_iter().map(|line| (line.text.clone(), line.whole())).collect()
    }

    #[test]
    fn lines_are_joined_and_comments_cut() {
        let text = "# head\ntorch==2.6.0 \\\n    --hash=sha256:aa # why\n\n  numpy#x\n";
        assert_eq!(
            lines(text),
            [("torch==2.6.0     --hash=sha256:aa".to_owned(), 7..42), ("numpy#x".to_owned(), 52..59)]
        );
    }

    #[test]
    fn a_comment_ends_what_is_joined_to_it() {
        assert_eq!(lines("a \\\n# no \\\nb\n"), [("a".to_owned(), 0..1), ("b".to_owned(), 11..12)]);
        assert_eq!(lines("a # no \\\nb\nc"), [("a".to_owned(), 0..1), ("c".to_owned(), 11..12)]);
        assert_eq!(lines("a \\"), [("a".to_owned(), 0..1)]);
    }

    #[test]
    fn marks_and_line_ends_of_other_systems() {
        assert_eq!(
            lines("\u{feff}a\r\nb\rc"),
            [("a".to_owned(), 3..4), ("b".to_owned(), 6..7), ("c".to_owned(), 8..9)]
        );
    }

    #[test]
    fn variables_know_where_they_stand() {
        let text = "-i https://u:${TOKEN}@host/${UNSET}/${lower}";
        let line = logical_lines(text, &|name| (name == "TOKEN").then(|| "secret".to_owned())).remove(0);
        assert_eq!(line.text, "-i https://u:secret@host/${UNSET}/${lower}");
        assert_eq!(line.source(13..19), 13..21);
        assert_eq!(line.source(20..24), 22..26);
        assert_eq!(line.whole(), 0..text.len());
    }
}
