//! `platform/cuda_names.toml`: distributions whose names say their CUDA, and their twins for another.

use serde::{Deserialize, Serialize};

use crate::rules::schema::fault::{Fault, day};
use crate::rules::schema::page::{Page, Table, fault};
use crate::rules::schema::role::RoleRow;

/// `rules/platform/cuda_names.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CudaNameTable {
    /// In no order.
    #[serde(rename = "family")]
    pub families: Vec<CudaTwins>,
    /// The first that fits decides.
    #[serde(rename = "role")]
    pub roles: Vec<RoleRow>,
}

/// Distributions that go together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CudaTwins {
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
    pub source: Page,
}

impl Table for CudaNameTable {
    fn check(&self) -> Result<(), Fault> {
        for (index, row) in self.roles.iter().enumerate() {
            day(&row.source.read).map_err(|found| found.below("role", index))?;
            if row.begins.is_empty() || row.ends.as_ref().is_some_and(|end| !end.contains("{}")) {
                return Err(fault("role", index, "begins with nothing, or ends without `{}`"));
            }
        }
        for (index, row) in self.families.iter().enumerate() {
            day(&row.source.read).map_err(|found| found.below("family", index))?;
            if row.names.iter().chain(&row.parts).any(|name| !name.contains("{}")) {
                return Err(fault("family", index, "a name does not say its CUDA: no `{}`"));
            }
            if !row.majors.is_sorted() || row.majors.len() < 2 {
                return Err(fault("family", index, "the majors are not ascending, or there is one only"));
            }
        }
        Ok(())
    }
}
