use serde::{Deserialize, Serialize};

use super::Part;

/// Where a known value was read, strongest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// From an installed file, e.g. `torch/version.py`.
    Binary(String),
    /// From what a distribution declares, e.g. `torch-2.7.1.dist-info/METADATA`.
    Metadata(String),
    /// From the machine, e.g. `NVML`, `/proc/driver/nvidia/version`, `nvidia-smi`.
    Host(String),
    /// From a text that somebody pasted: what in it, and which line, e.g. `environment report, line 3`.
    Report(String),
    /// From the rules, e.g. a compute capability looked up by product name.
    Rule(String),
    /// From an argument of the user, e.g. `--driver`.
    Argument(String),
}

impl Source {
    /// The place in words, e.g. `/proc/driver/nvidia/version`.
    #[must_use]
    pub fn place(&self) -> &str {
        match self {
            Self::Binary(place)
            | Self::Metadata(place)
            | Self::Host(place)
            | Self::Report(place)
            | Self::Rule(place)
            | Self::Argument(place) => place,
        }
    }

    /// The same, to be changed.
    pub(super) fn place_mut(&mut self) -> &mut String {
        match self {
            Self::Binary(place)
            | Self::Metadata(place)
            | Self::Host(place)
            | Self::Report(place)
            | Self::Rule(place)
            | Self::Argument(place) => place,
        }
    }
}

/// One fact: known, known in part, looked for and not there, there but unreadable, or never looked for.
///
/// Not an `Option`: "there is no driver" and "the driver could not be asked" lead to different advice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
#[serde(bound(deserialize = "T: Deserialize<'de> + PartialEq"))]
pub enum Reading<T> {
    /// The value and where it was read.
    Known {
        /// What was observed.
        value: T,
        /// Where.
        source: Source,
    },
    /// Told in part: one of several values.
    Partly {
        /// What it may be.
        part: Part<T>,
        /// Where that was read.
        source: Source,
    },
    /// Looked for and not there.
    Absent {
        /// Where it was looked for, e.g. `/dev/shm`.
        looked: String,
    },
    /// There, or perhaps there, but it could not be read.
    Unreadable {
        /// Why, in the words of whoever refused.
        error: String,
    },
    /// Nobody looked.
    #[default]
    Unknown,
}

impl<T> Reading<T> {
    /// A value read from an installed file.
    pub fn binary(value: T, place: impl Into<String>) -> Self {
        Self::Known { value, source: Source::Binary(place.into()) }
    }

    /// A value that a distribution declares.
    pub fn metadata(value: T, place: impl Into<String>) -> Self {
        Self::Known { value, source: Source::Metadata(place.into()) }
    }

    /// A value read from the machine.
    pub fn host(value: T, place: impl Into<String>) -> Self {
        Self::Known { value, source: Source::Host(place.into()) }
    }

    /// A value that a pasted text states, e.g. at `environment report, line 3`.
    pub fn told(value: T, place: impl Into<String>) -> Self {
        Self::Known { value, source: Source::Report(place.into()) }
    }

    /// Looked for at `looked`, not there.
    pub fn absent(looked: impl Into<String>) -> Self {
        Self::Absent { looked: looked.into() }
    }

    /// Not readable, because of `error`.
    pub fn unreadable(error: impl Into<String>) -> Self {
        Self::Unreadable { error: error.into() }
    }

    /// The value, where it is known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Where the value was read, where it is known, if only in part.
    pub fn source(&self) -> Option<&Source> {
        match self {
            Self::Known { source, .. } | Self::Partly { source, .. } => Some(source),
            _ => None,
        }
    }

    /// What it may be, where it is known in part.
    pub fn part(&self) -> Option<&Part<T>> {
        match self {
            Self::Partly { part, .. } => Some(part),
            _ => None,
        }
    }

    /// Whether it was looked for and is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// Whether nobody looked.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Changes the value and keeps its source.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Reading<U> {
        match self {
            Self::Known { value, source } => Reading::Known { value: change(value), source },
            Self::Partly { part, source } => Reading::Partly { part: part.map(change), source },
            Self::Absent { looked } => Reading::Absent { looked },
            Self::Unreadable { error } => Reading::Unreadable { error },
            Self::Unknown => Reading::Unknown,
        }
    }

    /// This reading if it is known, else `other`, in part rather than not, else the more telling of the two failures.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Known { .. }, _) => self,
            (_, Self::Known { .. }) => other,
            (Self::Partly { .. }, _) => self,
            (_, Self::Partly { .. }) => other,
            (Self::Unreadable { .. }, _) | (_, Self::Unknown) => self,
            _ => other,
        }
    }
}
