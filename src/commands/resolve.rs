use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::{Args, ValueEnum};

use super::file;
use super::host::named_gpu;
use super::requirement_file::Collected;
use crate::emit;
use crate::exit::Exit;
use crate::facts::Facts;
use crate::rules::requirement::{normalise, parse};
use crate::rules::target::complete_gpus;
use crate::rules::{RuleDb, Target, TargetGpu};
use crate::solve::{Asked, Prefer, Request, Resolution, solve, unknown_names};
use crate::version::{CudaVersion, DriverVersion, GlibcVersion, PythonVersion};

/// Pick builds that work together on a GPU, driver and Python, as a constraints file for pip and uv
///
/// Solves for this host, or for the machine that the options describe. Where nothing fits it says why, and which changes
/// would help.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gpudoc resolve torch torchvision -o constraints.txt
  gpudoc resolve -r requirements.in --gpu \"RTX 5090\" --driver 570.133.20 --python 3.12
  gpudoc resolve \"torch>=2.6,<2.8\" bitsandbytes --gpu H100 --gpu A100 --format json

Then: pip install -r requirements.in -c constraints.txt
Exit status: 0 solved, 1 nothing fits, 2 gpudoc could not run")]
pub struct ResolveArgs {
    /// What must be installed, e.g. `torch>=2.6,<2.8`
    #[arg(value_name = "REQ")]
    pub requirements: Vec<String>,
    /// Requirements file (repeatable)
    #[arg(short, long = "requirement", value_name = "FILE")]
    pub requirement_files: Vec<PathBuf>,
    /// Constraints file (repeatable)
    #[arg(short, long = "constraint", value_name = "FILE")]
    pub constraint_files: Vec<PathBuf>,
    /// Write the result here, not to standard output; nothing is written where nothing fits
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What to write
    #[arg(long, value_enum, default_value_t)]
    pub emit: Emit,
    /// How to answer; `json` is `--emit json`, and also the form of a proof
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// GPU: a product name, compute capability or target, e.g. `RTX 5090`, `12.0`, `sm_120` (repeatable)
    #[arg(long, value_name = "GPU")]
    pub gpu: Vec<String>,
    /// Driver version, e.g. `570.133.20`
    #[arg(long, value_name = "VERSION")]
    pub driver: Option<DriverVersion>,
    /// Python version, e.g. `3.11`, or the interpreter or environment to look at
    #[arg(long, value_name = "VERSION|PATH")]
    pub python: Option<String>,
    /// Platform, e.g. `linux_aarch64`
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<String>,
    /// glibc version, e.g. `2.35`
    #[arg(long, value_name = "VERSION")]
    pub glibc: Option<GlibcVersion>,
    /// Only builds for this CUDA, e.g. `12.8` or `cu128`; `cpu` for CPU builds
    #[arg(long, value_name = "VERSION")]
    pub cuda: Option<String>,
    /// Which of several solutions
    #[arg(long, value_enum, default_value_t)]
    pub prefer: PreferArg,
}

/// What to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// A constraints file for pip and uv.
    #[default]
    Constraints,
    /// The resolution as JSON.
    Json,
}

/// How to answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people and installers.
    #[default]
    Text,
    /// `gpudoc.resolution/1`.
    Json,
}

/// Which of several solutions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PreferArg {
    /// The newest releases.
    #[default]
    Newest,
    /// What is installed, where it still fits.
    Installed,
    /// The oldest releases.
    Lowest,
}

/// Looks at this machine, and at the Python of `--python` where that is a path.
pub type Probe<'p> = dyn Fn(Option<&Path>) -> anyhow::Result<Facts> + 'p;

/// Runs the command: data on `out`, everything else on `err`.
pub fn run(
    args: &ResolveArgs,
    db: &RuleDb,
    probe: &Probe<'_>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let mut asked = Collected::default();
    for line in &args.requirements {
        let requirement = parse(line).map_err(|error| anyhow!("`{line}`: {error}"))?;
        asked.requirements.push(Asked { requirement, origin: "command line".to_owned() });
    }
    for file in &args.requirement_files {
        asked.read(file, false)?;
    }
    for file in &args.constraint_files {
        asked.read(file, true)?;
    }
    for note in &asked.notes {
        writeln!(err, "note: {note}")?;
    }
    if asked.requirements.is_empty() {
        bail!("nothing to resolve: name packages, or give a file with `-r`");
    }
    let request = request(args, asked, db, probe, err)?;
    if let Some(slip) = unknown_names(&request, db).into_iter().next() {
        bail!("unknown package `{}` ({}); did you mean `{}`?", slip.name, slip.origin, slip.meant);
    }
    let json = args.format == Format::Json || args.emit == Emit::Json;
    match solve(&request, db) {
        Ok(resolution) => {
            let text = if json {
                emit::solved(&resolution, &request.target, db)
            } else {
                emit::constraints(&resolution, &request.target, db)
            };
            match &args.output {
                Some(path) => file::write(path, &text)?,
                None => out.write_all(text.as_bytes())?,
            }
            summary(&resolution, args.output.as_deref(), db, err)?;
            Ok(Exit::Ok)
        }
        Err(proof) => {
            let text = if json {
                emit::unsolvable(&proof, &request.target)
            } else {
                emit::proof(&proof, super::width().clamp(40, 100))
            };
            out.write_all(text.as_bytes())?;
            Ok(Exit::Failed)
        }
    }
}

/// The request: this host where it is known, the options above it.
fn request(
    args: &ResolveArgs,
    asked: Collected,
    db: &RuleDb,
    probe: &Probe<'_>,
    err: &mut dyn Write,
) -> anyhow::Result<Request> {
    let python = args.python.as_deref().unwrap_or_default();
    let free_threaded = python.strip_suffix('t');
    let version: Option<PythonVersion> = free_threaded.unwrap_or(python).parse().ok();
    let path = args.python.as_ref().filter(|_| version.is_none()).map(Path::new);
    if let Some(path) = path
        && !path.exists()
    {
        bail!("`--python {}` is neither a version such as `3.11` nor an interpreter or environment", path.display());
    }
    let mut facts = probe(path)?;
    complete_gpus(&mut facts, db);
    let mut target = Target::from_facts(&facts, db);
    if !args.gpu.is_empty() {
        let named: Vec<_> = args.gpu.iter().map(|text| named_gpu(text, db)).collect::<Result<_, _>>()?;
        let here = |gpu: &TargetGpu| target.gpus.iter().any(|own| own.capability == gpu.capability);
        if !named.iter().all(here) {
            // Another machine's GPU: this one's driver says nothing about it.
            (target.driver, target.compat) = (None, None);
        }
        target.gpus = named;
    }
    if let Some(driver) = &args.driver {
        (target.driver, target.compat) = (Some(driver.clone()), None);
    }
    if version.is_some() {
        target.python = version;
        target.free_threaded = free_threaded.is_some();
    }
    if let Some(platform) = &args.platform {
        target.platform = Some(self::platform(platform)?);
    }
    target.glibc = args.glibc.or(target.glibc);
    match args.cuda.as_deref() {
        Some("cpu") => target.cpu_only = true,
        Some(text) => {
            let cuda = CudaVersion::from_variant(text).map_or_else(|| text.parse(), Ok);
            target.cuda = Some(cuda.with_context(|| format!("`--cuda {text}`"))?);
        }
        None => {}
    }
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
    if !unknown.is_empty() {
        writeln!(err, "note: not known, and so not judged: {}", crate::text::list(&unknown))?;
    }
    if target.platform.is_none() {
        target.platform = Some("linux_x86_64".to_owned());
        writeln!(err, "note: platform not known, taken to be linux_x86_64 (`--platform`)")?;
    }
    let versions = facts.active_distributions().filter_map(|distribution| {
        let text = distribution.full_version();
        Some((normalise(&distribution.name), text.parse().ok()?))
    });
    let installed = versions.collect();
    let prefer = match args.prefer {
        PreferArg::Newest => Prefer::Newest,
        PreferArg::Installed => Prefer::Installed,
        PreferArg::Lowest => Prefer::Lowest,
    };
    let Collected { requirements, constraints, .. } = asked;
    Ok(Request { target, requirements, constraints, installed, prefer })
}

/// A platform of `--platform`, also in other spellings: `x86_64`, `linux-aarch64`.
fn platform(text: &str) -> anyhow::Result<String> {
    let plain = text.replace('-', "_");
    match plain.strip_prefix("linux_").unwrap_or(&plain) {
        "x86_64" | "amd64" => Ok("linux_x86_64".to_owned()),
        "aarch64" | "arm64" => Ok("linux_aarch64".to_owned()),
        _ => bail!("unknown platform `{text}`; the rules know `linux_x86_64` and `linux_aarch64`"),
    }
}

fn summary(resolution: &Resolution<'_>, file: Option<&Path>, db: &RuleDb, err: &mut dyn Write) -> anyhow::Result<()> {
    let count = crate::text::count(resolution.pins.len(), "package", "packages");
    match file {
        Some(file) => writeln!(err, "solved: {count}, written to `{}`", file.display())?,
        None => writeln!(err, "solved: {count}")?,
    }
    if !resolution.unchecked.is_empty() {
        let names = crate::text::list(&resolution.unchecked);
        writeln!(err, "note: not covered by the rules, and neither pinned nor judged: {names}")?;
    }
    if !emit::indexes(resolution, db).is_empty() {
        writeln!(
            err,
            "hint: with uv add `--index-strategy unsafe-best-match`, for it takes each package from one index"
        )?;
    }
    Ok(())
}
