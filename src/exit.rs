//! Exit codes: part of the command-line contract.

use std::process::ExitCode;

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing that fails.
    Ok = 0,
    /// Something fails, or no resolution exists.
    Failed = 1,
    /// gpudoc could not run: bad arguments, unreadable input.
    Error = 2,
    /// Somebody's terminal went away, and what had begun was taken back.
    HungUp = 129,
    /// Somebody pressed ^C, and what had begun was taken back.
    Interrupted = 130,
    /// Somebody ended it, and what had begun was taken back.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
