//! `[[module]]` of a package: a module or library file of it whose name is another.

use serde::{Deserialize, Serialize};

use super::fault::{Fault, day};
use super::page::{Page, Row};

/// One module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ModuleRow {
    /// As it is imported, e.g. `flash_attn_2_cuda` of flash-attn.
    pub name: String,
    /// Where this was read.
    pub source: Page,
}

impl Row for ModuleRow {
    const TABLE: &str = "module";

    fn check(&self) -> Result<(), Fault> {
        day(&self.source.read)
    }
}
