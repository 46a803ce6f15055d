//! The store: rows checked and packed at build time, read back at start, and what is asked of them, a file for each subject.

mod ask_builds;
mod ask_cuda;
mod ask_gpus;
mod ask_judged;
mod ask_messages;
mod ask_names;
mod ask_vendor;
pub mod bytes;
pub mod checked;
pub mod consistency;
mod db;
mod embedded;
pub mod extras;
mod judged;
pub mod model;
pub mod overlay;
pub mod pack;
mod shelf;
mod vendor;
mod windows;

pub use ask_gpus::GpuModel;
pub use db::RuleDb;
#[cfg(test)]
pub(crate) use embedded::without_requirements;
pub use embedded::{embedded, embedded_day, embedded_last, install};
pub use judged::Judged;
