//! `platform/xid.toml`: the errors that NVIDIA's driver writes to the kernel's log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::schema::advisory::Level;
use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{Page, Table, cite_key, cited, fault, pages};
use crate::step::Written;

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct XidTable {
    /// Pages by key.
    pub sources: BTreeMap<String, Page>,
    /// What can be done, by the names that rows use.
    #[serde(rename = "action")]
    pub actions: Vec<XidAction>,
    /// The errors, ascending.
    #[serde(rename = "xid")]
    pub rows: Vec<XidError>,
}

/// Something to do after an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct XidAction {
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
pub struct XidError {
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
    pub severity: Level,
    /// A name of `[[action]]`.
    pub action: String,
    /// A key of `sources`.
    pub source: String,
}

impl XidTable {
    /// An error by its number, e.g. 79, what to do about it, and where that was read.
    #[must_use]
    pub fn error(&self, number: u32) -> Option<(&XidError, &XidAction, String)> {
        let at = self.rows.binary_search_by_key(&number, |row| row.number).ok()?;
        let row = self.rows.get(at)?;
        let action = self.actions.iter().find(|action| action.name == row.action)?;
        Some((row, action, cite_key(&self.sources, &row.source)))
    }
}

impl Table for XidTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        for (index, row) in self.actions.iter().enumerate() {
            cited(&self.sources, &row.source, "action", index)?;
            row.commands.iter().try_for_each(Written::check).map_err(|message| fault("action", index, &message))?;
            if self.actions.iter().take(index).any(|earlier| earlier.name == row.name) {
                return Err(fault("action", index, &format!("`{}` is there twice", row.name)));
            }
            if !self.rows.iter().any(|xid| xid.action == row.name) {
                return Err(fault("action", index, &format!("no row asks for `{}`", row.name)));
            }
        }
        for (index, row) in self.rows.iter().enumerate() {
            cited(&self.sources, &row.source, "xid", index)?;
            if !self.actions.iter().any(|action| action.name == row.action) {
                return Err(fault("xid", index, &format!("there is no action `{}`", row.action)));
            }
            if row.title.ends_with('.') || !row.meaning.ends_with('.') {
                return Err(fault("xid", index, "`title` ends without a full stop, `meaning` with one"));
            }
        }
        for (index, pair) in self.rows.windows(2).enumerate() {
            if pair[0].number >= pair[1].number {
                return Err(fault("xid", index + 1, "the rows ascend by number"));
            }
        }
        Ok(())
    }
}
