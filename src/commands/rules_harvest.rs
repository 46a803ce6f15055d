//! `gpudoc rules harvest`: reads packages from an index and writes their rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use reqwest::Url;
use tokio::task::JoinSet;
use tracing::info;

use super::{note, rules_package};
use crate::harvest::{self, PYPI, Published, Reached, Reading, Wheel, extras as harvest_extras, variants};
use crate::index::client::{CA_BUNDLE_VARIABLES, Client, Patience};
use crate::index::remote::RemoteWheel;
use crate::index::simple::{self, File};
use crate::objects::elf::{self, Machine};
use crate::objects::fatbin::{Home, Tally};
use crate::pep::Version;
use crate::python::metadata::Metadata;
use crate::python::sdist::Sdist;
use crate::python::stated::stated;
use crate::python::wheel::normalise_name;
use crate::rules;
use crate::rules::extras::Extras;
use crate::rules::role::is_nvidias;
use crate::rules::schema::{BuildRow, PackageFile};
use crate::text;

/// The wheels with `cuda_runtime_api.h`, the CUDA of the name aside.
const CUDA_RUNTIME: &str = "nvidia-cuda-runtime";

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

/// The name that the database gives to an index: `pypi`, or `cu128` for `https://download.pytorch.org/whl/cu128`.
fn index_name(index: &Url) -> String {
    let last = index.path_segments().and_then(|mut segments| segments.rfind(|segment| !segment.is_empty()));
    match last {
        None | Some("simple") => PYPI.to_owned(),
        Some(last) => last.to_owned(),
    }
}

async fn harvest_package(args: &HarvestArgs, client: &Client, package: &str, today: &str) -> anyhow::Result<usize> {
    let path = args.rules_dir.join("packages").join(format!("{package}.toml"));
    let mut rows = rules_package::read(&path, package)?;
    let mut extras = harvest_extras::of_rows(&rows)
        .map_err(|fault| anyhow::anyhow!("failed to read the extras in `{}`: {fault}", path.display()))?;
    let covered: BTreeSet<&str> = rules::embedded().package_names().collect();
    let covered = |name: &str| name == package || covered.contains(name);
    let index = index_name(&args.index);
    let files = simple::list(client, &args.index, package).await?;
    let published: Vec<_> = files.iter().map(published).collect();
    let reached = Reached { since: args.since.clone(), last: args.last };
    let mut releases = harvest::plan(&published, &index, &reached, Some(&rows));
    if args.extras {
        let known: BTreeSet<&String> = rows.releases.iter().map(|release| &release.version).collect();
        releases.retain(|release| known.contains(&release.version.to_string()));
        let failed = read_extras(client, &releases, &addresses(files), &mut extras, covered).await?;
        harvest_extras::put(&mut rows, &extras);
        rules_package::put(&path, &rows)?;
        return Ok(warn(failed));
    }
    releases.iter().for_each(|release| release.merge(&mut rows, Vec::new()));
    rows.partial |= (args.last.is_some() || args.since.is_some()) && harvest::has_older(&published, &rows);
    rows.releases.retain(|release| !release.builds.is_empty());

    let addresses = addresses(files);
    let wanted = wanted(&releases);
    info!("{package}: {} releases, {} wheels to read", releases.len(), wanted.len());

    let bars = MultiProgress::new();
    let all = overall(&bars, wanted.len(), package);
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
                // Where the wheels differ, the first platform's speaks for the release.
                let version = release.version.to_string();
                let first = release.wheels.first().is_some_and(|first| first.file == wheel.file);
                if !reading.unstated && (first || !extras.contains_key(&version)) {
                    extras.insert(version, harvest_extras::of_metadata(&reading.metadata, covered));
                }
                let row = harvest::row(&wheel, reading, &index, today);
                info!("{}: {}", wheel.file, summary(&row.build));
                release.merge(&mut rows, vec![row]);
                harvest_extras::put(&mut rows, &extras);
                rules_package::put(&path, &rows)?;
            }
            (Err(error), _) => {
                failed.push(format!("`{}` could not be read: {error:#}", wheel.file));
            }
            (Ok(_), None) => {}
        }
    }
    all.finish_and_clear();
    harvest_extras::put(&mut rows, &extras);
    let failed = warn(failed);
    add_told(args, &mut rows)?;
    rules_package::put(&path, &rows)?;
    Ok(failed)
}

/// Adds what files besides the index tell of builds.
fn add_told(args: &HarvestArgs, rows: &mut PackageFile) -> anyhow::Result<()> {
    if let Some(path) = &args.builds {
        variants::add(rows, &rules_package::read_toml(path)?);
    }
    if let Some(path) = &args.assembles {
        variants::add_measured(rows, &rules_package::read_toml(path)?);
    }
    Ok(())
}

/// The wheels that are to be read, each with its release's place. The newest releases first, and x86_64 before all others: what
/// most people ask about is there soonest.
fn wanted(releases: &[harvest::Release]) -> Vec<(usize, Wheel)> {
    let mut wanted: Vec<(usize, Wheel)> = Vec::new();
    for (place, release) in releases.iter().enumerate() {
        wanted.extend(release.wheels.iter().filter(|wheel| !wheel.known).map(|wheel| (place, wheel.clone())));
    }
    wanted.sort_by_key(|(place, wheel)| (!wheel.file.contains("x86_64"), std::cmp::Reverse(*place)));
    wanted
}

/// The bar of a whole package.
fn overall(bars: &MultiProgress, wheels: usize, package: &str) -> ProgressBar {
    let all = bars.add(ProgressBar::new(wheels as u64).with_style(style("{msg} {pos}/{len} wheels, {eta} left")));
    all.set_message(package.to_owned());
    all.enable_steady_tick(Duration::from_millis(500));
    all
}

fn addresses(files: Vec<File>) -> BTreeMap<String, File> {
    files.into_iter().map(|file| (file.name.clone(), file)).collect()
}

/// Says what could not be read; how much it was.
fn warn(mut failed: Vec<String>) -> usize {
    failed.sort();
    failed.iter().for_each(|line| note(&format!("warning: {line}")));
    failed.len()
}

/// Adds the extras of releases that are not among the known ones; what could not be read.
async fn read_extras(
    client: &Client,
    releases: &[harvest::Release],
    addresses: &BTreeMap<String, File>,
    known: &mut BTreeMap<String, Extras>,
    covered: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<String>> {
    let mut tasks = JoinSet::new();
    for release in releases.iter().filter(|release| !known.contains_key(&release.version.to_string())) {
        let Some((wheel, file)) = release.wheels.first().and_then(|it| Some((it, addresses.get(&it.file)?))) else {
            continue;
        };
        let (client, version, is_sdist, file) =
            (client.clone(), release.version.to_string(), wheel.is_sdist(), file.clone());
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
            (version, _, Ok(Some(metadata))) => {
                known.insert(version, harvest_extras::of_metadata(&metadata, &covered));
            }
            (_, _, Ok(None)) => {}
            (_, file, Err(error)) => failed.push(format!("`{file}` could not be read: {error:#}")),
        }
    }
    Ok(failed)
}

fn published(file: &File) -> Published {
    Published {
        file: file.name.clone(),
        sha256: file.sha256.clone(),
        requires_python: file.requires_python.clone(),
        yanked: file.yanked.is_some(),
        day: file.upload_day().map(str::to_owned),
    }
}

fn summary(row: &BuildRow) -> String {
    let code = row.code.iter().map(|code| {
        let targets: Vec<_> = code.sass.iter().chain(&code.ptx).map(ToString::to_string).collect();
        format!("{} containers: {}", code.containers.unwrap_or_default(), targets.join(" "))
    });
    format!("{} {}", row.local.as_deref().unwrap_or("no local label,"), code.collect::<Vec<_>>().join("; "))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

async fn read_sdist(client: &Client, file: &File) -> anyhow::Result<Reading> {
    let archive = client.whole(&file.url, file.sha256.as_deref()).await?;
    let sdist = tokio::task::spawn_blocking(move || Sdist::read(&archive)).await?;
    let sdist = sdist.with_context(|| format!("failed to read the archive `{}`", file.url))?;
    let stated = stated(&sdist);
    Ok(Reading { unstated: stated.is_none(), metadata: stated.unwrap_or_default(), ..Reading::default() })
}

/// The METADATA of a wheel, alone where the index serves it so (PEP 658).
async fn read_metadata(client: &Client, file: &File) -> anyhow::Result<Metadata> {
    match file.metadata_url() {
        Some(url) => Ok(Metadata::parse(&String::from_utf8_lossy(&client.whole(&url, None).await?))),
        None => metadata_of(&RemoteWheel::open(client, &file.url).await?).await,
    }
}

async fn metadata_of(wheel: &RemoteWheel) -> anyhow::Result<Metadata> {
    let metadata = wheel
        .members
        .iter()
        .find(|member| member.name.ends_with(".dist-info/METADATA") && member.name.matches('/').count() == 1);
    let metadata = metadata.context("no METADATA in the wheel")?;
    Ok(Metadata::parse(&String::from_utf8_lossy(&wheel.read(metadata).await?)))
}

/// Whether NVIDIA's wheel is the one whose headers state the CUDA: only that one is opened beyond its METADATA.
fn has_headers(package: &str) -> bool {
    package.strip_prefix(CUDA_RUNTIME).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

async fn read_wheel(client: &Client, package: &str, file: &File, bars: &MultiProgress) -> anyhow::Result<Reading> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    // Of NVIDIA's wheels only METADATA matters.
    if file.has_metadata && is_nvidias(package) && !has_headers(package) {
        return Ok(Reading { metadata: read_metadata(client, file).await?, ..Reading::default() });
    }
    let wheel = RemoteWheel::open(client, &file.url).await?;
    let mut reading = Reading { metadata: metadata_of(&wheel).await?, ..Reading::default() };
    let folder = package.replace('-', "_");
    if let Some(member) = wheel.member(&format!("{folder}/version.py")) {
        (reading.local, reading.cuda) = harvest::read_version_py(&text(wheel.read(member).await?));
    }
    if let Some(member) = wheel.member(&format!("{folder}/cpp_lib.json")) {
        reading.cuda = harvest::read_cpp_lib(&text(wheel.read(member).await?)).or(reading.cuda);
    }
    if let Some(member) = harvest::BUILD_INFO.iter().find_map(|name| wheel.member(name)) {
        reading.cuda = harvest::read_build_info(&text(wheel.read(member).await?)).or(reading.cuda);
    }
    if let Some(member) = wheel.members.iter().find(|member| member.name.ends_with("/libc10.so")) {
        let linkage = elf::linkage(wheel.read(member).await?.as_slice())?;
        reading.cxx11_abi = harvest::cxx11_abi(&linkage);
    }
    if is_nvidias(package) {
        let header = wheel.members.iter().find(|member| member.name.ends_with("/include/cuda_runtime_api.h"));
        if let Some(member) = header.filter(|_| has_headers(package)) {
            reading.cuda = harvest::read_cudart_header(&text(wheel.read(member).await?));
        }
        // NVIDIA's libraries run on what the CUDA release runs on: which code they hold decides nothing.
        return Ok(reading);
    }
    let own: Vec<_> = wheel.members.iter().filter(|member| harvest::is_own_library(&member.name)).collect();
    let bar = bars.add(ProgressBar::new(own.iter().map(|member| member.packed).sum()));
    bar.set_style(style("  {msg} {bytes}/{total_bytes} at {bytes_per_sec}, {eta} left"));
    bar.set_message(file.name.clone());
    let mut libraries = BTreeMap::new();
    for member in own {
        let Some((layout, containers)) = wheel.fat_binaries(member, |bytes| bar.inc(bytes)).await? else { continue };
        reading.platform = match layout.machine {
            Machine::X86_64 => Some("linux_x86_64".to_owned()),
            Machine::Aarch64 => Some("linux_aarch64".to_owned()),
            Machine::Other(_) => reading.platform,
        };
        libraries.insert(member.name.clone(), Tally::of(&containers, Home::Registered));
    }
    bar.finish_and_clear();
    reading.code = harvest::codes(&libraries);
    Ok(reading)
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

    #[test]
    fn an_index_is_named_after_its_last_folder() {
        assert_eq!(index_name(&"https://pypi.org/simple/".parse().unwrap()), "pypi");
        assert_eq!(index_name(&"https://download.pytorch.org/whl/cu128".parse().unwrap()), "cu128");
    }
}
