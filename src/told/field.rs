//! One line of the form `name: value`, taken apart.

use super::clean::Line;
use super::words::Word;

/// How these readers are called among what was recognised.
pub const READER: &str = "environment report";
/// A name is no longer than this.
const LONGEST: usize = 64;

/// Takes a line apart: the name in lower case without decoration, and the value.
///
/// `- **PyTorch Version**: 2.7.1` is `pytorch version`, `2.7.1`; `torch version ...... 2.0.1` is `torch version`, `2.0.1`,
/// with two dots or more.
pub(super) fn field<'l>(line: &'l Line<'_>) -> Option<(String, &'l str)> {
    let text = &*line.text;
    let led = |at: &usize| {
        text.get(at + 1..)
            .is_some_and(|rest| rest.trim_start_matches('.').starts_with(' ') && !rest.starts_with(".. /"))
    };
    let dotted = line.has(Word::Dots).then(|| text.find(" ..").filter(led)).flatten();
    let (name, value) = match dotted {
        Some(at) => {
            let rest = text.get(at..)?.trim_start_matches([' ', '.']);
            (text.get(..at)?, rest)
        }
        None if text.starts_with('|') => {
            // A Markdown table of two columns.
            let cells: Vec<&str> = text.trim_matches('|').split('|').collect();
            let [name, value] = cells.as_slice() else { return None };
            (*name, *value)
        }
        None => {
            let colon = text.find(':').filter(|at| !text.get(at + 1..).unwrap_or_default().starts_with([':', '\\']));
            let equals = text.find('=').filter(|at| {
                let after = text.get(at + 1..).unwrap_or_default();
                !after.starts_with('=') && !text.get(..*at).unwrap_or_default().ends_with(['!', '<', '>', '~', '='])
            });
            match [colon, equals].into_iter().flatten().min() {
                Some(at) => (text.get(..at)?, text.get(at + 1..)?),
                // `torch.version.cuda → None`.
                None => text.split_once('→').or_else(|| text.split_once("->"))?,
            }
        }
    };
    if name.len() > LONGEST {
        return None;
    }
    let name = lower(strip_marks(name).trim_end_matches([' ', '\'', '`', '*']));
    let value = strip_marks(value);
    // Both colons of `NVIDIA driver's version:384.130` are gone by now; an empty value may follow below.
    (!name.is_empty()).then_some((name, value))
}

/// In lower case, with single spaces, without marks.
fn lower(name: &str) -> String {
    let mut lower = String::with_capacity(name.len());
    let mut space = true;
    for letter in name.chars() {
        match letter {
            '`' | '*' | '\'' | '"' => space = false,
            letter if letter.is_whitespace() => {
                if !std::mem::replace(&mut space, true) {
                    lower.push(' ');
                }
            }
            letter => {
                lower.extend(letter.to_lowercase());
                space = false;
            }
        }
    }
    lower
}

/// `### GPU model` is `gpu model`.
pub(super) fn heading(text: &str) -> Option<String> {
    let name = text.strip_prefix('#')?.trim_start_matches('#').trim().trim_end_matches(':');
    (name.len() <= LONGEST && !name.is_empty()).then(|| name.replace(['*', '`'], "").to_lowercase())
}

/// Without bullets, bold and code marks, check boxes and trailing commas.
pub(super) fn strip_marks(text: &str) -> &str {
    let text = text.trim().trim_start_matches(['-', '*', '+', '•', '#', '·', '●']).trim_start();
    let text = text.strip_prefix("[x]").or_else(|| text.strip_prefix("[ ]")).unwrap_or(text);
    text.trim().trim_matches(['`', '*', '"', '\'']).trim().trim_end_matches(',').trim()
}
