//! The commands, one file each: arguments (their doc comments are the help text) and `run`. Only here edges meet the core.

mod beside;
pub mod check;
pub mod completions;
pub mod cuda_init;
pub mod diff;
mod examine;
pub mod explain;
pub mod file;
pub mod fix;
mod format;
pub mod host;
pub mod impact;
pub mod init;
pub mod input;
pub mod lint;
mod online;
mod opened;
pub mod overlay;
pub mod probe;
mod progress;
pub mod resolve;
mod rule_files;
pub mod rules;
pub mod rules_harvest;
mod rules_package;
mod rules_read;
mod rules_symbols;
mod rules_update;
pub mod rules_verify;
pub mod scan;
mod targets;

use std::io::{IsTerminal, Write};

/// Writes to standard output; a reader that has gone away (`gpudoc check | head`) is not an error.
///
/// # Errors
///
/// When the text cannot be written for another reason.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// The day, e.g. `2026-11-21`: that of `SOURCE_DATE_EPOCH` where it is set, so that a run can be repeated.
#[must_use]
pub fn today() -> String {
    #[expect(clippy::disallowed_methods, reason = "a command reads the environment")]
    let stated = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.trim().parse::<u64>().ok());
    #[expect(clippy::disallowed_methods, reason = "a command knows the time")]
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    crate::text::day(stated.unwrap_or_else(now) / 86_400)
}

/// Writes a line to standard error, where all goes that is not data.
pub fn note(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// The width of the terminal on standard output, in characters; 80 in a pipe.
#[must_use]
pub fn width() -> usize {
    terminal_size::terminal_size_of(std::io::stdout()).map_or(80, |(width, _)| width.0.into())
}

/// How a report looks on standard output: signs on a terminal that shows them, words elsewhere.
#[must_use]
pub fn look() -> crate::report::Look {
    #[expect(clippy::disallowed_methods, reason = "a command reads the environment")]
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| variable(name));
    let utf8 = locale.is_some_and(|locale| locale.to_lowercase().replace('-', "").contains("utf8"));
    let signs = std::io::stdout().is_terminal() && (utf8 || variable("WT_SESSION").is_some());
    crate::report::Look { width: width(), signs }
}
