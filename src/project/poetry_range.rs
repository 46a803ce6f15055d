//! Poetry's version ranges as PEP 440 writes them.
//!
//! | Poetry | PEP 440 |
//! |---|---|
//! | `^1.2.3` | `>=1.2.3,<2` |
//! | `^0.2.3` | `>=0.2.3,<0.3` |
//! | `^0.0.3` | `>=0.0.3,<0.0.4` |
//! | `~1.2.3` | `>=1.2.3,<1.3` |
//! | `~1` | `>=1,<2` |
//! | `1.2.*` | `==1.2.*` |
//! | `*` | any |
//! | `1.2.3` | `==1.2.3` |
//! | `^1.2 || ^2.0` | none: PEP 440 has no "or" |

use std::str::FromStr;

use crate::pep::{Version, VersionSpecifier};

/// Why a range has no translation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// `^1.2 || ^2.0`.
    #[error("`{0}` joins ranges with `||`, which other tools cannot say")]
    Union(String),
    /// Poetry would refuse it, too.
    #[error("`{0}` is not a version range, such as `^1.2`")]
    Wrong(String),
}

/// Translates a range; empty for any version.
///
/// # Errors
///
/// When it is none, or is not one range.
pub fn translate(text: &str) -> Result<String, RangeError> {
    if text.contains('|') {
        return Err(RangeError::Union(text.to_owned()));
    }
    let wrong = || RangeError::Wrong(text.to_owned());
    let mut found = Vec::new();
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let sign_end = rest.find(|letter: char| !"<>=!~^".contains(letter)).unwrap_or(rest.len());
        let (sign, after) = rest.split_at(sign_end);
        let after = after.trim_start();
        let end = after
            .find(|letter: char| letter.is_whitespace() || letter == ',' || "<>=!~^".contains(letter))
            .unwrap_or(after.len());
        let (version, after) = after.split_at(end);
        found.extend(one(sign, version).ok_or_else(wrong)?);
        rest = after.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ',');
    }
    Ok(found.join(","))
}

/// One condition.
fn one(sign: &str, version: &str) -> Option<Vec<String>> {
    if version == "*" && matches!(sign, "" | "==" | "=" | ">=" | "^" | "~") {
        return Some(Vec::new());
    }
    let plain = |text: String| VersionSpecifier::from_str(&text).is_ok().then(|| vec![text]);
    match sign {
        "" | "=" => plain(format!("=={version}")),
        "^" | "~" => {
            let lower = Version::from_str(version.trim_end_matches(".*")).ok()?.without_local();
            let release = lower.release();
            // The part that must stay below its next number: the first that is not zero, else the last.
            let part = match sign {
                "^" => release.iter().position(|number| *number > 0).unwrap_or(release.len().checked_sub(1)?),
                _ => 1.min(release.len().checked_sub(1)?),
            };
            let mut upper: Vec<u64> = release.get(..=part)?.to_vec();
            let last = upper.last_mut()?;
            *last = last.checked_add(1)?;
            let upper: Vec<_> = upper.iter().map(u64::to_string).collect();
            Some(vec![format!(">={lower}"), format!("<{}", upper.join("."))])
        }
        _ => plain(format!("{sign}{version}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_the_documentation() {
        let cases = [
            ("^1.2.3", ">=1.2.3,<2"),
            ("^1.2", ">=1.2,<2"),
            ("^1", ">=1,<2"),
            ("^0.2.3", ">=0.2.3,<0.3"),
            ("^0.0.3", ">=0.0.3,<0.0.4"),
            ("^0.0", ">=0.0,<0.1"),
            ("^0", ">=0,<1"),
            ("~1.2.3", ">=1.2.3,<1.3"),
            ("~1.2", ">=1.2,<1.3"),
            ("~1", ">=1,<2"),
            ("*", ""),
            ("1.*", "==1.*"),
            ("1.2.*", "==1.2.*"),
            ("1.2.3", "==1.2.3"),
            (">= 1.2, < 1.5", ">=1.2,<1.5"),
            (">=1.2 <1.5", ">=1.2,<1.5"),
            ("~=2.6", "~=2.6"),
            ("!=2.1", "!=2.1"),
            ("^2.6.0+cu124", ">=2.6.0,<3"),
        ];
        for (poetry, expected) in cases {
            assert_eq!(translate(poetry).as_deref(), Ok(expected), "{poetry}");
        }
        assert!(matches!(translate("^1.2 || ^2.0"), Err(RangeError::Union(_))));
        assert!(matches!(translate("newest"), Err(RangeError::Wrong(_))));
        assert!(matches!(translate(""), Err(RangeError::Wrong(_))));
    }
}
