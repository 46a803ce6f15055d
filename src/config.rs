//! `gpudoc.toml`, or `[tool.gpudoc]` of a pyproject.toml: the machines that a project must work on.
//!
//! ```toml
//! [target.train]
//! gpu = ["H100"]
//! driver = "570.133.20"
//! python = "3.12"
//! cuda-compat = true
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a project declares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The machines, by name.
    #[serde(default)]
    pub target: BTreeMap<String, TargetConfig>,
}

/// One machine, or many alike. What is left out is not known, and not judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TargetConfig {
    /// Product names or compute capabilities, e.g. `["RTX 5090", "8.9"]`; none for a machine without a GPU.
    #[serde(default)]
    pub gpu: Vec<String>,
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
    fn a_misspelt_key_is_underlined() {
        let error = Config::parse("[target.train]\ngpus = [\"H100\"]\n").expect_err("no such key").to_string();
        assert!(error.contains("line 2, column 1") && error.contains("^^^^"), "{error}");
        assert!(error.contains("expected one of `gpu`, `driver`"), "{error}");
    }
}
