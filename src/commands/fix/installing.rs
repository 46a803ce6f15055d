//! Running an installer: its lines as they come, the last ones where it fails, and its end where somebody asks to stop.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, PipeReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::signals::Signals;
use crate::journal::Sort;

/// As many lines of a failed installer are shown.
const LAST: usize = 12;
/// A line is cut there.
const WIDEST: usize = 400;
/// How often one looks whether it ended or somebody asks to stop.
const PAUSE: Duration = Duration::from_millis(50);
/// How long an installer that was asked to end may take.
const GRACE: u32 = 100;

/// What leads an installer out of the environment, or to another.
const OUTWARD: [&str; 14] = [
    "PIP_BREAK_SYSTEM_PACKAGES",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_ROOT",
    "PIP_TARGET",
    "PYTHONHOME",
    "UV_BREAK_SYSTEM_PACKAGES",
    "UV_PREFIX",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "UV_TARGET",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
];
/// Nobody answers: it goes ahead, and asks for nothing.
const UNASKED: [(&str, &str); 6] = [
    ("PIP_USER", "0"),
    ("PIP_YES", "1"),
    ("PIP_NO_INPUT", "1"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("CONDA_ALWAYS_YES", "true"),
    ("MAMBA_ALWAYS_YES", "true"),
];

/// A program to run on an environment.
pub struct Call<'c> {
    /// The program and its arguments.
    pub argv: &'c [String],
    /// Variables for it.
    pub variables: &'c [(String, String)],
    /// The environment.
    pub prefix: &'c Path,
    /// Which sort that is.
    pub sort: Sort,
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// Well; its last lines.
    Well(Vec<String>),
    /// Badly: how, and its last lines.
    Badly(String, Vec<String>),
    /// Ended because somebody asked to stop.
    Stopped,
}

/// Runs it to its end. Its standard input is the lock, which it so holds as long as it lives.
///
/// # Errors
///
/// When it cannot be started.
pub fn run(call: &Call<'_>, lock: Stdio, signals: &Signals, say: &dyn Fn(&str)) -> std::io::Result<Ended> {
    let (reader, writer) = std::io::pipe()?;
    let mut child = command(call).stdin(lock).stdout(writer.try_clone()?).stderr(writer).spawn()?;
    let lines = lines_of(reader);
    let mut last = VecDeque::with_capacity(LAST);
    let mut told = |line: String| {
        say(&line);
        if last.len() == LAST {
            last.pop_front();
        }
        last.push_back(line);
    };
    let mut waited = 0;
    let status = loop {
        match lines.recv_timeout(PAUSE) {
            Ok(line) => {
                told(line);
                // As long as it talks there is no need to ask, except about stopping.
                if signals.asked().is_none() {
                    continue;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(PAUSE),
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if signals.asked().is_some() {
            let signal = if waited < GRACE { Signal::TERM } else { Signal::KILL };
            if waited == 0 || waited >= GRACE {
                end(&child, signal);
            }
            waited += 1;
        }
    };
    // What it started and left behind would go on.
    end(&child, Signal::KILL);
    while let Ok(line) = lines.recv_timeout(PAUSE) {
        told(line);
    }
    if signals.asked().is_some() {
        return Ok(Ended::Stopped);
    }
    let last = Vec::from(last);
    Ok(if status.success() { Ended::Well(last) } else { Ended::Badly(status.to_string(), last) })
}

fn command(call: &Call<'_>) -> Command {
    let program = call.argv.first().map_or("", String::as_str);
    #[expect(clippy::disallowed_methods, reason = "the one place that runs what a plan says")]
    let mut command = Command::new(program);
    command.args(call.argv.iter().skip(1));
    for name in OUTWARD {
        command.env_remove(name);
    }
    command.envs(UNASKED);
    command.env(if call.sort == Sort::Conda { "CONDA_PREFIX" } else { "VIRTUAL_ENV" }, call.prefix);
    command.envs(call.variables.iter().map(|(name, value)| (name, value)));
    // ^C is for gpudoc, which ends it and takes back what it did.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

fn end(child: &Child, signal: Signal) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, signal);
    }
}

/// Lines as they come, without what steers a terminal; a progress bar's `\r` ends a line too.
fn lines_of(reader: PipeReader) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            match reader.read_until(b'\n', &mut bytes) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            let text = String::from_utf8_lossy(&bytes);
            let shown = text.trim_end().rsplit('\r').find_map(|part| Some(plain(part)).filter(|it| !it.is_empty()));
            if shown.is_some_and(|line| sender.send(line).is_err()) {
                break;
            }
        }
    });
    receiver
}

/// A line without escape sequences and control characters.
fn plain(text: &str) -> String {
    let stripped = anstream::adapter::strip_str(text).to_string();
    stripped.chars().filter(|letter| !letter.is_control()).take(WIDEST).collect::<String>().trim_end().to_owned()
}

/// Whether uv puts a new file in the place of an old one here: it does where it links from its cache, which lies on the same
/// file system then.
#[must_use]
pub fn uv_links(prefix: &Path, signals: &Signals) -> bool {
    let argv = ["uv", "cache", "dir"].map(str::to_owned);
    let call = Call { argv: &argv, variables: &[], prefix, sort: Sort::Venv };
    let Ok(Ended::Well(lines)) = run(&call, Stdio::null(), signals, &|_| {}) else { return false };
    lines.last().is_some_and(|cache| crate::journal::on_one_device(prefix, Path::new(cache)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(script: &str) -> Ended {
        let argv = ["sh", "-c", script].map(str::to_owned);
        let variables = [("A".to_owned(), "b c".to_owned())];
        let call = Call { argv: &argv, variables: &variables, prefix: Path::new("/v"), sort: Sort::Venv };
        run(&call, Stdio::null(), &Signals::default(), &|_| {}).unwrap()
    }

    #[test]
    fn lines_are_plain_and_the_last_are_kept() {
        let Ended::Badly(how, last) =
            ran("printf '\\033[31mred\\033[0m\\a\\n 1%%\\r 99%%\\n\\n'; echo $A $VIRTUAL_ENV >&2; exit 3")
        else {
            panic!("it ends badly")
        };
        assert_eq!(last, ["red", " 99%", "b c /v"]);
        assert!(how.contains('3'), "{how}");
        let Ended::Well(last) = ran("seq 1 40") else { panic!("it ends well") };
        assert_eq!((last.len(), last.first().map(String::as_str)), (LAST, Some("29")));
    }

    #[test]
    fn what_it_leaves_behind_does_not_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let Ended::Well(_) = ran(&format!("(sleep 1; touch {}) & exit 0", mark.display())) else {
            panic!("it ends well")
        };
        std::thread::sleep(Duration::from_millis(1500));
        assert!(!mark.exists());
    }
}
