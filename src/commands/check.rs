use std::path::PathBuf;

use clap::ValueEnum;

use super::host::{HostArgs, probe, probe_and_start_cuda};
use super::{input, print, width};
use crate::check::{self, Verdict};
use crate::exit::Exit;
use crate::impact;
use crate::report::{self, Report};
use crate::rules::{self, target::complete_gpus};

/// Find out what does not fit on this machine, how we know, and what to do
///
/// Reads the driver, the GPUs and the Python environment without importing or running anything in it. Exits with 0 when
/// nothing fails, 1 when something does, 2 when gpudoc could not run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc check                         this machine and the active environment
  gpudoc check --python .venv          another environment
  gpudoc check --require gpu           a deployment gate: no GPU is a failure
  gpudoc check --from pod.json         a snapshot from `gpudoc probe`
  gpudoc check --from issue.txt        a pasted report: collect_env, nvidia-smi, pip list, errors, any mix
  gpudoc check --root /mnt/image       a mounted image
  gpudoc check --format json           for programs")]
pub struct Args {
    /// Judge a snapshot or a pasted report instead of this machine (`-` for standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["python", "root"])]
    from: Option<PathBuf>,
    #[command(flatten)]
    host: HostArgs,
    /// How to write the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Exit with 1 on warnings too
    #[arg(long)]
    strict: bool,
    /// Fail when this is missing or could not be checked
    #[arg(long, value_enum, value_name = "WHAT")]
    require: Vec<Need>,
    /// Start CUDA in a process of its own, and say whether it answers as the facts foretell
    #[arg(long, conflicts_with_all = ["from", "root"])]
    cuda_init: bool,
    /// What the project does, to switch on the advisories for it, e.g. `torch.compile`
    #[arg(long = "uses", value_name = "WORKLOAD")]
    workload: Vec<String>,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// `gpudoc.report/1`
    Json,
    /// An answer to paste under an issue, the evidence folded
    Markdown,
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
/// When the environment named is not one, or the snapshot cannot be read.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let db = rules::embedded();
    let (mut facts, log) = match &args.from {
        Some(path) => {
            let input = input::read(path, db)?;
            (input.facts, input.log)
        }
        None if args.cuda_init => (probe_and_start_cuda(&args.host)?, None),
        None => (probe(&args.host)?, None),
    };
    complete_gpus(&mut facts, db);
    let checked = check::run_with(&facts, db, &args.workload, log.as_ref().map_or("", |log| &log.flat));
    let findings = impact::with_remedies(&facts, db, &args.workload, check::findings(&checked));
    let findings = match &log {
        Some(log) => check::explain(&facts, db, &args.workload, log, findings),
        None => findings,
    };
    let report = Report::new(&facts, checked, findings, args.require.contains(&Need::Gpu), db.newest());
    match args.format {
        Format::Text => print(&report::text(&report, width()))?,
        Format::Json => print(&report::json(&report)?)?,
        Format::Markdown => print(&report::markdown(&report))?,
    }
    Ok(match report.verdict {
        Verdict::Fail => Exit::Failed,
        Verdict::Warn if args.strict => Exit::Failed,
        _ => Exit::Ok,
    })
}
