//! `gpudoc rules list`, `show` and `matrix`: the database, read.

use anyhow::{Context, bail};

use super::format::Format;
use super::{print, width};
use crate::exit::Exit;
use crate::pep::Version;
use crate::python::wheel::normalise_name;
use crate::report::rules::{self as report, Column};
use crate::rules::model::{Package, Release};
use crate::rules::{self, RuleDb, matrix};
use crate::text::nearest;

/// List the packages that the rules cover
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// How to write the list
    #[arg(long, value_parser = Format::plain(), default_value = "text")]
    format: Format,
}

/// Runs `rules list`.
///
/// # Errors
///
/// When the text cannot be written.
pub fn list(args: &ListArgs) -> anyhow::Result<Exit> {
    let db = rules::embedded();
    match args.format {
        Format::Json => print(&report::list_json(db)?)?,
        _ => print(&report::list_text(db))?,
    }
    Ok(Exit::Ok)
}

/// Show what is known of a package or of one release: builds, targets, requirements, and where each row was read
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc rules show torch==2.7.1
  gpudoc rules show bitsandbytes --format json | jq '.builds[] | .version, .libraries'")]
pub struct ShowArgs {
    /// A package, or one release of it: `torch`, `torch==2.7.1`
    #[arg(value_name = "PACKAGE[==VERSION]")]
    package: String,
    /// How to write it
    #[arg(long, value_parser = Format::plain(), default_value = "text")]
    format: Format,
}

/// Runs `rules show`.
///
/// # Errors
///
/// When the rules do not cover it; the error names what is near.
pub fn show(args: &ShowArgs) -> anyhow::Result<Exit> {
    let db = rules::embedded();
    let (name, version) = match args.package.split_once("==") {
        Some((name, version)) => (name, Some(version)),
        None => (args.package.as_str(), None),
    };
    let package = package(name, db)?;
    let releases: Vec<&Release> = match version {
        Some(version) => vec![release(package, version)?],
        None => package.releases.iter().collect(),
    };
    match args.format {
        Format::Json => print(&report::show_json(package, &releases, db)?)?,
        _ => print(&report::show_text(package, &releases, width()))?,
    }
    Ok(Exit::Ok)
}

/// A package by name.
///
/// # Errors
///
/// When the rules do not cover it; the error names what is near.
pub fn package<'a>(name: &str, db: &'a RuleDb) -> anyhow::Result<&'a Package> {
    let name = normalise_name(name.trim());
    if let Some(package) = db.package(&name) {
        return Ok(package);
    }
    let near: Vec<_> = nearest(&name, db.package_names()).into_iter().map(|name| format!("`{name}`")).collect();
    match near.as_slice() {
        [] => bail!("the rules do not cover `{name}`; `gpudoc rules list` shows what they cover"),
        near => bail!("the rules do not cover `{name}`; did you mean {}?", near.join(" or ")),
    }
}

/// A release by version; a local label is left aside.
///
/// # Errors
///
/// When there is none; the error names its neighbours.
pub fn release<'a>(package: &'a Package, version: &str) -> anyhow::Result<&'a Release> {
    let version: Version =
        version.trim().parse().ok().with_context(|| format!("`{version}` is not a version, such as `2.7.1`"))?;
    let wanted = version.clone().without_local();
    if let Some(release) = package.releases.iter().find(|release| release.version == wanted) {
        return Ok(release);
    }
    let below = package.releases.iter().rev().find(|release| release.version < wanted);
    let above = package.releases.iter().find(|release| release.version > wanted);
    let near: Vec<_> =
        below.into_iter().chain(above).map(|release| format!("`{}=={}`", package.name, release.version)).collect();
    bail!("the rules know no {} {wanted}; the nearest are {}", package.name, near.join(" and "))
}

/// Show which releases and CUDA variants of a package run on which compute capability
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc rules matrix torch
  gpudoc rules matrix bitsandbytes --last 5
  gpudoc rules matrix torch --format html > torch.html")]
pub struct MatrixArgs {
    /// E.g. `torch`
    package: String,
    /// Builds for this platform
    #[arg(long, value_name = "PLATFORM", default_value = "linux_x86_64")]
    platform: String,
    /// Only the newest releases
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    /// The compute capabilities of Jetson modules too
    #[arg(long)]
    jetson: bool,
    /// How to write the grid
    #[arg(long, value_parser = Format::of_grid(), default_value = "text")]
    format: Format,
}

/// Runs `rules matrix`.
///
/// # Errors
///
/// When the rules do not cover the package.
pub fn matrix(args: &MatrixArgs) -> anyhow::Result<Exit> {
    let db = rules::embedded();
    let package = package(&args.package, db)?;
    let platform = args.platform.replace('-', "_");
    let columns: Vec<Column> = db
        .capabilities()
        .into_iter()
        .filter(|(capability, _)| args.jetson || !db.machine_code().tegra.contains(capability))
        .map(|(capability, products)| Column { capability, products })
        .collect();
    let capabilities: Vec<_> = columns.iter().map(|column| column.capability).collect();
    let mut rows = matrix::rows(package, &platform, &capabilities, db);
    if let Some(last) = args.last {
        let newest: Vec<_> = package.releases.iter().rev().take(last).map(|release| &release.version).collect();
        rows.retain(|row| newest.contains(&&row.release.version));
    }
    // A column that nothing was ever built for tells nothing.
    let used: Vec<bool> = (0..columns.len())
        .map(|at| {
            rows.iter().any(|row| !matches!(row.cells.get(at), Some(matrix::Cell::No | matrix::Cell::Unknown) | None))
        })
        .collect();
    let mut at = 0;
    let columns: Vec<Column> = columns
        .into_iter()
        .filter(|_| {
            at += 1;
            used.get(at - 1) == Some(&true)
        })
        .collect();
    for row in &mut rows {
        let mut at = 0;
        row.cells.retain(|_| {
            at += 1;
            used.get(at - 1) == Some(&true)
        });
    }
    if rows.is_empty() {
        bail!("the rules know no builds of {} for {platform}", package.name);
    }
    match args.format {
        Format::Html => print(&report::matrix_html(&package.name, &platform, &rows, &columns, db.newest()))?,
        Format::Json => {
            print(&report::matrix_json(&package.name, &platform, &rows, &columns, db.newest())?)?;
        }
        _ => print(&report::matrix_text(&package.name, &rows, &columns))?,
    }
    Ok(Exit::Ok)
}
