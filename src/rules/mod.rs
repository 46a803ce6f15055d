//! The rules: what is known of GPUs, drivers, CUDA, packages and their builds, from `rules/`, each row with its source.
//!
//! [`schema`] says how the files are written and what must hold of a row, [`store`] checks what must hold between rows, packs them, and
//! answers as [`RuleDb`], [`judge`] holds the functions that checks and solver share. Knowledge comes in as data only: a new release never
//! touches this folder. Who asks from outside names a subject, such as `rules::driver`, wherever its file lies.

pub mod judge;
pub mod schema;
pub mod store;

pub use judge::target::{Target, TargetGpu};
pub use judge::workload::Workload;
pub use judge::{
    advisory, age, artefact, companion, complete, driver, fit, kernel, machine, matrix, obstacle, partner, requirement,
    role, symbols, symptom, target, torch_abi, workload,
};
pub use schema::page::cite;
pub use schema::{fault, python_tag, short, write};
#[cfg(test)]
pub(crate) use store::without_requirements;
pub use store::{
    GpuModel, Judged, RuleDb, bytes, checked, consistency, embedded, embedded_day, embedded_last, extras, install,
    model, overlay, pack,
};
