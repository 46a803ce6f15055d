//! One file for each command: its arguments and `run`. The only place where the edges meet the core.

pub mod rules_harvest;
