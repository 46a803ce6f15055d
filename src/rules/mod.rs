//! The rules: what is known of GPUs, drivers, CUDA, packages and their builds, from `rules/`, each row with its source.
//!
//! `schema` says how the files are written, `checked` and `consistency` what must hold of them, `model` what comes of it, `pack` makes
//! the embedded form, [`RuleDb`] answers questions. Knowledge comes in as data only: a new release never touches this folder.

pub mod advisory;
pub mod age;
pub mod artefact;
mod ask_builds;
mod ask_cuda;
mod ask_gpus;
mod ask_messages;
mod ask_names;
pub mod bytes;
pub mod checked;
pub mod companion;
pub mod complete;
pub mod consistency;
mod db;
pub mod driver;
mod embedded;
pub mod extras;
pub mod fault;
pub mod fit;
pub mod judged;
pub mod kernel;
pub mod machine;
pub mod matrix;
pub mod model;
pub mod obstacle;
pub mod overlay;
pub mod pack;
pub mod partner;
pub mod python_tag;
pub mod requirement;
pub mod role;
pub mod schema;
mod shelf;
pub mod short;
pub mod symbols;
pub mod symptom;
pub mod target;
pub mod torch_abi;
pub mod vendor;
mod windows;
pub mod workload;
pub mod write;

pub use ask_gpus::GpuModel;
pub use db::RuleDb;
#[cfg(test)]
pub(crate) use embedded::without_requirements;
pub use embedded::{embedded, embedded_day, embedded_last, install};
pub use schema::page::cite;
pub use target::{Target, TargetGpu};
pub use workload::Workload;
