use std::path::PathBuf;

use super::host::{HostArgs, probe, redacted};
use super::{file, print};
use crate::exit::Exit;

/// Print what gpudoc sees of this machine as a snapshot (JSON)
///
/// The snapshot holds no host name, user name, GPU UUID, serial number or token, and `gpudoc check --from` reaches the
/// same verdict on it as on the machine.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc probe -o pod.json             record this machine
  gpudoc check --from pod.json         judge it elsewhere
  gpudoc probe --python .venv          another environment")]
pub struct Args {
    /// Write to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    host: HostArgs,
}

/// Runs the command.
///
/// # Errors
///
/// When the environment named is not one, or the file cannot be written.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let facts = redacted(&probe(&args.host)?);
    let mut text = serde_json::to_string_pretty(&facts)?;
    text.push('\n');
    match &args.output {
        Some(path) => file::write(path, &text)?,
        None => print(&text)?,
    }
    Ok(Exit::Ok)
}
