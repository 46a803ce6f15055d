#[cfg(unix)]
mod apply;
#[cfg(unix)]
mod installing;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod site;
#[cfg(unix)]
mod trial;
#[cfg(unix)]
mod undo;

use std::path::PathBuf;
use std::sync::Arc;

use super::check::known_use;
use super::examine::{expect_recognised, workload};
use super::format::Format;
use super::host::{HostArgs, probe_timed};
use super::{input, note, print};
use crate::exit::Exit;
use crate::probe::clock::Clock;
use crate::report;
use crate::rules::{self, RuleDb, Workload};
use crate::session::check::{Examined, Untimed};
use crate::session::fix::{self, Judged, Offer};
use crate::session::paste::Input;

/// Print the plan of `gpudoc check` as one script, try it out, run it, or take it back
///
/// Without an option nothing is changed: the script goes to standard output, and what only a person can do stands in it as a
/// comment. `--try` runs it on a copy of the environment and checks that. `--apply` runs it on the environment itself: before
/// the first command every file that an installer may change is put aside in `.gpudoc` there, and where the outcome is no
/// better the files come back to the byte. `--undo` does that later, also after gpudoc or the machine went down midway.
///
/// Exits with 0 when the plan was printed or is better, or there is nothing to fix; with 1 when the plan leaves failures, there
/// is none for a failing report, or the outcome was no better; with 2 when gpudoc could not run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc fix                           the script that fixes the active environment
  gpudoc fix --python .venv > fix.sh   the same for another environment, to read before it is run
  gpudoc fix --try                     run it on a copy, and say what a check finds then
  gpudoc fix --apply                   run it here; take it back if that is no better
  gpudoc fix --undo                    take the last one back
  gpudoc fix --from issue.txt          the script for a pasted report")]
pub struct Args {
    /// Plan for a snapshot or a pasted report instead of this machine (`-` for standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["python", "root", "try", "apply", "undo"])]
    from: Option<PathBuf>,
    #[command(flatten)]
    host: HostArgs,
    /// How to write the plan
    #[arg(long, value_parser = Format::of_plan(), default_value = "script", conflicts_with_all = ["try", "apply", "undo"])]
    format: Format,
    /// Run the plan on a copy of the environment, in a throwaway folder, and check that
    #[arg(long, group = "act", conflicts_with = "root")]
    r#try: bool,
    /// Run the plan on the environment, check again, and take it back if that is no better
    #[arg(long, group = "act", conflicts_with = "root")]
    apply: bool,
    /// Take back what `--apply` did last
    #[arg(long, group = "act", conflicts_with = "root")]
    undo: bool,
    /// Go ahead without asking
    #[arg(long, short, conflicts_with = "try")]
    yes: bool,
    /// Leave the throwaway folder of `--try`
    #[arg(long, requires = "try")]
    keep: bool,
    /// What the project does, to switch on the advisories for it, e.g. `torch.compile`
    #[arg(long, value_name = "WORKLOAD", value_parser = known_use)]
    uses: Vec<String>,
}

/// Probes and checks an environment of this machine.
fn of_host(host: &HostArgs, db: &RuleDb, workload: &Workload) -> anyhow::Result<Judged> {
    let clock = Arc::<Clock>::default();
    let facts = probe_timed(host, false, &clock)?;
    Ok(Judged { examined: Examined::of(&facts, db, workload, None, &*clock), facts })
}

/// Runs the command.
///
/// # Errors
///
/// When the environment named is not one or not gpudoc's to change, a report cannot be read, or a file cannot be put aside.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    #[cfg(not(unix))]
    anyhow::ensure!(!args.r#try && !args.apply && !args.undo, "on this system only the script is printed");
    #[cfg(unix)]
    if args.undo {
        return undo::run(args);
    }
    // What somebody else is changing right now is nothing to look at.
    #[cfg(unix)]
    let held = if args.apply { apply::held(&args.host)? } else { None };
    let db = rules::embedded();
    let workload = workload(&args.uses);
    let judged = match &args.from {
        Some(path) => {
            let Input { facts, told } = input::read(path, db)?;
            let examined = Examined::of(&facts, db, &workload, told.as_ref(), &Untimed);
            expect_recognised(Some(path), &facts, &examined.findings)?;
            Judged { facts, examined }
        }
        None => of_host(&args.host, db, &workload)?,
    };
    let Offer::Plan(plan) = judged.offer() else {
        if args.format == Format::Json {
            print(&report::fix::json(None, &judged.facts)?)?;
        }
        let fails = judged.offer() == Offer::NoPlan;
        note(if fails {
            "no plan: nothing that gpudoc can name fixes what fails; `gpudoc check` says what it is"
        } else {
            "nothing to fix"
        });
        return Ok(Exit::ok_if(!fails));
    };
    #[cfg(unix)]
    if args.r#try {
        return trial::run(args, &judged, plan, &workload);
    }
    #[cfg(unix)]
    if args.apply {
        return apply::run(args, &judged, plan, &workload, held);
    }
    match args.format {
        Format::Json => print(&report::fix::json(Some(plan), &judged.facts)?)?,
        _ => print(&report::fix::script(plan, &judged.facts))?,
    }
    Ok(fix::exit(plan, &judged.examined.findings))
}
