use std::path::PathBuf;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use super::format::Format;
use super::{print, width};
use crate::exit::Exit;
use crate::objects::elf::Machine;
use crate::objects::elf::lookup::Dynamic;
use crate::objects::library::SharedLibrary;
use crate::probe::scan::{self, Scanned};
use crate::report::scan::{self as report, Contents, Judged, Object, ScanReport};
use crate::rules;
use crate::rules::TargetGpu;
use crate::rules::kernel::{Share, Way, is_nvidias, together};
use crate::session::targets::named_gpu;

/// Show which GPUs the code in libraries, folders, environments and wheels is for
///
/// Reads the fat binaries of shared libraries (SASS and PTX targets with the number of containers that hold them), the
/// libraries and symbols they need, and the oldest glibc they run on. Nothing is loaded, run or unpacked to disk; only
/// headers are read, so that a library of 1 GB takes some milliseconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc scan .venv/lib/python3.12/site-packages/torch/lib/libtorch_cuda.so
  gpudoc scan .venv --gpu \"RTX 5090\"                does every package have code for it?
  gpudoc scan flash_attn-2.8.3-*.whl --gpu 7.5 --gpu 9.0
  gpudoc scan build/ --format json | jq '.objects[].sass'

Exit codes: 0 read, 1 with --gpu, if a distribution (or a library of none) has no code for a GPU, 2 a path could not be
read.")]
pub struct Args {
    /// Libraries, folders, environments or wheels
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Judge the code for this GPU: a product such as `RTX 5090`, or a compute capability such as `12.0`
    #[arg(long, value_name = "GPU")]
    gpu: Vec<String>,
    /// Show libraries without GPU code too
    #[arg(long)]
    all: bool,
    /// How to write the result
    #[arg(long, value_parser = Format::plain(), default_value = "text")]
    format: Format,
}

/// Runs the command.
///
/// # Errors
///
/// When a path cannot be read, or a GPU is not known.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    // Unpacking the rules takes most of a millisecond, so they are touched only where a GPU is to be judged.
    let gpus: Vec<TargetGpu> =
        args.gpu.iter().map(|text| named_gpu(text, rules::embedded())).collect::<anyhow::Result<_>>()?;
    let progress = progress();
    let scanned = scan::scan(&args.paths, args.format == Format::Json, &|count| progress.inc(count));
    progress.finish_and_clear();
    let scanned = scanned.context("nothing was scanned")?;
    let objects = scanned.into_iter().map(|scanned| {
        let library = scanned.result.as_ref().ok().map(|contents| &contents.library);
        let owner = scanned.distribution.as_ref().map_or("", |(name, _)| name);
        let library = library.filter(|library| !library.code.is_empty() && !is_nvidias(owner, &scanned.path));
        let judge = |gpu: &TargetGpu| {
            let share =
                library.map(|library| Share::of(&library.code, gpu.capability, library.cuda(), rules::embedded()))?;
            Some(Judged { way: share.way(), share })
        };
        let judged = gpus.iter().filter_map(judge).collect();
        object(scanned, judged)
    });
    let report = ScanReport::new(objects.collect(), &gpus, |name, shares| {
        let whole = rules::embedded().package(name).is_some_and(|package| package.whole);
        let (way, share) = together(shares, whole);
        Judged { way, share }
    });
    match args.format {
        Format::Json => print(&report::json(&report)?)?,
        _ => print(&report::text(&report, args.all, width()))?,
    }
    let unusable = |judged: &[Judged]| judged.iter().any(|judged| judged.way == Way::No);
    let failed = report.distributions.iter().any(|distribution| unusable(&distribution.judged))
        || report.objects.iter().any(|object| object.distribution.is_none() && unusable(&object.judged));
    Ok(Exit::ok_if(!failed))
}

/// A library as the report wants it.
fn object(scanned: Scanned, judged: Vec<Judged>) -> Object {
    let contents = scanned.result.map(|contents| {
        let SharedLibrary { machine, layout: _, code, relocatable, elsewhere, dynamic, versions } = contents.library;
        let Dynamic { soname, needed, rpath, runpath } = dynamic;
        let machine = match machine {
            Machine::X86_64 => "x86_64".to_owned(),
            Machine::Aarch64 => "aarch64".to_owned(),
            Machine::Other(number) => format!("ELF machine {number}"),
        };
        let undefined = contents.undefined;
        Contents { machine, code, relocatable, elsewhere, soname, needed, rpath, runpath, versions, undefined }
    });
    Object { path: scanned.path, distribution: scanned.distribution, size: scanned.size, contents, judged }
}

/// A counter on standard error, where that is a terminal.
fn progress() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {pos} libraries read, {per_sec}");
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}
