//! `rules/platform/xid.toml`: what the errors mean that NVIDIA's driver writes to the kernel's log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::raw_platform::{RawPage, RawSeverity};
use crate::step::Written;

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawXids {
    /// Pages by key.
    pub sources: BTreeMap<String, RawPage>,
    /// What can be done, by the names that rows use.
    #[serde(rename = "action")]
    pub actions: Vec<RawXidAction>,
    /// The errors, ascending.
    #[serde(rename = "xid")]
    pub rows: Vec<RawXid>,
}

/// Something to do after an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawXidAction {
    /// NVIDIA's name for it, e.g. `RESET_GPU`.
    pub name: String,
    /// One imperative sentence.
    pub summary: String,
    /// Commands to copy.
    #[serde(default)]
    pub commands: Vec<Written>,
    /// A key of `sources`.
    pub source: String,
}

/// Where an error comes from as a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum XidCause {
    /// A fault of the program that ran.
    Application,
    /// The GPU, its memory, its board or its power.
    Hardware,
    /// NVLink, PCIe, or the device at their other end.
    Link,
    /// The driver or the GPU's firmware.
    Driver,
    /// It follows from another error.
    Consequence,
}

impl XidCause {
    /// The cause in a sentence, e.g. `the hardware`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Application => "the application",
            Self::Hardware => "the hardware",
            Self::Link => "a link, or the device at its other end",
            Self::Driver => "the driver or the GPU's firmware",
            Self::Consequence => "another error",
        }
    }
}

/// One error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawXid {
    /// E.g. 79.
    pub number: u32,
    /// What happened, one line without full stop.
    pub title: String,
    /// One or two sentences more.
    pub meaning: String,
    /// Where it comes from as a rule.
    pub cause: XidCause,
    /// `fail`: only a restart mends it, so that in the log of this start it holds. `warn`: a reset mends it, of which the log
    /// may not tell. `info`: the GPU is well.
    pub severity: RawSeverity,
    /// A name of `[[action]]`.
    pub action: String,
    /// A key of `sources`.
    pub source: String,
}
