//! `platform/screen.toml`: what the screen names first.

use serde::{Deserialize, Serialize};

use super::super::fault::Fault;
use super::page::Table;

/// `rules/platform/screen.toml`: what a screen has room for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScreenTable {
    /// The packages of the line `env`, in its order.
    pub packages: Vec<String>,
}

impl Table for ScreenTable {
    const FILE: &str = "screen";

    fn check(&self) -> Result<(), Fault> {
        Ok(())
    }
}
