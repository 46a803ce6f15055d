//! Error messages and modules as the files of `rules/symptoms/` and `rules/platform/modules.toml` write them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::raw_machine::Matter;
use super::raw_platform::{RawCondition, RawPage, RawSeverity};
use crate::step::Written;

/// `rules/symptoms/<family>.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawSymptoms {
    /// Pages by a short key.
    pub sources: BTreeMap<String, RawPage>,
    /// The messages, in any order.
    #[serde(rename = "symptom")]
    pub symptoms: Vec<RawSymptom>,
}

/// An error message, what it means, and what it may come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawSymptom {
    /// Stable, `family-words`, e.g. `cuda-no-kernel-image`.
    pub id: String,
    /// Texts that occur in the message, in any case; `…` stands for a few words between. Any of them is enough.
    #[serde(rename = "match")]
    pub matches: Vec<String>,
    /// Texts beside which it means something else.
    #[serde(default)]
    pub unless: Vec<String>,
    /// What the message says, one or two sentences.
    pub meaning: String,
    /// Findings that explain it, the likeliest first: a kind (`gpu-arch`), an id or its beginning (`gpu-arch/torch`).
    /// `{package}` is the distribution that the message names.
    #[serde(default)]
    pub explained_by: Vec<String>,
    /// How bad it is where no finding explains it: `fail` only if the message itself proves its cause, `info` for what seldom
    /// lies in the environment.
    #[serde(default = "warn")]
    pub severity: RawSeverity,
    /// What it may come from, the likeliest first.
    #[serde(rename = "cause")]
    pub causes: Vec<RawCause>,
    /// The one command that tells the causes apart.
    pub settle: Written,
    /// A message written for the test.
    pub example: String,
    /// Keys of the file's `[sources]`.
    pub sources: Vec<String>,
}

/// One thing that a message may come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawCause {
    /// The family of the finding.
    pub kind: String,
    /// One line without full stop. `{package}`, `{gpu}`, `{torch}` and `{driver}` are filled in where they are known.
    pub title: String,
    /// Facts that it needs; what contradicts one of them rules the cause out.
    #[serde(default)]
    pub when: Option<RawCondition>,
    /// Only under the Windows Subsystem for Linux.
    #[serde(default)]
    pub wsl: bool,
    /// Only beside a CPU build of torch.
    #[serde(default)]
    pub cpu_torch: bool,
    /// Distributions involved.
    #[serde(default)]
    pub packages: Vec<String>,
    /// What to do, an imperative.
    pub remedy: String,
    /// Commands to copy.
    #[serde(default)]
    pub commands: Vec<Written>,
    /// What the machine is to be given: who acts, and with what, is told beside the remedy.
    #[serde(default)]
    pub matter: Option<Matter>,
    /// The package that the message names is to be compiled on this machine.
    #[serde(default)]
    pub rebuild: bool,
}

fn warn() -> RawSeverity {
    RawSeverity::Warn
}

/// `rules/platform/modules.toml`: which distribution a module or library file belongs to, where the name does not say it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawModules {
    /// Sorted by module.
    #[serde(rename = "module")]
    pub modules: Vec<RawModule>,
}

/// `rules/platform/cuda_names.toml`: distributions whose names say their CUDA, and their twins for another.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawCudaNames {
    /// In no order.
    #[serde(rename = "family")]
    pub families: Vec<RawFamily>,
}

/// Distributions that go together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawFamily {
    /// Normalised names, `{}` for the major CUDA, e.g. `cudf-cu{}`.
    pub names: Vec<String>,
    /// Such names of what only comes along with them, e.g. `libcudf-cu{}`.
    #[serde(default)]
    pub parts: Vec<String>,
    /// The majors that releases are published for, ascending, e.g. 12 and 13.
    pub majors: Vec<u32>,
    /// The extra that brings NVIDIA's libraries along, e.g. `with-cuda`.
    #[serde(default)]
    pub extra: Option<String>,
    /// Where this was read.
    pub source: RawPage,
}

/// One module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawModule {
    /// As it is imported, e.g. `flash_attn_2_cuda`.
    pub name: String,
    /// The distribution, e.g. `flash-attn`.
    pub distribution: String,
    /// Where this was read.
    pub source: RawPage,
}
