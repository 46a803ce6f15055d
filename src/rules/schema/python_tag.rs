//! The Python that a wheel is for: `cp312`, `cp313t`, `abi3`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::version::PythonVersion;

/// A wheel's Python and ABI tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PythonTag {
    /// `cp311`: exactly this CPython.
    CPython(PythonVersion),
    /// `cp313t`: exactly this CPython without the global interpreter lock.
    FreeThreaded(PythonVersion),
    /// `cp39-abi3`: this CPython and later ones.
    Stable(PythonVersion),
    /// `py39`: this Python and later ones of its major, free-threaded ones too.
    Generic(PythonVersion),
    /// `py3`: any Python 3.
    Any,
}

impl PythonTag {
    /// Whether a wheel with this tag installs on an interpreter.
    #[must_use]
    pub fn accepts(self, python: PythonVersion, free_threaded: bool) -> bool {
        let same = |tag: PythonVersion| (tag.major, tag.minor) == (python.major, python.minor);
        match self {
            Self::CPython(tag) => same(tag) && !free_threaded,
            Self::FreeThreaded(tag) => same(tag) && free_threaded,
            Self::Stable(tag) => (tag.major, tag.minor) <= (python.major, python.minor) && !free_threaded,
            Self::Generic(tag) => tag.major == python.major && tag.minor <= python.minor,
            Self::Any => python.major == 3,
        }
    }
}

impl fmt::Display for PythonTag {
    /// The Python and ABI tags as a wheel writes them: `cp311-cp311`, `cp313-cp313t`, `cp39-abi3`, `py39-none`, `py3-none`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CPython(tag) => write!(f, "{0}-{0}", tag.tag()),
            Self::FreeThreaded(tag) => write!(f, "{0}-{0}t", tag.tag()),
            Self::Stable(tag) => write!(f, "{}-abi3", tag.tag()),
            Self::Generic(tag) => write!(f, "py{}{}-none", tag.major, tag.minor),
            Self::Any => f.write_str("py3-none"),
        }
    }
}

impl FromStr for PythonTag {
    type Err = Fault;

    /// Parses `cp311`, `cp313t`, `cp39-abi3`, `py39` and `py3`.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let fault = || {
            Fault::new(format!("`{text}` is not a Python tag such as `cp311`, `cp313t`, `cp39-abi3`, `py39`, `py3`"))
        };
        let version = |digits: &str| {
            let (major, minor) = digits.split_at_checked(1).ok_or_else(fault)?;
            let number = |part: &str| part.parse::<u32>().map_err(|_| fault());
            Ok(PythonVersion { major: number(major)?, minor: number(minor)?, micro: None })
        };
        if text == "py3" || text == "py2.py3" {
            return Ok(Self::Any);
        }
        if let Some(digits) = text.strip_prefix("py") {
            return Ok(Self::Generic(version(digits)?));
        }
        let rest = text.strip_prefix("cp").ok_or_else(fault)?;
        if let Some(digits) = rest.strip_suffix("-abi3") {
            return Ok(Self::Stable(version(digits)?));
        }
        match rest.strip_suffix('t') {
            Some(digits) => Ok(Self::FreeThreaded(version(digits)?)),
            None => Ok(Self::CPython(version(rest)?)),
        }
    }
}
