use serde::{Deserialize, Serialize};

use super::Reading;

/// What installers were asked for and what they said, where somebody shows it. A machine keeps no trace of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Installing {
    /// Distributions that were installed as the default index has them for the platform, without a version or an index of their
    /// own: `torch` of `pip install torch`.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub plain: Reading<Vec<String>>,
    /// Requirements that an installer called unmet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
    /// What an installer weighed before it gave up, and what the user asked of it: nothing of it is installed for that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// Requirements of which an installer found no release.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nowhere: Vec<Nowhere>,
}

impl Installing {
    /// Nothing was seen.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// A requirement in an installer's proof that no set exists: `torch 2.6.0 depends on triton==3.2.0`, or `The user requested
/// (constraint) triton<3.0.0`. Not to be confused with [`Unmet`], which is about what is installed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The releases that declare it, e.g. `torch==2.6.0`; none where the user asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The requirement, without its marker, e.g. `triton==3.2.0`; a name alone where any release will do.
    pub requirement: String,
    /// It is a line of a constraints file, which asks for nothing by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub constraint: bool,
    /// Where it stands, e.g. `pip, line 4`.
    pub place: String,
}

/// An installer's complaint: `vllm 0.6.3 requires torch==2.4.0, but you have torch 2.4.1 which is incompatible.`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unmet {
    /// The distribution that requires, and its version.
    pub package: (String, String),
    /// The requirement, e.g. `torch==2.4.0`.
    pub requirement: String,
    /// The version that there is; none where it is not installed.
    pub found: Option<String>,
    /// Where it stands, e.g. `pip, line 2`.
    pub place: String,
}

/// A requirement of which an installer found no release: `No matching distribution found for TTS==0.22.0`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nowhere {
    /// The requirement, e.g. `TTS==0.22.0`.
    pub requirement: String,
    /// The `Requires-Python` for which the installer passed the release over, e.g. `>=3.9.0, <3.12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
    /// Where it stands, e.g. `pip, line 4`.
    pub place: String,
}
