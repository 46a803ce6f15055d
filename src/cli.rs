//! The command line.

use std::path::Path;

use clap::{Parser, Subcommand, ValueEnum};

use crate::commands::{
    check, completions, cuda_init, diff, explain, fix, host, impact, init, lint, overlay, probe, resolve, rules, scan,
};
use crate::exit::Exit;

/// Find out why PyTorch does not work on an NVIDIA GPU, and pin a set that does
#[derive(Debug, Parser)]
#[command(name = "gpudoc", version, propagate_version = true, disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  gpudoc check                                     what is wrong on this machine, and the fix
  gpudoc fix --apply                               run that fix, check again, take it back if it is no better
  gpudoc resolve torch torchvision --gpu \"RTX 5090\"  a constraints.txt for another one
  gpudoc impact torch==2.7.1+cu128                  what an upgrade would do here
  gpudoc lint                                      what this project's files would install, judged
  gpudoc scan .venv --gpu \"RTX 5090\"               which GPUs the installed files hold code for
  gpudoc explain GPUDOC-2026-0001                  the story and the sources behind a finding
  gpudoc probe -o pod.json                         a snapshot to attach to an issue

Exit codes: 0 nothing fails, 1 something fails or no solution exists, 2 gpudoc could not run.")]
pub struct Cli {
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
    #[command(subcommand)]
    command: Command,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Colour {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Fix(fix::Args),
    #[command(hide = true, name = crate::probe::cuda_init::COMMAND)]
    CudaInit,
    Probe(probe::Args),
    Resolve(Box<resolve::ResolveArgs>),
    Impact(impact::ImpactArgs),
    Lint(lint::Args),
    Diff(diff::Args),
    Scan(scan::Args),
    Explain(explain::Args),
    Rules(rules::Args),
    Init(init::Args),
    Completions(completions::Args),
}

impl Cli {
    /// Runs the command that was given.
    ///
    /// # Errors
    ///
    /// When gpudoc could not do what was asked; the error says why and what to do.
    pub fn run(&self) -> anyhow::Result<Exit> {
        match self.color {
            Colour::Auto => anstream::ColorChoice::Auto,
            Colour::Always => anstream::ColorChoice::AlwaysAnsi,
            Colour::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        if !matches!(&self.command, Command::Probe(_) | Command::Scan(_) | Command::CudaInit) {
            overlay::load();
        }
        match &self.command {
            Command::Check(args) => check::run(args),
            Command::Fix(args) => fix::run(args),
            Command::CudaInit => cuda_init::run(),
            Command::Probe(args) => probe::run(args),
            Command::Resolve(args) => {
                let probe = |python: Option<&Path>| host::probe_without_libraries(&host_args(python));
                let (mut out, mut err) = (anstream::stdout(), anstream::stderr());
                resolve::run(args, crate::rules::embedded(), &probe, &mut out, &mut err)
            }
            Command::Impact(args) => {
                let probe = |python: Option<&Path>| host::probe(&host_args(python));
                let (mut out, mut err) = (anstream::stdout(), anstream::stderr());
                impact::run(args, crate::rules::embedded(), &probe, &mut out, &mut err)
            }
            Command::Lint(args) => lint::run(args),
            Command::Diff(args) => diff::run(args),
            Command::Scan(args) => scan::run(args),
            Command::Explain(args) => explain::run(args),
            Command::Rules(args) => rules::run(args),
            Command::Init(args) => init::run(args),
            Command::Completions(args) => completions::run(args, <Cli as clap::CommandFactory>::command()),
        }
    }
}

fn host_args(python: Option<&Path>) -> host::HostArgs {
    host::HostArgs { python: python.map(Into::into), ..host::HostArgs::default() }
}
