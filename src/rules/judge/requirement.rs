//! PEP 508 requirements against an environment: which apply, and which versions satisfy them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::str::FromStr;

use super::target::Target;
use crate::pep::{
    ExtraName, MarkerEnvironment, MarkerEnvironmentBuilder, PackageName, Requirement, Version, VersionOrUrl,
    VersionSpecifiers,
};

/// Parses one line; the error is one sentence that names what is wrong.
///
/// # Errors
///
/// When the line is not a PEP 508 requirement.
pub fn parse(line: &str) -> Result<Requirement, String> {
    if let Some(known) = KNOWN.with_borrow(|known| known.get(line).cloned()) {
        return Ok(known);
    }
    let parsed = read(line)?;
    KNOWN.with_borrow_mut(|known| {
        if known.len() < MOST_KNOWN && line.len() < LONGEST_KNOWN {
            known.insert(line.to_owned(), parsed.clone());
        }
    });
    Ok(parsed)
}

thread_local! {
    /// Lines that were read already: the solver meets those of the rules again and again.
    static KNOWN: RefCell<HashMap<String, Requirement>> = RefCell::default();
}

/// The rules hold some ten thousand lines; what a user brings beyond that is read each time.
const MOST_KNOWN: usize = 1 << 16;

/// Nor is a long line kept.
const LONGEST_KNOWN: usize = 1 << 10;

fn read(line: &str) -> Result<Requirement, String> {
    if let Some(slip) = slip(line) {
        return Err(slip);
    }
    // The error's own display points into the text, and can fall beside it.
    Requirement::from_str(line).map_err(|error| error.message.to_string().lines().next().unwrap_or_default().to_owned())
}

/// Whether a line is about a distribution of this normalised name, told without parsing the rest of it: `Flash_Attn>=2` is
/// about `flash-attn`.
#[must_use]
pub fn is_about(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let end = line.bytes().position(|byte| !is_of_name(byte)).unwrap_or(line.len());
    let stated = line.as_bytes().get(..end).unwrap_or_default();
    let mut parts = stated.split(|byte| !byte.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    name.split('-').all(|part| parts.next().is_some_and(|stated| stated.eq_ignore_ascii_case(part.as_bytes())))
        && parts.next().is_none()
}

/// What the names of distributions are made of.
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// Brackets within brackets beyond this are an attack on the stack.
const NESTED: usize = 64;

/// What the library does not survive: names of packages and extras that end in punctuation, deep nesting, letters beyond
/// ASCII in a marker.
fn slip(line: &str) -> Option<String> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let line = line.trim_start();
    let (name, rest) = line.split_at(line.find(|letter| !is_name(letter)).unwrap_or(line.len()));
    let extras = rest.trim_start().strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or_default();
    // A bracket that is never closed ends where the library stops reading: at any space.
    let words = extras.split(|letter: char| letter == ',' || letter.is_whitespace());
    if let Some(name) = std::iter::once(name).chain(words).find(|name| name.ends_with(['-', '_', '.'])) {
        return Some(format!("`{name}` must end with a letter or digit"));
    }
    let marker = line.split_once(';').map_or("", |(_, marker)| marker);
    if let Some((_, letter)) = crate::project::dependency::foreign(marker) {
        return Some(format!("`{letter}` has no meaning in a marker"));
    }
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in line.bytes() {
        depth = match byte {
            b'(' => depth + 1,
            b')' => depth.saturating_sub(1),
            _ => depth,
        };
        deepest = deepest.max(depth);
    }
    (deepest > NESTED).then(|| "the brackets are nested too deep".to_owned())
}

/// The name at the start of a PEP 508 line.
#[must_use]
pub fn name_of(line: &str) -> &str {
    let end = line.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)));
    line.get(..end.unwrap_or(line.len())).unwrap_or(line)
}

/// The normalised name (PEP 503): lower case, runs of `-_.` as one `-`. `Flash_Attn` is `flash-attn`.
#[must_use]
pub fn normalise(name: &str) -> String {
    PackageName::from_str(name).map_or_else(|_| name.to_lowercase(), |name| name.to_string())
}

/// The version part of a requirement; everything for a bare name; none for a URL, which stands for itself.
#[must_use]
pub fn specifiers(requirement: &Requirement) -> Option<VersionSpecifiers> {
    match &requirement.version_or_url {
        None => Some(VersionSpecifiers::empty()),
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => Some(specifiers.clone()),
        Some(VersionOrUrl::Url(_)) => None,
    }
}

/// The values that environment markers have on a target; none where Python or the platform is unknown.
#[must_use]
pub fn markers(target: &Target) -> Option<MarkerEnvironment> {
    let python = target.python?;
    let full = format!("{}.{}.{}", python.major, python.minor, python.micro.unwrap_or(0));
    let short = format!("{}.{}", python.major, python.minor);
    let (os, machine) = target.platform.as_deref()?.split_once('_')?;
    let (os_name, system, sys_platform) = match os {
        "windows" => ("nt", "Windows", "win32"),
        "macos" => ("posix", "Darwin", "darwin"),
        _ => ("posix", "Linux", "linux"),
    };
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: &full,
        os_name,
        platform_machine: machine,
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: system,
        platform_version: "",
        python_full_version: &full,
        python_version: &short,
        sys_platform,
    })
    .ok()
}

/// Whether a requirement applies in an environment, with some extras chosen.
#[must_use]
pub fn applies(requirement: &Requirement, environment: &MarkerEnvironment, extras: &[ExtraName]) -> bool {
    requirement.marker.is_true() || requirement.evaluate_markers(environment, extras)
}

/// Whether it is known that a requirement applies: without an environment (no Python, or no platform is known) only what applies
/// everywhere does.
#[must_use]
pub fn surely_applies(requirement: &Requirement, known: Option<&MarkerEnvironment>, extras: &[ExtraName]) -> bool {
    known.map_or(requirement.marker.is_true(), |environment| applies(requirement, environment, extras))
}

/// Whether an installed version satisfies specifiers: pre-releases count, and `==2.7.1` accepts 2.7.1+cu126.
#[must_use]
pub fn satisfied(specifiers: &VersionSpecifiers, version: &Version) -> bool {
    specifiers.iter().all(|specifier| specifier.contains(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_about_the_distribution_that_it_names() {
        for line in ["flash-attn", " Flash_Attn>=2", "flash.attn [x] ; os_name == 'nt'", "flash--attn@ https://x/y"] {
            assert!(is_about(line, "flash-attn"), "{line}");
            assert_eq!(parse(line).map(|wanted| wanted.name.to_string()), Ok("flash-attn".to_owned()));
        }
        for line in ["flash-attn-3", "flash", "xflash-attn", "", "; flash-attn", "torch; extra == 'flash-attn'"] {
            assert!(!is_about(line, "flash-attn"), "{line}");
        }
    }

    #[test]
    fn what_the_library_does_not_survive_is_refused() {
        for line in ["foo- >1", "foo-", "foo_[a]", "foo[a-]", "foo [b, a.] >1", "foo; é", "foo[", "foo @ ", "é", ""] {
            assert!(parse(line).is_err(), "{line}");
        }
        let deep = format!("a; {}os_name == 'nt'{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(parse(&deep).is_err());
        assert!(parse("Foo.Bar[x-y] (>=1) ; (os_name == 'nt')").is_ok());
    }

    #[test]
    fn an_extra_that_ends_in_punctuation_is_refused_wherever_the_bracket_ends() {
        for line in ["extra[extra_ and ", "a[b_]", "a[b, c-]", "a[b. ,c]"] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("a[b, c_d]").is_ok());
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in "([a-zé2]{1,2}|[-_.\\[\\](),;@<>=!~'\" #$]|extra|python_version|os_name| and | in |https://h|\\$\\{X\\}){0,16}") {
            let _ = parse(&line);
        }
    }
}
