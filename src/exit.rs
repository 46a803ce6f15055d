//! Exit codes: part of the command-line contract.

use std::process::ExitCode;

use crate::finding::Severity;

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

impl Exit {
    /// The one rule for what was judged: what fails ends with 1, and where somebody is strict also what is worth a warning and what
    /// is open. `worst` is the worst of what was found; `open` that something is not known, or has changed.
    #[must_use]
    pub fn judged(worst: Option<Severity>, open: bool, strict: bool) -> Self {
        match worst {
            Some(Severity::Fail) => Self::Failed,
            Some(Severity::Warn) if strict => Self::Failed,
            _ if strict && open => Self::Failed,
            _ => Self::Ok,
        }
    }

    /// The rule where the answer is yes or no: a solution, a plan, a comparison that holds.
    #[must_use]
    pub fn ok_if(good: bool) -> Self {
        if good { Self::Ok } else { Self::Failed }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_strict_ends_with_one_on_warnings_and_on_what_is_open() {
        let codes = |strict| {
            let of = |worst, open| Exit::judged(worst, open, strict) as u8;
            let (fail, warn, info) = (Some(Severity::Fail), Some(Severity::Warn), Some(Severity::Info));
            [of(fail, false), of(warn, false), of(info, false), of(info, true), of(None, false), of(None, true)]
        };
        assert_eq!(codes(false), [1, 0, 0, 0, 0, 0]);
        assert_eq!(codes(true), [1, 1, 0, 1, 0, 1]);
    }
}
