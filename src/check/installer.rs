//! The tool that made the environment, and how it is called.

use crate::facts::{Distribution, Facts};
use crate::step::{self, Step};

/// Options of an installation that compiles, against the torch that is there, what is installed already.
pub const REBUILD: [&str; 4] = ["--no-build-isolation", "--no-cache-dir", "--no-deps", "--force-reinstall"];

/// An installer with the environment that it is to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installer<'f> {
    by_uv: bool,
    /// The environment's interpreter.
    python: Option<&'f str>,
}

impl<'f> Installer<'f> {
    /// Of an environment: uv where that installed torch, or anything where there is no pip; else the environment's pip.
    #[must_use]
    pub fn of(facts: &'f Facts) -> Self {
        let is_uvs =
            |distribution: &Distribution| distribution.installer.value().is_some_and(|installer| installer == "uv");
        let by_uv = match facts.distribution("torch").filter(|torch| torch.installer.value().is_some()) {
            Some(torch) => is_uvs(torch),
            // Without torch: uv's environments have no pip to call.
            None => facts.distribution("pip").is_none() && facts.distributions.iter().any(is_uvs),
        };
        let python = facts.python.value().and_then(|python| python.executable.value()).map(String::as_str);
        Self { by_uv, python }
    }

    /// The words before its options, e.g. `uv pip install --python /opt/venv/bin/python`.
    fn call(&self, subcommand: &'static str) -> Vec<String> {
        let words = match (self.python, self.by_uv) {
            (Some(python), true) => vec!["uv", "pip", subcommand, "--python", python],
            (Some(python), false) => vec![python, "-m", "pip", subcommand],
            (None, true) => vec!["uv", "pip", subcommand],
            (None, false) => vec!["pip", subcommand],
        };
        words.into_iter().map(str::to_owned).collect()
    }

    /// Installs requirements; none where one is not of PEP 508 (`torch==1.0$(touch P)`), or there are none.
    #[must_use]
    pub fn install(&self, options: &[&str], requirements: &[String]) -> Option<Step> {
        let lines: Vec<String> = requirements.iter().map(|line| step::requirement(line)).collect::<Option<_>>()?;
        let options = options.iter().map(|option| (*option).to_owned());
        (!lines.is_empty()).then(|| Step::run(self.call("install").into_iter().chain(options).chain(lines)))?
    }

    /// The same beside other indexes, given by their URLs.
    #[must_use]
    pub fn install_from(&self, requirements: &[String], indexes: &[String]) -> Option<Step> {
        let Some(Step::Run { environment, mut argv }) = self.install(&[], requirements) else { return None };
        for index in indexes {
            argv.push(step::Word::new("--extra-index-url")?);
            argv.push(step::Word::new(index.as_str()).filter(|url| url.as_str().starts_with("http"))?);
        }
        Some(Step::Run { environment, argv })
    }

    /// Removes distributions without asking; none where one has no name of PEP 508, or there are none.
    #[must_use]
    pub fn uninstall(&self, names: &[&str]) -> Option<Step> {
        let names: Vec<String> = names.iter().map(|name| step::requirement(name)).collect::<Option<_>>()?;
        (!names.is_empty()).then(|| Step::run(self.words("uninstall").into_iter().chain(names)))?
    }

    /// The words that stand for `pip SUBCOMMAND`, with the option for going ahead unasked where it would ask.
    #[must_use]
    pub fn words(&self, subcommand: &'static str) -> Vec<String> {
        let mut words = self.call(subcommand);
        words.extend((subcommand == "uninstall" && !self.by_uv).then(|| "-y".to_owned()));
        words
    }
}
