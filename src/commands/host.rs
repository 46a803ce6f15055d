//! The machine and environment that a command looks at.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::ProgressBar;

use crate::facts::Facts;
use crate::facts::redact::{Identity, redact};
use crate::probe::clock::Clock;
use crate::probe::interpreter::{PythonError, PythonRequest};
use crate::probe::{self, PythonFacts, Request, python};
use crate::rules::target::complete_gpus;

/// Which machine, and which environment on it.
#[derive(Debug, Default, clap::Args)]
pub struct HostArgs {
    /// Interpreter or environment folder to inspect, instead of the active one
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,
    /// Inspect a mounted image instead of this machine
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Compare every installed file with the hash that was recorded when it was installed (reads all of them)
    #[arg(long)]
    pub deep: bool,
    /// Whose imports are followed in the files: of the GPU stack and what was asked for by name, of all, of none
    #[arg(long, value_enum, default_value_t = ImportsOf::None, value_name = "WHOSE")]
    pub imports: ImportsOf,
}

/// Whose imports are followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ImportsOf {
    /// Of the stack that the rules cover, and of what was asked for by name
    Stack,
    /// Of everything that is installed
    All,
    /// Of nothing
    #[default]
    None,
}

/// Reads the machine, as a snapshot has it: what was observed, and nothing that the rules say of it.
///
/// # Errors
///
/// When the folder or the environment that was named does not exist.
pub fn probe(args: &HostArgs) -> anyhow::Result<Facts> {
    probe_parts(args, true, None, &Arc::default())
}

/// The same, with what the rules say of its GPUs; where asked with CUDA started in a process of its own. `clock` remembers what
/// each part took.
///
/// # Errors
///
/// When the folder or the environment that was named does not exist.
pub fn probe_timed(args: &HostArgs, cuda_init: bool, clock: &Arc<Clock>) -> anyhow::Result<Facts> {
    probe_parts(args, true, cuda_init.then_some(probe::cuda_init::TIME_LIMIT), clock).map(completed)
}

/// Reads the machine, but not the installed libraries: what a solver needs to know, with what the rules say of its GPUs.
///
/// # Errors
///
/// When the folder or the environment that was named does not exist.
pub fn probe_without_libraries(args: &HostArgs) -> anyhow::Result<Facts> {
    probe_parts(args, false, None, &Arc::default()).map(completed)
}

/// What is judged, with what the rules add.
fn completed(mut facts: Facts) -> Facts {
    complete_gpus(&mut facts, crate::rules::embedded());
    facts
}

fn probe_parts(args: &HostArgs, libraries: bool, cuda: Option<Duration>, clock: &Arc<Clock>) -> anyhow::Result<Facts> {
    let mut request = match &args.root {
        Some(folder) if !folder.is_dir() => bail!("`{}` is not a folder", folder.display()),
        Some(folder) => Request::folder(folder),
        None => Request::host(),
    };
    (request.deep, request.libraries, request.cuda_limit) = (args.deep, libraries, cuda);
    request.clock = Arc::clone(clock);
    request.is_cuda_library = |name| crate::rules::embedded().is_cuda_library(name);
    request.is_nvidias = crate::rules::role::is_nvidias;
    request.is_recorded = |name| crate::rules::embedded().variable(name).is_some();
    let python = match args.python.as_deref() {
        Some(path) => Some(path.to_str().with_context(|| format!("`{}` is not valid UTF-8", path.display()))?),
        None => None,
    };
    request.imports = (libraries && args.imports != ImportsOf::None).then_some(probe::imports::Scope {
        is_part: |name| crate::rules::embedded().package(name).is_some(),
        is_large: |name| crate::rules::embedded().package(name).is_some_and(|it| it.walk.is_some()),
        all: args.imports == ImportsOf::All,
    });
    let mut refused = None;
    let bar = if args.deep { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.set_message("comparing the installed files with what was recorded of them");
    bar.enable_steady_tick(Duration::from_millis(120));
    let facts = probe::probe(&request, |request| {
        python::probe(python_request(request, python)).unwrap_or_else(|error| {
            refused = Some(error);
            PythonFacts::default()
        })
    });
    bar.finish_and_clear();
    match refused {
        Some(error) => Err(with_hint(error)),
        None => Ok(facts),
    }
}

/// Takes out of facts what nobody else need know: names of host and user, GPU ids, tokens.
#[must_use]
pub fn redacted(facts: &Facts) -> Facts {
    redact(facts, &identity())
}

fn python_request<'a>(request: &'a Request, python: Option<&'a str>) -> PythonRequest<'a> {
    PythonRequest {
        root: &request.root,
        environment: &request.environment,
        current_dir: request.current_dir.as_deref(),
        python,
    }
}

fn with_hint(error: PythonError) -> anyhow::Error {
    let near = error.near().join("`, `");
    let error = anyhow::Error::from(error).context("`--python` names no environment");
    if near.is_empty() { error } else { error.context(format!("did you mean `{near}`?")) }
}

/// Who runs gpudoc, and where.
#[expect(clippy::disallowed_methods, reason = "the edge that knows whom to forget")]
fn identity() -> Identity {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    Identity { hosts: host.into_iter().collect(), users: user.into_iter().filter(|user| user != "root").collect() }
}
