use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::{Args, ValueEnum};

use super::format::Plain;
use super::inputs::{Inputs, Settled};
use super::targets::{Chosen, Probe, TargetArgs};
use super::{backtrack, file};
use crate::emit::{self, Answer, Emitted, Overridden};
use crate::exit::Exit;
use crate::facts::Facts;
use crate::pep::Version;
use crate::project::pyproject::Selection;
use crate::rules::requirement::{normalise, parse};
use crate::rules::role::is_runtime_wheel;
use crate::rules::schema::KnownHow;
use crate::rules::{RuleDb, Target};
use crate::solve::{
    AskedRequirement, Change, INSTALLED, Prefer, Proof, Request, Resolution, installed_outsiders, solve,
    unknown_extras, unknown_names,
};

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
    #[arg(long, value_enum, default_value_t)]
    pub format: Plain,
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

/// Runs the command: data on `out`, everything else on `err`.
pub fn run(
    args: &ResolveArgs,
    db: &RuleDb,
    probe: &Probe<'_>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let inputs = inputs(args)?;
    for note in &inputs.notes {
        writeln!(err, "note: {note}")?;
    }
    if args.hashes && args.emit != Emit::Requirements {
        bail!("`--hashes` goes with `--emit requirements`");
    }
    let Chosen { targets, facts } = args.targets.choose(db, probe, err)?;
    let settled = inputs.settle(db);
    let respected: Vec<_> = settled.respected.iter().map(|one| format!("{} ({})", one.text, one.place)).collect();
    let taken = Taken {
        names: settled.respected.iter().map(|one| one.name.clone().unwrap_or(one.text.clone())).collect(),
        lines: settled.respected.iter().map(|one| one.text.clone()).collect(),
    };
    if !respected.is_empty() {
        writeln!(err, "note: taken as they are, and not judged: {}", crate::text::list(&respected))?;
    }
    let mut request = request(args, settled, &targets, facts.as_ref(), db)?;
    request.from_index = inputs.from_index(&targets, db);
    request.overrides = inputs.overrides.iter().map(|asked| asked.requirement.name.to_string()).collect();
    if args.online {
        let weighed = backtrack::ask(&mut request, &args.index, db)?;
        for note in weighed.notes {
            writeln!(err, "note: {note}")?;
        }
        if let Some(why) = weighed.refused {
            return refused(
                args,
                &Proof { conclusion: why, ..Proof::default() },
                &targets.iter().collect::<Vec<_>>(),
                out,
            );
        }
    }
    if request.requirements.is_empty() && taken.lines.is_empty() {
        bail!("nothing to resolve: name packages, or give a file with `-r`");
    }
    supported(&inputs, &targets, err)?;
    if let Some(slip) = unknown_names(&request, db).into_iter().next() {
        bail!("unknown package `{}` ({}); did you mean `{}`?", slip.name, slip.origin, slip.meant);
    }
    for note in unknown_extras(&request, db) {
        writeln!(err, "{note}")?;
    }
    if !args.per_target {
        return answer(args, &request, &taken, args.output.as_deref(), db, out, err);
    }
    let Some(pattern) = args.output.as_ref().and_then(|path| path.to_str()).filter(|path| path.contains(PLACE)) else {
        bail!(
            "`--per-target` writes one file for each: give `-o` a name with `{PLACE}`, e.g. `-o constraints-{PLACE}.txt`"
        );
    };
    let mut exit = Exit::Ok;
    for target in targets {
        let name = target.name.clone().unwrap_or_else(|| "host".to_owned());
        let path = PathBuf::from(pattern.replace(PLACE, &name));
        let own = Request { target, beside: Vec::new(), ..request.clone() };
        if answer(args, &own, &taken, Some(&path), db, out, err)? != Exit::Ok {
            exit = Exit::Failed;
        }
    }
    Ok(exit)
}

/// So many packages outside the rules are named.
const NAMED: usize = 5;

/// What stands for the name of a target in `-o`.
const PLACE: &str = "{target}";

/// What the user brings along: addresses and paths, neither pinned nor judged.
struct Taken {
    /// Names where they are known, else the lines.
    names: Vec<String>,
    /// As written, e.g. `./lib`.
    lines: Vec<String>,
}

/// Solves one request and writes the answer.
fn answer(
    args: &ResolveArgs,
    request: &Request,
    taken: &Taken,
    output: Option<&Path>,
    db: &RuleDb,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let targets: Vec<&Target> = [&request.target].into_iter().chain(&request.beside).collect();
    let json = args.format == Plain::Json || args.emit == Emit::Json;
    let (solved, overridden) = solve_with_overrides(args, request, db);
    match solved {
        Ok(resolution) if resolution.pins.is_empty() && resolution.unlisted.is_empty() && taken.lines.is_empty() => {
            // Nothing that was asked for is judged, so nothing is solved.
            let named = request.requirements.iter().map(|asked| asked.requirement.name.to_string());
            let names = crate::text::list(&named.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
            let why = format!("the rules cover nothing of what is asked for: {names}");
            if json {
                out.write_all(emit::uncovered(&why, &resolution.unchecked, &targets).as_bytes())?;
            } else {
                writeln!(err, "{why}")?;
            }
            Ok(Exit::Failed)
        }
        Ok(mut resolution) => {
            // Whoever brings a package along gets no other version of it.
            resolution.pins.retain(|pin| !taken.names.iter().any(|name| name == pin.name));
            resolution.unchecked.extend_from_slice(&taken.names);
            resolution.unchecked.sort();
            resolution.unchecked.dedup();
            let answer = Answer {
                resolution: &resolution,
                targets: &targets,
                db,
                lines: &request.requirements,
                taken: &taken.lines,
                overridden: &overridden,
            };
            let kind = if json { Emit::Json } else { args.emit };
            let Emitted { text, notes } = kind.write(&answer, args.hashes);
            if text.is_empty() {
                bail!("{}", notes.join("; "));
            }
            match output {
                Some(path) => file::write(path, &text)?,
                None => out.write_all(text.as_bytes())?,
            }
            for note in notes {
                writeln!(err, "note: {note}")?;
            }
            summary(&resolution, output, kind, db, err)?;
            Ok(Exit::Ok)
        }
        Err(proof) => refused(args, &proof, &targets, out),
    }
}

/// Writes why there is no answer.
fn refused(args: &ResolveArgs, proof: &Proof, targets: &[&Target], out: &mut dyn Write) -> anyhow::Result<Exit> {
    let text = if args.format == Plain::Json || args.emit == Emit::Json {
        emit::unsolvable(proof, targets)
    } else {
        emit::proof(proof, super::width().clamp(40, 100))
    };
    out.write_all(text.as_bytes())?;
    Ok(Exit::Failed)
}

/// Solves, and with `--allow-override` again without the pins that alone are in the way.
fn solve_with_overrides<'db>(
    args: &ResolveArgs,
    request: &Request,
    db: &'db RuleDb,
) -> (Result<Resolution<'db>, Box<Proof>>, Vec<Overridden>) {
    let proof = match solve(request, db) {
        Err(proof) if args.allow_override => proof,
        solved => return (solved, Vec::new()),
    };
    let found = proof.actions.iter().find_map(|action| match action.changes.as_slice() {
        [Change::Override { package, asked, pinned_by, pin }] => Some((package, asked, pinned_by, pin)),
        _ => None,
    });
    let Some((package, asked, pinned_by, pin)) = found else { return (Err(proof), Vec::new()) };
    let mut loose = request.clone();
    loose.overrides.push(package.clone());
    let solved = solve(&loose, db);
    let chosen = solved.as_ref().ok().and_then(|resolution| resolution.pins.iter().find(|pin| pin.name == package));
    let asked = chosen.map_or(asked.clone(), |pin| format!("{package}=={}", pin.version()));
    let (package, pinned_by, pin) = (package.clone(), pinned_by.clone(), pin.clone());
    (solved, vec![Overridden { package, asked, pinned_by, pin }])
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
        inputs.read(file, false, &selection)?;
    }
    for file in &args.constraint_files {
        inputs.read(file, true, &selection)?;
    }
    Ok(inputs)
}

/// Says so where a project does not support a target's Python.
fn supported(inputs: &Inputs, targets: &[Target], err: &mut dyn Write) -> anyhow::Result<()> {
    for python in targets.iter().filter_map(|target| target.python).collect::<BTreeSet<_>>() {
        let Ok(version) = python.to_string().parse() else { continue };
        for (range, place) in inputs.requires_python.iter().filter(|(range, _)| !range.contains(&version)) {
            writeln!(err, "note: {place}: the project needs Python {range}, not {python}")?;
        }
    }
    Ok(())
}

/// The request: what is asked for, and with `--prefer installed` also everything that is installed and covered.
fn request(
    args: &ResolveArgs,
    asked: Settled,
    targets: &[Target],
    facts: Option<&Facts>,
    db: &RuleDb,
) -> anyhow::Result<Request> {
    let Settled { mut requirements, constraints, .. } = asked;
    let distributions = facts.into_iter().flat_map(Facts::active_distributions);
    let versions = distributions
        .filter_map(|distribution| Some((normalise(&distribution.name), distribution.full_version().parse().ok()?)));
    let installed: BTreeMap<String, Version> = versions.collect();
    let by_name = facts.into_iter().flat_map(Facts::active_distributions).filter(|distribution| distribution.requested);
    let requested = by_name.map(|distribution| normalise(&distribution.name)).collect();
    let here = facts.filter(|_| args.targets.is_about_this_environment());
    let outsiders = here.map(|facts| installed_outsiders(facts, db)).unwrap_or_default();
    let prefer = match args.prefer {
        PreferArg::Newest => Prefer::Newest,
        PreferArg::Installed => Prefer::Installed,
        PreferArg::Lowest => Prefer::Lowest,
    };
    if prefer == Prefer::Installed {
        if facts.is_none() {
            bail!("`--prefer installed` is about this machine or a snapshot (`--from`), not about declared targets");
        }
        let covered = installed.keys().filter(|name| db.package(name).is_some() && !is_runtime_wheel(name));
        for name in covered.chain(outsiders.keys()) {
            let requirement = parse(name).map_err(|error| anyhow!("`{name}`: {error}"))?;
            requirements.push(AskedRequirement::new(requirement, INSTALLED));
        }
    }
    let keep: Vec<String> = args.keep.iter().map(|name| normalise(name)).collect();
    for name in &keep {
        if !installed.contains_key(name) {
            bail!("`--keep {name}`: it is not installed");
        }
        if db.package(name).is_none() {
            bail!("`--keep {name}`: the rules do not cover it, so nothing here would change it");
        }
    }
    let mut targets = targets.iter().cloned();
    let target = targets.next().unwrap_or_default();
    Ok(Request {
        target,
        beside: targets.collect(),
        requirements,
        constraints,
        installed,
        requested,
        outsiders,
        keep,
        prefer,
        ..Request::default()
    })
}

fn summary(
    resolution: &Resolution<'_>,
    file: Option<&Path>,
    kind: Emit,
    db: &RuleDb,
    err: &mut dyn Write,
) -> anyhow::Result<()> {
    let count = crate::text::count(resolution.pins.len(), "package", "packages");
    match file {
        Some(file) => writeln!(err, "solved: {count}, written to `{}`", file.display())?,
        None => writeln!(err, "solved: {count}")?,
    }
    if !resolution.unchecked.is_empty() {
        let names = crate::text::list(&resolution.unchecked);
        writeln!(err, "note: not covered by the rules, and neither pinned nor judged: {names}")?;
    }
    if !resolution.unlisted.is_empty() {
        let lines = crate::text::list(&resolution.unlisted);
        writeln!(err, "note: in a version that the rules do not know, taken as it is and not judged: {lines}")?;
    }
    let unread = resolution.pins.iter().filter(|pin| pin.requires_known() == KnownHow::Unknown);
    let unread: Vec<_> = unread.map(|pin| format!("{} {}", pin.name, pin.release.version)).collect();
    if !unread.is_empty() {
        writeln!(
            err,
            "note: nobody read what these require, so nothing is promised of it: {}",
            crate::text::list(&unread)
        )?;
    }
    if !resolution.outsiders.is_empty() {
        let (shown, more) = resolution.outsiders.split_at(resolution.outsiders.len().min(NAMED));
        let mut names = shown.to_vec();
        names.extend((!more.is_empty()).then(|| format!("{} more", more.len())));
        let names = crate::text::list(&names);
        writeln!(err, "note: not pinned, but the pins keep to what these declare: {names}")?;
    }
    let for_uv = matches!(kind, Emit::Constraints | Emit::Requirements | Emit::Json);
    if for_uv && !emit::indexes(resolution, db).is_empty() {
        writeln!(
            err,
            "hint: with uv add `--index-strategy unsafe-best-match`, for it takes each package from one index"
        )?;
    }
    Ok(())
}
