//! gpudoc: finds out which parts of a GPU machine's Python environment contradict each other, and solves for a set that works.

pub mod commands;
pub mod index;
pub mod parse;
pub mod rules;
pub mod version;
