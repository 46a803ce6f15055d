use clap::{Parser, Subcommand};

use gpudoc::commands::resolve;
use gpudoc::exit::Exit;
use gpudoc::facts::{Facts, Origin};
use gpudoc::rules::embedded;

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Resolve(resolve::ResolveArgs),
}

fn main() -> Exit {
    let Command::Resolve(args) = Cli::parse().command;
    let probe = |_: Option<&std::path::Path>| Ok(Facts::unknown(Origin::default()));
    let (mut out, mut err) = (anstream::stdout(), anstream::stderr());
    resolve::run(&args, embedded(), &probe, &mut out, &mut err).unwrap_or_else(|error| {
        anstream::eprintln!("error: {error:#}");
        Exit::Error
    })
}
