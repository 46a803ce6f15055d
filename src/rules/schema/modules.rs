//! `platform/modules.toml`: modules whose distribution has another name.

use serde::{Deserialize, Serialize};

use super::super::fault::{Fault, day};
use super::page::{Page, Table, fault};

/// `rules/platform/modules.toml`: which distribution a module or library file belongs to, where the name does not say it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ModuleTable {
    /// Sorted by module.
    #[serde(rename = "module")]
    pub modules: Vec<ModuleRow>,
}

/// One module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ModuleRow {
    /// As it is imported, e.g. `flash_attn_2_cuda`.
    pub name: String,
    /// The distribution, e.g. `flash-attn`.
    pub distribution: String,
    /// Where this was read.
    pub source: Page,
}

impl Table for ModuleTable {
    const FILE: &str = "modules";

    fn check(&self) -> Result<(), Fault> {
        for (index, row) in self.modules.iter().enumerate() {
            day(&row.source.read).map_err(|found| found.below("module", index))?;
            let previous = index.checked_sub(1).and_then(|at| self.modules.get(at));
            if previous.is_some_and(|other| other.name >= row.name) {
                return Err(fault("module", index, "the modules are not sorted by name"));
            }
        }
        Ok(())
    }
}
