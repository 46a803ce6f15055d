//! `gpudoc rules harvest-symbols`: which torch releases export the symbols that extensions need.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use reqwest::Url;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::rules_harvest::{REQUESTS, day, published};
use super::{file, progress, rules_package};
use crate::facts::TORCH;
use crate::harvest::symbols::{self as harvested, PLATFORM, states_its_torch};
use crate::harvest::{Published, is_own_library};
use crate::index::client::{CA_BUNDLE_VARIABLES, Client, Patience};
use crate::index::remote::RemoteWheel;
use crate::index::simple::{self, File};
use crate::objects::elf::ElfError;
use crate::objects::elf::lookup::Object;
use crate::objects::symbol::is_torch_symbol;
use crate::pep::Version;
use crate::rules::schema::{OpenedWheel, PackageFile, TorchExtension, TorchRelease, TorchSymbolTable};
use crate::rules::{symbols, write};

/// Read which torch releases export the symbols that tell them apart
///
/// Opens one wheel of every release of torch, and of every minor release of the packages that
/// `rules/platform/torch_symbols.toml` names as extensions, and writes the symbols that some torch releases export and
/// others do not. Reads about 40 GB from the index and stores none of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  gpudoc rules harvest-symbols")]
pub struct SymbolArgs {
    /// The package index: PyPI, or any that serves the simple repository API
    #[arg(long, value_name = "URL", default_value = simple::PYPI)]
    index: Url,
    /// The folder of the database
    #[arg(long, value_name = "DIR", default_value = "rules")]
    rules_dir: PathBuf,
    /// How many wheels are read at once
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// The day to write beside what is read, instead of today's (UTC)
    #[arg(long, value_name = "YYYY-MM-DD", hide = true)]
    today: Option<String>,
}

/// Runs the command.
///
/// # Errors
///
/// If the index cannot be read, or a wheel could not be; then nothing is written.
pub fn run(args: &SymbolArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.context("failed to start")?.block_on(run_all(args))
}

#[expect(clippy::disallowed_methods, reason = "the command reads the clock and the environment for the harvest")]
async fn run_all(args: &SymbolArgs) -> anyhow::Result<()> {
    let bundle = CA_BUNDLE_VARIABLES.iter().find_map(std::env::var_os).map(PathBuf::from);
    let client = Client::new(bundle.as_deref(), REQUESTS, Patience::default())?;
    let today = args.today.clone().unwrap_or_else(|| day(SystemTime::now()));
    let path = args.rules_dir.join("platform").join("torch_symbols.toml");
    let table: TorchSymbolTable = rules_package::read_toml(&path)?;

    let torch = rows(args, TORCH)?;
    let mixed = harvested::mixed(&torch);
    // The table goes on as it began: with its first torch, and with what was released since.
    let first = table.releases.first().and_then(|first| torch.releases.iter().find(|row| row.version == first.version));
    let first = first.context("the table begins with no torch that the rules cover")?;
    let since: Version = first.version.parse().ok().context("the first release is a version")?;
    let Wheels { wheels, unbound } = wheels(args, &client, &table.extensions, &first.date, &mixed).await?;
    let by_wheel = read_all(args, &client, wheels, "extensions", needs).await?;
    let needed: BTreeSet<String> = by_wheel.values().flatten().cloned().collect();
    info!("{} symbols are needed by extensions", needed.len());

    let files = listed(args, &client, TORCH).await?;
    let releases = files.one_each(|version| *version >= since);
    if releases.is_empty() {
        bail!("the index has no wheels of torch for Linux on {PLATFORM}");
    }
    let wheels = releases.iter().map(|(_, file)| file.clone()).collect();
    let needed = Arc::new(needed);
    let wanted = needed.clone();
    let exported = read_all(args, &client, wheels, "torch releases", move |member, object| {
        if !member.starts_with("torch/lib/") {
            return Ok(BTreeSet::new());
        }
        let exports = object.exports()?;
        wanted
            .iter()
            .filter_map(|symbol| match exports.has(symbol) {
                Ok(true) => Some(Ok(symbol.clone())),
                Ok(false) => None,
                Err(error) => Some(Err(error.into())),
            })
            .collect()
    })
    .await?;

    let mut read = Vec::new();
    let mut presence = Vec::new();
    for (version, file) in releases {
        read.push(TorchRelease { version: version.to_string(), source: opened(&file, &today)? });
        presence.push((version, exported.get(&file.name).cloned().unwrap_or_default()));
    }
    let mut bound: BTreeMap<String, Vec<TorchExtension>> = BTreeMap::new();
    for (package, version, file) in unbound {
        let Some(symbols) = by_wheel.get(&file.name) else { continue };
        let Some((torch, cxx11_abi)) = symbols::bound(symbols, &presence, &mixed) else { continue };
        let row = TorchExtension { version: version.to_string(), torch, cxx11_abi, source: opened(&file, &today)? };
        bound.entry(package).or_default().push(row);
    }
    for extension in &table.extensions {
        let torch_abi = bound.remove(extension).unwrap_or_default();
        let known = rows(args, extension)?;
        rules_package::put(&package_path(args, extension), &PackageFile { torch_abi, ..known })?;
    }
    let histories = symbols::histories(&presence);
    let table = TorchSymbolTable { extensions: table.extensions, releases: read, histories };
    file::write(&path, &write::torch_symbols(&table))
}

/// A wheel that was opened today.
fn opened(file: &File, today: &str) -> anyhow::Result<OpenedWheel> {
    let sha256 = file.sha256.clone().with_context(|| format!("the index states no hash of `{}`", file.name))?;
    Ok(OpenedWheel { wheel: file.name.clone(), sha256, read: today.to_owned() })
}

/// The wheels of extensions that are to be read.
struct Wheels {
    /// All of them.
    wheels: Vec<File>,
    /// One of each release that its metadata binds to no torch, with its package.
    unbound: Vec<(String, Version, File)>,
}

/// Of each extension the newest wheel of every minor release since a day, and one of each release that is bound to no torch.
async fn wheels(
    args: &SymbolArgs,
    client: &Client,
    extensions: &[String],
    since: &str,
    mixed: &[Version],
) -> anyhow::Result<Wheels> {
    let mut wheels = Vec::new();
    let mut unbound = Vec::new();
    for extension in extensions {
        let files = listed(args, client, extension).await?;
        wheels.extend(files.named(harvested::newest_of_minors(&files.listing, since)));
        let loose = harvested::loose(&rows(args, extension)?, mixed);
        let one_each = files.one_each(|version| loose.contains(version)).into_iter();
        unbound.extend(one_each.map(|(version, file)| (extension.clone(), version, file)));
    }
    for (_, _, file) in &unbound {
        if !wheels.iter().any(|known| known.name == file.name) {
            wheels.push(file.clone());
        }
    }
    Ok(Wheels { wheels, unbound })
}

/// What an index lists of a package.
struct Listed {
    files: BTreeMap<String, File>,
    listing: Vec<Published>,
}

impl Listed {
    fn named<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Vec<File> {
        names.into_iter().filter_map(|name| self.files.get(name).cloned()).collect()
    }

    fn one_each(&self, wanted: impl Fn(&Version) -> bool) -> Vec<(Version, File)> {
        let found = harvested::one_each(&self.listing, wanted).into_iter();
        found.filter_map(|(version, name)| Some((version, self.files.get(name)?.clone()))).collect()
    }
}

async fn listed(args: &SymbolArgs, client: &Client, package: &str) -> anyhow::Result<Listed> {
    let files = simple::list(client, &args.index, package).await?;
    let listing = files.iter().map(published).collect();
    Ok(Listed { listing, files: files.into_iter().map(|file| (file.name.clone(), file)).collect() })
}

/// The rows of a package.
fn rows(args: &SymbolArgs, name: &str) -> anyhow::Result<PackageFile> {
    rules_package::read_toml(&package_path(args, name))
}

fn package_path(args: &SymbolArgs, name: &str) -> PathBuf {
    args.rules_dir.join("packages").join(format!("{name}.toml"))
}

type Look = dyn Fn(&str, &Object<'_, crate::objects::pieces::Pieces>) -> anyhow::Result<BTreeSet<String>> + Send + Sync;

fn needs(member: &str, object: &Object<'_, crate::objects::pieces::Pieces>) -> anyhow::Result<BTreeSet<String>> {
    if states_its_torch(member) {
        return Ok(BTreeSet::new());
    }
    let names = object.undefined()?.into_iter().map(|symbol| symbol.name);
    Ok(names.filter(|name| is_torch_symbol(name)).collect())
}

/// Looks at the tables of every library of some wheels; the symbols by wheel.
async fn read_all(
    args: &SymbolArgs,
    client: &Client,
    files: Vec<File>,
    what: &'static str,
    look: impl Fn(&str, &Object<'_, crate::objects::pieces::Pieces>) -> anyhow::Result<BTreeSet<String>>
    + Send
    + Sync
    + 'static,
) -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    let style = progress::style("{msg} {pos}/{len} wheels, {eta} left");
    let bar = ProgressBar::new(files.len() as u64).with_style(style);
    bar.set_message(what);
    let look: Arc<Look> = Arc::new(look);
    let slots = Arc::new(Semaphore::new(args.jobs.max(1)));
    let mut tasks = JoinSet::new();
    for file in files {
        let (client, slots, look) = (client.clone(), slots.clone(), look.clone());
        tasks.spawn(async move {
            let _slot = slots.acquire_owned().await;
            let symbols = read_wheel(&client, &file, &*look).await;
            (file.name, symbols)
        });
    }
    let mut found = BTreeMap::new();
    let mut failed = 0;
    while let Some(outcome) = tasks.join_next().await {
        let (name, symbols) = outcome.context("a task broke off")?;
        bar.inc(1);
        match symbols {
            Ok(symbols) => {
                info!("{name}: {} symbols", symbols.len());
                found.insert(name, symbols);
            }
            Err(error) => {
                warn!("{name}: {error:#}");
                failed += 1;
            }
        }
    }
    bar.finish_and_clear();
    if failed > 0 {
        bail!("{failed} wheels could not be read, so nothing was written");
    }
    Ok(found)
}

async fn read_wheel(client: &Client, file: &File, look: &Look) -> anyhow::Result<BTreeSet<String>> {
    let wheel = RemoteWheel::open(client, &file.url).await?;
    let mut symbols = BTreeSet::new();
    for member in wheel.members.iter().filter(|member| is_own_library(&member.name)) {
        let pieces = wheel.tables(member).await?;
        let object = match Object::open(&pieces) {
            Ok(object) => object,
            // Data files may be called like libraries.
            Err(ElfError::NotElf | ElfError::Unsupported) => continue,
            // A library that is left out would look like one that exports nothing.
            Err(error) => return Err(error).with_context(|| format!("`{}`", member.name)),
        };
        let found = look(&member.name, &object).with_context(|| format!("`{}`", member.name))?;
        symbols.extend(found);
    }
    Ok(symbols)
}
