//! The program: reads the command line, runs the command, and turns the end of it into an exit code.

use std::process::ExitCode;

use anstyle::AnsiColor;
use clap::Parser;
use gpudoc::cli::Cli;
use gpudoc::commands::note;
use gpudoc::exit::Exit;

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("GPUDOC_LOG"))
        .with_writer(std::io::stderr)
        .init();
    let exit = Cli::parse().run().unwrap_or_else(|error| {
        let style = AnsiColor::Red.on_default().bold();
        note(&format!("{style}error:{style:#} {error:#}"));
        Exit::Error
    });
    exit.into()
}
