//! The files of the database on disk. Compiled twice: for `rules verify`, and into the build script.

use std::path::{Path, PathBuf};

use crate::rules::store::pack::RuleError;

/// The rule files in a folder, sorted.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, RuleError> {
    let refused = |error: std::io::Error| RuleError { file: folder.into(), line: None, message: error.to_string() };
    #[expect(clippy::disallowed_methods, reason = "the build script and `rules verify` read the folder of rules")]
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

/// The text of a rule file.
pub fn read(file: &Path) -> Result<String, RuleError> {
    #[expect(clippy::disallowed_methods, reason = "the build script and `rules verify` read the rules")]
    std::fs::read_to_string(file).map_err(|error| RuleError {
        file: file.into(),
        line: None,
        message: error.to_string(),
    })
}
