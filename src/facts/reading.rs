use serde::{Deserialize, Serialize};

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
            | Self::Rule(place)
            | Self::Argument(place) => place,
        }
    }
}

/// One fact: known, looked for and not there, there but unreadable, or never looked for.
///
/// Not an `Option`: "there is no driver" and "the driver could not be asked" lead to different advice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Reading<T> {
    /// The value and where it was read.
    Known {
        /// What was observed.
        value: T,
        /// Where.
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

    /// Where the value was read, where it is known.
    pub fn source(&self) -> Option<&Source> {
        match self {
            Self::Known { source, .. } => Some(source),
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
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Known { value, source } => Reading::Known { value: change(value), source },
            Self::Absent { looked } => Reading::Absent { looked },
            Self::Unreadable { error } => Reading::Unreadable { error },
            Self::Unknown => Reading::Unknown,
        }
    }

    /// This reading if it is known, else `other`, else the more telling of the two failures.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Known { .. }, _) => self,
            (_, Self::Known { .. }) => other,
            (Self::Unreadable { .. }, _) | (_, Self::Unknown) => self,
            _ => other,
        }
    }
}
