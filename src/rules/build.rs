//! The build script: validates `rules/` and packs it, so that an inconsistent row fails the build with file and line.

#![expect(dead_code, reason = "the script shares these modules with the library and uses a part of them")]
#![expect(clippy::disallowed_methods, reason = "the script reads the rule files")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[path = "../version.rs"]
mod version;

#[path = "."]
mod rules {
    pub mod model;
    pub mod pack;
    pub mod raw;
    pub mod raw_platform;
    pub mod validate;
}

use rules::pack::{RuleError, pack};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=rules");
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let packed = pack(Path::new("rules"), list, read)?;
    let out = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    std::fs::write(PathBuf::from(out).join("rules.bin"), postcard::to_stdvec(&packed)?)?;
    Ok(())
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, RuleError> {
    let refused = |error: std::io::Error| RuleError { file: folder.into(), line: None, message: error.to_string() };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<String, RuleError> {
    std::fs::read_to_string(file).map_err(|error| RuleError {
        file: file.into(),
        line: None,
        message: error.to_string(),
    })
}
