//! The role of a package in a stack, by its own row or by how its name begins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::page::Page;

/// The part that a package plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A wheel with NVIDIA's libraries, e.g. `nvidia-cublas-cu12`: which one is there follows from the builds that need it.
    CudaRuntime,
    /// A part of CUDA without libraries of its own, e.g. `cuda-toolkit`, `cuda-bindings`: it follows in the same way.
    CudaPart,
    /// What the others of a stack are compiled against, e.g. `torch`.
    Hub,
}

/// `[[role]]` of `platform/cuda_names.toml`: the role of packages without a row, by the beginning of their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RoleRow {
    /// E.g. `nvidia-`.
    pub begins: String,
    /// The role.
    pub role: Role,
    /// How the names that say their CUDA end, `{}` for the major, e.g. `-cu{}`.
    #[serde(default)]
    pub ends: Option<String>,
    /// Where this was read.
    pub source: Page,
}

/// All roles, as they are packed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Roles {
    /// Of packages whose own row says another than the beginning of their name.
    pub named: BTreeMap<String, Role>,
    /// The first that fits decides.
    pub rows: Vec<RoleRow>,
}

impl Roles {
    /// The role of a package by normalised name.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<Role> {
        self.named.get(name).copied().or_else(|| self.begun(name).map(|row| row.role))
    }

    /// Whether a name of a row says that it is for a CUDA major.
    #[must_use]
    pub fn says_cuda(&self, name: &str, major: u32) -> bool {
        let end = self.begun(name).and_then(|row| row.ends.as_ref());
        end.is_some_and(|end| name.ends_with(&end.replace("{}", &major.to_string())))
    }

    /// Keeps what a row says, where its name does not say it.
    pub fn add(&mut self, name: &str, role: Role) {
        if self.of(name) != Some(role) {
            self.named.insert(name.to_owned(), role);
        }
    }

    fn begun(&self, name: &str) -> Option<&RoleRow> {
        self.rows.iter().find(|row| name.starts_with(&row.begins))
    }
}
