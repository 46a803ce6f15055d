use clap::Subcommand;

use super::{rules_harvest, rules_verify};
use crate::exit::Exit;

/// Read and renew the database of rules
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc rules verify                              check the files below rules/
  gpudoc rules harvest torch --since 2.0           read what is new on PyPI into rules/packages/torch.toml")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Harvest(Box<rules_harvest::HarvestArgs>),
    Verify(rules_verify::VerifyArgs),
}

/// Runs the command.
///
/// # Errors
///
/// When the subcommand fails.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Harvest(args) => rules_harvest::run(args).map(|()| Exit::Ok),
        Command::Verify(args) => rules_verify::run(args),
    }
}
