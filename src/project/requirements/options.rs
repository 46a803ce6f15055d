//! The options of a requirements file, split and spelled as pip's option parser takes them: `-rfile`, `--requirement=file`,
//! `--requirem file`.

use std::ops::Range;

use crate::project::dependency::{Problem, part};
use crate::text::nearest;

/// A word of an option string, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What it says.
    pub text: String,
    /// The bytes of the logical line.
    pub range: Range<usize>,
    /// Nothing in it was quoted: its bytes are those of the line.
    plain: bool,
}

/// An option with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// An option of the table.
    Option {
        /// Which.
        option: Known,
        /// Option and value.
        range: Range<usize>,
        /// The value; empty for an option without one.
        value: Word,
    },
    /// A word that belongs to no option.
    Stray(Word),
}

/// The options that requirements files may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Requirement,
    Constraint,
    Editable,
    IndexUrl,
    ExtraIndexUrl,
    FindLinks,
    NoIndex,
    NoBinary,
    OnlyBinary,
    PreferBinary,
    Pre,
    Hash,
    ConfigSettings,
    /// Read, and of no meaning for what is chosen, e.g. `--trusted-host`.
    Other,
}

/// Short form, long form, whether a value follows, meaning. Aliases stand beside each other.
const OPTIONS: [(Option<char>, &str, bool, Known); 22] = [
    (Some('r'), "--requirement", true, Known::Requirement),
    (Some('c'), "--constraint", true, Known::Constraint),
    (Some('e'), "--editable", true, Known::Editable),
    (Some('i'), "--index-url", true, Known::IndexUrl),
    (None, "--pypi-url", true, Known::IndexUrl),
    (None, "--extra-index-url", true, Known::ExtraIndexUrl),
    (Some('f'), "--find-links", true, Known::FindLinks),
    (None, "--no-index", false, Known::NoIndex),
    (None, "--no-binary", true, Known::NoBinary),
    (None, "--only-binary", true, Known::OnlyBinary),
    (None, "--prefer-binary", false, Known::PreferBinary),
    (None, "--pre", false, Known::Pre),
    (None, "--hash", true, Known::Hash),
    (Some('C'), "--config-settings", true, Known::ConfigSettings),
    (None, "--config-setting", true, Known::ConfigSettings),
    (None, "--require-hashes", false, Known::Other),
    (None, "--no-require-hashes", false, Known::Other),
    (None, "--trusted-host", true, Known::Other),
    (None, "--use-feature", true, Known::Other),
    (None, "--all-releases", true, Known::Other),
    (None, "--only-final", true, Known::Other),
    // Until pip 25.
    (None, "--global-option", true, Known::Other),
];

/// Splits the options of a logical line, from `start` on, into words as a POSIX shell does.
pub fn words(line: &str, start: usize) -> Result<Vec<Word>, Problem> {
    let mut words = Vec::new();
    let mut open: Option<Word> = None;
    let mut letters = part(line, start..line.len()).char_indices().map(|(at, letter)| (start + at, letter));
    while let Some((at, letter)) = letters.next() {
        if letter.is_whitespace() {
            words.extend(open.take());
            continue;
        }
        let word = open.get_or_insert_with(|| Word { text: String::new(), range: at..at, plain: true });
        match letter {
            '\'' | '"' => {
                word.plain = false;
                loop {
                    match letters.next() {
                        None => {
                            let range = at..line.len();
                            return Err(Problem::new(range, format!("the quote {letter} is not closed")));
                        }
                        Some((end, inner)) if inner == letter => {
                            word.range.end = end + inner.len_utf8();
                            break;
                        }
                        Some((_, '\\')) if letter == '"' => match letters.next() {
                            Some((_, inner @ ('"' | '\\'))) => word.text.push(inner),
                            Some((_, inner)) => word.text.extend(['\\', inner]),
                            None => {}
                        },
                        Some((_, inner)) => word.text.push(inner),
                    }
                }
            }
            '\\' => {
                word.plain = false;
                let Some((end, inner)) = letters.next() else {
                    return Err(Problem::new(at..line.len(), "nothing follows the backslash".to_owned()));
                };
                word.text.push(inner);
                word.range.end = end + inner.len_utf8();
            }
            _ => {
                word.text.push(letter);
                word.range.end = at + letter.len_utf8();
            }
        }
    }
    words.extend(open);
    Ok(words)
}

/// Pairs options with their values.
pub fn given(words: Vec<Word>) -> (Vec<Given>, Vec<Problem>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if !word.text.starts_with('-') || word.text == "-" {
            found.push(Given::Stray(word));
            continue;
        }
        let (takes, option, inline) = match find(&word) {
            Ok(known) => known,
            Err(problem) => {
                problems.push(problem);
                // Its value is not known from the next option: what follows says nothing.
                break;
            }
        };
        let (range, value) = match (takes, inline) {
            (false, None) => (word.range.clone(), Word { text: String::new(), range: word.range.clone(), plain: true }),
            (false, Some(_)) => {
                problems.push(Problem::new(word.range.clone(), format!("`{}` takes no value", name_of(&word.text))));
                continue;
            }
            (true, Some(value)) => (word.range.clone(), value),
            (true, None) => match words.next() {
                Some(value) => (word.range.start..value.range.end, value),
                None => {
                    problems.push(Problem::new(word.range.clone(), format!("`{}` needs a value", word.text)));
                    continue;
                }
            },
        };
        found.push(Given::Option { option, range, value });
    }
    (found, problems)
}

fn name_of(text: &str) -> &str {
    text.split('=').next().unwrap_or(text)
}

/// The option that a word spells: whether it takes a value, which it is, and the value in the same word.
fn find(word: &Word) -> Result<(bool, Known, Option<Word>), Problem> {
    // The value's bytes, where nothing is quoted.
    let rest = |at: usize| {
        let range = if word.plain { word.range.start + at..word.range.end } else { word.range.clone() };
        Word { text: part(&word.text, at..word.text.len()).to_owned(), range, plain: word.plain }
    };
    if !word.text.starts_with("--") {
        let letter = word.text.chars().nth(1);
        let known = OPTIONS.iter().find(|(short, ..)| short.is_some() && *short == letter);
        return match (known, letter) {
            (Some((_, _, takes, option)), Some(letter)) => {
                let at = 1 + letter.len_utf8();
                Ok((*takes, *option, (word.text.len() > at).then(|| rest(at))))
            }
            _ => Err(unknown(word)),
        };
    }
    let name = name_of(&word.text);
    let inline = (name.len() < word.text.len()).then(|| rest(name.len() + 1));
    let exact = OPTIONS.iter().find(|(_, long, ..)| *long == name);
    let known = match exact {
        Some(known) => known,
        None => {
            // An abbreviation, if only one option begins so.
            let mut fits = OPTIONS.iter().filter(|(_, long, ..)| name.len() > 2 && long.starts_with(name));
            match (fits.next(), fits.next()) {
                (Some(known), None) => known,
                (Some(first), Some(second)) if first.3 == second.3 && first.3 != Known::Other => first,
                _ => return Err(unknown(word)),
            }
        }
    };
    Ok((known.2, known.3, inline))
}

fn unknown(word: &Word) -> Problem {
    let name = name_of(&word.text);
    let problem = Problem::new(word.range.clone(), format!("a requirements file has no option `{name}`"));
    let known = OPTIONS.iter().map(|(_, long, ..)| *long).filter(|long| name.len() < 2 * long.len());
    match nearest(name, known).first() {
        Some(meant) => problem.or_write(meant),
        None => Problem { hint: Some("give it to the installer's command line".to_owned()), ..problem },
    }
}
