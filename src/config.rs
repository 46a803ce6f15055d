//! `gpudoc.toml`, or `[tool.gpudoc]` of a pyproject.toml: the machines that a project must work on.
//!
//! ```toml
//! [target.train]
//! gpu = ["H100"]
//! driver = "570.133.20"
//! python = "3.12"
//! cuda-compat = true
//!
//! [policy]
//! severity = { range-admits-bad = "info" }
//! ignore = [{ id = "build-isolation", path = "docker", reason = "the wheel is prebuilt there", until = "2026-12-31" }]
//!
//! [workload]
//! uses = ["torch.compile", "nccl"]
//! model-params = "47B"
//! min-vram = "24GiB"
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::finding::Severity;
use crate::rules::Workload;
use crate::rules::schema::WORKLOADS;
use crate::text::nearest;

/// The JSON schema of gpudoc.toml, for editors, with the ids of lint's rules.
///
/// # Errors
///
/// Never: the file is a schema.
pub fn schema() -> serde_json::Result<String> {
    let mut schema: serde_json::Value = serde_json::from_str(include_str!("gpudoc.schema.json"))?;
    let ids: Vec<&str> = crate::lint::registry::RULES.iter().map(|rule| rule.id).collect();
    for place in ["severity/propertyNames", "ignore/items/properties/id"] {
        if let Some(of) = schema.pointer_mut(&format!("/properties/policy/properties/{place}/enum")) {
            *of = ids.clone().into();
        }
    }
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

/// What a project declares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The machines, by name.
    #[serde(default)]
    pub target: BTreeMap<String, TargetConfig>,
    /// What the project has decided about findings.
    #[serde(default)]
    pub policy: PolicyConfig,
    /// What the project does.
    #[serde(default)]
    pub workload: WorkloadConfig,
}

/// What a project has decided about findings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicyConfig {
    /// Other severities, by id: `fail`, `warn`, `info`.
    #[serde(default)]
    pub severity: BTreeMap<RuleId, Severity>,
    /// Findings that the project lives with.
    #[serde(default)]
    pub ignore: Vec<Spanned<IgnoreConfig>>,
}

/// A finding that the project lives with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IgnoreConfig {
    /// E.g. `range-admits-bad`.
    pub id: RuleId,
    /// Only in this file, or below this folder.
    pub path: Option<String>,
    /// Why.
    pub reason: Reason,
    /// The last day on which it counts, e.g. `2026-12-31`.
    pub until: Option<Day>,
}

/// The id of a finding of `gpudoc lint`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct RuleId(pub String);

impl TryFrom<String> for RuleId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if crate::lint::rule(&text).is_some() {
            return Ok(Self(text));
        }
        let known = || crate::lint::registry::RULES.iter().map(|rule| rule.id);
        let near = nearest(&text, known());
        let hint = near
            .first()
            .map_or_else(|| known().collect::<Vec<_>>().join(", "), |near| format!("did you mean `{near}`?"));
        Err(format!("no finding is called `{text}`; {hint}"))
    }
}

/// Why a finding is left out: it must say something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Reason(pub String);

impl TryFrom<String> for Reason {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if text.trim().is_empty() { Err("say why this is ignored") } else { Ok(Self(text)) }
    }
}

/// A day, e.g. `2026-12-31`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Day(pub String);

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        crate::rules::fault::day(&text).map_err(|_| format!("`{text}` is no day such as `2026-12-31`"))?;
        Ok(Self(text))
    }
}

/// What a project does, which switches on what is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorkloadConfig {
    /// E.g. `["torch.compile", "nccl"]`.
    #[serde(default)]
    pub uses: Vec<Spanned<Use>>,
    /// E.g. `47B`.
    pub model_params: Option<Spanned<Size>>,
    /// The memory that each GPU must have, as it is sold, e.g. `24GiB`.
    pub min_vram: Option<Spanned<Size>>,
}

impl WorkloadConfig {
    /// The same without places.
    #[must_use]
    pub fn workload(&self) -> Workload {
        let size = |size: &Option<Spanned<Size>>| size.as_ref().map(|size| size.get_ref().0);
        Workload {
            uses: self.uses.iter().map(|word| word.get_ref().0.clone()).collect(),
            model_params: size(&self.model_params),
            min_vram: size(&self.min_vram),
        }
    }
}

/// Something that a project does and that something is known of, e.g. `torch.compile`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Use(pub String);

impl TryFrom<String> for Use {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if WORKLOADS.contains(&text.as_str()) {
            return Ok(Self(text));
        }
        let near = nearest(&text, WORKLOADS.iter().copied());
        let hint = match near.first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", WORKLOADS.join(", ")),
        };
        Err(format!("nothing is known of the use `{text}`; {hint}"))
    }
}

/// A number with a unit, in ones: `47B` parameters, `24GiB` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Size(pub u64);

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no size such as `24GiB` or `47B`");
        let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(end).ok_or_else(wrong)?;
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let scale: u64 = match unit.trim() {
            "" => 1,
            "K" => 1_000,
            "M" => 1_000_000,
            "B" => 1_000_000_000,
            "T" => 1_000_000_000_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1 << 40,
            _ => return Err(wrong()),
        };
        let mut value = whole.parse::<u64>().map_err(|_| wrong())?.checked_mul(scale).ok_or_else(wrong)?;
        let mut share = scale;
        for digit in part.bytes() {
            share /= 10;
            value = value.checked_add(u64::from(digit.wrapping_sub(b'0')).saturating_mul(share)).ok_or_else(wrong)?;
        }
        Ok(Self(value))
    }
}

/// One machine, or many alike. What is left out is not known, and not judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TargetConfig {
    /// Product names or compute capabilities, e.g. `["RTX 5090", "8.9"]`, of several alike with their number, `["8x H100"]`; none
    /// for a machine without a GPU.
    #[serde(default)]
    pub gpu: Vec<String>,
    /// The memory of each GPU, where its name does not say it, e.g. `80GiB`.
    pub vram: Option<Size>,
    /// The kernel driver, e.g. `570.133.20`.
    pub driver: Option<String>,
    /// The interpreter, e.g. `3.12`, or `3.13t` for the free-threaded one.
    pub python: Option<String>,
    /// `linux_x86_64` (if nothing is said) or `linux_aarch64`.
    pub platform: Option<String>,
    /// The C library, e.g. `2.35`.
    pub glibc: Option<String>,
    /// Only builds for this CUDA, e.g. `12.8`; `cpu` for CPU builds.
    pub cuda: Option<String>,
    /// The newest cuda-compat package that works there is installed, and first in `LD_LIBRARY_PATH`.
    #[serde(default)]
    pub cuda_compat: bool,
}

#[derive(Deserialize)]
struct Pyproject {
    tool: Option<Tools>,
}

#[derive(Deserialize)]
struct Tools {
    gpudoc: Option<Config>,
}

impl Config {
    /// Reads a gpudoc.toml.
    ///
    /// # Errors
    ///
    /// Line and column with the key underlined, and what would be right.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Reads `[tool.gpudoc]` of a pyproject.toml; none where there is no such table.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`].
    pub fn parse_pyproject(text: &str) -> Result<Option<Self>, toml::de::Error> {
        let file: Pyproject = toml::from_str(text)?;
        Ok(file.tool.and_then(|tools| tools.gpudoc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_either_file() {
        let text = "[target.train]\ngpu = [\"H100\"]\ndriver = \"570.133.20\"\ncuda-compat = true\n[target.ci]\n";
        let config = Config::parse(text).expect("a configuration");
        let names: Vec<_> = config.target.keys().collect();
        assert_eq!(names, ["ci", "train"]);
        assert_eq!(
            (config.target["train"].gpu.as_slice(), config.target["train"].cuda_compat),
            (&["H100".to_owned()][..], true)
        );
        let other = text.replace("[target", "[tool.gpudoc.target");
        assert_eq!(Config::parse_pyproject(&other).expect("a project"), Some(config));
        assert_eq!(Config::parse_pyproject("[project]\nname = \"x\"\n").expect("a project"), None);
    }

    #[test]
    fn decisions_need_a_reason() {
        let read = |text: &str| Config::parse(text).map_err(|error| error.to_string());
        let good = "[policy]\nignore = [{ id = \"build-isolation\", reason = \"prebuilt\", until = \"2026-12-31\" }]\n[workload]\nmodel-params = \"1.5B\"\nuses = [\"torch.compile\"]\n";
        let config = read(good).expect("a configuration");
        assert_eq!(config.policy.ignore[0].get_ref().reason.0, "prebuilt");
        assert_eq!(config.workload.workload().model_params, Some(1_500_000_000));
        for (old, new, said) in [
            (", reason = \"prebuilt\"", "", "missing field `reason`"),
            ("prebuilt", " ", "say why this is ignored"),
            ("2026-12-31", "soon", "`soon` is no day"),
            ("build-isolation", "build-isolaton", "did you mean `build-isolation`?"),
            ("1.5B", "big", "`big` is no size"),
            ("torch.compile", "torch-compile", "did you mean `torch.compile`?"),
        ] {
            let error = read(&good.replace(old, new)).expect_err(said);
            assert!(error.contains(said) && error.contains('^'), "{error}");
        }
    }

    #[test]
    fn a_misspelt_key_is_underlined() {
        let error = Config::parse("[target.train]\ngpus = [\"H100\"]\n").expect_err("no such key").to_string();
        assert!(error.contains("line 2, column 1") && error.contains("^^^^"), "{error}");
        assert!(error.contains("expected one of `gpu`, `vram`, `driver`"), "{error}");
    }
}
