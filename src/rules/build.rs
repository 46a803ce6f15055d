//! The build script: validates `rules/` and packs it, so that an inconsistent row fails the build with file and line, and lists
//! the rules that the sources of checks and lint declare.

#![expect(dead_code, reason = "the script shares these modules with the library and uses a part of them")]
#![expect(clippy::disallowed_methods, reason = "the script reads the rule files")]

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[path = "../finding/declared.rs"]
mod declared;

#[path = "../pep.rs"]
#[expect(unused_imports, reason = "the script asks for a part of it")]
mod pep;

#[path = "../version.rs"]
mod version;

#[path = "../text.rs"]
mod text;

#[path = "../step/mod.rs"]
#[expect(unused_imports, reason = "the script only reads what the rules write")]
mod step;

#[path = "../facts"]
mod facts {
    pub mod field;
}

#[path = "."]
mod rules {
    #[expect(unused_imports, reason = "what the library asks of it")]
    pub mod schema;
    pub mod store {
        pub mod bytes;
        pub mod checked;
        pub mod consistency;
        pub mod extras;
        pub mod model;
        pub mod pack;
    }
}

#[path = "../commands/rule_files.rs"]
mod rule_files;

use rules::store::pack::{Both, pack};

fn main() -> ExitCode {
    for folder in ["rules", "src/check", "src/lint"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let Both { packed, roles } = pack(Path::new("rules"), rule_files::list, rule_files::read)?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    println!("cargo::rustc-env=GPUDOC_RULES_DAY={}", packed.newest);
    std::fs::write(out.join("roles.bin"), postcard::to_stdvec(&roles)?)?;
    std::fs::write(out.join("rules.bin"), postcard::to_stdvec(&packed)?)?;
    let mut files = BTreeMap::new();
    for top in ["check", "lint"] {
        sources(&Path::new("src").join(top), top, &mut files)?;
    }
    std::fs::write(out.join("declared.rs"), declared::listing(&files))?;
    Ok(())
}

/// The Rust files of a folder and those below it, each with its text by its path with `/`.
fn sources(folder: &Path, path: &str, files: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?.path();
        let Some(name) = entry.file_name().and_then(|name| name.to_str()) else { continue };
        let path = format!("{path}/{name}");
        if entry.is_dir() {
            sources(&entry, &path, files)?;
        } else if name.ends_with(".rs") {
            files.insert(path, std::fs::read_to_string(&entry)?);
        }
    }
    Ok(())
}
