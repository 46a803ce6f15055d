//! `gpudoc rules update`: what was released since this program was built.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use reqwest::Url;

use super::rules_harvest::{self, HarvestArgs};
use super::{file, note, overlay, print};
use crate::index::simple;
use crate::pep::Version;
use crate::python::wheel::normalise_name;
use crate::rules::checked::unpack_extras;
use crate::rules::model::Release;
use crate::rules::overlay::Overlay;
use crate::rules::schema::PackageFile;
use crate::rules::{self, RuleDb};
use crate::text;

/// Read what was released since this program was built, for this user
///
/// Asks the package index for releases newer than those that the rules know, reads one wheel of each as
/// `gpudoc rules harvest` does, and keeps the rows in the user's data folder (`GPUDOC_DATA`, else `gpudoc` in
/// `XDG_DATA_HOME` or `~/.local/share`). Every command uses them from then on. An interrupted run can be repeated.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc rules update                 all packages
  gpudoc rules update torch triton    these only
  gpudoc rules update --offline       how old the rules are, without asking anybody")]
pub struct UpdateArgs {
    /// Only these packages
    #[arg(value_name = "PACKAGE")]
    packages: Vec<String>,
    /// Never touch the network: say what is here
    #[arg(long)]
    offline: bool,
    /// The package index: PyPI, or any that serves the simple repository API
    #[arg(long, value_name = "URL", default_value = simple::PYPI)]
    index: Url,
}

/// Runs the command.
///
/// # Errors
///
/// If there is no data folder, the index cannot be read, or a file cannot be written; what was there before stays.
pub fn run(args: &UpdateArgs) -> anyhow::Result<()> {
    let db = rules::embedded();
    let folder = overlay::folder().context("no data folder: neither GPUDOC_DATA, XDG_DATA_HOME nor HOME is set")?;
    if args.offline {
        return print(&format!("rules of {}, in `{}` and the program\n", db.newest(), folder.display()));
    }
    let names = names(args, db)?;
    let work = folder.join("update");
    for name in &names {
        let since = db.package(name).and_then(|package| package.releases.last()).map(|release| after(&release.version));
        let harvest = HarvestArgs::new(name, since, args.index.clone(), work.clone());
        rules_harvest::run(&harvest)?;
    }
    let overlay = collect(&work, db)?;
    let releases: usize = overlay.releases.values().map(Vec::len).sum();
    let bytes = overlay.encode().context("failed to pack the rows")?;
    let path = folder.join(overlay::FILE);
    std::fs::create_dir_all(&folder).with_context(|| format!("failed to make `{}`", folder.display()))?;
    file::write_bytes(&path, &bytes)?;
    for (name, releases) in &overlay.releases {
        let versions: Vec<_> = releases.iter().map(|release| release.version.to_string()).collect();
        note(&format!("new: {name} {}", text::list(&versions)));
    }
    let newest = if overlay.newest.is_empty() { db.newest() } else { &overlay.newest };
    print(&format!(
        "{} of {} are newer than the program, written to `{}`; rules of {newest}\n",
        text::count(releases, "release", "releases"),
        text::count(overlay.releases.len(), "package", "packages"),
        path.display()
    ))
}

fn names(args: &UpdateArgs, db: &RuleDb) -> anyhow::Result<Vec<String>> {
    if args.packages.is_empty() {
        return Ok(db.package_names().map(str::to_owned).collect());
    }
    let named = args.packages.iter().map(|name| {
        let name = normalise_name(name);
        if db.package(&name).is_none() {
            bail!("the rules do not cover `{name}`; `gpudoc rules list` shows what they cover");
        }
        Ok(name)
    });
    named.collect()
}

/// The first version above a release that is none of its own: `2.7.1.post0.dev0`, `0.0.29.post4.dev0`.
fn after(version: &Version) -> Version {
    let next = version.post().map_or(0, |post| post + 1);
    version.clone().without_local().with_post(Some(next)).with_dev(Some(0))
}

/// The rows that were harvested, as far as they are newer than the program's.
fn collect(work: &Path, db: &RuleDb) -> anyhow::Result<Overlay> {
    let mut overlay = Overlay { program: env!("CARGO_PKG_VERSION").to_owned(), ..Overlay::default() };
    let mut newest = rules::embedded_day().to_owned();
    for file in files(&work.join("packages")) {
        let text = file::read(&file)?;
        let raw: PackageFile =
            toml::from_str(&text).with_context(|| format!("failed to parse `{}`", file.display()))?;
        let Some(package) = db.package(&raw.package) else { continue };
        let last = rules::embedded_last(&package.name);
        let mut read: Vec<Release> = Vec::new();
        for mut row in raw.releases {
            if row.date.is_empty() {
                // Some indexes do not say when a file was uploaded: the day of the reading is the best guess.
                row.date = row.builds.first().map(|build| build.source.read.clone()).unwrap_or_default();
            }
            newest = row.builds.iter().map(|build| build.source.read.clone()).chain([newest]).max().unwrap_or_default();
            let mut release =
                Release::try_from(row).map_err(|fault| anyhow::anyhow!("`{}`: {}", file.display(), fault.message))?;
            for code in release.builds.iter_mut().flat_map(|build| &mut build.code) {
                code.whole = package.whole;
                code.optional = package.code_is_optional();
            }
            read.push(release);
        }
        unpack_extras(&raw.extras_read, &raw.extras, &mut read)
            .map_err(|fault| anyhow::anyhow!("`{}`: {}", file.display(), fault.message))?;
        read.retain(|release| last.as_ref().is_none_or(|last| release.version > *last) && !release.builds.is_empty());
        let releases: BTreeMap<Version, Release> =
            read.into_iter().map(|release| (release.version.clone(), release)).collect();
        if !releases.is_empty() {
            overlay.releases.insert(package.name.clone(), releases.into_values().collect());
        }
    }
    overlay.newest = newest;
    Ok(overlay)
}

#[expect(clippy::disallowed_methods, reason = "a command lists its own data folder")]
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|it| it == "toml")).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_a_release_is_none_of_its_builds() {
        let after = |text: &str| after(&text.parse().unwrap());
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(after("2.7.1") > version("2.7.1+cu128") && after("2.7.1") < version("2.7.1.post1"));
        assert!(after("2.7.1") < version("2.7.2.dev1") && after("2.7.1") < version("2.8.0rc1"));
        assert!(after("0.0.29.post3") > version("0.0.29.post3") && after("0.0.29.post3") < version("0.0.29.post4"));
    }
}
