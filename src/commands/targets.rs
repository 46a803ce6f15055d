//! The machines that a command is about: this one, one that options describe, or those that the project declares.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::file;
use super::input;
use crate::config::Config;
use crate::facts::Facts;
use crate::rules::{RuleDb, Target, Workload};
use crate::session::targets::{self as session, Stated};
use crate::version::{DriverVersion, GlibcVersion};

/// Which machines.
#[derive(Debug, Clone, Default, Args)]
pub struct TargetArgs {
    /// A target of gpudoc.toml, or of `[tool.gpudoc]` in pyproject.toml, instead of this machine (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    pub target: Vec<String>,
    /// Every target that the project declares
    #[arg(long, conflicts_with = "target", help_heading = "Target")]
    pub all_targets: bool,
    /// The gpudoc.toml or pyproject.toml to read, instead of the nearest one above the current folder
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    pub config: Option<PathBuf>,
    /// A snapshot of `gpudoc probe`, instead of this machine
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "all_targets"], help_heading = "Target")]
    pub from: Option<PathBuf>,
    /// GPU: a product name, compute capability or target, e.g. `RTX 5090`, `12.0`, `sm_120` (repeatable)
    #[arg(long, value_name = "GPU", help_heading = "Target")]
    pub gpu: Vec<String>,
    /// Driver version, e.g. `570.133.20`
    #[arg(long, value_name = "VERSION", help_heading = "Target")]
    pub driver: Option<DriverVersion>,
    /// Python version, e.g. `3.11`, or the interpreter or environment to look at
    #[arg(long, value_name = "VERSION|PATH", help_heading = "Target")]
    pub python: Option<String>,
    /// Platform, e.g. `linux_aarch64`
    #[arg(long, value_name = "PLATFORM", help_heading = "Target")]
    pub platform: Option<String>,
    /// glibc version, e.g. `2.35`
    #[arg(long, value_name = "VERSION", help_heading = "Target")]
    pub glibc: Option<GlibcVersion>,
    /// Only builds for this CUDA, e.g. `12.8` or `cu128`; `cpu` for CPU builds
    #[arg(long, value_name = "VERSION", help_heading = "Target")]
    pub cuda: Option<String>,
}

/// Machines, and what is installed on the one that was looked at.
pub struct Chosen {
    /// At least one.
    pub targets: Vec<Target>,
    /// What was observed; none where the targets are declared.
    pub facts: Option<Facts>,
}

/// Looks at this machine, and at the Python of `--python` where that is a path.
pub type Probe<'p> = dyn Fn(Option<&Path>) -> anyhow::Result<Facts> + 'p;

impl TargetArgs {
    /// Finds the machines, and says on `err` what of them is not known.
    ///
    /// # Errors
    ///
    /// When a name, a version or a file means nothing; the error names the fix.
    pub fn choose(&self, db: &RuleDb, probe: &Probe<'_>, err: &mut dyn Write) -> anyhow::Result<Chosen> {
        let mut chosen = if self.all_targets || !self.target.is_empty() {
            Chosen { targets: self.declared(db)?, facts: None }
        } else {
            self.observed(db, probe)?
        };
        for target in &mut chosen.targets {
            for note in self.stated().apply(target, db)? {
                writeln!(err, "note: {note}")?;
            }
        }
        Ok(chosen)
    }

    /// The machines that files are judged for: those that the options name or describe, else all that the project declares, which may
    /// be none. This machine is not looked at.
    ///
    /// # Errors
    ///
    /// As [`Self::choose`]; also where an environment is named, which no file is judged by.
    pub fn of_files(&self, db: &RuleDb, err: &mut dyn Write) -> anyhow::Result<Vec<Target>> {
        if let Some(path) = self.python.as_ref().filter(|text| session::python(text).is_none()) {
            bail!("`--python {path}` is no version such as `3.11`; an environment is judged by `gpudoc check`");
        }
        let described = self.stated().is_something();
        if self.from.is_none() && !self.all_targets && self.target.is_empty() && !described {
            let config = config(self.config.as_deref())?.filter(|(_, config)| !config.target.is_empty());
            return config.map_or(Ok(Vec::new()), |(path, config)| session::declared(&path, &config, &[], db));
        }
        Ok(self.choose(db, &|_| Ok(Facts::default()), err)?.targets)
    }

    fn stated(&self) -> Stated<'_> {
        Stated {
            gpu: &self.gpu,
            driver: self.driver.as_ref(),
            python: self.python.as_deref(),
            platform: self.platform.as_deref(),
            glibc: self.glibc,
            cuda: self.cuda.as_deref(),
        }
    }

    /// What the project does on the machines that it declares; none where these are not what is asked about, or it does not say.
    ///
    /// # Errors
    ///
    /// When the project's file cannot be read.
    pub fn workload(&self) -> anyhow::Result<Option<Workload>> {
        if !self.all_targets && self.target.is_empty() {
            return Ok(None);
        }
        Ok(config(self.config.as_deref())?.map(|(_, config)| config.workload.workload()))
    }

    /// Whether the environment that is looked at is the one to install into: `--python 3.11` means another.
    pub fn is_about_this_environment(&self) -> bool {
        self.python.as_deref().and_then(session::python).is_none()
    }

    fn declared(&self, db: &RuleDb) -> anyhow::Result<Vec<Target>> {
        let Some((path, config)) = config(self.config.as_deref())? else {
            bail!(
                "no gpudoc.toml, and no pyproject.toml with `[tool.gpudoc]`, in this folder or above; name one with `--config`"
            );
        };
        session::declared(&path, &config, &self.target, db)
    }

    fn observed(&self, db: &RuleDb, probe: &Probe<'_>) -> anyhow::Result<Chosen> {
        let path = self.python.as_ref().filter(|text| session::python(text).is_none()).map(Path::new);
        if let Some(path) = path
            && !path.exists()
        {
            bail!(
                "`--python {}` is neither a version such as `3.11` nor an interpreter or environment",
                path.display()
            );
        }
        let facts = match &self.from {
            Some(file) => input::read(file, db)?.facts,
            None => probe(path)?,
        };
        Ok(Chosen { targets: vec![Target::from_facts(&facts, db)], facts: Some(facts) })
    }
}

/// The project's declaration: the file that was named, or the nearest one.
///
/// # Errors
///
/// When the file cannot be read, or says what it must not; the error underlines the key.
pub fn config(named: Option<&Path>) -> anyhow::Result<Option<(PathBuf, Config)>> {
    if let Some(path) = named {
        let config = read(path)?.with_context(|| format!("`{}` has no `[tool.gpudoc]`", path.display()))?;
        return Ok(Some((path.to_owned(), config)));
    }
    #[expect(clippy::disallowed_methods, reason = "a command reads the environment")]
    let here = std::env::current_dir().context("the current folder is gone")?;
    for folder in here.ancestors() {
        for name in ["gpudoc.toml", "pyproject.toml"] {
            let path = folder.join(name);
            if path.is_file()
                && let Some(config) = read(&path)?
            {
                let shown = path.strip_prefix(&here).map_or(path.clone(), Path::to_owned);
                return Ok(Some((shown, config)));
            }
        }
    }
    Ok(None)
}

fn read(path: &Path) -> anyhow::Result<Option<Config>> {
    let text = file::read(path)?;
    let parsed = if path.file_name().is_some_and(|name| name == "pyproject.toml") {
        Config::parse_pyproject(&text)
    } else {
        Config::parse(&text).map(Some)
    };
    parsed.with_context(|| format!("`{}` is not understood", path.display()))
}
