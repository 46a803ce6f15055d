//! What was probably meant by a version or marker that installers refuse; each proposal is parsed before it is made.

use std::str::FromStr;

use super::poetry_range;
use crate::pep::{MarkerTree, VersionSpecifier, VersionSpecifiers};

/// Signs that other tools and haste produce, and PEP 440's.
const SIGNS: [(&str, &str); 7] =
    [("=>", ">="), ("=<", "<="), ("<>", "!="), ("=!", "!="), ("===", "=="), ("=", "=="), ("", "==")];

/// A specifier that says what a wrong one means: `=>2.0` is `>=2.0`, `>=2.*` is `>=2`, `^1.2` is `>=1.2,<2`, `2.0` is `==2.0`,
/// `>=2.6 <2.8` lacks its comma.
pub fn versions(text: &str) -> Option<String> {
    let apart = separated(text);
    if apart.len() > 1 {
        let each: Option<Vec<_>> = apart.iter().map(|one| self::one(one)).collect();
        return each.map(|all| all.join(","));
    }
    one(text)
}

fn one(text: &str) -> Option<String> {
    let valid = |text: &str| VersionSpecifier::from_str(text).is_ok().then(|| text.to_owned());
    if let Some(fine) = valid(text) {
        return Some(fine);
    }
    let (sign, version) = split(text);
    if sign.starts_with('^') || sign == "~" {
        return poetry_range::translate(text).ok().map(|range| range.replace(", ", ","));
    }
    let signs = SIGNS.iter().find(|(wrong, _)| *wrong == sign).map(|(_, right)| *right);
    let sign = signs.unwrap_or(sign);
    let release = version.split('+').next().unwrap_or(version);
    let without_star = version.trim_end_matches(".*");
    let candidates = [
        format!("{sign}{version}"),
        // Only `==` and `!=` know labels and stars.
        if release == version { String::new() } else { format!("=={version}") },
        format!("{sign}{without_star}"),
        // `~=2` would be `>=2`, and that is what is not allowed to be said this way.
        if sign == "~=" { format!("~={version}.0") } else { String::new() },
    ];
    candidates.iter().find_map(|candidate| valid(candidate))
}

/// Specifiers that only blanks separate.
fn separated(text: &str) -> Vec<&str> {
    let sign = |letter: char| matches!(letter, '<' | '>' | '=' | '!' | '~' | '^');
    let mut found = Vec::new();
    let mut start = 0;
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        if sign(letter) && !sign(before) && text.get(..at).is_some_and(|head| head.ends_with(char::is_whitespace)) {
            found.push(text.get(start..at).unwrap_or_default().trim());
            start = at;
        }
        before = letter;
    }
    found.push(text.get(start..).unwrap_or_default().trim());
    found.retain(|piece| !piece.is_empty());
    found
}

/// Sign and version, e.g. `=>` and `2.0`.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| !matches!(letter, '<' | '>' | '=' | '!' | '~' | '^')).unwrap_or(text.len());
    let (sign, version) = text.split_at(end);
    (sign, version.trim())
}

/// A marker with quotes where they lack: `python_version >= 3.8`; with `and` for `&&`.
pub fn marker(text: &str) -> Option<String> {
    let spaced = text.replace("&&", " and ").replace("||", " or ").replace(" & ", " and ").replace(" | ", " or ");
    let mut words = Vec::new();
    let mut compared = false;
    for word in spaced.split_whitespace() {
        let bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | '*');
        let quoted = compared && word.chars().all(bare);
        words.push(if quoted { format!("\"{word}\"") } else { word.to_owned() });
        compared = matches!(word, "==" | "!=" | "<" | "<=" | ">" | ">=" | "~=" | "===");
    }
    let meant = words.join(" ");
    (meant != text && meant.is_ascii() && MarkerTree::from_str(&meant).is_ok()).then_some(meant)
}

/// Whether specifiers are well formed.
#[must_use]
pub fn is_fine(text: &str) -> bool {
    VersionSpecifiers::from_str(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_mended() {
        let cases = [
            ("=>2.0", ">=2.0"),
            ("=2.0", "==2.0"),
            ("2.0", "==2.0"),
            ("=<2.0", "<=2.0"),
            ("<>2.0", "!=2.0"),
            (">=2.0+cu118", "==2.0+cu118"),
            (">=2.*", ">=2"),
            ("~=2", "~=2.0"),
            (">=2.6 <2.8", ">=2.6,<2.8"),
            (">= 2.6 < 2.8", ">= 2.6,< 2.8"),
            ("^1.2", ">=1.2,<2"),
            ("~1.2", ">=1.2,<1.3"),
        ];
        for (wrong, right) in cases {
            assert_eq!(versions(wrong).as_deref(), Some(right), "{wrong}");
            assert!(is_fine(right), "{right}");
        }
        assert_eq!(versions("latest"), None);
    }

    #[test]
    fn markers_get_their_quotes() {
        assert_eq!(marker("python_version >= 3.8").as_deref(), Some("python_version >= \"3.8\""));
        assert_eq!(
            marker("sys_platform == linux && python_version < '3.9'").as_deref(),
            Some("sys_platform == \"linux\" and python_version < '3.9'")
        );
        assert_eq!(marker("linux"), None);
    }
}
