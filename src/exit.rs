//! What gpudoc ends with.

use std::process::{ExitCode, Termination};

/// The exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing that fails.
    Ok = 0,
    /// Something fails, or no resolution exists.
    Failed = 1,
    /// gpudoc could not run: bad arguments, unreadable input.
    Error = 2,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}
