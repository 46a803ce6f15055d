use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use clap::ValueEnum;

use super::examine::{expect_recognised, workload};
use super::format::Format;
use super::host::{HostArgs, probe_timed, redacted};
use super::{input, look, note, print, today, width};
use crate::config::Use;
use crate::exit::Exit;
use crate::facts::Facts;
use crate::probe::clock::Clock;
use crate::report::ci::Problems;
use crate::report::{self, Demanded, Report};
use crate::rules::age::Age;
use crate::rules::{self, Workload};
use crate::session::check::{self as session, Examined};

/// Find out what does not fit on this machine, how we know, and what to do
///
/// Reads the driver, the GPUs and the Python environment without importing or running anything in it. Exits with 0 when
/// nothing fails, 1 when something does, 2 when gpudoc could not run or recognised nothing in what it was given.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc check                         this machine and the active environment
  gpudoc check --python .venv          another environment
  gpudoc check --require gpu           a deployment gate: no GPU is a failure
  gpudoc check --from pod.json         a snapshot from `gpudoc probe`
  gpudoc check --from issue.txt        a pasted report: collect_env, nvidia-smi, pip list, errors, any mix
  gpudoc check --root /mnt/image       a mounted image
  gpudoc check --against known-good.json   only what has changed since `gpudoc probe -o known-good.json`
  gpudoc check --format json           for programs; also junit, sarif, github, gitlab")]
pub struct Args {
    /// Judge a snapshot or a pasted report instead of this machine (`-` for standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["python", "root"])]
    from: Option<PathBuf>,
    /// Only what differs from a snapshot of a machine that worked; exits with 1 when something fails that did not
    /// (with `--strict` on any difference)
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    #[command(flatten)]
    host: HostArgs,
    /// How to write the report
    #[arg(long, value_parser = Format::of_findings(), default_value = "text")]
    format: Format,
    /// Tell how it is known too: the evidence, its sources, all that would help, what was not checked
    #[arg(long, short, conflicts_with = "quiet")]
    verbose: bool,
    /// Only the last line, and nothing where nothing is wrong
    #[arg(long, short)]
    quiet: bool,
    /// Exit with 1 on warnings too, and where too little is known for a verdict
    #[arg(long)]
    strict: bool,
    /// Fail when this is missing or could not be checked
    #[arg(long, value_enum, value_name = "WHAT")]
    require: Vec<Need>,
    /// Fail when the newest row of the rules is older than so many days
    #[arg(long, value_name = "DAYS")]
    max_rules_age: Option<u64>,
    /// Start CUDA in a process of its own, and say whether it answers as the facts foretell
    #[arg(long, conflicts_with_all = ["from", "root"])]
    cuda_init: bool,
    /// Say on standard error what each part took
    #[arg(long)]
    timings: bool,
    /// What the project does, to switch on the advisories for it, e.g. `torch.compile`
    #[arg(long, value_name = "WORKLOAD", value_parser = known_use)]
    uses: Vec<String>,
}

/// A word that advisories know.
pub(super) fn known_use(text: &str) -> Result<String, String> {
    Use::try_from(text.to_owned()).map(|word| word.0)
}

/// What a machine must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Need {
    /// A GPU that was seen, and the checks of it
    Gpu,
}

/// Runs the command.
///
/// # Errors
///
/// When the environment named is not one, the snapshot cannot be read, or nothing was recognised in a text.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let done = judge(args);
    // Who asked for JSON parses what comes, also where there is no report.
    if let (Err(error), Format::Json) = (&done, args.format) {
        print(&report::no_report(&format!("{error:#}"))?)?;
    }
    done
}

fn judge(args: &Args) -> anyhow::Result<Exit> {
    let clock = Arc::<Clock>::default();
    let db = clock.time("rules", rules::embedded);
    let (facts, told) = match &args.from {
        Some(path) => {
            let input = clock.time("text", || input::read(path, db))?;
            (input.facts, input.told)
        }
        None => (probe_timed(&args.host, args.cuda_init, &clock)?, None),
    };
    let workload = workload(&args.uses);
    if let Some(known_good) = &args.against {
        return drift(args, known_good, &facts, &workload);
    }
    let examined = Examined::of(&facts, db, &workload, told.as_ref(), &*clock);
    let Examined { checks: checked, findings, plan } = examined;
    expect_recognised(args.from.as_deref(), &facts, &findings)?;
    let demanded = Demanded { gpu: args.require.contains(&Need::Gpu), max_rules_age: args.max_rules_age };
    let report =
        Report::new(&facts, checked, (findings, plan), demanded, Age::on(db.newest(), &today()), &db.tables().screen);
    match args.format {
        Format::Text if args.quiet => print(&report::quiet(&report, look()))?,
        Format::Text if args.verbose => print(&report::full(&report, look()))?,
        Format::Text | Format::Script | Format::Html => print(&report::text(&report, look()))?,
        Format::Json => print(&report::json(&report)?)?,
        Format::Markdown => print(&report::markdown(&report))?,
        Format::Ci(form) => print(&(form.write)(&Problems::of_check(&report))?)?,
    }
    if args.timings {
        note(&clock.lines());
    }
    Ok(session::exit(&report.verdict, args.strict, !args.require.is_empty()))
}

/// What has changed since a snapshot.
fn drift(args: &Args, known_good: &Path, facts: &Facts, workload: &Workload) -> anyhow::Result<Exit> {
    let db = rules::embedded();
    let before = input::snapshot_only(known_good, db)?;
    // A snapshot lacks names and ids: without them here too, they are no difference.
    let now = if args.from.is_some() { facts.clone() } else { redacted(facts) };
    let (comparison, exit) = session::drift(&before, &now, args.strict, db, workload);
    let names = [known_good.display().to_string(), "now".to_owned()];
    match args.format {
        Format::Text => print(&report::diff::text(&comparison, [&names[0], &names[1]], width()))?,
        Format::Json => print(&report::diff::json(&comparison)?)?,
        _ => bail!("`--against` is written as `--format text` or `json`"),
    }
    Ok(exit)
}
