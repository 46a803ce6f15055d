use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args, ValueEnum};

use super::file::{self, Disk};
use super::format::Format;
use super::online;
use super::targets::{Chosen, Probe, TargetArgs};
use crate::emit::{self, Answer, Emitted};
use crate::exit::Exit;
use crate::project::pyproject::Selection;
use crate::rules::{RuleDb, Target};
use crate::session::asked::Inputs;
use crate::session::resolve::{self as session, Solved, Taken, Wishes};
use crate::session::weigh;
use crate::solve::{Prefer, Proof, Request, Resolution, unknown_extras};

/// Pick builds that work together on a GPU, driver and Python, as a constraints file for pip and uv
///
/// Solves for this host, or for the machine that the options describe, and writes the answer in the form of `--emit`. Where
/// nothing fits it says why, and which changes would help.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gpudoc resolve torch torchvision -o constraints.txt
  gpudoc resolve -r requirements.in --gpu \"RTX 5090\" --driver 570.133.20 --python 3.12
  gpudoc resolve \"torch>=2.6,<2.8\" bitsandbytes --gpu H100 --gpu A100 --format json
  gpudoc resolve -r requirements.in --target train --target laptop   (of gpudoc.toml)
  gpudoc resolve bitsandbytes --prefer installed      the fewest changes to what is here

Then: pip install -r requirements.in -c constraints.txt
Exit status: 0 solved, 1 nothing fits, 2 gpudoc could not run")]
pub struct ResolveArgs {
    /// What must be installed, e.g. `torch>=2.6,<2.8`
    #[arg(value_name = "REQ")]
    pub requirements: Vec<String>,
    /// Requirements file or pyproject.toml (repeatable)
    #[arg(short, long = "requirement", value_name = "FILE")]
    pub requirement_files: Vec<PathBuf>,
    /// Constraints file (repeatable)
    #[arg(short, long = "constraint", value_name = "FILE")]
    pub constraint_files: Vec<PathBuf>,
    /// Also a dependency group of the pyproject.toml (repeatable)
    #[arg(long, value_name = "NAME")]
    pub group: Vec<String>,
    /// Also an extra of the pyproject.toml (repeatable)
    #[arg(long, value_name = "NAME")]
    pub extra: Vec<String>,
    /// Also all dependency groups
    #[arg(long)]
    pub all_groups: bool,
    /// Also all extras
    #[arg(long)]
    pub all_extras: bool,
    /// Write the result here, not to standard output; nothing is written where nothing fits
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What to write
    #[arg(long, value_enum, value_name = "KIND", default_value_t)]
    pub emit: Emit,
    /// With `--emit requirements`: the SHA-256 of each file, where the rules have it for every line
    #[arg(long)]
    pub hashes: bool,
    /// How to answer; `json` is `--emit json`, and also the form of a proof
    #[arg(long, value_parser = Format::plain(), default_value = "text")]
    pub format: Format,
    /// Which of several solutions
    #[arg(long, value_enum, default_value_t)]
    pub prefer: PreferArg,
    /// An installed package that must stay as it is (repeatable)
    #[arg(long, value_name = "PACKAGE")]
    pub keep: Vec<String>,
    /// Ask a package index what packages that the rules do not cover declare of those that they do
    #[arg(long)]
    pub online: bool,
    /// The index to ask: PyPI, or any that serves the simple repository API
    #[arg(long, value_name = "URL", default_value = crate::index::simple::PYPI, requires = "online")]
    pub index: reqwest::Url,
    /// Where nothing else is left, break a package's pin of another, and say what is lost
    #[arg(long)]
    pub allow_override: bool,
    /// One file for each target, where `-o` has `{target}` for its name
    #[arg(long)]
    pub per_target: bool,
    #[command(flatten)]
    pub targets: TargetArgs,
}

/// What to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// Pins for `pip install -c` and `uv pip install -c`
    #[default]
    Constraints,
    /// The whole set for `pip install -r`, with the lines that the rules do not cover
    Requirements,
    /// A `pyproject.toml` for uv: pins, sources, indexes
    Uv,
    /// The pip commands, in the order that works
    Pip,
    /// A Dockerfile
    Dockerfile,
    /// A conda `environment.yml` with a pip section
    Conda,
    /// A bash script that sets up a pod: driver, cuda-compat where it is needed, installs, `gpudoc check`
    Script,
    /// The resolution as JSON
    Json,
}

impl Emit {
    /// The file, and what the user should know beside it.
    fn write(self, answer: &Answer<'_>, hashes: bool) -> Emitted {
        match self {
            Self::Constraints => emit::constraints(answer.resolution, answer.targets, answer.db).into(),
            Self::Requirements => emit::requirements(answer, hashes),
            Self::Uv => emit::uv(answer),
            Self::Pip => emit::pip(answer),
            Self::Dockerfile => emit::dockerfile(answer),
            Self::Conda => emit::conda(answer),
            Self::Script => emit::script(answer),
            Self::Json => emit::solved(answer.resolution, answer.targets, answer.db).into(),
        }
    }
}

/// Which of several solutions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PreferArg {
    /// The newest releases.
    #[default]
    Newest,
    /// The fewest packages changed: all that is installed stays, wherever it can
    Installed,
    /// The oldest releases.
    Lowest,
}

/// What stands for the name of a target in `-o`.
const PLACE: &str = "{target}";

impl From<PreferArg> for Prefer {
    fn from(prefer: PreferArg) -> Self {
        match prefer {
            PreferArg::Newest => Self::Newest,
            PreferArg::Installed => Self::Installed,
            PreferArg::Lowest => Self::Lowest,
        }
    }
}

/// Runs the command: data on `out`, everything else on `err`.
pub fn run(
    args: &ResolveArgs,
    db: &RuleDb,
    probe: &Probe<'_>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let inputs = inputs(args)?;
    told(inputs.notes.iter().cloned(), err)?;
    if args.hashes && args.emit != Emit::Requirements {
        bail!("`--hashes` goes with `--emit requirements`");
    }
    let Chosen { targets, facts } = args.targets.choose(db, probe, err)?;
    let settled = inputs.settle(db);
    let (taken, note) = Taken::of(&settled);
    told(note, err)?;
    let here = args.targets.is_about_this_environment();
    let wishes = Wishes { prefer: args.prefer.into(), keep: args.keep.clone(), here };
    let mut request = session::request(&wishes, settled, &targets, facts.as_ref(), db)?;
    request.from_index = inputs.from_index(&targets, db);
    request.overrides = inputs.overrides.iter().map(|asked| asked.requirement.name.to_string()).collect();
    let mut known = None;
    if args.online {
        let weighed = weigh::ask(&mut request, &online::index(&args.index, db), db)?;
        told(weighed.notes, err)?;
        if let Some(why) = weighed.refused {
            let proof = Proof { conclusion: why, ..Proof::default() };
            return refused(args, &proof, &targets.iter().collect::<Vec<_>>(), out);
        }
        known = weighed.solved;
    }
    told(session::unsupported(&inputs, &targets), err)?;
    session::sensible(&request, &taken, db)?;
    for note in unknown_extras(&request, db) {
        writeln!(err, "{note}")?;
    }
    if !args.per_target {
        return answer(args, (&request, known), &taken, args.output.as_deref(), db, out, err);
    }
    let Some(pattern) = args.output.as_ref().and_then(|path| path.to_str()).filter(|path| path.contains(PLACE)) else {
        bail!(
            "`--per-target` writes one file for each: give `-o` a name with `{PLACE}`, e.g. `-o constraints-{PLACE}.txt`"
        );
    };
    let mut good = true;
    for target in targets {
        let name = target.name.clone().unwrap_or_else(|| "host".to_owned());
        let path = PathBuf::from(pattern.replace(PLACE, &name));
        let own = Request { target, beside: Vec::new(), ..request.clone() };
        good &= answer(args, (&own, None), &taken, Some(&path), db, out, err)? == Exit::Ok;
    }
    Ok(Exit::ok_if(good))
}

/// Writes notes.
fn told(notes: impl IntoIterator<Item = String>, err: &mut dyn Write) -> anyhow::Result<()> {
    for note in notes {
        writeln!(err, "note: {note}")?;
    }
    Ok(())
}

/// Solves one request, where it is not solved yet, and writes the answer.
fn answer(
    args: &ResolveArgs,
    (request, known): (&Request, Option<Resolution<'_>>),
    taken: &Taken,
    output: Option<&Path>,
    db: &RuleDb,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let targets: Vec<&Target> = [&request.target].into_iter().chain(&request.beside).collect();
    let (resolution, overridden) = match session::solved((request, known), taken, args.allow_override, db) {
        Solved::Set(resolution, overridden) => (resolution, overridden),
        Solved::Uncovered(why, names) => {
            if is_json(args) {
                out.write_all(emit::uncovered(&why, &names, &targets).as_bytes())?;
            } else {
                writeln!(err, "{why}")?;
            }
            return Ok(Exit::Failed);
        }
        Solved::None(proof) => return refused(args, &proof, &targets, out),
    };
    let answer = Answer {
        resolution: &resolution,
        targets: &targets,
        db,
        lines: &request.requirements,
        taken: &taken.lines,
        overridden: &overridden,
    };
    let kind = if is_json(args) { Emit::Json } else { args.emit };
    let Emitted { text, notes } = kind.write(&answer, args.hashes);
    if text.is_empty() {
        bail!("{}", notes.join("; "));
    }
    match output {
        Some(path) => file::write(path, &text)?,
        None => out.write_all(text.as_bytes())?,
    }
    told(notes, err)?;
    let written = output.map(|path| path.display().to_string());
    let for_uv = matches!(kind, Emit::Constraints | Emit::Requirements | Emit::Json);
    for line in session::summary(&resolution, written.as_deref(), for_uv, db) {
        writeln!(err, "{line}")?;
    }
    Ok(Exit::Ok)
}

fn is_json(args: &ResolveArgs) -> bool {
    args.format == Format::Json || args.emit == Emit::Json
}

/// Writes why there is no answer.
fn refused(args: &ResolveArgs, proof: &Proof, targets: &[&Target], out: &mut dyn Write) -> anyhow::Result<Exit> {
    let text = if is_json(args) {
        emit::unsolvable(proof, targets)
    } else {
        emit::proof(proof, super::width().clamp(40, 100))
    };
    out.write_all(text.as_bytes())?;
    Ok(Exit::Failed)
}

/// What command line and files ask for.
fn inputs(args: &ResolveArgs) -> anyhow::Result<Inputs> {
    let selection = Selection {
        extras: args.extra.clone(),
        groups: args.group.clone(),
        all_extras: args.all_extras,
        all_groups: args.all_groups,
    };
    let files = || args.requirement_files.iter().chain(&args.constraint_files);
    if selection != Selection::default() && !files().any(|file| file.extension().is_some_and(|ending| ending == "toml"))
    {
        bail!("`--group` and `--extra` choose from a pyproject.toml: give it with `-r pyproject.toml`");
    }
    let mut inputs = Inputs::default();
    for line in &args.requirements {
        inputs.add(line)?;
    }
    for file in &args.requirement_files {
        inputs.read(&Disk, file, false, &selection)?;
    }
    for file in &args.constraint_files {
        inputs.read(&Disk, file, true, &selection)?;
    }
    Ok(inputs)
}
