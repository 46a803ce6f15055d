//! `platform/environment.toml`: environment variables, who reads them, and what they decide.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{Page, Table, cited, fault, pages, variable};

/// `rules/platform/environment.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EnvironmentTable {
    /// Pages by key.
    pub sources: BTreeMap<String, Page>,
    /// Ascending by name.
    #[serde(rename = "variable")]
    pub variables: Vec<VariableRow>,
}

/// A variable that is recorded, whatever its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VariableRow {
    /// E.g. `CUDA_VISIBLE_DEVICES`.
    pub name: String,
    /// Who reads it, e.g. `CUDA`, or `builds` for what compiles.
    pub read_by: String,
    /// What it decides, in words without full stop.
    pub does: String,
    /// What the whole value may be, regular expressions of which one must match; none where any may, or no page says it.
    #[serde(default)]
    pub valid: Vec<String>,
    /// What a value does that is not valid, in words without full stop.
    #[serde(default)]
    pub wrong: Option<String>,
    /// A key of `sources`.
    pub source: String,
}

impl Table for EnvironmentTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        for (index, row) in self.variables.iter().enumerate() {
            let previous = index.checked_sub(1).and_then(|at| self.variables.get(at));
            if previous.is_some_and(|other| other.name >= row.name) {
                return Err(fault("variable", index, "the variables do not ascend by name, each once"));
            }
            variable(&row.name).map_err(|message| fault("variable", index, &message))?;
            cited(&self.sources, &row.source, "variable", index)?;
        }
        Ok(())
    }
}
