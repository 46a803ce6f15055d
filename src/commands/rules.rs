use clap::Subcommand;

use super::{rules_harvest, rules_read, rules_symbols, rules_update, rules_verify};
use crate::exit::Exit;

/// Read and renew the database of rules
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc rules show torch==2.7.1                   every build, with the wheel it was read from
  gpudoc rules matrix torch                        which build runs on which compute capability
  gpudoc rules update                              what was released since this program was built
  gpudoc rules verify                              check the files below rules/
  gpudoc rules harvest torch --since 2.0           read what is new on PyPI into rules/packages/torch.toml")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(rules_read::ListArgs),
    Show(rules_read::ShowArgs),
    Matrix(rules_read::MatrixArgs),
    Update(rules_update::UpdateArgs),
    Harvest(Box<rules_harvest::HarvestArgs>),
    HarvestSymbols(rules_symbols::SymbolArgs),
    Verify(rules_verify::VerifyArgs),
}

/// Runs the command.
///
/// # Errors
///
/// When the subcommand fails.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Command::List(args) => rules_read::list(args),
        Command::Show(args) => rules_read::show(args),
        Command::Matrix(args) => rules_read::matrix(args),
        Command::Update(args) => rules_update::run(args).map(|()| Exit::Ok),
        Command::Harvest(args) => rules_harvest::run(args).map(|()| Exit::Ok),
        Command::HarvestSymbols(args) => rules_symbols::run(args).map(|()| Exit::Ok),
        Command::Verify(args) => rules_verify::run(args),
    }
}
