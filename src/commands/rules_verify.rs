use std::path::PathBuf;

use super::{print, rule_files};
use crate::exit::Exit;
use crate::rules::pack::{Both, pack};
use crate::text::count;

/// Check the files of the database: format, sources, order, contradictions
///
/// The same checks run when gpudoc is built; this runs them on a folder, without building.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc rules verify
  gpudoc rules verify --rules-dir ../gpudoc/rules")]
pub struct VerifyArgs {
    /// The folder of the database
    #[arg(long, value_name = "DIR", default_value = "rules")]
    rules_dir: PathBuf,
}

/// Runs the command: exit 1 with file, line and reason at the first fault.
///
/// # Errors
///
/// When the answer cannot be written.
pub fn run(args: &VerifyArgs) -> anyhow::Result<Exit> {
    match pack(&args.rules_dir, rule_files::list, rule_files::read) {
        Ok(Both { packed, .. }) => {
            let packages = count(packed.packages.len(), "package", "packages");
            let advisories = count(packed.advisories.len(), "advisory", "advisories");
            print(&format!("{packages} and {advisories}: no fault found\n"))?;
            Ok(Exit::Ok)
        }
        Err(fault) => {
            print(&format!("{fault}\n"))?;
            Ok(Exit::Failed)
        }
    }
}
