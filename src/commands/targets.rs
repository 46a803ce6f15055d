//! The machines that a command is about: this one, one that options describe, or those that the project declares.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::file;
use super::host::named_gpus;
use super::input;
use crate::config::{Config, TargetConfig};
use crate::facts::Facts;
use crate::rules::driver::best_compat;
use crate::rules::target::complete_gpus;
use crate::rules::{RuleDb, Target, TargetGpu};
use crate::text::{list, nearest};
use crate::version::{CudaVersion, DriverVersion, GlibcVersion, PythonVersion};

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
            self.apply(target, db)?;
            let unknown = unknown(target);
            let of = target.name.as_ref().map(|name| format!("of `{name}` ")).unwrap_or_default();
            if !unknown.is_empty() {
                writeln!(err, "note: {of}not known, and so not judged: {}", list(&unknown))?;
            }
            if target.platform.is_none() {
                target.platform = Some(LINUX.to_owned());
                writeln!(err, "note: platform not known, taken to be {LINUX} (`--platform`)")?;
            }
        }
        Ok(chosen)
    }

    /// Whether the environment that is looked at is the one to install into: `--python 3.11` means another.
    pub fn is_about_this_environment(&self) -> bool {
        self.python.as_deref().and_then(python).is_none()
    }

    fn declared(&self, db: &RuleDb) -> anyhow::Result<Vec<Target>> {
        let Some((path, config)) = config(self.config.as_deref())? else {
            bail!(
                "no gpudoc.toml, and no pyproject.toml with `[tool.gpudoc]`, in this folder or above; name one with `--config`"
            );
        };
        let declared: Vec<&String> = config.target.keys().collect();
        // In whatever order they are named, the answer is the same.
        let named: BTreeSet<&String> = self.target.iter().collect();
        let names: Vec<&String> = if self.all_targets { declared.clone() } else { named.into_iter().collect() };
        if names.is_empty() {
            bail!("`{}` declares no target; add e.g. `[target.train]` with `gpu = [\"H100\"]`", path.display());
        }
        let mut targets: Vec<Target> = Vec::new();
        for name in names {
            let Some(entry) = config.target.get(name) else {
                let hint = match nearest(name, declared.iter().map(|name| name.as_str())).first() {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it declares {}", list(&declared)),
                };
                bail!("`{}` declares no target `{name}`; {hint}", path.display());
            };
            if !targets.iter().any(|target| target.name.as_ref() == Some(name)) {
                targets
                    .push(target(name, entry, db).with_context(|| format!("`{}`, target `{name}`", path.display()))?);
            }
        }
        Ok(targets)
    }

    fn observed(&self, db: &RuleDb, probe: &Probe<'_>) -> anyhow::Result<Chosen> {
        let path = self.python.as_ref().filter(|text| python(text).is_none()).map(Path::new);
        if let Some(path) = path
            && !path.exists()
        {
            bail!(
                "`--python {}` is neither a version such as `3.11` nor an interpreter or environment",
                path.display()
            );
        }
        let mut facts = match &self.from {
            Some(file) => input::read(file, crate::rules::embedded())?.facts,
            None => probe(path)?,
        };
        complete_gpus(&mut facts, db);
        Ok(Chosen { targets: vec![Target::from_facts(&facts, db)], facts: Some(facts) })
    }

    /// The options above what was found.
    fn apply(&self, target: &mut Target, db: &RuleDb) -> anyhow::Result<()> {
        if !self.gpu.is_empty() {
            let named: Vec<_> = self.gpu.iter().map(|text| named_gpus(text, db)).collect::<Result<Vec<_>, _>>()?;
            let named = named.concat();
            let here = |gpu: &TargetGpu| target.gpus.iter().any(|own| own.capability == gpu.capability);
            if !named.iter().all(here) {
                // Another machine's GPU: this one's driver says nothing about it.
                (target.driver, target.compat) = (None, None);
            }
            target.gpus = named;
        }
        if let Some(driver) = &self.driver {
            (target.driver, target.compat) = (Some(driver.clone()), None);
        }
        if let Some((version, free_threaded)) = self.python.as_deref().and_then(python) {
            (target.python, target.free_threaded) = (Some(version), free_threaded);
        }
        if let Some(text) = &self.platform {
            target.platform = Some(platform(text)?);
        }
        target.glibc = self.glibc.or(target.glibc);
        if let Some(text) = self.cuda.as_deref() {
            cuda(target, text).with_context(|| format!("`--cuda {text}`"))?;
        }
        Ok(())
    }
}

/// The platform of targets that name none.
const LINUX: &str = "linux_x86_64";

fn unknown(target: &Target) -> Vec<&'static str> {
    let mut unknown = Vec::new();
    if target.gpus.is_empty() && !target.cpu_only {
        unknown.push("GPU (`--gpu`)");
    }
    if target.driver.is_none() && !target.cpu_only {
        unknown.push("driver (`--driver`)");
    }
    if target.python.is_none() {
        unknown.push("Python (`--python`)");
    }
    unknown
}

/// A declared machine.
fn target(name: &str, entry: &TargetConfig, db: &RuleDb) -> anyhow::Result<Target> {
    let mut target = Target { name: Some(name.to_owned()), ..Target::default() };
    for text in &entry.gpu {
        target.gpus.extend(named_gpus(text, db)?);
    }
    if let Some(size) = entry.vram {
        target.gpus.iter_mut().for_each(|gpu| gpu.memory = vec![size.0]);
    }
    let driver = entry.driver.as_deref();
    target.driver = driver.map(str::parse).transpose().with_context(|| format!("`driver = {driver:?}`"))?;
    if let Some(text) = &entry.python {
        let (version, free_threaded) =
            python(text).with_context(|| format!("`python = {text:?}` is no version such as `3.12` or `3.13t`"))?;
        (target.python, target.free_threaded) = (Some(version), free_threaded);
    }
    target.platform = Some(platform(entry.platform.as_deref().unwrap_or(LINUX))?);
    let glibc = entry.glibc.as_deref();
    target.glibc = glibc.map(str::parse).transpose().with_context(|| format!("`glibc = {glibc:?}`"))?;
    if let Some(text) = &entry.cuda {
        cuda(&mut target, text).with_context(|| format!("`cuda = {text:?}`"))?;
    }
    if entry.cuda_compat {
        let compat = best_compat(&target, db);
        target.compat =
            Some(compat.context("`cuda-compat = true`: no cuda-compat package works on these GPUs and this driver")?.1);
    }
    Ok(target)
}

/// `3.12`, or `3.13t` for the free-threaded one.
fn python(text: &str) -> Option<(PythonVersion, bool)> {
    let plain = text.strip_suffix('t');
    Some((plain.unwrap_or(text).parse().ok()?, plain.is_some()))
}

fn cuda(target: &mut Target, text: &str) -> anyhow::Result<()> {
    if text == "cpu" {
        target.cpu_only = true;
    } else {
        target.cuda = Some(CudaVersion::from_variant(text).map_or_else(|| text.parse(), Ok)?);
    }
    Ok(())
}

/// A platform, also in other spellings: `x86_64`, `linux-aarch64`.
fn platform(text: &str) -> anyhow::Result<String> {
    let plain = text.replace('-', "_");
    match plain.strip_prefix("linux_").unwrap_or(&plain) {
        "x86_64" | "amd64" => Ok(LINUX.to_owned()),
        "aarch64" | "arm64" => Ok("linux_aarch64".to_owned()),
        _ => bail!("unknown platform `{text}`; the rules know `linux_x86_64` and `linux_aarch64`"),
    }
}

/// All machines that a project declares.
///
/// # Errors
///
/// When a name or version means nothing; the error names the target.
pub fn declared_targets(path: &Path, config: &Config, db: &RuleDb) -> anyhow::Result<Vec<Target>> {
    let entries = config.target.iter();
    let one = |(name, entry): (&String, &TargetConfig)| {
        target(name, entry, db).with_context(|| format!("`{}`, target `{name}`", path.display()))
    };
    entries.map(one).collect()
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
