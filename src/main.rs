//! The entry point: arguments in, exit code out.

use clap::Parser;
use gpudoc::commands::rules_harvest::{self, HarvestArgs};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    harvest: HarvestArgs,
}

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    rules_harvest::run(&Cli::parse().harvest)
}
