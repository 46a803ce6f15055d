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

use std::collections::BTreeSet;
use std::ops::Range;
use std::str::FromStr;

use pep440_rs::{VersionSpecifier, VersionSpecifiers};
use pep508_rs::{ExtraName, MarkerTree, PackageName, Requirement, VerbatimUrl, VersionOrUrl};

use super::mend;
use super::place::{InputError, Place};
use super::wheel::WheelName;

/// A dependency and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependency {
    /// As written, with environment variables put in, e.g. `torch>=2.6 ; python_version > "3.9"`.
    pub text: String,
    /// The whole of it, without options and comment.
    pub place: Place,
    /// The specifiers, e.g. `>=2.6,<2.8`; empty, where they would stand, if there are none. None where a version has no place:
    /// an address or path, a string with escapes.
    pub versions: Option<Place>,
    /// What is to be installed.
    pub what: What,
}

/// What a dependency says.
#[derive(Debug, Clone, PartialEq)]
pub struct What {
    /// By name: with versions, as a pin `==version+local` for a wheel, with the address for what stands elsewhere. None where
    /// nobody says the name, e.g. `./local`.
    pub requirement: Option<Requirement<VerbatimUrl>>,
    /// Where it comes from.
    pub origin: Origin,
}

/// `torchsparse` of `git+https://github.com/mit-han-lab/torchsparse.git@v2.1.0#egg=x`.
#[must_use]
pub fn repository_name(location: &str) -> &str {
    let path = location.split(['#', '?']).next().unwrap_or(location);
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    let last = last.split('@').next().unwrap_or(last);
    last.strip_suffix(".git").unwrap_or(last)
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

impl Dependency {
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
pub type Parsed = (What, Option<Range<usize>>);

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

/// How a text without a name begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bare {
    Address,
    Path,
}

/// Endings of files that pip takes for archives.
const ARCHIVES: [&str; 11] =
    [".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lzma", ".tlz"];

/// Whether a text is an address or a path rather than a name.
fn bare_location(text: &str) -> Option<Bare> {
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

/// What is longer or nested deeper is an attack; so is a marker that joins so many independent conditions, for the library's
/// work may double with each.
const LONG: usize = 8 << 10;
const NESTED: usize = 40;
const INDEPENDENT: usize = 24;

/// How many conditions of a marker may be independent of each other: extras, and parts of texts. Versions and equalities of
/// one variable are not.
pub(crate) fn independent(text: &str) -> usize {
    if !text.contains("extra") && !text.contains(" in") {
        return 0;
    }
    let literals: BTreeSet<_> = text.split(['"', '\'']).skip(1).step_by(2).collect();
    literals.len()
}

/// A marker, e.g. `sys_platform == "linux"`; pip lets a requirement end in a bare `;`.
fn marker(text: &str, range: Option<Range<usize>>, style: Style) -> Result<MarkerTree, Problem> {
    let Some(range) = range else { return Ok(MarkerTree::TRUE) };
    let written = part(text, range.clone());
    let trimmed = written.trim();
    let start = range.start + (written.len() - written.trim_start().len());
    if trimmed.is_empty() {
        return match style {
            Style::Pip => Ok(MarkerTree::TRUE),
            Style::Pep508 => {
                let head = part(text, 0..range.start.saturating_sub(1)).trim();
                Err(Problem::new(range.start.saturating_sub(1)..range.end, "a marker is expected after `;`".to_owned())
                    .or_write(head))
            }
        };
    }
    marker_of(trimmed).map_err(|mut problem| {
        problem.range = start + problem.range.start..start + problem.range.end;
        problem
    })
}

/// The first letter beyond ASCII of a marker: the library counts bytes wrongly there, and no environment has one.
pub(crate) fn foreign(text: &str) -> Option<(usize, char)> {
    text.char_indices().find(|(_, letter)| !letter.is_ascii())
}

/// Parses a marker that stands alone.
pub(crate) fn marker_of(text: &str) -> Result<MarkerTree, Problem> {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if text.len() > LONG || deepest > NESTED || independent(text) > INDEPENDENT {
        return Err(Problem::new(0..text.len(), "this marker is too complex to be judged".to_owned()));
    }
    if let Some((at, letter)) = foreign(text) {
        let message = format!("`{letter}` has no meaning in a marker");
        return Err(Problem::new(at..at + letter.len_utf8(), message));
    }
    MarkerTree::from_str(text).map_err(|error| {
        let start = floor(text, error.start);
        let end = floor(text, error.start.saturating_add(error.len)).max(start);
        let message = error.message.to_string();
        let message = message.lines().next().unwrap_or_default();
        let problem = Problem::new(start..end, format!("the marker is wrong: {}", lower_first(message)));
        match mend::marker(text) {
            Some(meant) => problem.or_write(&meant),
            None => problem,
        }
    })
}

/// The character boundary at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
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
        return Ok((What { requirement: Some(requirement), origin }, None));
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
    Ok((What { requirement, origin }, None))
}

/// The name in `…#egg=name[extra]&subdirectory=x`, and the extras.
fn egg(location: &str) -> Option<(&str, &str)> {
    let (_, fragment) = location.split_once('#')?;
    let value = fragment.split('&').find_map(|pair| pair.strip_prefix("egg="))?;
    let (name, extras) = strip_extras(value);
    (!name.is_empty()).then_some((name, extras))
}

fn kind_of(location: &str) -> Elsewhere {
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
fn wheel_name(location: &str, range: &Range<usize>) -> Result<Option<WheelName>, Problem> {
    let plain = location.split(['#', '?']).next().unwrap_or(location);
    let file = plain.rsplit(['/', '\\']).next().unwrap_or(plain);
    if !file.to_ascii_lowercase().ends_with(".whl") {
        return Ok(None);
    }
    let decoded = if is_address(location) { decode(file) } else { file.to_owned() };
    match decoded.parse() {
        Ok(name) => Ok(Some(name)),
        Err(error) => {
            let error: super::wheel::WheelNameError = error;
            Err(Problem::new(range.clone(), error.to_string()))
        }
    }
}

/// `%2B` is `+`.
fn decode(text: &str) -> String {
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
) -> Result<Requirement<VerbatimUrl>, Problem> {
    let name = package_name(&wheel.name, range)?;
    let exact = VersionSpecifier::equals_version(wheel.version.clone());
    let version_or_url = Some(VersionOrUrl::VersionSpecifier(VersionSpecifiers::from_iter([exact])));
    Ok(Requirement { name, extras, version_or_url, marker, origin: None })
}

/// The same requirement with an address in place of a version.
#[must_use]
pub fn at_address(requirement: Requirement<VerbatimUrl>, location: &str) -> Requirement<VerbatimUrl> {
    elsewhere(requirement.name, requirement.extras, requirement.marker, location)
}

/// A requirement by address. Where that is no URL (`./local`, `git+ssh://git@host:group/name`) it is wrapped into one: all
/// that matters is that no version is asked for.
fn elsewhere(
    name: PackageName,
    extras: Vec<ExtraName>,
    marker: MarkerTree,
    location: &str,
) -> Requirement<VerbatimUrl> {
    let url = VerbatimUrl::parse_url(location).or_else(|_| {
        let safe: String =
            location.chars().map(|letter| if letter.is_ascii_graphic() { letter } else { '_' }).collect();
        VerbatimUrl::parse_url(format!("file:///{}", safe.trim_start_matches(['/', '\\'])))
    });
    let version_or_url = url.ok().map(|url| VersionOrUrl::Url(url.with_given(location)));
    Requirement { name, extras, version_or_url, marker, origin: None }
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
    Ok((What { requirement: Some(requirement), origin: Origin::Index }, Some(versions)))
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
        return Ok((What { requirement: Some(requirement), origin }, None));
    }
    let requirement = elsewhere(name, extras, marker, location);
    let origin = Origin::Elsewhere { kind: kind_of(location), location: location.to_owned() };
    Ok((What { requirement: Some(requirement), origin }, None))
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
mod tests {
    use super::*;

    fn pip(text: &str) -> (String, Origin, Option<&str>) {
        let (what, versions) = parse(text, Style::Pip).unwrap();
        let requirement = what.requirement.map(|requirement| requirement.to_string()).unwrap_or_default();
        (requirement, what.origin, versions.map(|range| &text[range]))
    }

    fn elsewhere(kind: Elsewhere, location: &str) -> Origin {
        Origin::Elsewhere { kind, location: location.to_owned() }
    }

    fn wheel(location: &str) -> Origin {
        Origin::Wheel { location: location.to_owned() }
    }

    #[test]
    fn names_and_versions() {
        assert_eq!(pip("Flash_Attn"), ("flash-attn".into(), Origin::Index, Some("")));
        assert_eq!(pip("torch>=2.6,<2.8").2, Some(">=2.6,<2.8"));
        let (requirement, _, versions) = pip(" ray [cgraph , x] (>=2.43, !=2.44.*) ; python_version > '3.9'");
        assert_eq!(requirement, "ray[cgraph,x]>=2.43,!=2.44.* ; python_full_version >= '3.10'");
        assert_eq!(versions, Some("(>=2.43, !=2.44.*)"));
        assert_eq!(pip("numpy<2,").0, "numpy<2");
        assert_eq!(pip("scipy[] ;").0, "scipy");
        // Where a version would be written.
        assert_eq!(parse("a[b] ; os_name == 'nt'", Style::Pip).unwrap().1, Some(4..4));
    }

    #[test]
    fn a_wheel_is_a_pin() {
        let address = "https://host/whl/torch-2.7.1%2Bcu128-cp311-cp311-linux_x86_64.whl?x=1#sha256=ab";
        assert_eq!(pip(address), ("torch==2.7.1+cu128".into(), wheel(address), None));
        let named = "Torch[opt] @ https://host/torch-2.7.1+cu128-cp311-cp311-linux_x86_64.whl ; os_name == 'posix'";
        let (requirement, origin, _) = pip(named);
        assert_eq!(requirement, "torch[opt]==2.7.1+cu128 ; os_name == 'posix'");
        assert_eq!(origin, wheel("https://host/torch-2.7.1+cu128-cp311-cp311-linux_x86_64.whl"));
        let path = "./wheels/nunchaku-0.3.1+torch2.7-cp312-cp312-linux_x86_64.whl";
        assert_eq!(pip(path), ("nunchaku==0.3.1+torch2.7".into(), wheel(path), None));
        // In a path `%2B` is no escape.
        assert_eq!(pip("a-1.0-py3-none-any.whl[x]").0, "a[x]==1.0");
        let problem = parse("torch @ https://h/numpy-1-py3-none-any.whl", Style::Pip).unwrap_err();
        assert_eq!(
            (problem.range, problem.hint.unwrap().as_str()),
            (8..42, "write `numpy @ https://h/numpy-1-py3-none-any.whl`")
        );
    }

    #[test]
    fn no_version_is_made_up() {
        let git = "git+https://github.com/vllm-project/vllm@v0.9.0#egg=vllm[audio]&subdirectory=x";
        let (what, _) = parse(git, Style::Pip).unwrap();
        let requirement = what.requirement.unwrap();
        assert_eq!((requirement.name.as_ref(), requirement.extras.len()), ("vllm", 1));
        assert!(matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_))));
        assert_eq!(what.origin, elsewhere(Elsewhere::Repository, git));
        assert_eq!(pip("./local[dev]"), (String::new(), elsewhere(Elsewhere::Path, "./local"), None));
        assert_eq!(pip("third_party/voxelize/").1, elsewhere(Elsewhere::Path, "third_party/voxelize/"));
        assert_eq!(pip("C:\\src\\x").1, elsewhere(Elsewhere::Path, "C:\\src\\x"));
        assert_eq!(pip("https://h/x/archive/v1.zip").1, elsewhere(Elsewhere::Archive, "https://h/x/archive/v1.zip"));
        assert_eq!(pip("apex @ file:///workspace/apex").1, elsewhere(Elsewhere::Path, "file:///workspace/apex"));
        // No URL, though pip takes it.
        let (requirement, origin, _) = pip("m @ git+ssh://git@host:group/m.git ; os_name == 'nt'");
        assert!(requirement.starts_with("m @ ") && requirement.ends_with("; os_name == 'nt'"), "{requirement}");
        assert_eq!(origin, elsewhere(Elsewhere::Repository, "git+ssh://git@host:group/m.git"));
    }

    #[test]
    fn errors_name_the_part_and_what_was_meant() {
        let cases = [
            ("torch=>2.6", 5..10, "write `torch>=2.6`"),
            ("torch=2.6 ; os_name == 'nt'", 5..9, "write `torch==2.6 ; os_name == 'nt'`"),
            ("torch>=2.0+cu118", 5..16, "write `torch==2.0+cu118`"),
            ("torch>=2.0,<=2.*", 11..16, "write `torch>=2.0,<=2`"),
            ("torch>=2.6 <2.8", 5..15, "write `torch>=2.6,<2.8`"),
            ("torch==2.6 numpy==1.26", 5..22, "put each requirement on a line of its own"),
            ("torch[a", 5..7, "write `torch[a]`"),
            ("torch (>=2", 6..10, "write `(>=2)`"),
            ("torch; python_version >= 3.8", 25..28, "write `python_version >= \"3.8\"`"),
        ];
        for (text, range, hint) in cases {
            let problem = parse(text, Style::Pip).unwrap_err();
            assert_eq!((problem.range, problem.hint.as_deref()), (range, Some(hint)), "{text}: {}", problem.message);
        }
        for text in [
            "a; os_name == 'nt'é",
            "a; é",
            "a; os_name == 'é",
            "",
            " ",
            "-",
            "foo- >1",
            "foo[a-]",
            "é>=1",
            "torch @",
            "torch>=latest",
            "<<<<<<< HEAD",
            "https://h/x.whl",
        ] {
            assert!(parse(text, Style::Pip).is_err(), "{text}");
        }
    }

    #[test]
    fn a_project_must_name_what_it_wants() {
        let hint = |text| parse(text, Style::Pep508).unwrap_err().hint;
        assert_eq!(hint("git+https://h/x#egg=x").as_deref(), Some("write `x @ git+https://h/x#egg=x`"));
        assert_eq!(hint("./a-1-py3-none-any.whl").as_deref(), Some("write `a @ ./a-1-py3-none-any.whl`"));
        assert_eq!(
            hint("a @ https://h/x; os_name == 'nt'").as_deref(),
            Some("write `a @ https://h/x ; os_name == 'nt'`")
        );
        assert_eq!(hint("torch ;").as_deref(), Some("write `torch`"));
    }

    #[test]
    fn a_marker_that_would_cost_all_memory_is_refused() {
        let pairs: Vec<_> = (0..90).map(|at| format!("(extra == 'a{at}' and extra == 'b{at}')")).collect();
        assert!(parse(&format!("a; {}", pairs.join(" or ")), Style::Pip).is_err());
        let long: Vec<_> = (0..9000).map(|at| format!("os_name == 'a{at}'")).collect();
        assert!(parse(&format!("a; {}", long.join(" or ")), Style::Pip).is_err());
        assert!(parse(&format!("a; {}os_name == 'nt'{}", "(".repeat(9000), ")".repeat(9000)), Style::Pip).is_err());
    }
}
