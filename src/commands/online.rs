//! Packages that the rules do not cover, asked of a package index: what their newest fitting release declares.
//!
//! One list for each name, and the metadata of one file beside it (PEP 658). Metadata never changes, so what was read is kept
//! by its hash; lists are asked anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Url;

use super::file;
use super::rules_harvest::REQUESTS;
use crate::index::client::{CA_BUNDLE_VARIABLES, Client, Patience};
use crate::index::remote::RemoteWheel;
use crate::index::simple::{self, File};
use crate::pep::{Version, VersionSpecifiers};
use crate::python::metadata::Metadata;
use crate::python::wheel::WheelName;
use crate::rules::requirement::{self, applies, markers, normalise, satisfied};
use crate::rules::{RuleDb, Target};
use crate::session::weigh::{Answers, INDEX};
use crate::solve::{AskedRequirement, Outsider};

/// Names another folder for what is kept.
pub const CACHE_VARIABLE: &str = "GPUDOC_CACHE";
/// So many packages are asked for at most: the chains of large projects end long before.
const MOST: usize = 400;

/// An index to ask, as weighing wants it.
pub fn index<'i>(
    url: &'i Url,
    db: &'i RuleDb,
) -> impl Fn(&[AskedRequirement], &BTreeMap<String, Outsider>, &Target) -> anyhow::Result<Answers> + 'i {
    move |asked, known, target| outsiders(asked, known, target, url, db)
}

/// Follows requirements through packages outside the rules until they reach covered ones.
///
/// # Errors
///
/// When the index cannot be reached. A package that it does not have is left out, with a line in the notes.
pub fn outsiders(
    asked: &[AskedRequirement],
    known: &BTreeMap<String, Outsider>,
    target: &Target,
    index: &Url,
    db: &RuleDb,
) -> anyhow::Result<Answers> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let bundle = CA_BUNDLE_VARIABLES.iter().find_map(|name| variable(name)).map(PathBuf::from);
    let client = Client::new(bundle.as_deref(), REQUESTS, Patience::default())?;
    let search = Search { client, index: index.clone(), target: target.clone(), cache: cache() };
    runtime.context("failed to start")?.block_on(search.follow(asked, known, db))
}

#[expect(clippy::disallowed_methods, reason = "a command may ask the environment where its cache lies")]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// `GPUDOC_CACHE`, else `gpudoc` in `XDG_CACHE_HOME` or `~/.cache`.
fn cache() -> Option<PathBuf> {
    let named = |name: &str| variable(name).map(PathBuf::from);
    named(CACHE_VARIABLE)
        .or_else(|| named("XDG_CACHE_HOME").map(|folder| folder.join("gpudoc")))
        .or_else(|| named("HOME").map(|folder| folder.join(".cache/gpudoc")))
}

#[derive(Clone)]
struct Search {
    client: Client,
    index: Url,
    target: Target,
    cache: Option<PathBuf>,
}

impl Search {
    async fn follow(
        &self,
        asked: &[AskedRequirement],
        known: &BTreeMap<String, Outsider>,
        db: &RuleDb,
    ) -> anyhow::Result<Answers> {
        let environment = markers(&self.target);
        let active = |wanted: &crate::pep::Requirement| {
            environment.as_ref().is_none_or(|environment| applies(wanted, environment, &[]))
        };
        let outside = |wanted: &crate::pep::Requirement| db.package(wanted.name.as_ref()).is_none() && active(wanted);
        let mut ranges: BTreeMap<String, Vec<VersionSpecifiers>> = BTreeMap::new();
        let mut extras: BTreeMap<String, BTreeSet<crate::pep::ExtraName>> = BTreeMap::new();
        let mut waiting: Vec<crate::pep::Requirement> =
            asked.iter().map(|asked| asked.requirement.clone()).filter(|wanted| outside(wanted)).collect();
        let mut found = Answers { outsiders: known.clone(), ..Answers::default() };
        let mut seen = BTreeSet::new();
        let bar = ProgressBar::new_spinner().with_style(
            ProgressStyle::with_template("asking the index: {pos} packages")
                .unwrap_or(ProgressStyle::default_spinner()),
        );
        while !waiting.is_empty() && seen.len() < MOST {
            let mut names = BTreeSet::new();
            for wanted in waiting.drain(..) {
                let name = normalise(wanted.name.as_ref());
                let Some(range) = requirement::specifiers(&wanted) else { continue };
                ranges.entry(name.clone()).or_default().push(range);
                extras.entry(name.clone()).or_default().extend(wanted.extras.iter().cloned());
                names.insert(name);
            }
            let mut tasks = tokio::task::JoinSet::new();
            for name in names.into_iter().filter(|name| seen.insert(name.clone())) {
                let range = ranges.get(&name).cloned().unwrap_or_default();
                let fits = |outsider: &Outsider| range.iter().all(|range| satisfied(range, &outsider.version));
                if let Some(outsider) = known.get(&name).filter(|outsider| fits(outsider)) {
                    let outsider = outsider.clone();
                    tasks.spawn(async move { (name, Ok(Some(outsider))) });
                    continue;
                }
                let search = self.clone();
                tasks.spawn(async move {
                    let outcome = search.ask(&name, &range).await;
                    (name, outcome)
                });
            }
            while let Some(outcome) = tasks.join_next().await {
                let (name, outcome) = outcome.context("a task broke off")?;
                bar.inc(1);
                let outsider = match outcome {
                    Ok(Some(outsider)) => outsider,
                    Ok(None) => {
                        found.notes.push(format!("`{name}`: the index has no release of it that fits"));
                        found.without.insert(name);
                        continue;
                    }
                    Err(error) => {
                        found.notes.push(format!("`{name}`: {error:#}"));
                        continue;
                    }
                };
                let chosen: Vec<_> = extras.get(&name).into_iter().flatten().cloned().collect();
                for line in &outsider.requires {
                    let Ok(mut wanted) = requirement::parse(line) else { continue };
                    wanted.marker = wanted.marker.simplify_extras(&chosen);
                    if outside(&wanted) {
                        waiting.push(wanted);
                    }
                }
                found.outsiders.insert(name, outsider);
            }
        }
        bar.finish_and_clear();
        Ok(found)
    }

    /// The newest final release that fits, and what it declares.
    async fn ask(&self, name: &str, ranges: &[VersionSpecifiers]) -> anyhow::Result<Option<Outsider>> {
        let files = simple::list(&self.client, &self.index, name).await?;
        let Some((version, file)) = newest(&files, ranges, &self.target) else { return Ok(None) };
        let text = self.metadata(&file).await?;
        let requires = Metadata::parse(&text).requires_dist;
        Ok(Some(Outsider { version, known_from: INDEX.to_owned(), requires }))
    }

    async fn metadata(&self, file: &File) -> anyhow::Result<String> {
        let place = self.cache.as_ref().zip(file.sha256.as_ref());
        let place = place.map(|(folder, hash)| folder.join("metadata").join(format!("{hash}.txt")));
        if let Some(text) = place.as_deref().and_then(kept) {
            return Ok(text);
        }
        let text = match file.metadata_url() {
            Some(url) => self.client.page(&url, "*/*").await?.1,
            None => {
                let wheel = RemoteWheel::open(&self.client, &file.url).await?;
                let member = wheel.members.iter().find(|member| member.name.ends_with(".dist-info/METADATA"));
                let bytes = wheel.read(member.context("a wheel without METADATA")?).await?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
        };
        if let Some(place) = place {
            // What cannot be kept is asked for again.
            let _ = place.parent().map(std::fs::create_dir_all);
            let _ = file::write(&place, &text);
        }
        Ok(text)
    }
}

fn kept(path: &Path) -> Option<String> {
    path.is_file().then(|| file::read(path).ok()).flatten()
}

/// The newest final release with a wheel that fits; its first file.
fn newest(files: &[File], ranges: &[VersionSpecifiers], target: &Target) -> Option<(Version, File)> {
    let python = target.python.and_then(|python| Version::from_str(&python.to_string()).ok());
    let fits = |file: &&File| {
        let range = file.requires_python.as_deref().and_then(|text| VersionSpecifiers::from_str(text).ok());
        file.yanked.is_none() && range.zip(python.as_ref()).is_none_or(|(range, python)| range.contains(python))
    };
    let wheels = files.iter().filter(fits).filter_map(|file| {
        let version = file.name.parse::<WheelName>().ok()?.version;
        let wanted = ranges.iter().all(|range| satisfied(range, &version));
        (wanted && !version.any_prerelease()).then(|| (version, file.clone()))
    });
    wheels.max_by(|one, other| (&one.0, &other.1.name).cmp(&(&other.0, &one.1.name)))
}
