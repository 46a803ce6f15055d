use clap_complete::{Shell, generate};

use super::print;
use crate::exit::Exit;

/// Print shell completions
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc completions bash > ~/.local/share/bash-completion/completions/gpudoc
  gpudoc completions zsh > ~/.zfunc/_gpudoc
  gpudoc completions fish > ~/.config/fish/completions/gpudoc.fish")]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// Runs the command; `program` is what is completed.
///
/// # Errors
///
/// When the text cannot be written.
pub fn run(args: &Args, mut program: clap::Command) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    generate(args.shell, &mut program, "gpudoc", &mut text);
    print(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Ok)
}
