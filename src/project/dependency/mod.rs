//! One dependency as people write it: a name with versions, an address, a path.
//!
//! ```text
//! torch>=2.6,<2.8 ; sys_platform == "linux"            PEP 508
//! flash-attn @ https://host/flash_attn-2.8.3+cu12torch2.7-cp311-cp311-linux_x86_64.whl
//! https://host/torch-2.7.1%2Bcu128-cp311-cp311-linux_x86_64.whl    pip alone: the file name says it all
//! ./wheels/torch-2.7.1+cu128-cp311-cp311-linux_x86_64.whl
//! git+https://github.com/vllm-project/vllm@v0.9.0#egg=vllm[audio]
//! ./local[dev]
//! ```
//!
//! A wheel's file name says the exact version with its local label, so a wheel is a pin. What stands elsewhere (a repository,
//! an archive, a folder) has a version that nobody knows before it is built: it keeps its address, and none is made up.

mod location;
mod marker;

use std::ops::Range;
use std::str::FromStr;

use location::{Bare, bare_location, egg, elsewhere, kind_of, wheel_name};
use marker::marker;

use crate::pep::{ExtraName, MarkerTree, PackageName, Requirement, VersionOrUrl, VersionSpecifier, VersionSpecifiers};
use crate::project::mend;
use crate::project::place::{InputError, Place};
use crate::python::wheel::WheelName;
use crate::text::lower_first;

pub use self::location::{at_address, repository_name};
pub(crate) use self::marker::{foreign, independent, marker_of};

/// A dependency and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenRequirement {
    /// As written, with environment variables put in, e.g. `torch>=2.6 ; python_version > "3.9"`.
    pub text: String,
    /// The whole of it, without options and comment.
    pub place: Place,
    /// The specifiers, e.g. `>=2.6,<2.8`; empty, where they would stand, if there are none. None where a version has no place:
    /// an address or path, a string with escapes.
    pub versions: Option<Place>,
    /// What is to be installed.
    pub what: StatedRequirement,
}

/// What a dependency says.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedRequirement {
    /// By name: with versions, as a pin `==version+local` for a wheel, with the address for what stands elsewhere. None where
    /// nobody says the name, e.g. `./local`.
    pub requirement: Option<Requirement>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a dependency comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An index: any version that the specifiers admit.
    Index,
    /// One wheel, whose file name says the version.
    Wheel {
        /// Address or path as written.
        location: String,
    },
    /// A place whose version is not known before it is built.
    Elsewhere {
        /// What sort of place.
        kind: Elsewhere,
        /// Address or path as written.
        location: String,
    },
}

/// A place that says no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    /// A version control system, e.g. `git+https://…`.
    Repository,
    /// An archive by address.
    Archive,
    /// A folder or archive on this machine.
    Path,
}

impl WrittenRequirement {
    /// The normalised name, if it is known.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.what.requirement.as_ref().map(|requirement| requirement.name.as_ref())
    }
}

/// Whose rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A requirements file: also bare addresses and paths.
    Pip,
    /// A list of a pyproject.toml: names alone.
    Pep508,
}

/// A part of a dependency's text that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The bytes of the text.
    pub range: Range<usize>,
    /// One sentence.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Problem {
    pub(super) fn new(range: Range<usize>, message: String) -> Self {
        Self { range, message, hint: None }
    }

    pub(super) fn or_write(self, text: &str) -> Self {
        Self { hint: Some(format!("write `{text}`")), ..self }
    }

    /// The same where it stands in a file.
    #[must_use]
    pub fn at(self, place: impl FnOnce(Range<usize>) -> Place) -> InputError {
        InputError { place: place(self.range), message: self.message, hint: self.hint }
    }
}

/// A parsed text: what it says, and the bytes of its specifiers.
pub type Parsed = (StatedRequirement, Option<Range<usize>>);

/// Parses a text without options, comments and variables. The range is that of the specifiers.
///
/// # Errors
///
/// When no installer reads it; the problem names the part and, where it is clear, what was meant.
pub fn parse(text: &str, style: Style) -> Result<Parsed, Problem> {
    let end = text.trim_end().len();
    let start = text.len() - text.trim_start().len();
    if start >= end {
        return Err(Problem::new(0..text.len(), "a dependency is expected here".to_owned()));
    }
    if let Some(location) = bare_location(part(text, start..end)) {
        let (location, marker) = split_marker(text, start..end, location);
        let marker = self::marker(text, marker, style)?;
        return unnamed(text, location, marker, style);
    }
    named(text, start..end, style)
}

/// A part of a text; nothing where it does not lie on boundaries.
pub(super) fn part(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

/// `path[extra]` as path and `extra`.
fn strip_extras(text: &str) -> (&str, &str) {
    text.strip_suffix(']')
        .and_then(|head| head.rsplit_once('['))
        .filter(|(path, _)| !path.is_empty())
        .unwrap_or((text, ""))
}

/// Splits `location ; marker`. In an address a `;` belongs to it unless a blank follows or precedes.
fn split_marker(text: &str, range: Range<usize>, kind: Bare) -> (Range<usize>, Option<Range<usize>>) {
    let inner = part(text, range.clone());
    let blank = |found: Option<char>| found.is_some_and(char::is_whitespace);
    let cut = inner.match_indices(';').map(|(at, _)| at).find(|at| {
        kind == Bare::Path
            || blank(part(inner, 0..*at).chars().next_back())
            || blank(part(inner, at + 1..inner.len()).chars().next())
    });
    match cut {
        None => (range, None),
        Some(at) => {
            let end = range.start + part(inner, 0..at).trim_end().len();
            (range.start..end, Some(range.start + at + 1..range.end))
        }
    }
}

/// An address or path that stands without a name before it.
fn unnamed(text: &str, range: Range<usize>, marker: MarkerTree, style: Style) -> Result<Parsed, Problem> {
    let written = part(text, range.clone());
    let (location, extras) = strip_extras(written);
    let (location, extras) = if location.contains('#') { (written, "") } else { (location, extras) };
    if let Some(wheel) = wheel_name(location, &range)? {
        let requirement = pinned(&wheel, self::extras(extras, &range)?, marker, &range)?;
        if style == Style::Pep508 {
            let problem = Problem::new(range, format!("`{written}` needs its name before it"));
            return Err(problem.or_write(&format!("{} @ {written}", wheel.name)));
        }
        let origin = Origin::Wheel { location: location.to_owned() };
        return Ok((StatedRequirement { requirement: Some(requirement), origin }, None));
    }
    let egg = egg(location);
    if style == Style::Pep508 {
        let name = egg.map_or("NAME", |(name, _)| name);
        let problem = Problem::new(range, format!("`{written}` needs its name before it"));
        return Err(problem.or_write(&format!("{name} @ {written}")));
    }
    let requirement = match egg {
        None => None,
        Some((name, inner)) => {
            let name = package_name(name, &range)?;
            Some(elsewhere(
                name,
                self::extras(if inner.is_empty() { extras } else { inner }, &range)?,
                marker,
                location,
            ))
        }
    };
    let origin = Origin::Elsewhere { kind: kind_of(location), location: location.to_owned() };
    Ok((StatedRequirement { requirement, origin }, None))
}

fn package_name(name: &str, range: &Range<usize>) -> Result<PackageName, Problem> {
    let wrong = || Problem::new(range.clone(), format!("`{name}` is not a package name"));
    if name.is_empty() { Err(wrong()) } else { PackageName::from_str(name).map_err(|_| wrong()) }
}

/// `a, b` between brackets.
fn extras(text: &str, range: &Range<usize>) -> Result<Vec<ExtraName>, Problem> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let one = |extra: &str| {
        let extra = extra.trim();
        let wrong = || Problem::new(range.clone(), format!("`{extra}` is not the name of an extra"));
        if extra.is_empty() { Err(wrong()) } else { ExtraName::from_str(extra).map_err(|_| wrong()) }
    };
    text.split(',').map(one).collect()
}

/// What a wheel pins.
fn pinned(
    wheel: &WheelName,
    extras: Vec<ExtraName>,
    marker: MarkerTree,
    range: &Range<usize>,
) -> Result<Requirement, Problem> {
    let name = package_name(&wheel.name, range)?;
    let exact = VersionSpecifier::equals_version(wheel.version.clone());
    let version_or_url = Some(VersionOrUrl::VersionSpecifier(VersionSpecifiers::from_iter([exact])));
    Ok(Requirement { name, extras, version_or_url, marker, origin: None })
}

/// `name[extras] versions ; marker` or `name[extras] @ location ; marker`.
fn named(text: &str, range: Range<usize>, style: Style) -> Result<Parsed, Problem> {
    let Range { start, end } = range;
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let rest = part(text, start..end);
    let length = rest.find(|letter: char| !is_name(letter)).unwrap_or(rest.len());
    let after_name = start + length;
    if length == 0 {
        let letter = rest.chars().next().unwrap_or_default();
        let message = format!("a package name is expected here, not `{letter}`");
        return Err(Problem::new(start..start + letter.len_utf8(), message));
    }
    let name = package_name(part(text, start..after_name), &(start..after_name))?;

    let mut at = skip_blanks(text, after_name, end);
    let mut extras = Vec::new();
    // Behind the name or the extras, where a version would be put.
    let mut behind = after_name;
    if part(text, at..end).starts_with('[') {
        let Some(length) = part(text, at..end).find(']') else {
            return Err(Problem::new(at..end, "the list of extras is not closed".to_owned())
                .or_write(&format!("{}]", part(text, start..end))));
        };
        extras = self::extras(part(text, at + 1..at + length), &(at..at + length + 1))?;
        behind = at + length + 1;
        at = skip_blanks(text, behind, end);
    }
    if part(text, at..end).starts_with('@') {
        return at_location(text, skip_blanks(text, at + 1, end)..end, name, extras, style);
    }
    let semicolon = part(text, at..end).find(';').map(|length| at + length);
    let versions_end = at + part(text, at..semicolon.unwrap_or(end)).trim_end().len();
    let versions = if versions_end > at { at..versions_end } else { behind..behind };
    let specifiers = self::versions(text, versions.clone())?;
    let marker = self::marker(text, semicolon.map(|at| at + 1..end), style)?;
    let version_or_url = (!specifiers.is_empty()).then_some(VersionOrUrl::VersionSpecifier(specifiers));
    let requirement = Requirement { name, extras, version_or_url, marker, origin: None };
    Ok((StatedRequirement { requirement: Some(requirement), origin: Origin::Index }, Some(versions)))
}

fn skip_blanks(text: &str, at: usize, end: usize) -> usize {
    let rest = part(text, at..end);
    at + (rest.len() - rest.trim_start().len())
}

/// What follows `name @`.
fn at_location(
    text: &str,
    range: Range<usize>,
    name: PackageName,
    extras: Vec<ExtraName>,
    style: Style,
) -> Result<Parsed, Problem> {
    let inner = part(text, range.clone());
    // Only after a blank is `;` surely a marker's.
    let ambiguous = inner.match_indices(';').map(|(at, _)| at).find(|at| {
        let before = part(inner, 0..*at).chars().next_back();
        let after = part(inner, at + 1..inner.len()).chars().next();
        !before.is_some_and(char::is_whitespace) && after.is_some_and(char::is_whitespace)
    });
    if let (Style::Pep508, Some(at)) = (style, ambiguous) {
        let at = range.start + at;
        let fixed = format!("{} {}", part(text, 0..at).trim(), part(text, at..text.len()).trim());
        return Err(
            Problem::new(at..at + 1, "after an address `;` needs a blank before it".to_owned()).or_write(&fixed)
        );
    }
    let (place, marker) = split_marker(text, range.clone(), Bare::Address);
    let location = part(text, place.clone());
    if location.is_empty() {
        let message = "an address or path is expected after `@`".to_owned();
        return Err(Problem::new(range.start.saturating_sub(1)..range.end, message));
    }
    let marker = self::marker(text, marker, style)?;
    if let Some(wheel) = wheel_name(location, &place)? {
        if wheel.name != name.as_ref() {
            let message = format!("`{name}` cannot be had from a wheel of `{}`", wheel.name);
            return Err(Problem::new(place.clone(), message).or_write(&format!("{} @ {location}", wheel.name)));
        }
        let requirement = pinned(&wheel, extras, marker, &place)?;
        let origin = Origin::Wheel { location: location.to_owned() };
        return Ok((StatedRequirement { requirement: Some(requirement), origin }, None));
    }
    let requirement = elsewhere(name, extras, marker, location);
    let origin = Origin::Elsewhere { kind: kind_of(location), location: location.to_owned() };
    Ok((StatedRequirement { requirement: Some(requirement), origin }, None))
}

/// `>=2.6,<2.8`, also in parentheses.
fn versions(text: &str, range: Range<usize>) -> Result<VersionSpecifiers, Problem> {
    let written = part(text, range.clone());
    let inner = match written.strip_prefix('(') {
        None => range,
        Some(rest) if rest.ends_with(')') => range.start + 1..range.end - 1,
        Some(_) => {
            let fixed = format!("{written})");
            return Err(Problem::new(range, "the parenthesis is not closed".to_owned()).or_write(&fixed));
        }
    };
    let mut found = Vec::new();
    let mut at = inner.start;
    let pieces: Vec<_> = part(text, inner).split(',').collect();
    let count = pieces.len();
    for (number, piece) in pieces.into_iter().enumerate() {
        let start = at + (piece.len() - piece.trim_start().len());
        let range = start..start + piece.trim().len();
        at += piece.len() + 1;
        // A comma may end the list.
        if range.is_empty() && number + 1 == count && (number > 0 || written.is_empty()) {
            continue;
        }
        match VersionSpecifier::from_str(piece.trim()) {
            Ok(specifier) => found.push(specifier),
            Err(error) => return Err(wrong_versions(text, range, &error.to_string())),
        }
    }
    Ok(VersionSpecifiers::from_iter(found))
}

/// A specifier that is none, with what it probably means.
fn wrong_versions(text: &str, range: Range<usize>, error: &str) -> Problem {
    let piece = part(text, range.clone());
    let reason = error.lines().next().unwrap_or_default();
    let head = part(text, 0..range.start).trim_end();
    let tail = part(text, range.end..text.len()).trim_end();
    // Two requirements, rather than one with a strange version.
    let another =
        piece.split_whitespace().skip(1).any(|word| word.starts_with(|letter: char| letter.is_ascii_alphabetic()));
    if another {
        let message = format!("`{piece}` is more than the versions of one package");
        return Problem { range, message, hint: Some("put each requirement on a line of its own".to_owned()) };
    }
    // The library proposes what stands below.
    let message = match reason {
        "" => format!("`{piece}` is not a version specifier"),
        reason if reason.contains("Did you mean") => format!("`{piece}` is not a version specifier, such as `>=2.6`"),
        reason => format!("`{piece}` is not a version specifier: {}", lower_first(reason)),
    };
    let problem = Problem::new(range, message);
    match mend::versions(piece) {
        Some(meant) => problem.or_write(&format!("{head}{meant}{tail}")),
        None => problem,
    }
}

#[cfg(test)]
mod tests;
