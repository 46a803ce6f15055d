//! What is quoted of a text, and which distribution does a message in it name?

use crate::check::Context;
use crate::facts::TORCH;
use crate::facts::redact::{Identity, redact_text};
use crate::log::Log;
use crate::rules::symptom::Seen;

/// A message is quoted up to so many characters.
const LONGEST: usize = 200;

/// The line that holds some words, as it is quoted.
pub fn line_of(text: &Log, words: &str, people: &Identity) -> Option<String> {
    let place = memchr::memmem::find(text.flat.as_bytes(), words.as_bytes())?;
    Some(shorten(text.line_around(place), people))
}

/// A line as it is quoted: short, and without names of people and secrets.
pub fn shorten(line: &str, people: &Identity) -> String {
    // Half a token would not be known as one: what is looked at is longer than what is shown, and ends with a word.
    let cut = line.char_indices().nth(3 * LONGEST).and_then(|(end, _)| line.get(..end));
    let start = cut.map_or(line, |start| start.rsplit_once(' ').map_or("", |(words, _)| words));
    let clean = redact_text(start, people);
    match clean.chars().count() {
        length if length <= LONGEST && cut.is_none() => clean,
        _ => clean.chars().take(LONGEST).chain(['…']).collect(),
    }
}

/// The distribution that a message names: by the path of a library, or by a module, in its own line before those around it.
pub fn package_in(context: &Context<'_>, seen: &Seen<'_>, text: &Log) -> Option<String> {
    let own = text.line_around(seen.place);
    let own = own.char_indices().nth(3 * LONGEST).and_then(|(end, _)| own.get(..end)).unwrap_or(own);
    let from = seen.place.saturating_sub(300);
    let around: String = text
        .flat
        .bytes()
        .skip(from)
        .take(700)
        .map(|byte| if byte.is_ascii() { char::from(byte) } else { ' ' })
        .collect();
    let cut = |text: &str| named(context, text);
    cut(own).or_else(|| cut(&around))
}

/// The first distribution that is named in some words.
fn named(context: &Context<'_>, text: &str) -> Option<String> {
    let words = text.split([' ', '\'', '"', '(', ')', '`', ',', ':', '/', '\\', '=']);
    words.filter_map(|word| word.split('.').next()).filter(|word| word.len() > 3).find_map(|word| {
        let name = context.db.distribution_of_module(word)?;
        // Everything is about torch; what else is named tells more.
        (!matches!(name.as_str(), TORCH | "python" | "numpy")).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_short_and_holds_no_half_of_a_token() {
        let people = Identity { users: vec!["ada".to_owned()], ..Identity::default() };
        assert_eq!(shorten("ada: no", &people), "user: no");
        let cut = shorten(&format!("{} hf_abcdefghijklmnop", "x".repeat(190)), &people);
        assert_eq!(cut, format!("{} redacted", "x".repeat(190)));
        let long = shorten(&format!("{} hf_abcdefghijklmnop", "x y ".repeat(500)), &people);
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(!long.contains("hf_"));
    }
}
