//! What people write for a project: requirements, pyproject.toml, Dockerfiles, shell, YAML; each word with its place in the file.
//!
//! Text in, values out. What a file may not say comes with its place and what was meant.

pub mod conda_cuda;
pub mod dependency;
pub mod dockerfile;
pub mod install;
pub mod mend;
pub mod place;
pub mod poetry_range;
pub mod pyproject;
pub mod requirements;
pub mod shell;
pub mod sourced;
pub mod yaml;
