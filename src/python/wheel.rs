//! Wheel file names: `torch-2.7.1-cp311-cp311-manylinux_2_28_x86_64.whl`.
//!
//! The grammar is that of the binary distribution format (PyPA specifications): name, version, optional build number,
//! Python tags, ABI tags, platform tags, the last three with alternatives joined by dots.

use std::str::FromStr;

use crate::pep::Version;
use crate::version::GlibcVersion;

/// A parsed wheel file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelName {
    /// The normalised name, e.g. `nvidia-cublas-cu12`.
    pub name: String,
    /// The version, with local label where the file name has one, e.g. `2.7.1+cu128`.
    pub version: Version,
    /// The build number, a tie breaker among files of the same version, e.g. 1 in `triton-2.0.0-1-cp311-…`.
    pub build: Option<u32>,
    /// Python tags, e.g. `cp311`, or `py2` and `py3`.
    pub python: Vec<String>,
    /// ABI tags, e.g. `cp311`, `abi3` or `none`.
    pub abi: Vec<String>,
    /// Platform tags, e.g. `manylinux_2_17_x86_64` and `manylinux2014_x86_64`.
    pub platform: Vec<String>,
}

/// A text that is no wheel file name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a wheel file name, such as `torch-2.7.1-cp311-cp311-manylinux_2_28_x86_64.whl`")]
pub struct WheelNameError(String);

impl FromStr for WheelName {
    type Err = WheelNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or_else(|| WheelNameError(text.to_owned()))
    }
}

impl WheelName {
    fn parse(text: &str) -> Option<Self> {
        let mut pieces: Vec<_> = text.strip_suffix(".whl")?.split('-').collect();
        let tags = |text: &str| text.split('.').map(str::to_owned).collect();
        let platform = tags(pieces.pop()?);
        let abi = tags(pieces.pop()?);
        let python = tags(pieces.pop()?);
        let build = match pieces.len() {
            2 => None,
            3 => pieces.pop()?.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok(),
            _ => return None,
        };
        let version = pieces.pop()?.parse().ok()?;
        Some(Self { name: normalise_name(pieces.pop()?), version, build, python, abi, platform })
    }

    /// The platforms as the database names them: `linux_x86_64`, `linux_aarch64`, `any`, `win_amd64`, `macosx_14_0_arm64`;
    /// `musllinux_1_2_x86_64` where the C library is another than glibc.
    #[must_use]
    pub fn platform(&self) -> String {
        let first = self.platform.first().map_or("any", String::as_str);
        match first.rsplit_once("x86_64").map(|_| "x86_64").or_else(|| first.ends_with("aarch64").then_some("aarch64"))
        {
            Some(machine) if first.starts_with("linux") || first.starts_with("manylinux") => format!("linux_{machine}"),
            _ => first.to_owned(),
        }
    }

    /// The oldest glibc on which one of the platform tags admits the wheel, e.g. 2.28 for `manylinux_2_28_x86_64`.
    #[must_use]
    pub fn glibc(&self) -> Option<GlibcVersion> {
        self.platform.iter().filter_map(|tag| GlibcVersion::from_platform_tag(tag)).min()
    }

    /// Python and ABI in one word, as the database writes them: `cp311`, `cp313t`, `cp39-abi3`, `py3`.
    ///
    /// Empty for PyPy and for Python 2, which no GPU package of today supports.
    #[must_use]
    pub fn python_tags(&self) -> Vec<String> {
        let mut tags = Vec::new();
        for python in &self.python {
            for abi in &self.abi {
                let cpython = python.strip_prefix("cp3").is_some();
                if !cpython && !python.starts_with("py3") {
                    continue;
                }
                tags.push(match abi.as_str() {
                    "none" => python.clone(),
                    // `cp313t`: the free-threaded ABI of 3.13. `cp37m` is the plain one of 3.7.
                    _ if abi.strip_prefix(python.as_str()).is_some_and(|rest| rest.contains('t')) => {
                        format!("{python}t")
                    }
                    _ if abi.starts_with(python.as_str()) => python.clone(),
                    _ => format!("{python}-{abi}"),
                });
            }
        }
        tags.sort_by_key(|tag| python_order(tag));
        tags.dedup();
        tags
    }
}

/// The order of Python tags in a list: `py3`, `cp39-abi3`, `cp39`, `cp310`, `cp313`, `cp313t`.
#[must_use]
pub fn python_order(tag: &str) -> (u32, String) {
    let digits: String =
        tag.chars().skip_while(|letter| !letter.is_ascii_digit()).skip(1).take_while(char::is_ascii_digit).collect();
    (digits.parse().unwrap_or(0), tag.to_owned())
}

/// Writes a package name as indexes do: lower case, runs of `-`, `_` and `.` as one `-` (PEP 503).
#[must_use]
pub fn normalise_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.trim().chars() {
        if matches!(letter, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.extend(letter.to_lowercase());
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wheel(name: &str) -> WheelName {
        name.parse().unwrap()
    }

    #[test]
    fn the_parts_of_a_name_are_told_apart() {
        let torch = wheel("torch-2.7.1-cp313-cp313t-manylinux_2_28_x86_64.whl");
        assert_eq!((torch.name.as_str(), torch.version.to_string().as_str()), ("torch", "2.7.1"));
        assert_eq!(torch.platform(), "linux_x86_64");
        assert_eq!(torch.glibc(), "2.28".parse().ok());
        assert_eq!(torch.python_tags(), ["cp313t"]);
        let triton = wheel("triton-2.0.0-1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl");
        assert_eq!((triton.build, triton.glibc()), (Some(1), "2.17".parse().ok()));
        assert_eq!(wheel("torch-2.9.0+cu130-cp311-cp311-linux_aarch64.whl").version.to_string(), "2.9.0+cu130");
    }

    #[test]
    fn python_and_abi_become_one_word() {
        assert_eq!(wheel("xformers-0.0.30-cp39-abi3-manylinux_2_28_x86_64.whl").python_tags(), ["cp39-abi3"]);
        assert_eq!(wheel("bitsandbytes-0.42.0-py3-none-any.whl").python_tags(), ["py3"]);
        assert_eq!(wheel("six-1.0-py2.py3-none-any.whl").python_tags(), ["py3"]);
        assert_eq!(wheel("torch-1.13.1-cp37-cp37m-manylinux1_x86_64.whl").python_tags(), ["cp37"]);
        assert_eq!(wheel("triton-2.0.0-1-pp38-pypy38_pp73-manylinux2014_x86_64.whl").python_tags(), [""; 0]);
    }

    #[test]
    fn platforms_are_named_as_in_the_database() {
        assert_eq!(wheel("bitsandbytes-0.42.0-py3-none-any.whl").platform(), "any");
        assert_eq!(wheel("torch-2.7.1-cp311-cp311-win_amd64.whl").platform(), "win_amd64");
        assert_eq!(wheel("torch-2.7.1-cp311-none-macosx_11_0_arm64.whl").platform(), "macosx_11_0_arm64");
        assert_eq!(wheel("t-2-cp39-cp39-macosx_10_9_x86_64.whl").platform(), "macosx_10_9_x86_64");
        assert_eq!(wheel("t-2-cp39-cp39-musllinux_1_2_x86_64.whl").platform(), "musllinux_1_2_x86_64");
        assert_eq!(wheel("torch-1.13.1-cp37-cp37m-manylinux1_x86_64.whl").glibc(), "2.5".parse().ok());
    }

    #[test]
    fn what_is_no_wheel_name_is_refused() {
        for wrong in ["", ".whl", "torch.whl", "torch-2.7.1.tar.gz", "torch-x-cp311-cp311-any.whl", "a-1-2-3-4-5-6.whl"]
        {
            assert!(wrong.parse::<WheelName>().is_err(), "{wrong}");
        }
    }
}
