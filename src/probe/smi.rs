//! The last resort for driver and GPUs: running `nvidia-smi`, with a time limit.
//!
//! Only where NVML could not be loaded: nvidia-smi asks NVML too, but may find it where gpudoc does not, e.g. by a path of
//! its own. A driver in trouble can hang it for minutes, therefore the limit.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::parse::nvidia_smi::{COLUMNS, SmiFault, SmiReport, parse_query};

/// How long nvidia-smi may take; a healthy one needs well below a second.
pub const TIME_LIMIT: Duration = Duration::from_secs(5);

/// More than any nvidia-smi prints.
const OUTPUT_LIMIT: u64 = 1 << 20;

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
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    let output = read_all(child.stdout.take());
    let errors = read_all(child.stderr.take());
    let finished = wait(&mut child, end);
    if !finished {
        kill(&mut child);
        return Err(SmiFailure::TimedOut(limit));
    }
    let mut text = receive(&output, end);
    text.push('\n');
    text.push_str(&receive(&errors, end));
    Ok(parse_query(&text, columns))
}

/// Reads a pipe in a thread of its own: a full pipe would stop the program, and a program's child may keep it open.
fn read_all(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What came before an error is still worth reading.
            let _ = pipe.take(OUTPUT_LIMIT).read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

fn receive(pipe: &Receiver<Vec<u8>>, end: Instant) -> String {
    let left = end.saturating_duration_since(Instant::now());
    String::from_utf8_lossy(&pipe.recv_timeout(left).unwrap_or_default()).into_owned()
}

fn wait(child: &mut Child, end: Instant) -> bool {
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(_)) => return true,
            Err(_) => return false,
            Ok(None) if Instant::now() >= end => return false,
            Ok(None) => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Ends the program and what it started.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    // A process stuck in the driver cannot be ended; it must not hold us too.
    let _ = wait(child, Instant::now() + Duration::from_millis(200));
}
