//! `symptoms/*.toml`: error messages and what they come from.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::advisory::{Condition, KINDS, Level, condition};
use super::fault::Fault;
use super::page::{Page, cited, fault, pages};
use super::platform::machine::Matter;
use crate::step::Written;

/// `rules/symptoms/<family>.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SymptomTable {
    /// Pages by a short key.
    pub sources: BTreeMap<String, Page>,
    /// The messages, in any order.
    #[serde(rename = "symptom")]
    pub symptoms: Vec<Symptom>,
    /// What stands in the line of a message that stopped something.
    #[serde(default, rename = "stop")]
    pub stops: Vec<StopWords>,
}

/// Words in a line that tell that something stopped, whatever it comes from: a compiler that gave up, a library that the loader
/// refused. An exception of Python's tells it by its form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StopWords {
    /// As they are written, e.g. `undefined symbol: `.
    pub words: String,
    /// A key of the file's `[sources]`.
    pub source: String,
}

/// An error message, what it means, and what it may come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Symptom {
    /// Stable, `family-words`, e.g. `cuda-no-kernel-image`.
    pub id: String,
    /// Texts that occur in the message, in any case; `…` stands for a few words between. Any of them is enough.
    #[serde(rename = "match")]
    pub matches: Vec<String>,
    /// Texts beside which it means something else.
    #[serde(default)]
    pub unless: Vec<String>,
    /// What the message says, one or two sentences.
    pub meaning: String,
    /// Findings that explain it, the likeliest first: a kind (`gpu-arch`), an id or its beginning (`gpu-arch/torch`).
    /// `{package}` is the distribution that the message names.
    #[serde(default)]
    pub explained_by: Vec<String>,
    /// How bad it is where no finding explains it: `fail` only if the message itself proves its cause, `info` for what seldom
    /// lies in the environment.
    #[serde(default = "warn")]
    pub severity: Level,
    /// What says it goes on: a warning, or words that a working system prints too. Any other message tells of something that
    /// failed, whatever it comes from.
    #[serde(default)]
    pub goes_on: bool,
    /// An installer says it that found no set of releases: the plan is solved from what it weighed.
    #[serde(default)]
    pub no_solution: bool,
    /// What else of the text its causes tell, by the name that stands for it in braces: `release = "Driver Release {} or later"`.
    /// What is called `release` is the least driver, where a cause's `matter` is the driver; what is called `requirement` is a name
    /// with a range, such as `tokenizers>=0.20,<0.21`.
    #[serde(default)]
    pub says: BTreeMap<String, String>,
    /// What it may come from, the likeliest first.
    #[serde(rename = "cause")]
    pub causes: Vec<SymptomCause>,
    /// The one command that tells the causes apart.
    pub settle: Written,
    /// A message written for the test.
    pub example: String,
    /// Keys of the file's `[sources]`.
    pub sources: Vec<String>,
}

/// What is filled into any sentence.
const FILLED: [&str; 4] = ["package", "gpu", "torch", "driver"];

/// One thing that a message may come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SymptomCause {
    /// The family of the finding.
    pub kind: String,
    /// One line without full stop. `{package}`, `{gpu}`, `{torch}` and `{driver}` are filled in where they are known.
    pub title: String,
    /// Facts that it needs; what contradicts one of them rules the cause out.
    #[serde(default)]
    pub when: Option<Condition>,
    /// Only under the Windows Subsystem for Linux.
    #[serde(default)]
    pub wsl: bool,
    /// Only beside a CPU build of torch.
    #[serde(default)]
    pub cpu_torch: bool,
    /// Only where the driver is too old for torch's CUDA.
    #[serde(default)]
    pub old_driver: bool,
    /// Only where the message names this distribution.
    #[serde(default)]
    pub of: Option<String>,
    /// Distributions involved.
    #[serde(default)]
    pub packages: Vec<String>,
    /// What to do, an imperative.
    pub remedy: String,
    /// Commands to copy.
    #[serde(default)]
    pub commands: Vec<Written>,
    /// What the machine is to be given: who acts, and with what, is told beside the remedy.
    #[serde(default)]
    pub matter: Option<Matter>,
    /// The package that the message names is to be compiled on this machine.
    #[serde(default)]
    pub rebuild: bool,
    /// Another package takes a name of one of `packages` that is not there: which of the two is to move, their days tell.
    #[serde(default)]
    pub moved: bool,
}

impl SymptomCause {
    /// Whether it tells what the row calls by a name in braces; it is none then where the text does not say it.
    #[must_use]
    pub fn tells(&self, name: &str) -> bool {
        let name = format!("{{{name}}}");
        let mut texts = [&self.title, &self.remedy].into_iter().map(String::as_str);
        texts.any(|text| text.contains(&name)) || self.commands.iter().any(|command| command.as_str().contains(&name))
    }
}

fn warn() -> Level {
    Level::Warn
}

/// Checks a file of `symptoms/`; `known` are the ids of other files.
pub fn check(raw: &SymptomTable, known: &BTreeSet<&str>) -> Result<(), Fault> {
    pages(&raw.sources)?;
    let mut ids = known.clone();
    for (index, row) in raw.symptoms.iter().enumerate() {
        if !ids.insert(&row.id) {
            return Err(fault("symptom", index, &format!("`{}` is there twice", row.id)));
        }
        if row.sources.is_empty() {
            return Err(fault("symptom", index, "no `sources`"));
        }
        for key in &row.sources {
            cited(&raw.sources, key, "symptom", index)?;
        }
        symptom(row).map_err(|message| fault("symptom", index, &message))?;
    }
    for (index, row) in raw.stops.iter().enumerate() {
        cited(&raw.sources, &row.source, "stop", index)?;
        if row.words.trim().len() < 8 {
            return Err(fault("stop", index, &format!("`{}`: eight letters at least", row.words)));
        }
    }
    Ok(())
}

fn symptom(row: &Symptom) -> Result<(), String> {
    let plain = row.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !plain || row.id.is_empty() {
        return Err(format!("`{}` is no id: lower case, digits and `-`", row.id));
    }
    if row.goes_on && row.severity != Level::Warn {
        return Err("`goes-on` is of messages without a `severity`".to_owned());
    }
    if row.matches.is_empty() || row.causes.is_empty() || row.settle.as_str().is_empty() || row.meaning.is_empty() {
        return Err("`match`, `meaning`, `cause` and `settle` must be there".to_owned());
    }
    let least = row.matches.iter().map(|pattern| (pattern, 5)).chain(row.unless.iter().map(|words| (words, 3)));
    for (pattern, least) in least {
        let longest = pattern.split('…').map(|part| part.trim().len()).max().unwrap_or(0);
        let ascii = pattern.split('…').all(|part| part.is_ascii() && !part.trim().is_empty());
        if longest < least || !ascii || pattern.contains("  ") {
            return Err(format!("`{pattern}`: ASCII words with single spaces, {least} letters at least"));
        }
    }
    for selector in &row.explained_by {
        let kind = selector.trim_start_matches('!').split('/').next().unwrap_or_default();
        if !KINDS.contains(&kind) && !selector.starts_with("GPUDOC-") {
            return Err(format!("no finding is of kind `{kind}`"));
        }
    }
    for (name, pattern) in &row.says {
        let literal = pattern.len().saturating_sub("{}".len());
        if pattern.matches("{}").count() != 1 || literal < 4 || FILLED.contains(&name.as_str()) {
            return Err(format!("`{pattern}`: one `{{}}`, four letters around it, and a name of its own"));
        }
        if !row.causes.iter().any(|cause| cause.tells(name)) {
            return Err(format!("no cause tells `{{{name}}}`"));
        }
    }
    row.settle.check()?;
    for cause in &row.causes {
        for command in &cause.commands {
            let told: Vec<(&str, &str)> =
                row.says.keys().filter(|name| cause.tells(name)).map(|name| (name.as_str(), "word")).collect();
            let filled = told.iter().any(|(name, _)| command.as_str().contains(&format!("{{{name}}}")));
            match filled && command.filled(&told).is_some() {
                true => {}
                false => command.check()?,
            }
        }
        if !KINDS.contains(&cause.kind.as_str()) {
            return Err(format!("no finding is of kind `{}`", cause.kind));
        }
        if cause.title.ends_with('.') || cause.title.contains('\n') {
            return Err("a title is one line without a full stop".to_owned());
        }
        if let Some(when) = &cause.when {
            condition(when)?;
        }
    }
    Ok(())
}
