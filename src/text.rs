//! Small helpers for sentences and texts: lists, near misses, sizes, replacements.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;

/// Whether a character makes a terminal do something, or text look like another: control characters, and what turns the
/// direction of writing or takes no room.
#[must_use]
pub fn hides(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Text from outside as it may be shown: `1.0\u{1b}[31m` with a mark for each character that [`hides`]; lines stay lines.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    let acts = |letter: char| hides(letter) && letter != '\n';
    if text.contains(acts) { Cow::Owned(text.replace(acts, "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Joins words as a sentence does: `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn list<T: Display>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.to_string(),
        [head @ .., last] => {
            let head: Vec<_> = head.iter().map(ToString::to_string).collect();
            format!("{} and {last}", head.join(", "))
        }
    }
}

/// Picks the word for a number: `1 failure`, `2 failures`.
#[must_use]
pub fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// A part of a sentence as one of its own, e.g. `Update it` of `update it`.
#[must_use]
pub fn sentence(part: &str) -> String {
    let mut letters = part.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A sentence as a part of a longer one, e.g. `update it` of `Update it`.
#[must_use]
pub fn lower_first(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// The first sentence of a text, with its full stop: a full stop, a space and no small letter end one, outside backticks.
#[must_use]
pub fn first_sentence(text: &str) -> &str {
    let mut code = false;
    for (at, letter) in text.char_indices() {
        code ^= letter == '`';
        let rest = text.get(at + 1..).unwrap_or_default();
        let ends = rest.strip_prefix(' ').is_some_and(|rest| !rest.starts_with(|next: char| next.is_lowercase()));
        if letter == '.' && !code && ends {
            return text.get(..=at).unwrap_or(text);
        }
    }
    text
}

/// A text in at most so many lines; where it has more, what does not fit is cut behind a word, with `…` in its place.
#[must_use]
pub fn wrap_to(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines = wrap(text, width);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            while last.chars().count() + 2 > width {
                *last = match last.rsplit_once(' ') {
                    Some((before, _)) => before.to_owned(),
                    None => last.chars().take(width.saturating_sub(2)).collect(),
                };
            }
            last.push_str(" …");
        }
    }
    lines
}

/// A size in binary units with one decimal where it is small, e.g. `31.8 GiB`, `64 MiB`.
#[must_use]
pub fn bytes(size: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    #[expect(clippy::cast_precision_loss, reason = "a size for people")]
    let mut value = size as f64;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    let text = if value >= 100.0 || value.fract() < 0.05 { format!("{value:.0}") } else { format!("{value:.1}") };
    format!("{text} {}", units[unit])
}

/// The day of a number of days since 1970-01-01, e.g. `2026-11-21` for 20,778.
#[must_use]
pub fn day(days: u64) -> String {
    // Years that begin in March: the leap day is the last one.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + u64::from(month <= 2))
}

/// The number of days since 1970-01-01 of a day as [`day`] writes it; none for what is none.
#[must_use]
pub fn days(day: &str) -> Option<u64> {
    let mut parts = day.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, of_month) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&of_month) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * month + 2) / 5 + of_month - 1;
    (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)
}

/// Edits between two words: insertions, deletions, replacements, swaps of neighbours.
#[must_use]
pub fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<_>, Vec<_>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    rows[0] = (0..=right.len()).collect();
    for at in 1..=left.len() {
        rows[at][0] = at;
        for to in 1..=right.len() {
            let replaced = rows[at - 1][to - 1] + usize::from(left[at - 1] != right[to - 1]);
            let mut best = replaced.min(rows[at - 1][to] + 1).min(rows[at][to - 1] + 1);
            if at > 1 && to > 1 && left[at - 1] == right[to - 2] && left[at - 2] == right[to - 1] {
                best = best.min(rows[at - 2][to - 2] + 1);
            }
            rows[at][to] = best;
        }
    }
    rows[left.len()][right.len()]
}

/// The names nearest to a misspelt one, best first, at most three.
#[must_use]
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<_> = names
        .map(|name| (distance(wanted, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().min(wanted.len()) / 4)
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Breaks a text at spaces into lines of at most `width` characters; a longer word is broken behind a `/`, else where it
/// must be.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    let text = text.replace('\t', " ");
    for word in shown(&text).split_whitespace().flat_map(|word| pieces(word, width)) {
        let size = word.chars().count();
        if length > 0 && length + 1 + size > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += size;
    }
    if length > 0 {
        lines.push(line);
    }
    lines
}

/// The parts of a word that are no longer than a line.
fn pieces(word: &str, width: usize) -> Vec<&str> {
    let mut rest = word;
    let mut pieces = Vec::new();
    while let Some((limit, _)) = rest.char_indices().nth(width.max(1)) {
        let cut = rest[..limit].rfind('/').map_or(limit, |slash| slash + 1);
        let (piece, after) = rest.split_at(cut);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// A text with parts of it replaced; the parts are in order and do not overlap. All other bytes stay as they are.
#[must_use]
pub fn spliced<'e>(text: &str, edits: impl Iterator<Item = (Range<usize>, &'e str)>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for (span, new) in edits {
        result.push_str(text.get(done..span.start).unwrap_or_default());
        result.push_str(new);
        done = span.end;
    }
    result.push_str(text.get(done..).unwrap_or_default());
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_counts_read_like_sentences() {
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(count(1, "failure", "failures"), "1 failure");
        assert_eq!(bytes(64 << 20), "64 MiB");
        assert_eq!(bytes(34_190_917_632), "31.8 GiB");
    }

    #[test]
    fn a_sentence_ends_where_the_next_begins() {
        let text = "It has `a. B`, e.g. x 2.0. What decides is the build. More";
        assert_eq!(first_sentence(text), "It has `a. B`, e.g. x 2.0.");
        assert_eq!(first_sentence("No 2.0 e.g. here. Two"), "No 2.0 e.g. here.");
        assert_eq!(first_sentence("One"), "One");
    }

    #[test]
    fn what_does_not_fit_is_cut_behind_a_word() {
        assert_eq!(wrap_to("one two three four", 9, 2), ["one two", "three …"]);
        assert_eq!(wrap_to("one two three", 9, 2), ["one two", "three"]);
        assert_eq!(wrap_to("one _ZN3c105ErrorC2E", 9, 2), ["one", "_ZN3c10 …"]);
    }

    #[test]
    fn a_day_and_its_number_tell_each_other() {
        assert_eq!(days("2026-11-21"), Some(20_778));
        assert_eq!(
            (days("1970-01-01"), days("1969-12-31"), days("2026-13-01"), days("today")),
            (Some(0), None, None, None)
        );
        assert!((0..80_000).all(|number| days(&day(number)) == Some(number)));
    }

    #[test]
    fn days_have_names() {
        assert_eq!([0, 59, 11_016, 20_778].map(day), ["1970-01-01", "1970-03-01", "2000-02-29", "2026-11-21"]);
    }

    #[test]
    fn near_misses_are_found() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("torhc", "torch"), 1);
        assert_eq!(nearest("bitsandbites", ["torch", "bitsandbytes"].into_iter()), ["bitsandbytes"]);
        assert!(nearest("numpy", ["torch", "triton"].into_iter()).is_empty());
    }

    #[test]
    fn no_line_is_longer_than_it_may_be() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a-very-long-word b", 9), ["a-very-lo", "ng-word b"]);
        assert_eq!(wrap("see https://example.org/a/b", 16), ["see https://", "example.org/a/b"]);
        assert!(wrap("", 10).is_empty());
    }
}
