use std::path::{Path, PathBuf};

use anyhow::bail;

use super::format::Format;
use super::{input, print, width};
use crate::exit::Exit;
use crate::report::diff as report;
use crate::rules;
use crate::session::check as session;

/// Show what differs between two snapshots, the differences that explain a finding first
///
/// Both are checked; what only one of them is found to have, and the facts that those findings speak of, come first.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc probe -o good.json            on the pod that works
  gpudoc probe -o bad.json             on the one that does not
  gpudoc diff good.json bad.json

Exit codes: 0 nothing fails in the second that does not fail in the first, 1 something does, 2 a snapshot could not be
read.")]
pub struct Args {
    /// A snapshot of `gpudoc probe`; `-` for standard input
    #[arg(value_name = "A")]
    left: PathBuf,
    /// Another one
    #[arg(value_name = "B")]
    right: PathBuf,
    /// How to write the comparison
    #[arg(long, value_parser = Format::plain(), default_value = "text")]
    format: Format,
}

/// Runs the command.
///
/// # Errors
///
/// When a snapshot cannot be read.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    if args.left == args.right && args.left == Path::new("-") {
        bail!("standard input can be one of the two snapshots, not both");
    }
    let db = rules::embedded();
    let (left, right) = (input::snapshot_only(&args.left, db)?, input::snapshot_only(&args.right, db)?);
    let (comparison, exit) = session::drift(&left, &right, false, db, &rules::Workload::default());
    let names = [args.left.display().to_string(), args.right.display().to_string()];
    match args.format {
        Format::Json => print(&report::json(&comparison)?)?,
        _ => print(&report::text(&comparison, [&names[0], &names[1]], width()))?,
    }
    Ok(exit)
}
