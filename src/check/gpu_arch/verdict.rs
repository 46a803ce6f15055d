//! How does installed code run on each GPU, and what shows it?

use crate::finding::Evidence;
use crate::rules::driver::DriverGap;
use crate::version::{CodeTarget, DriverVersion};

/// How the code runs on one GPU of the target.
pub enum Verdict {
    /// As machine code, or as PTX that the driver compiles.
    Runs,
    /// Nothing in it runs there.
    No,
    /// It was made for other GPUs on purpose.
    OtherGpus,
    /// By PTX, which this driver cannot compile.
    PtxTooNew(DriverGap, DriverVersion),
    /// Usable containers, of all.
    Partly(u32, u32),
}

/// What is needed of the code for a finding.
pub struct Judged {
    /// One for each GPU of the target.
    pub verdicts: Vec<Verdict>,
    /// All that it is compiled for.
    pub targets: Vec<CodeTarget>,
    /// The files or the row that were looked at.
    pub evidence: Vec<Evidence>,
    /// The local label of the build, e.g. `cu126`.
    pub local: Option<String>,
}
