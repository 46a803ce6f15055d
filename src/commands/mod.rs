//! One file per command: its arguments, and what it does. The only place where edges meet the core.

pub mod resolve;

mod requirement_file;
