use std::fmt::Write;
use std::path::PathBuf;

use anyhow::bail;

use super::host::{HostArgs, probe_without_libraries};
use super::{file, note, print};
use crate::config;
use crate::exit::Exit;
use crate::rules::{self, Target};

/// Write a gpudoc.toml that declares this machine as a target
///
/// `gpudoc lint` and `gpudoc resolve --all-targets` then judge the project for it, wherever they run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc init                          gpudoc.toml in the current folder
  gpudoc init --name train -o -        to standard output
  gpudoc init --schema > gpudoc.schema.json   for completion in editors")]
pub struct Args {
    /// The file; `-` for standard output
    #[arg(short, long, value_name = "FILE", default_value = "gpudoc.toml")]
    output: PathBuf,
    /// What to call this machine
    #[arg(long, value_name = "NAME", default_value = "host")]
    name: String,
    /// Print the JSON schema of gpudoc.toml instead
    #[arg(long)]
    schema: bool,
    #[command(flatten)]
    host: HostArgs,
}

/// Runs the command.
///
/// # Errors
///
/// When the file is there already, or cannot be written.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    if args.schema {
        print(&config::schema()?)?;
        return Ok(Exit::Ok);
    }
    let to_output = args.output.as_os_str() == "-";
    if !to_output && args.output.exists() {
        bail!("`{}` is there already; name another file with `-o`", args.output.display());
    }
    if args.name.is_empty() || !args.name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
    {
        bail!("`--name {}`: letters, digits, `-` and `_` alone", args.name);
    }
    let facts = probe_without_libraries(&args.host)?;
    let text = declared(&args.name, &Target::from_facts(&facts, rules::embedded()));
    if to_output {
        print(&text)?;
    } else {
        file::write(&args.output, &text)?;
        note(&format!("wrote `{}`; next: `gpudoc lint`", args.output.display()));
    }
    Ok(Exit::Ok)
}

/// A target as gpudoc.toml declares it. What is not known is a comment.
fn declared(name: &str, target: &Target) -> String {
    let mut out = format!("# The machines that this project must work on.\n[target.{name}]\n");
    let mut gpus: Vec<(usize, &str)> = Vec::new();
    for gpu in &target.gpus {
        match gpus.iter_mut().find(|(_, name)| *name == gpu.name) {
            Some((number, _)) => *number += 1,
            None => gpus.push((1, &gpu.name)),
        }
    }
    let mut line = |key: &str, value: Option<String>, example: &str| {
        let _ = match value {
            Some(value) => writeln!(out, "{key} = {value}"),
            None => writeln!(out, "# {key} = {example}  (not known here)"),
        };
    };
    let quoted = |text: String| format!("{text:?}");
    let counted = |(number, name): (usize, &str)| match number {
        1 => quoted(name.to_owned()),
        _ => quoted(format!("{number}x {name}")),
    };
    let all = gpus.into_iter().map(counted).collect::<Vec<_>>().join(", ");
    line("gpu", (!all.is_empty()).then(|| format!("[{all}]")), "[\"H100\"]");
    line("driver", target.driver.as_ref().map(|driver| quoted(driver.to_string())), "\"570.133.20\"");
    let threads = if target.free_threaded { "t" } else { "" };
    let python = target.python.map(|python| quoted(format!("{}.{}{threads}", python.major, python.minor)));
    line("python", python, "\"3.12\"");
    line("platform", target.platform.clone().map(quoted), "\"linux_x86_64\"");
    line("glibc", target.glibc.map(|glibc| quoted(glibc.to_string())), "\"2.35\"");
    out
}
