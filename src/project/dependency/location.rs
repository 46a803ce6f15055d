//! Where a requirement that is not from an index comes from: an address, a repository, a folder, a file.

use std::ops::Range;

use super::{Elsewhere, Problem, strip_extras};
use crate::pep::{ExtraName, MarkerTree, PackageName, Requirement, VerbatimUrl, VersionOrUrl};
use crate::python::wheel::WheelName;

/// `torchsparse` of `git+https://github.com/mit-han-lab/torchsparse.git@v2.1.0#egg=x`.
#[must_use]
pub fn repository_name(location: &str) -> &str {
    let path = location.split(['#', '?']).next().unwrap_or(location);
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    let last = last.split('@').next().unwrap_or(last);
    last.strip_suffix(".git").unwrap_or(last)
}

/// How a text without a name begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bare {
    Address,
    Path,
}

/// Endings of files that pip takes for archives.
const ARCHIVES: [&str; 11] =
    [".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lzma", ".tlz"];

/// Whether a text is an address or a path rather than a name.
pub(super) fn bare_location(text: &str) -> Option<Bare> {
    if is_address(text) {
        return Some(Bare::Address);
    }
    let head = text.split(['@', ';', '<', '>', '=', '!', '~', '(', '[', ' ', '\t']).next().unwrap_or(text);
    let drive = || text.get(1..3).is_some_and(|colon| colon == ":\\" || colon == ":/");
    if text.starts_with(['.', '/', '\\', '~']) || head.contains(['/', '\\']) || drive() {
        return Some(Bare::Path);
    }
    let file = text.split([';', ' ', '\t']).next().unwrap_or(text);
    let file = strip_extras(file).0.to_ascii_lowercase();
    (!file.contains('@') && ARCHIVES.iter().any(|ending| file.ends_with(ending))).then_some(Bare::Path)
}

/// The scheme of an address with which pip can do something, e.g. `git+https`.
fn is_address(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme = scheme.to_ascii_lowercase();
    match scheme.split_once('+') {
        Some((system, over)) => is_system(system) && over.chars().all(|letter| letter.is_ascii_alphanumeric()),
        None => match scheme.as_str() {
            "http" | "https" | "ftp" | "file" | "ssh" => true,
            // `git:…` as pip's old spelling.
            system => is_system(system) && rest.starts_with("//"),
        },
    }
}

fn is_system(name: &str) -> bool {
    matches!(name, "git" | "hg" | "svn" | "bzr")
}

/// The name in `…#egg=name[extra]&subdirectory=x`, and the extras.
pub(super) fn egg(location: &str) -> Option<(&str, &str)> {
    let (_, fragment) = location.split_once('#')?;
    let value = fragment.split('&').find_map(|pair| pair.strip_prefix("egg="))?;
    let (name, extras) = strip_extras(value);
    (!name.is_empty()).then_some((name, extras))
}

pub(super) fn kind_of(location: &str) -> Elsewhere {
    let scheme = location.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    if scheme.contains('+') || is_system(&scheme) || scheme == "ssh" {
        Elsewhere::Repository
    } else if is_address(location) && scheme != "file" {
        Elsewhere::Archive
    } else {
        Elsewhere::Path
    }
}

/// The file name of a wheel at an address or path, if it is one.
pub(super) fn wheel_name(location: &str, range: &Range<usize>) -> Result<Option<WheelName>, Problem> {
    let plain = location.split(['#', '?']).next().unwrap_or(location);
    let file = plain.rsplit(['/', '\\']).next().unwrap_or(plain);
    if !file.to_ascii_lowercase().ends_with(".whl") {
        return Ok(None);
    }
    let decoded = if is_address(location) { decode(file) } else { file.to_owned() };
    match decoded.parse() {
        Ok(name) => Ok(Some(name)),
        Err(error) => {
            let error: crate::python::wheel::WheelNameError = error;
            Err(Problem::new(range.clone(), error.to_string()))
        }
    }
}

/// `%2B` is `+`.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The same requirement with an address in place of a version.
#[must_use]
pub fn at_address(requirement: Requirement, location: &str) -> Requirement {
    elsewhere(requirement.name, requirement.extras, requirement.marker, location)
}

/// A requirement by address. Where that is no URL (`./local`, `git+ssh://git@host:group/name`) it is wrapped into one: all
/// that matters is that no version is asked for.
pub(super) fn elsewhere(name: PackageName, extras: Vec<ExtraName>, marker: MarkerTree, location: &str) -> Requirement {
    let url = VerbatimUrl::parse_url(location).or_else(|_| {
        let safe: String =
            location.chars().map(|letter| if letter.is_ascii_graphic() { letter } else { '_' }).collect();
        VerbatimUrl::parse_url(format!("file:///{}", safe.trim_start_matches(['/', '\\'])))
    });
    let version_or_url = url.ok().map(|url| VersionOrUrl::Url(url.with_given(location)));
    Requirement { name, extras, version_or_url, marker, origin: None }
}
