//! The local label of a version, the part after `+`, by which GPU packages name what they were built for.
//!
//! Labels are a habit, not a standard (PEP 440 only says which letters they hold):
//!
//! | version | label says |
//! |---|---|
//! | `2.7.1+cu126` | CUDA 12.6 |
//! | `2.7.1+cpu` | no CUDA |
//! | `2.7.4.post1+cu12torch2.6cxx11abiFALSE` | CUDA 12 of some minor, torch 2.6 (flash-attn) |
//! | `2.1.2+pt26cu124` | torch 2.6, CUDA 12.4 (torch-scatter and its family) |

use crate::version::CudaVersion;

/// What a local label says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalLabel {
    /// The CUDA with its minor number, e.g. `12.6`.
    pub cuda: Option<CudaVersion>,
    /// Built without CUDA: `cpu`.
    pub cpu: bool,
    /// The release line of torch, e.g. `2.6`.
    pub torch: Option<String>,
}

impl LocalLabel {
    /// Reads the label of a version, e.g. of `2.7.1+cu126`.
    #[must_use]
    pub fn of_version(version: &str) -> Self {
        version.split_once('+').map_or_else(Self::default, |(_, label)| Self::parse(label))
    }

    /// Reads a label, e.g. `cu126`.
    #[must_use]
    pub fn parse(label: &str) -> Self {
        let label = label.to_ascii_lowercase();
        let digits_after = |word: &str| {
            let (before, rest) = label.split_once(word)?;
            // `cu` in the middle of another word is not CUDA.
            let apart = !before.ends_with(|letter: char| letter.is_ascii_alphabetic());
            let rest = rest.strip_prefix('_').unwrap_or(rest);
            let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
            let digits = rest.get(..end)?.trim_end_matches('.');
            (apart && digits.starts_with(|letter: char| letter.is_ascii_digit())).then(|| digits.to_owned())
        };
        Self {
            cuda: digits_after("cu").and_then(|digits| cuda(&digits)),
            cpu: label.split(['.', '_', '-']).any(|part| part == "cpu"),
            torch: digits_after("torch").or_else(|| digits_after("pt")).map(|digits| torch(&digits)),
        }
    }
}

/// `126` is 12.6; `12` alone is a major release. `92` can only be 9.2.
fn cuda(digits: &str) -> Option<CudaVersion> {
    let digits = digits.split('.').next()?;
    if digits.len() == 2 && digits.starts_with('1') {
        return None;
    }
    CudaVersion::from_variant(&format!("cu{digits}"))
}

/// `26` is 2.6, as is `2.6`; `2.7.0` stays as it is.
fn torch(digits: &str) -> String {
    match digits.split_at_checked(1) {
        Some((major, minor)) if !digits.contains('.') && !minor.is_empty() => format!("{major}.{minor}"),
        _ => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(version: &str) -> (Option<String>, bool, Option<String>) {
        let label = LocalLabel::of_version(version);
        (label.cuda.map(|cuda| cuda.to_string()), label.cpu, label.torch)
    }

    #[test]
    fn labels_of_the_torch_family() {
        assert_eq!(read("2.7.1+cu126"), (Some("12.6".into()), false, None));
        assert_eq!(read("1.7.1+cu92"), (Some("9.2".into()), false, None));
        assert_eq!(read("2.9.0+cu130"), (Some("13.0".into()), false, None));
        assert_eq!(read("2.7.1+cpu"), (None, true, None));
        assert_eq!(read("2.7.1"), (None, false, None));
        assert_eq!(read("2.8.0a0+ecf3bae40a.nv25.01"), (None, false, None));
        assert_eq!(read("2.7.1+rocm6.2.4"), (None, false, None));
    }

    #[test]
    fn labels_that_name_a_partner() {
        assert_eq!(read("2.7.4.post1+cu12torch2.6cxx11abiFALSE"), (None, false, Some("2.6".into())));
        assert_eq!(read("2.3.1+cu122torch2.1cxx11abiTRUE").0.as_deref(), Some("12.2"));
        assert_eq!(read("2.1.2+pt26cu124"), (Some("12.4".into()), false, Some("2.6".into())));
        assert_eq!(read("2.1.2+pt210cu130").2.as_deref(), Some("2.10"));
        assert_eq!(read("0.7.8+pt2.7.0cu126"), (Some("12.6".into()), false, Some("2.7.0".into())));
    }

    #[test]
    fn commit_hashes_are_no_labels() {
        assert_eq!(read("1.0+gacu12"), (None, false, None));
        assert_eq!(read("1.0+cu"), (None, false, None));
    }
}
