//! The machine and environment that a command looks at.

use std::path::PathBuf;

use anyhow::bail;

use crate::facts::Facts;
use crate::probe::{self, PythonFacts, Request};

/// Which machine, and which environment on it.
#[derive(Debug, Default, clap::Args)]
pub struct HostArgs {
    /// Interpreter or environment folder to inspect, instead of the active one
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,
    /// Inspect a mounted image instead of this machine
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

/// Reads the machine, redacted.
///
/// # Errors
///
/// When the folder or the environment that was named does not exist.
pub fn probe(args: &HostArgs) -> anyhow::Result<Facts> {
    let request = match &args.root {
        Some(folder) if !folder.is_dir() => bail!("`{}` is not a folder", folder.display()),
        Some(folder) => Request::folder(folder),
        None => Request::host(),
    };
    Ok(probe::probe(&request, |_| PythonFacts::default()))
}
