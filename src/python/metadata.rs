//! The core metadata of a distribution: the file `METADATA` of a wheel or of an installed `*.dist-info`.
//!
//! It is written as mail headers (core metadata specification, PyPA): `Name: value` lines, continued by lines that
//! start with a space or a tab; the description follows after an empty line. Read tolerantly: unknown headers are
//! skipped, broken lines ignored, names taken in any case.
//!
//! By hand: a few headers of hundreds of files are read at every start, and a reader of mail would decode and refuse.

use std::borrow::Cow;
use std::fmt;

use super::wheel::normalise_name;

/// The headers that say what a distribution is and needs, as they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// E.g. `torch`; not normalised.
    pub name: String,
    /// E.g. `2.7.1`, or `2.7.1+cu128` from an index of CUDA builds.
    pub version: String,
    /// E.g. `>=3.9.0`.
    pub requires_python: Option<String>,
    /// E.g. `nvidia-cublas-cu12==12.6.4.1; platform_system == "Linux"`, in file order, extras included.
    pub requires_dist: Vec<String>,
    /// E.g. `opt-einsum`.
    pub provides_extra: Vec<String>,
    /// `Metadata-Version`, e.g. `2.4`.
    pub metadata_version: String,
    /// The headers of a source distribution that its wheels may write otherwise (PEP 643), in lower case.
    pub dynamic: Vec<String>,
}

impl Metadata {
    /// Reads the headers.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        const READ: [&str; 7] =
            ["name", "version", "requires-python", "requires-dist", "provides-extra", "metadata-version", "dynamic"];
        // Most lines are of other headers and are only looked at: an environment of 300 distributions has 15,000 lines.
        let mut headers: Vec<(&str, Cow<'_, str>)> = Vec::new();
        let mut continues = false;
        for line in text.strip_prefix('\u{feff}').unwrap_or(text).lines() {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = headers.last_mut().filter(|_| continues) {
                    let value = value.to_mut();
                    value.push(' ');
                    value.push_str(line.trim());
                }
            } else if line.trim().is_empty() {
                break;
            } else if let Some((name, value)) = line.split_once(':') {
                let known = READ.into_iter().find(|known| known.eq_ignore_ascii_case(name.trim()));
                continues = known.is_some();
                headers.extend(known.map(|name| (name, Cow::Borrowed(value.trim()))));
            }
        }
        let mut metadata = Self::default();
        for (name, value) in headers {
            let value = value.into_owned();
            match name {
                "name" => metadata.name = value,
                "version" => metadata.version = value,
                "requires-python" => metadata.requires_python = Some(value).filter(|value| !value.is_empty()),
                "requires-dist" if !value.is_empty() => metadata.requires_dist.push(value),
                "provides-extra" => metadata.provides_extra.push(value),
                "metadata-version" => metadata.metadata_version = value,
                "dynamic" => metadata.dynamic.push(value.to_ascii_lowercase()),
                _ => {}
            }
        }
        metadata
    }

    /// The requirements that hold without any extra.
    pub fn plain_requirements(&self) -> impl Iterator<Item = &str> {
        self.requires_dist.iter().map(String::as_str).filter(|line| !is_for_extra(line))
    }
}

impl Metadata {
    /// Whether a source distribution promises that its wheels state this header as it does: from metadata version 2.2 on
    /// whatever is not `Dynamic` (PEP 643); before, nothing was promised.
    #[must_use]
    pub fn is_static(&self, header: &str) -> bool {
        let version: Option<(u32, u32)> = self
            .metadata_version
            .split_once('.')
            .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        version.is_some_and(|version| version >= (2, 2)) && !self.dynamic.iter().any(|name| name == header)
    }
}

impl fmt::Display for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// Tells whether a requirement holds for an extra only: its marker names the variable `extra`.
#[must_use]
pub fn is_for_extra(requirement: &str) -> bool {
    let Some((_, marker)) = requirement.split_once(';') else { return false };
    // Quoted texts are values, the rest are words.
    let outside = marker.split(['"', '\'']).step_by(2);
    outside
        .flat_map(|text| text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_'))
        .any(|word| word == "extra")
}

/// A requirement in one spelling, so that equal ones are equal texts: `triton (==2.0.0) ; sys_platform == "linux"` is
/// `triton==2.0.0; sys_platform == "linux"`. What names an address stays as it is.
#[must_use]
pub fn canonical_requirement(requirement: &str) -> String {
    let requirement = requirement.trim();
    let (demand, marker) = match requirement.split_once(';') {
        Some((demand, marker)) => (demand, Some(marker.trim())),
        None => (requirement, None),
    };
    if demand.contains('@') {
        return requirement.to_owned();
    }
    let demand: String =
        demand.chars().filter(|letter| !letter.is_whitespace() && !matches!(letter, '(' | ')')).collect();
    marker.map_or_else(|| demand.clone(), |marker| format!("{demand}; {marker}"))
}

/// The normalised name that a requirement starts with: `nvidia-cublas-cu12` of `nvidia_cublas_cu12==12.6.4.1; …`.
#[must_use]
pub fn requirement_name(requirement: &str) -> String {
    let requirement = requirement.trim();
    let end = requirement.find(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '-' | '_' | '.'));
    normalise_name(requirement.get(..end.unwrap_or(requirement.len())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_the_description_is_not() {
        let metadata = Metadata::parse(
            "Metadata-Version: 2.1\r\nNAME: torch\nVersion: 2.7.1\nSummary: Tensors\n  and more\nRequires-Python: >=3.9.0\n\
             Requires-Dist: filelock\nRequires-Dist: triton==3.3.1; platform_system == \"Linux\"\n\
             \x20 and platform_machine == \"x86_64\"\nRequires-Dist: opt-einsum>=3.3; extra == \"opt-einsum\"\n\
             Provides-Extra: opt-einsum\nno header\n\nRequires-Dist: not-this\n",
        );
        assert_eq!(metadata.to_string(), "torch 2.7.1");
        assert_eq!(metadata.requires_python.as_deref(), Some(">=3.9.0"));
        let triton = "triton==3.3.1; platform_system == \"Linux\" and platform_machine == \"x86_64\"";
        assert_eq!(metadata.plain_requirements().collect::<Vec<_>>(), ["filelock", triton]);
        assert_eq!(metadata.provides_extra, ["opt-einsum"]);
    }

    #[test]
    fn an_extra_is_a_word_of_the_marker_and_not_part_of_a_value() {
        assert!(is_for_extra("a>=1; python_version>'3.8' and extra=='x'"));
        assert!(!is_for_extra("extra-requirements>=1; platform_system == 'extra'"));
        assert!(!is_for_extra("extra"));
    }

    #[test]
    fn equal_requirements_are_spelled_alike() {
        for (written, canonical) in [
            ("triton (==2.0.0) ; platform_system == \"Linux\"", "triton==2.0.0; platform_system == \"Linux\""),
            ("triton==2.0.0; platform_system == \"Linux\"", "triton==2.0.0; platform_system == \"Linux\""),
            ("numpy >=1.22, <2", "numpy>=1.22,<2"),
            ("ray[default] (>=2.9)", "ray[default]>=2.9"),
            (
                "demo @ https://x.example/demo (1).whl ; os_name == 'nt'",
                "demo @ https://x.example/demo (1).whl ; os_name == 'nt'",
            ),
        ] {
            assert_eq!(canonical_requirement(written), canonical);
        }
    }

    #[test]
    fn a_source_distribution_promises_what_it_does_not_call_dynamic() {
        let of = |text: &str| Metadata::parse(text);
        assert!(of("Metadata-Version: 2.2\nName: a\n").is_static("requires-dist"));
        assert!(of("Metadata-Version: 2.4\nDynamic: Requires-Python\n").is_static("requires-dist"));
        assert!(!of("Metadata-Version: 2.4\nDynamic: Requires-Dist\n").is_static("requires-dist"));
        assert!(!of("Metadata-Version: 2.1\nName: a\n").is_static("requires-dist"));
    }

    #[test]
    fn a_requirement_starts_with_its_name() {
        assert_eq!(requirement_name("nvidia_cublas.cu12 (==12.6.4.1) ; sys_platform == 'linux'"), "nvidia-cublas-cu12");
        assert_eq!(requirement_name("cuda-toolkit[nvrtc]==13.0.2"), "cuda-toolkit");
        assert_eq!(requirement_name("torch"), "torch");
    }
}
