//! The last resort for driver and GPUs: running `nvidia-smi`, with a time limit.
//!
//! Only where NVML could not be loaded: nvidia-smi asks NVML too, but may find it where gpudoc does not, e.g. by a path of
//! its own. A driver in trouble can hang it for minutes, therefore the limit.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::child;
use crate::machine::nvidia_smi::{COLUMNS, SmiFault, SmiReport, parse_query};

/// How long nvidia-smi may take; a healthy one needs well below a second.
pub const TIME_LIMIT: Duration = Duration::from_secs(5);

/// Why nvidia-smi said nothing.
#[derive(Debug, thiserror::Error)]
pub enum SmiFailure {
    /// There is none.
    #[error("no nvidia-smi on PATH")]
    NotFound,
    /// It did not start.
    #[error("nvidia-smi did not start: {0}")]
    NotStarted(#[from] io::Error),
    /// It took too long and was ended.
    #[error("nvidia-smi did not answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
}

/// Runs the `nvidia-smi` on `PATH` and reads what it says.
pub fn probe(environment: &BTreeMap<String, String>, limit: Duration) -> Result<SmiReport, SmiFailure> {
    let program = find(environment).ok_or(SmiFailure::NotFound)?;
    let end = Instant::now() + limit;
    let report = query(&program, &COLUMNS, end, limit)?;
    let Some(SmiFault::UnknownColumn(column)) = report.error.as_ref().map(|error| &error.fault) else {
        return Ok(report);
    };
    // An old nvidia-smi: once more without what it does not know.
    let known: Vec<&str> = COLUMNS.into_iter().filter(|name| name != column).collect();
    query(&program, &known, end, limit)
}

/// The first `nvidia-smi` in the folders of `PATH`.
fn find(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let path = environment.get("PATH")?;
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("nvidia-smi"))
        .find(|program| program.is_file())
}

fn query(program: &Path, columns: &[&str], end: Instant, limit: Duration) -> Result<SmiReport, SmiFailure> {
    let mut command = Command::new(program);
    command.arg(format!("--query-gpu={}", columns.join(","))).arg("--format=csv,noheader");
    let Some((mut text, errors)) = child::run(&mut command, end)? else { return Err(SmiFailure::TimedOut(limit)) };
    text.push('\n');
    text.push_str(&errors);
    Ok(parse_query(&text, columns))
}
