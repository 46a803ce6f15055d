//! `platform/screen.toml`: what the screen names first, and what it asks for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{Page, Table, pages};
use crate::step::Written;

/// `rules/platform/screen.toml`: what a screen has room for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScreenTable {
    /// The packages of the line `env`, in its order.
    pub packages: Vec<String>,
    /// Pages by key.
    pub sources: BTreeMap<String, Page>,
    /// What prints the driver and the GPUs of a machine.
    pub machine: AskFor,
    /// What prints these and torch with its packages.
    pub stack: AskFor,
}

/// A command whose output tells what a report lacks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AskFor {
    /// E.g. `nvidia-smi`.
    pub command: Written,
    /// A key of `sources`.
    pub source: String,
}

impl Table for ScreenTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        for (table, ask) in [("machine", &self.machine), ("stack", &self.stack)] {
            let fault = |message| Fault { path: vec![table.to_owned()], message };
            ask.command.check().map_err(fault)?;
            if !self.sources.contains_key(&ask.source) {
                return Err(fault(format!("source `{}` is not in `[sources]`", ask.source)));
            }
        }
        Ok(())
    }
}
