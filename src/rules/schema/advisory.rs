//! `advisories/*.toml`: known bad combinations, written by hand.

use serde::{Deserialize, Serialize};

use super::fault::{Fault, day};
use super::line::Line;
use super::page::{Page, fault, normalised, requirement};
use super::platform::gpus::GpuClass;
use super::range::Range;
use crate::pep::{VersionOrUrl, read_pin};
use crate::step::Written;
use crate::version::DriverVersion;

/// The kinds of findings, as reports print them.
pub const KINDS: &[&str] = &[
    "abi",
    "advisory",
    "cpu-build",
    "cuda-libs",
    "driver",
    "driver-mismatch",
    "environment",
    "forward-compat",
    "gpu-arch",
    "gpu-visibility",
    "import",
    "pairing",
    "python",
    "requirement",
    "system",
    "toolchain",
];

/// `rules/advisories/GPUDOC-YYYY-NNNN.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Advisory {
    /// `GPUDOC-2026-0001`; never used again.
    pub id: String,
    /// Subject, need, observation, in one line.
    pub title: String,
    /// Two or three sentences: what happens, since when, why.
    pub story: String,
    /// How bad it is where it applies.
    pub severity: Level,
    /// The family of the finding; `advisory` unless another fits better.
    #[serde(default = "advisory_kind")]
    pub kind: String,
    /// The day it was written.
    pub date: String,
    /// The day it was found wrong, with the reason in `story`.
    #[serde(default)]
    pub withdrawn: Option<String>,
    /// The row of `[[import]]` that it is made of; no file of its own says so.
    #[serde(default)]
    pub import: Option<Import>,
    /// Applies where any of these holds.
    pub when: Vec<Condition>,
    /// Error texts that it causes, as substrings of a line.
    #[serde(default)]
    pub symptoms: Vec<String>,
    /// Where `when` also describes healthy installs: reported only next to one of the symptoms.
    #[serde(default)]
    pub needs_symptom: bool,
    /// Groups of distributions that install the same files, each in the order in which one stays where nothing else decides it:
    /// the remedy follows from what is installed.
    #[serde(default)]
    pub one_of: Vec<Vec<String>>,
    /// What to do, best first.
    #[serde(default, rename = "remedy")]
    pub remedies: Vec<AdvisoryRemedy>,
    /// Pages and wheels that were opened.
    #[serde(rename = "reference")]
    pub references: Vec<Page>,
    /// Environments that hit and near misses that do not; the tests run them.
    #[serde(rename = "example")]
    pub examples: Vec<AdvisoryExample>,
}

fn advisory_kind() -> String {
    "advisory".to_owned()
}

/// What a package takes from another one when it is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Import {
    /// The package that takes it, e.g. `peft`.
    pub package: String,
    /// What it takes, e.g. `transformers.modeling_layers`.
    pub wanted: String,
    /// It is a module, not a name in one.
    pub module: bool,
}

/// How bad what a row tells of is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It does not work.
    Fail,
    /// It may not work.
    Warn,
    /// Worth knowing.
    Info,
}

/// Terms that must all hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Condition {
    /// Installed distributions, e.g. `triton>=3.2`.
    pub installed: Vec<Line>,
    /// Distributions that are not installed, e.g. `torchcodec`.
    pub absent: Vec<String>,
    /// torch's CUDA runtime, e.g. `>=13.0`.
    pub cuda: Option<Range>,
    /// The compute capability of a GPU that CUDA can use, e.g. `>=10.0,<11`.
    pub capability: Option<Range>,
    /// The class of a GPU.
    pub class: Vec<GpuClass>,
    /// The kernel driver, e.g. `<580`.
    pub driver: Option<Range>,
    /// Python, e.g. `>=3.12`.
    pub python: Option<Range>,
    /// The interpreter has no global lock, or has one.
    pub free_threaded: Option<bool>,
    /// `linux_x86_64`, `linux_aarch64`, `windows`.
    pub platform: Option<String>,
    /// At least so many GPUs.
    pub gpus: Option<u32>,
    /// What the project says it uses, words of [`WORKLOADS`], e.g. `torch.compile`.
    pub workload: Vec<String>,
}

/// What a project can say it uses, for advisories about one use of a package.
pub const WORKLOADS: &[&str] = &[
    "bitsandbytes-4bit",
    "build-extensions",
    "conv3d",
    "cuda-graphs",
    "distributed",
    "nccl",
    "symmetric-memory",
    "torch.compile",
    "very-large-model",
];

/// Something to do about an advisory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AdvisoryRemedy {
    /// One imperative sentence.
    pub summary: String,
    /// What to ask of the solver, e.g. `bitsandbytes>=0.45.1`.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// Packages to take out where nothing needs them, e.g. `torchtext`.
    #[serde(default)]
    pub removes: Vec<String>,
    /// Commands to copy.
    #[serde(default)]
    pub commands: Vec<Written>,
    /// The summary says to the letter what to write in the project's own code.
    #[serde(default)]
    pub spelled_out: bool,
}

/// An environment and whether the advisory applies to it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct AdvisoryExample {
    /// What the example shows.
    pub why: String,
    /// Whether it applies.
    pub hits: bool,
    /// `name==version+local`.
    pub installed: Vec<String>,
    /// Compute capabilities or product names, one per GPU.
    pub gpus: Vec<String>,
    /// The kernel driver.
    pub driver: Option<DriverVersion>,
    /// E.g. `3.12.4`.
    pub python: Option<String>,
    /// The interpreter has no global lock.
    pub free_threaded: bool,
    /// E.g. `linux_aarch64`.
    pub platform: Option<String>,
    /// What the project says it uses.
    pub workload: Vec<String>,
    /// An error text that somebody saw.
    pub log: Option<String>,
}

/// Checks one advisory, which lies in a file of its own name.
pub fn check(raw: &Advisory, stem: &str) -> Result<(), Fault> {
    let whole = |message: String| Fault { path: Vec::new(), message };
    if raw.id != stem {
        return Err(whole(format!("`id = \"{}\"` in a file named `{stem}.toml`", raw.id)));
    }
    day(&raw.date)?;
    if raw.import.is_some() {
        return Err(whole("what a package imports is a row of its own file, `[[import]]`".to_owned()));
    }
    if raw.references.is_empty() {
        return Err(whole("an advisory without a `reference`".to_owned()));
    }
    for page in &raw.references {
        day(&page.read)?;
    }
    if raw.withdrawn.is_none() && raw.when.is_empty() {
        return Err(whole("an advisory without `when` applies to nothing".to_owned()));
    }
    if raw.title.ends_with('.') || raw.title.contains('\n') {
        return Err(whole("a title is one line without a full stop".to_owned()));
    }
    if !KINDS.contains(&raw.kind.as_str()) {
        return Err(whole(format!("no finding is of kind `{}`", raw.kind)));
    }
    if raw.needs_symptom && raw.symptoms.is_empty() {
        return Err(whole("`needs-symptom` without `symptoms`".to_owned()));
    }
    for (index, when) in raw.when.iter().enumerate() {
        condition(when).map_err(|message| fault("when", index, &message))?;
    }
    for (index, remedy) in raw.remedies.iter().enumerate() {
        remedy.commands.iter().try_for_each(Written::check).map_err(|message| fault("remedy", index, &message))?;
        for line in remedy.requirements.iter().chain(&remedy.removes) {
            requirement(line).map_err(|message| fault("remedy", index, &message))?;
        }
    }
    for (index, example) in raw.examples.iter().enumerate() {
        if let Some(line) = example.installed.iter().find(|line| read_pin(line).is_none()) {
            return Err(fault("example", index, &format!("`{line}` is not `name==version`")));
        }
        known(&example.workload).map_err(|message| fault("example", index, &message))?;
    }
    if !raw.examples.iter().any(|example| example.hits) || raw.examples.iter().all(|example| example.hits) {
        return Err(whole("an advisory needs an example that it hits and a near miss that it does not".to_owned()));
    }
    Ok(())
}

pub fn condition(when: &Condition) -> Result<(), String> {
    for range in [&when.cuda, &when.capability, &when.driver, &when.python].into_iter().flatten() {
        range.check().map_err(|found| found.message)?;
    }
    for line in &when.installed {
        let wanted = line.check()?;
        if !wanted.marker.is_true()
            || !wanted.extras.is_empty()
            || matches!(wanted.version_or_url, Some(VersionOrUrl::Url(_)))
        {
            return Err(format!("`{line}`: a name and versions only"));
        }
    }
    for name in &when.absent {
        normalised(name)?;
    }
    if let Some(platform) = &when.platform
        && !["linux", "windows", "macos"].iter().any(|os| platform.starts_with(os))
    {
        return Err(format!("`{platform}` is no platform"));
    }
    known(&when.workload)
}

pub fn known(workload: &[String]) -> Result<(), String> {
    match workload.iter().find(|item| !WORKLOADS.contains(&item.as_str())) {
        None => Ok(()),
        Some(item) => Err(format!("`{item}` is not a workload; there are: {}", WORKLOADS.join(", "))),
    }
}
