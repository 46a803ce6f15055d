//! The rules: what is known of GPUs, drivers, CUDA, packages and their builds, from `rules/`, each row with its source.
//!
//! `raw` says how the files are written, `model`, `validate` and `consistency` what must hold of them, `pack` makes the embedded form,
//! [`RuleDb`] answers questions. Knowledge comes in as data only: a new release never touches this folder.

pub mod advisory;
pub mod age;
pub mod artefact;
pub mod bytes;
pub mod complete;
pub mod consistency;
mod db;
pub mod driver;
mod embedded;
pub mod extras;
pub mod fault;
pub mod harvest;
pub mod harvest_extras;
pub mod kernel;
pub mod machine;
pub mod matrix;
pub mod model;
pub mod obstacle;
pub mod overlay;
pub mod pack;
pub mod partner;
pub mod requirement;
pub mod schema;
mod shelf;
pub mod symbols;
pub mod symptom;
pub mod target;
pub mod torch_abi;
pub mod variants;
pub mod vendor;
mod windows;
pub mod workload;
pub mod write;

pub use db::{GpuModel, RuleDb, cite};
pub use embedded::{embedded, embedded_day, embedded_last, install};
pub use target::{Target, TargetGpu};
pub use workload::Workload;
