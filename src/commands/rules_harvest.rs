//! `gpudoc rules harvest`: reads packages from an index and writes their rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use indicatif::MultiProgress;
use reqwest::Url;
use tokio::task::JoinSet;
use tracing::info;

use super::opened::{read_metadata, read_sdist, read_wheel};
use super::{note, progress, rules_package};
use crate::harvest::{self, Gathered, Published, Reached};
use crate::index::client::{CA_BUNDLE_VARIABLES, Client, Patience};
use crate::index::simple::{self, File};
use crate::pep::Version;
use crate::python::wheel::normalise_name;
use crate::rules;
use crate::text;

/// How many requests may be under way at once.
pub const REQUESTS: usize = 8;

/// Read the releases and builds of packages from a package index into the database
///
/// Opens one wheel for each release and platform, in place: its directory, metadata and version by ranged requests, its
/// libraries as a stream of which only the headers of fat binaries are kept; of a release without wheels for Linux the source
/// distribution. What is already known is not read again, and every wheel is written to the file as soon as it was read, so
/// that an interrupted run can be repeated.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc rules harvest torch --since 2.0
  gpudoc rules harvest transformers accelerate --last 15
  gpudoc rules harvest torch --since 1.13 --builds torch_builds.toml
  gpudoc rules harvest triton --since 2.0 --assembles triton_targets.toml")]
pub struct HarvestArgs {
    /// Packages to read, e.g. `torch`
    #[arg(required = true, value_name = "PACKAGE")]
    packages: Vec<String>,

    /// Leave out releases before this one
    #[arg(long, value_name = "VERSION")]
    since: Option<Version>,

    /// Only so many of the newest releases that were not withdrawn; those before them count as unknown
    #[arg(long, value_name = "N")]
    last: Option<usize>,

    /// The package index: PyPI, or any that serves the simple repository API
    #[arg(long, value_name = "URL", default_value = simple::PYPI)]
    index: Url,

    /// The folder of the database
    #[arg(long, value_name = "DIR", default_value = "rules")]
    rules_dir: PathBuf,

    /// Add the builds of per-CUDA indexes from this table of build matrices
    #[arg(long, value_name = "FILE")]
    builds: Option<PathBuf>,

    /// Add what Triton's releases can assemble from this table of measurements
    #[arg(long, value_name = "FILE")]
    assembles: Option<PathBuf>,

    /// Read nothing but the extras of known releases, of those whose extras nobody read
    #[arg(long)]
    extras: bool,

    /// How many wheels are read at once
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,

    /// Give a connection up on which nothing arrives for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = Patience::default().silence.as_secs())]
    timeout: u64,

    /// How often a request that failed is tried again
    #[arg(long, value_name = "N", default_value_t = Patience::default().retries)]
    retries: u32,

    /// The day to write beside what is read, instead of today's (UTC)
    #[arg(long, value_name = "YYYY-MM-DD", hide = true)]
    today: Option<String>,
}

impl HarvestArgs {
    /// Asks for what an index has of a package since a version.
    #[must_use]
    pub fn new(package: &str, since: Option<Version>, index: Url, rules_dir: PathBuf) -> Self {
        let patience = Patience::default();
        Self {
            packages: vec![package.to_owned()],
            since,
            last: None,
            index,
            rules_dir,
            builds: None,
            assembles: None,
            extras: false,
            jobs: 2,
            timeout: patience.silence.as_secs(),
            retries: patience.retries,
            today: None,
        }
    }
}

/// Runs the command.
///
/// # Errors
///
/// If the index cannot be read, a file cannot be written, or a wheel could not be read; what was read is written.
pub fn run(args: &HarvestArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.context("failed to start")?.block_on(run_all(args))
}

#[expect(clippy::disallowed_methods, reason = "the command reads the clock and the environment for the harvest")]
async fn run_all(args: &HarvestArgs) -> anyhow::Result<()> {
    let bundle = CA_BUNDLE_VARIABLES.iter().find_map(std::env::var_os).map(PathBuf::from);
    let patience = Patience { retries: args.retries, silence: Duration::from_secs(args.timeout.max(1)) };
    let client = Client::new(bundle.as_deref(), REQUESTS, patience)?;
    let today = args.today.clone().unwrap_or_else(|| day(SystemTime::now()));
    let mut failed = 0;
    for package in &args.packages {
        let package = normalise_name(package);
        failed += harvest_package(args, &client, &package, &today)
            .await
            .with_context(|| format!("failed to harvest `{package}`"))?;
    }
    if failed > 0 {
        let files = text::count(failed, "file", "files");
        bail!("{files} could not be read; run the command again to try once more: what was read is kept");
    }
    Ok(())
}

async fn harvest_package(args: &HarvestArgs, client: &Client, package: &str, today: &str) -> anyhow::Result<usize> {
    let path = args.rules_dir.join("packages").join(format!("{package}.toml"));
    let rows = rules_package::read(&path, package)?;
    let known: BTreeSet<&str> = rules::embedded().package_names().collect();
    let covered = |name: &str| name == package || known.contains(name);
    let mut gathered = Gathered::new(rows, harvest::index_name(args.index.path()), today, &covered)
        .map_err(|fault| anyhow::anyhow!("failed to read the extras in `{}`: {fault}", path.display()))?;
    let files = simple::list(client, &args.index, package).await?;
    let listing: Vec<_> = files.iter().map(published).collect();
    let reached = Reached { since: args.since.clone(), last: args.last };
    let releases = gathered.plan(&listing, &reached);
    let addresses: BTreeMap<String, File> = files.into_iter().map(|file| (file.name.clone(), file)).collect();
    let failed = if args.extras {
        let releases = gathered.without_extras(releases);
        read_extras(client, &releases, &addresses, &mut gathered).await?
    } else {
        gathered.begin(&releases, &listing, &reached);
        let failed = read_wheels(args, client, package, &releases, &addresses, &mut gathered, &path).await?;
        let builds = args.builds.as_deref().map(rules_package::read_toml).transpose()?;
        let assembles = args.assembles.as_deref().map(rules_package::read_toml).transpose()?;
        gathered.add_told(builds.as_ref(), assembles.as_ref());
        failed
    };
    rules_package::put(&path, gathered.rows())?;
    Ok(warn(failed))
}

/// Reads the wheels that are wanted, and writes the file after each; what could not be read.
async fn read_wheels(
    args: &HarvestArgs,
    client: &Client,
    package: &str,
    releases: &[harvest::Release],
    addresses: &BTreeMap<String, File>,
    gathered: &mut Gathered<'_>,
    path: &Path,
) -> anyhow::Result<Vec<String>> {
    let wanted = harvest::wanted(releases);
    info!("{package}: {} releases, {} wheels to read", releases.len(), wanted.len());
    let bars = MultiProgress::new();
    let all = progress::overall(&bars, wanted.len(), package);
    let mut tasks = JoinSet::new();
    let mut wanted = wanted.into_iter();
    let mut start = |tasks: &mut JoinSet<_>| {
        let Some((place, wheel)) = wanted.next() else { return false };
        let Some(file) = addresses.get(&wheel.file).cloned() else { return true };
        let (client, bars, package) = (client.clone(), bars.clone(), package.to_owned());
        tasks.spawn(async move {
            let reading = match wheel.is_sdist() {
                true => read_sdist(&client, &file).await,
                false => read_wheel(&client, &package, &file, &bars).await,
            };
            (place, wheel, reading)
        });
        true
    };
    let mut failed = Vec::new();
    loop {
        // In their order: the runtime would start waiting tasks in any.
        while tasks.len() < args.jobs.max(1) && start(&mut tasks) {}
        let Some(outcome) = tasks.join_next().await else { break };
        let (place, wheel, reading) = outcome.context("a task broke off")?;
        all.inc(1);
        match (reading, releases.get(place)) {
            (Ok(reading), Some(release)) => {
                let words = gathered.add(release, &wheel, reading);
                info!("{}: {words}", wheel.file);
                rules_package::put(path, gathered.rows())?;
            }
            (Err(error), _) => failed.push(format!("`{}` could not be read: {error:#}", wheel.file)),
            (Ok(_), None) => {}
        }
    }
    all.finish_and_clear();
    Ok(failed)
}

/// Says what could not be read; how much it was.
fn warn(mut failed: Vec<String>) -> usize {
    failed.sort();
    failed.iter().for_each(|line| note(&format!("warning: {line}")));
    failed.len()
}

/// Adds the extras of releases; what could not be read.
async fn read_extras(
    client: &Client,
    releases: &[harvest::Release],
    addresses: &BTreeMap<String, File>,
    gathered: &mut Gathered<'_>,
) -> anyhow::Result<Vec<String>> {
    let mut tasks = JoinSet::new();
    for release in releases {
        let Some((wheel, file)) = release.wheels.first().and_then(|it| Some((it, addresses.get(&it.file)?))) else {
            continue;
        };
        let (client, version, is_sdist, file) =
            (client.clone(), release.version.clone(), wheel.is_sdist(), file.clone());
        tasks.spawn(async move {
            let metadata = match is_sdist {
                true => read_sdist(&client, &file).await.map(|it| (!it.unstated).then_some(it.metadata)),
                false => read_metadata(&client, &file).await.map(Some),
            };
            (version, file.name, metadata)
        });
    }
    let mut failed = Vec::new();
    while let Some(outcome) = tasks.join_next().await {
        match outcome.context("a task broke off")? {
            (version, _, Ok(Some(metadata))) => gathered.add_extras(&version, &metadata),
            (_, _, Ok(None)) => {}
            (_, file, Err(error)) => failed.push(format!("`{file}` could not be read: {error:#}")),
        }
    }
    Ok(failed)
}

/// A file of an index as the harvest knows it.
#[must_use]
pub fn published(file: &File) -> Published {
    Published {
        file: file.name.clone(),
        sha256: file.sha256.clone(),
        requires_python: file.requires_python.clone(),
        yanked: file.yanked.is_some(),
        day: file.upload_day().map(str::to_owned),
    }
}

/// The day (UTC) of a time, `2026-11-21`.
pub fn day(time: SystemTime) -> String {
    let days = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400;
    // Civil from days, after H. Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_795_219_199, "2026-11-20"),
            (1_795_219_200, "2026-11-21"),
        ] {
            assert_eq!(day(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }
}
