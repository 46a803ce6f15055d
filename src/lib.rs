//! gpudoc: finds out which parts of a GPU machine's Python environment contradict each other, and solves for a set that works.

// `modules!`, `declared!` and `judged!`: the files of rules, and the rules that they declare, as the build script found them.
include!(concat!(env!("OUT_DIR"), "/declared.rs"));

pub mod cause;
pub mod check;
pub mod cli;
pub mod commands;
pub mod config;
pub mod diff;
pub mod emit;
pub mod exit;
pub mod facts;
pub mod finding;
pub mod fix;
pub mod harvest;
pub mod impact;
pub mod imports;
pub mod index;
#[cfg(unix)]
pub mod journal;
pub mod lint;
pub mod log;
pub mod machine;
pub mod objects;
pub mod own;
pub mod parallel;
pub mod pep;
pub mod probe;
pub mod project;
pub mod python;
pub mod report;
pub mod rules;
pub mod session;
pub mod solve;
pub mod step;
pub mod text;
pub mod told;
pub mod version;
