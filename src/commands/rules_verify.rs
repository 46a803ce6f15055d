use std::path::{Path, PathBuf};

use super::print;
use crate::exit::Exit;
use crate::rules::pack::{RuleError, pack};
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
    match pack(&args.rules_dir, list, read) {
        Ok(packed) => {
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

fn list(folder: &Path) -> Result<Vec<PathBuf>, RuleError> {
    let refused = |error: std::io::Error| RuleError { file: folder.into(), line: None, message: error.to_string() };
    #[expect(clippy::disallowed_methods, reason = "a command reads the folder that its argument names")]
    let entries = std::fs::read_dir(folder).map_err(refused)?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(refused)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<String, RuleError> {
    #[expect(clippy::disallowed_methods, reason = "a command reads the files below the folder that its argument names")]
    std::fs::read_to_string(file).map_err(|error| RuleError {
        file: file.into(),
        line: None,
        message: error.to_string(),
    })
}
