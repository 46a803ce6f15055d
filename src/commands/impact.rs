use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::beside;
use super::file::{self, Disk};
use super::format::Format;
use super::targets::{Chosen, Probe, TargetArgs};
use crate::emit;
use crate::exit::Exit;
use crate::project::pyproject::Selection;
use crate::report::{impact as report, unified_diff};
use crate::rules::{RuleDb, Target};
use crate::session::asked::Inputs;
use crate::session::impact::{self as session, Foreseen};

/// Show what a change would do to an environment: what is safe, must change, must be rebuilt, or conflicts
///
/// Nothing is installed. All that is installed is kept wherever it can be; the number of packages that change is the smallest
/// that there is. `--gpu`, `--driver` and `--python` ask the same for another machine.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gpudoc impact torch==2.7.1+cu128                   here
  gpudoc impact torch==2.7.1+cu128 --gpu \"RTX 5090\"  and on another GPU
  gpudoc impact --to requirements.txt --from pod.json
  gpudoc impact torch==2.7.1+cu128 --edit Dockerfile --edit requirements.txt --write

Exit codes: 0 it can be done, 1 something conflicts or would fail afterwards, 2 gpudoc could not run.")]
pub struct ImpactArgs {
    /// What is to be installed, e.g. `torch==2.7.1+cu128`
    #[arg(value_name = "REQ")]
    pub requirements: Vec<String>,
    /// A requirements file to change to (repeatable)
    #[arg(long = "to", value_name = "FILE")]
    pub to: Vec<PathBuf>,
    /// Constraints file (repeatable)
    #[arg(short, long = "constraint", value_name = "FILE")]
    pub constraint_files: Vec<PathBuf>,
    /// A requirements file, pyproject.toml or Dockerfile to show the edits of (repeatable)
    #[arg(long, value_name = "FILE")]
    pub edit: Vec<PathBuf>,
    /// Make the edits
    #[arg(long, requires = "edit")]
    pub write: bool,
    /// How to answer
    #[arg(long, value_parser = Format::plain(), default_value = "text")]
    pub format: Format,
    #[command(flatten)]
    pub targets: TargetArgs,
}

/// Runs the command: data on `out`, everything else on `err`.
///
/// # Errors
///
/// When an argument or a file means nothing; the error names the fix.
pub fn run(
    args: &ImpactArgs,
    db: &RuleDb,
    probe: &Probe<'_>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let mut inputs = Inputs::default();
    for line in &args.requirements {
        inputs.add(line)?;
    }
    for file in &args.to {
        inputs.read(&Disk, file, false, &Selection::default())?;
    }
    for file in &args.constraint_files {
        inputs.read(&Disk, file, true, &Selection::default())?;
    }
    for note in &inputs.notes {
        writeln!(err, "note: {note}")?;
    }
    let asked = inputs.settle(db);
    if asked.requirements.is_empty() {
        bail!("no change to look at: name what is to be installed, or give a file with `--to`");
    }
    let Chosen { targets, facts } = args.targets.choose(db, probe, err)?;
    let Foreseen { facts, outlook } = session::foreseen(&asked, facts.as_ref(), &targets, db)?;
    let target = targets.first().map(Target::in_words).unwrap_or_default();
    let outlook = match outlook {
        Ok(outlook) => outlook,
        Err(proof) => {
            let text = match args.format {
                Format::Json => emit::unsolvable(&proof, &targets.iter().collect::<Vec<_>>()),
                _ => emit::proof(&proof, super::width().clamp(40, 100)),
            };
            out.write_all(text.as_bytes())?;
            return Ok(Exit::Failed);
        }
    };
    let (mut diffs, mut edited) = (Vec::new(), Vec::new());
    let read = |path: &PathBuf| Ok((path.display().to_string(), file::read(path)?));
    let files: Vec<(String, String)> = args.edit.iter().map(read).collect::<anyhow::Result<_>>()?;
    let wider = targets.first().and_then(|it| session::with_files(&asked, &facts, it, &files, &outlook, db));
    for (path, (name, before)) in args.edit.iter().zip(&files) {
        let (after, notes) = session::rewritten(name, before, wider.as_ref().unwrap_or(&outlook), db);
        for note in notes {
            writeln!(err, "note: {name}: {note}")?;
        }
        let Some(after) = after else {
            writeln!(err, "`{name}`: nothing to change")?;
            edited.push((name.clone(), before.clone()));
            continue;
        };
        edited.push((name.clone(), after.clone()));
        diffs.push((name.clone(), unified_diff(name, before, &after, 1)));
        if args.write && file::read_bytes(path)? == before.as_bytes() {
            file::write(path, &after)?;
            writeln!(err, "wrote `{name}`")?;
        } else if args.write {
            writeln!(err, "note: `{name}` is not UTF-8, and is left as it is")?;
        }
    }
    let mut known: Vec<_> = edited.into_iter().filter_map(session::of_a_kind).collect();
    known.extend(beside::programs(&known));
    for note in session::tripped(&known, &targets, db) {
        writeln!(err, "note: {note}")?;
    }
    let text = match args.format {
        Format::Json => report::json(&outlook, &diffs, &facts),
        _ => report::text(&outlook, &diffs, &target, &facts, super::width()),
    };
    out.write_all(text.as_bytes())?;
    writeln!(err, "{}", report::summary(&outlook))?;
    if !diffs.is_empty() && !args.write {
        writeln!(err, "hint: `--write` makes the edits")?;
    }
    Ok(session::exit(&outlook))
}
