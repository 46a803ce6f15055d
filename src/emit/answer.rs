use crate::facts::TORCH;
use std::collections::BTreeSet;
use std::fmt;

use super::constraints::heading;
use super::{Index, Overridden, indexes};
use crate::rules::requirement::{name_of, parse};
use crate::rules::role::is_runtime_wheel;
use crate::rules::target::arch_list;
use crate::rules::{RuleDb, Target};
use crate::solve::{AskedRequirement, INSTALLED, Pin, Resolution};
use crate::version::{DriverVersion, GlibcVersion};

/// What is to be written down: the resolution, what it is for, and what the user asked.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// The chosen builds.
    pub resolution: &'a Resolution<'a>,
    /// The machines, at least one; a fleet shares the set.
    pub targets: &'a [&'a Target],
    /// The rules.
    pub db: &'a RuleDb,
    /// The user's lines: extras and uncovered packages are taken from them.
    pub lines: &'a [AskedRequirement],
    /// Addresses and paths that the user brings along, as written, e.g. `-e ./lib`, `torch @ https://…`.
    pub taken: &'a [String],
    /// Pins of others that the user insists on breaking, in the order to install them; mostly empty.
    pub overridden: &'a [Overridden],
}

/// A text, and what the user should know that it cannot say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emitted {
    /// The file; empty where it cannot be written, for the reason in `notes`.
    pub text: String,
    /// Sentences for standard error.
    pub notes: Vec<String>,
}

/// A Python to install into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interpreter {
    /// `3` of `3.13t`.
    pub major: u32,
    /// `13` of `3.13t`.
    pub minor: u32,
    /// Without global interpreter lock: the `t` of `3.13t`.
    pub free_threaded: bool,
}

impl fmt::Display for Interpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}{}", self.major, self.minor, if self.free_threaded { "t" } else { "" })
    }
}

impl Emitted {
    /// Nothing to write, and why.
    pub(super) fn refused(why: String) -> Self {
        Self { text: String::new(), notes: vec![why] }
    }
}

impl From<String> for Emitted {
    fn from(text: String) -> Self {
        Self { text, notes: Vec::new() }
    }
}

impl<'a> Answer<'a> {
    /// What heads every file: what it was solved for, the driver, what is lost by overriding. Without comment signs.
    #[must_use]
    pub fn heading(&self) -> Vec<String> {
        let mut lines = heading(self.resolution, self.targets, self.db);
        lines.extend(self.overridden.iter().map(Overridden::lost));
        lines
    }

    /// The heading as comments of shells, TOML, YAML and requirements files.
    #[must_use]
    pub fn comments(&self) -> String {
        self.heading().iter().map(|line| format!("# {line}\n")).collect()
    }

    /// The pins as installers take them, sorted by name, e.g. `jax[cuda12]==0.7.2`.
    pub fn pins(&self) -> impl Iterator<Item = (String, &'a Pin<'a>)> {
        let answer = *self;
        self.resolution.pins.iter().map(move |pin| (answer.word(pin), pin))
    }

    /// One pin with the extras that the user asked for.
    #[must_use]
    pub fn word(&self, pin: &Pin<'_>) -> String {
        let own = self.lines.iter().filter(|asked| asked.requirement.name.as_ref() == pin.name);
        let extras: BTreeSet<_> = own.flat_map(|asked| &asked.requirement.extras).map(ToString::to_string).collect();
        let extras: Vec<_> = extras.into_iter().collect();
        let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
        format!("{}{extras}=={}", pin.name, pin.version())
    }

    /// The user's lines about packages that the rules do not cover, as PEP 508 writes them, in their order; without
    /// those that are brought along.
    #[must_use]
    pub fn passed(&self) -> Vec<String> {
        let unlisted = |name: &str| self.resolution.unlisted.iter().any(|line| name_of(line) == name);
        let unjudged = |name: &str| self.resolution.unchecked.iter().any(|other| other == name) || unlisted(name);
        let brought = self.taken.iter().filter_map(|line| Some(parse(line).ok()?.name));
        let brought: BTreeSet<_> = brought.map(|name| name.to_string()).collect();
        let other = |name: &str| !brought.contains(name) && (self.db.package(name).is_none() || unjudged(name));
        let own = self
            .lines
            .iter()
            .filter(|asked| asked.origin != INSTALLED && asked.on_behalf_of.is_none())
            .map(|asked| &asked.requirement);
        let lines = own.filter(|line| other(line.name.as_ref()));
        let mut seen = BTreeSet::new();
        lines.map(ToString::to_string).filter(|line| seen.insert(line.clone())).collect()
    }

    /// The same, and what the user brings along: everything that is no pin, as lines of a requirements file.
    #[must_use]
    pub fn others(&self) -> Vec<String> {
        self.passed().into_iter().chain(self.taken.iter().cloned()).collect()
    }

    /// The pin of torch.
    #[must_use]
    pub fn torch(&self) -> Option<&'a Pin<'a>> {
        self.resolution.pins.iter().find(|pin| pin.name == TORCH)
    }

    /// Whether a pin has no wheel and is compiled against torch, as the rules say. Where they say nothing of it: a source
    /// distribution that needs torch, or of which it is not known what it needs; NVIDIA's own fetch a wheel.
    #[must_use]
    pub fn built_here(&self, pin: &Pin<'_>) -> bool {
        if self.torch().is_none() || !pin.build.is_source() || is_runtime_wheel(pin.name) {
            return false;
        }
        if self.db.source_build(pin.name).is_some() {
            return self.db.compiles_against_torch(pin.name);
        }
        let lines = || pin.release.requires.iter().chain(&pin.build.requires);
        let on_torch = || {
            lines().any(|line| {
                line.strip_prefix("torch").is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric()))
            })
        };
        lines().next().is_none() || on_torch()
    }

    /// Whether anything is compiled on the machine.
    #[must_use]
    pub fn builds(&self) -> bool {
        self.resolution.pins.iter().any(|pin| self.built_here(pin))
    }

    /// What `TORCH_CUDA_ARCH_LIST` says for the targets' GPUs, e.g. `8.0;9.0`; none where no GPU is known.
    #[must_use]
    pub fn arch_list(&self) -> Option<String> {
        let gpus = self.targets.iter().flat_map(|target| &target.gpus);
        let capabilities: BTreeSet<_> = gpus.map(|gpu| gpu.capability).collect();
        Some(arch_list(capabilities)).filter(|list| !list.is_empty())
    }

    /// The oldest glibc on which every pin installs.
    #[must_use]
    pub fn glibc(&self) -> Option<GlibcVersion> {
        self.resolution.pins.iter().filter_map(|pin| pin.build.glibc).max()
    }

    /// The Python that all targets have; none where it is not known.
    ///
    /// # Errors
    ///
    /// Why one file cannot be for all of them: they have different Pythons or platforms.
    pub fn python(&self) -> Result<Option<Interpreter>, String> {
        let of = |target: &Target| (target.python.map(|it| (it.major, it.minor)), target.free_threaded);
        let mut pythons: Vec<_> = self.targets.iter().map(|target| of(target)).collect();
        pythons.dedup();
        let mut platforms: Vec<_> = self.targets.iter().map(|target| &target.platform).collect();
        platforms.dedup();
        if pythons.len() > 1 || platforms.len() > 1 {
            return Err(
                "the targets have different Pythons or platforms, so one file cannot be for all of them: write one \
                        for each (`--per-target`)"
                    .to_owned(),
            );
        }
        let first = pythons.first().and_then(|(version, free_threaded)| Some((*version.as_ref()?, *free_threaded)));
        Ok(first.map(|((major, minor), free_threaded)| Interpreter { major, minor, free_threaded }))
    }

    /// The oldest driver of the targets; none where one is not known.
    #[must_use]
    pub fn driver(&self) -> Option<&'a DriverVersion> {
        let drivers: Option<Vec<_>> = self.targets.iter().map(|target| target.driver.as_ref()).collect();
        drivers?.into_iter().min()
    }

    /// The indexes beside PyPI.
    #[must_use]
    pub fn indexes(&self) -> Vec<Index> {
        indexes(self.resolution, self.db)
    }
}
