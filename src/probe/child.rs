//! Running a program that may hang, with a time limit.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// More than any program prints that is run here.
const OUTPUT_LIMIT: u64 = 1 << 20;

/// Runs a program to its end: what it wrote to standard output and to standard error. None if it was not done at `end`; it
/// and what it started are ended then.
pub fn run(command: &mut Command, end: Instant) -> io::Result<Option<(String, String)>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let mut child = command.spawn()?;
    let output = read_all(child.stdout.take());
    let errors = read_all(child.stderr.take());
    if !wait(&mut child, end) {
        kill(&mut child);
        return Ok(None);
    }
    Ok(Some((receive(&output, end), receive(&errors, end))))
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
