//! A package's file of the database, read and written by the harvesters: what people keep in it stays.

use std::path::Path;

use anyhow::{Context, ensure};

use super::file;
use crate::rules::schema::PackageFile;
use crate::rules::write;

/// What the file of a package says; nothing where there is none yet.
///
/// # Errors
///
/// When it cannot be read, or is no such file.
pub fn read(path: &Path, package: &str) -> anyhow::Result<PackageFile> {
    before(path)?.map_or_else(|| Ok(PackageFile::new(package)), |text| parse(path, &text))
}

/// Reads a file of rows.
///
/// # Errors
///
/// When it cannot be read, or is no such file.
pub fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    parse(path, &file::read(path)?)
}

/// Writes what was read of a package; what people keep in the file stays as it is there.
///
/// # Errors
///
/// When the file cannot be read or written, or holds something that would get lost: then it stays as it was.
pub fn put(path: &Path, rows: &PackageFile) -> anyhow::Result<()> {
    let failed = || format!("failed to write `{}`", path.display());
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(failed)?;
    let text = write::package(rows, &before(path)?.unwrap_or_default());
    let same: PackageFile = parse(path, &text)?;
    ensure!(
        same == *rows,
        "failed to write `{}`: the tables that are kept by hand do not stay the same",
        path.display()
    );
    file::write(path, &text)
}

fn before(path: &Path) -> anyhow::Result<Option<String>> {
    let exists = path.try_exists().with_context(|| format!("failed to read `{}`", path.display()))?;
    exists.then(|| file::read(path)).transpose()
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> anyhow::Result<T> {
    toml::from_str(text).with_context(|| format!("failed to parse `{}`", path.display()))
}
