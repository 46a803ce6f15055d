//! What `gpudoc scan` found, as text and as JSON (`gpudoc.scan/1`).

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::lines::Labels;
use crate::facts::CodeGroup;
use crate::rules::TargetGpu;
use crate::rules::kernel::{Share, Way};
use crate::text::{bytes, count, wrap};
use crate::version::CodeTarget;

const SCHEMA: &str = "gpudoc.scan/1";
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
/// Libraries of every program, which tell nothing.
const COMMON: [&str; 9] = [
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
];

/// How code runs on one GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// What it comes to.
    pub way: Way,
    /// The containers that are usable.
    pub share: Share,
}

/// What a library says of itself.
#[derive(Debug, Clone)]
pub struct Contents {
    /// The processor of its host code, e.g. `x86_64`.
    pub machine: String,
    /// Device code that the CUDA runtime registers.
    pub code: Vec<CodeGroup>,
    /// Relocatable device code.
    pub relocatable: Vec<CodeGroup>,
    /// Device code in other sections, which the library loads itself.
    pub elsewhere: Vec<CodeGroup>,
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// `DT_NEEDED`.
    pub needed: Vec<String>,
    /// `DT_RPATH`.
    pub rpath: Vec<String>,
    /// `DT_RUNPATH`.
    pub runpath: Vec<String>,
    /// The highest version that it needs of each family, e.g. `GLIBC_2.28`.
    pub versions: Vec<String>,
    /// Symbols that another library must export.
    pub undefined: Vec<String>,
}

/// A library with its judgements, one for each GPU.
pub struct Object {
    /// Where it was found.
    pub path: String,
    /// The distribution that lists it, e.g. `torch` and `2.7.1`.
    pub distribution: Option<(String, String)>,
    /// In bytes.
    pub size: u64,
    /// What it says, or why it cannot be read.
    pub contents: Result<Contents, String>,
    /// In the order of the GPUs; empty for a library without device code, and for one of NVIDIA's own.
    pub judged: Vec<Judged>,
}

/// All libraries of one distribution together.
pub struct Distribution {
    /// E.g. `torch` and `2.7.1`.
    pub name: (String, String),
    /// How many of its libraries hold device code.
    pub libraries: usize,
    /// In the order of the GPUs.
    pub judged: Vec<Judged>,
}

/// What a scan found.
pub struct ScanReport<'a> {
    /// Every library.
    pub objects: Vec<Object>,
    /// The distributions that hold device code.
    pub distributions: Vec<Distribution>,
    /// What was judged for.
    pub gpus: &'a [TargetGpu],
}

impl<'a> ScanReport<'a> {
    /// Makes the report of some libraries; `judge` is given a distribution's name and the shares of its libraries.
    #[must_use]
    pub fn new(objects: Vec<Object>, gpus: &'a [TargetGpu], judge: impl Fn(&str, &[Share]) -> Judged) -> Self {
        let mut report = Self { objects, distributions: Vec::new(), gpus };
        report.distributions = report.together(judge);
        report
    }

    fn together(&self, judge: impl Fn(&str, &[Share]) -> Judged) -> Vec<Distribution> {
        let mut groups: BTreeMap<(String, String), Vec<&Object>> = BTreeMap::new();
        for object in self.objects.iter().filter(|object| !object.judged.is_empty()) {
            if let Some(name) = &object.distribution {
                groups.entry(name.clone()).or_default().push(object);
            }
        }
        let distributions = groups.into_iter().map(|(name, objects)| {
            let shares = |gpu: usize| -> Vec<Share> {
                objects.iter().filter_map(|object| object.judged.get(gpu)).map(|judged| judged.share).collect()
            };
            let judged = (0..self.gpus.len()).map(|gpu| judge(&name.0, &shares(gpu))).collect();
            Distribution { libraries: objects.len(), judged, name }
        });
        distributions.collect()
    }
}

impl Object {
    fn has_code(&self) -> bool {
        let contents = self.contents.as_ref();
        contents.is_ok_and(|contents| {
            [&contents.code, &contents.relocatable, &contents.elsewhere].iter().any(|code| !code.is_empty())
        })
    }
}

/// For each target the number of containers that hold it.
fn tally(code: &[CodeGroup]) -> BTreeMap<CodeTarget, u32> {
    let mut tally = BTreeMap::new();
    for group in code {
        for target in &group.targets {
            *tally.entry(*target).or_default() += group.containers;
        }
    }
    tally
}

fn containers(code: &[CodeGroup]) -> u32 {
    code.iter().map(|group| group.containers).sum()
}

/// Writes a scan for people, in lines of at most `width` characters. `all`: libraries without device code too.
#[must_use]
pub fn text(report: &ScanReport<'_>, all: bool, width: usize) -> String {
    let width = width.clamp(40, 120);
    let mut out = String::new();
    let single = report.objects.len() == 1;
    let mut left_out = 0;
    let mut shown = None;
    for object in &report.objects {
        let failed = object.contents.is_err();
        if !(all || single || failed || object.has_code()) {
            left_out += 1;
            continue;
        }
        if let Some(name) = &object.distribution
            && shown != Some(name)
        {
            let _ = writeln!(out, "{BOLD}{} {}{BOLD:#}", name.0, name.1);
            shown = Some(name);
        }
        write_object(&mut out, object, report.gpus, single || all, width);
    }
    if left_out > 0 {
        let text = format!("{} without GPU code left out; --all shows them", count(left_out, "library", "libraries"));
        let _ = writeln!(out, "{DIM}{text}{DIM:#}");
    }
    if report.objects.is_empty() {
        let _ = writeln!(out, "no shared libraries there");
    }
    if !report.gpus.is_empty() && !report.distributions.is_empty() {
        write_distributions(&mut out, report, width);
    }
    out
}

fn write_object(out: &mut String, object: &Object, gpus: &[TargetGpu], details: bool, width: usize) {
    for (index, line) in wrap(&object.path, width - 2).into_iter().enumerate() {
        let _ = writeln!(out, "{}{BOLD}{line}{BOLD:#}", if index == 0 { "  " } else { "    " });
    }
    let contents = match &object.contents {
        Ok(contents) => contents,
        Err(error) => {
            let _ = writeln!(out, "    {RED}{error}{RED:#}");
            return;
        }
    };
    let library = contents;
    let labels = Labels { indent: 4, label: 7, width };
    write_code(out, "code", &library.code, &labels);
    if !library.relocatable.is_empty() {
        write_code(out, "rdc", &library.relocatable, &labels);
    }
    if !library.elsewhere.is_empty() {
        write_code(out, "other", &library.elsewhere, &labels);
    }
    for (gpu, judged) in gpus.iter().zip(&object.judged) {
        let text = format!("{}: {}{}", gpu_words(gpu), judged.share, meaning(*judged));
        labels.styled(out, DIM, style(judged.way), "gpu", &text);
    }
    if !details {
        return;
    }
    let needed: Vec<&str> = library.needed.iter().map(String::as_str).filter(|name| !COMMON.contains(name)).collect();
    let paths = |label: &str, paths: &[String]| match paths {
        [] => None,
        [first] => Some(format!("{label} {first}")),
        [first, rest @ ..] => Some(format!("{label} {first} and {} more", rest.len())),
    };
    if !needed.is_empty() {
        labels.add(out, "needs", &needed.join(" "));
    }
    let paths = [paths("RPATH", &library.rpath), paths("RUNPATH", &library.runpath)];
    for text in paths.into_iter().flatten() {
        labels.add(out, "paths", &text);
    }
    let mut facts = vec![library.machine.clone(), bytes(object.size)];
    facts.extend(library.versions.iter().cloned());
    labels.add(out, "file", &facts.join(", "));
}

fn write_code(out: &mut String, label: &str, code: &[CodeGroup], labels: &Labels) {
    if code.is_empty() {
        labels.add(out, label, "none");
        return;
    }
    let all = containers(code);
    let mut by_count: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (target, containers) in tally(code) {
        by_count.entry(containers).or_default().push(target.to_string());
    }
    let mut parts: Vec<String> = Vec::new();
    for (containers, targets) in by_count.iter().rev() {
        let targets = targets.join(" ");
        parts.push(if *containers == all { targets } else { format!("{targets} in {containers}") });
    }
    labels.add(out, label, &format!("{}: {}", count(all as usize, "container", "containers"), parts.join("; ")));
}

fn gpu_words(gpu: &TargetGpu) -> String {
    let capability = format!("compute capability {}", gpu.capability);
    if gpu.label == capability { capability } else { format!("{} ({})", gpu.label, gpu.capability) }
}

fn style(way: Way) -> Style {
    match way {
        Way::Native => GREEN,
        Way::ThroughPtx | Way::Partly | Way::OtherGpus => YELLOW,
        Way::No => RED,
    }
}

fn meaning(judged: Judged) -> &'static str {
    match judged.way {
        Way::OtherGpus => ", made for other GPUs on purpose",
        Way::ThroughPtx => ": compiled by the driver at the first start",
        _ => "",
    }
}

fn write_distributions(out: &mut String, report: &ScanReport<'_>, width: usize) {
    let labels = Labels { indent: 2, label: 8, width };
    for (at, gpu) in report.gpus.iter().enumerate() {
        let _ = writeln!(out, "\n{BOLD}{}{BOLD:#}", gpu_words(gpu));
        for distribution in &report.distributions {
            let Some(judged) = distribution.judged.get(at) else { continue };
            let (style, word) = match judged.way {
                Way::Native => (GREEN, "runs"),
                Way::ThroughPtx => (YELLOW, "PTX"),
                Way::Partly => (YELLOW, "partly"),
                Way::OtherGpus | Way::No => (RED, "no"),
            };
            let text = format!("{} {}: {}", distribution.name.0, distribution.name.1, judged.share);
            labels.styled(out, style, Style::new(), word, &text);
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    gpudoc: &'static str,
    objects: Vec<ObjectRow<'a>>,
    distributions: Vec<DistributionRow<'a>>,
    errors: Vec<ErrorRow<'a>>,
}

#[derive(Serialize)]
struct ObjectRow<'a> {
    path: &'a str,
    distribution: Option<&'a str>,
    size: u64,
    machine: &'a str,
    #[serde(flatten)]
    code: CodeRow,
    #[serde(skip_serializing_if = "Option::is_none")]
    relocatable: Option<CodeRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elsewhere: Option<CodeRow>,
    soname: Option<&'a str>,
    needed: &'a [String],
    rpath: &'a [String],
    runpath: &'a [String],
    glibc: Option<&'a str>,
    versions: &'a [String],
    undefined: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gpus: Vec<GpuRow<'a>>,
}

#[derive(Serialize)]
struct CodeRow {
    containers: u32,
    sass: BTreeMap<String, u32>,
    ptx: BTreeMap<String, u32>,
    groups: Vec<CodeGroup>,
}

impl CodeRow {
    fn new(code: &[CodeGroup]) -> Self {
        let counts = tally(code);
        let named = |ptx: bool| {
            counts
                .iter()
                .filter(move |(target, _)| target.ptx == ptx)
                .map(|(target, count)| (target.to_string(), *count))
        };
        Self {
            containers: containers(code),
            sass: named(false).collect(),
            ptx: named(true).collect(),
            groups: code.to_vec(),
        }
    }
}

#[derive(Serialize)]
struct GpuRow<'a> {
    gpu: &'a str,
    compute_capability: String,
    verdict: &'static str,
    containers: u32,
    native: u32,
    through_ptx: u32,
    other_gpus: u32,
}

impl<'a> GpuRow<'a> {
    fn new(gpu: &'a TargetGpu, judged: &Judged) -> Self {
        Self {
            gpu: &gpu.label,
            compute_capability: gpu.capability.to_string(),
            verdict: judged.way.name(),
            containers: judged.share.containers,
            native: judged.share.native,
            through_ptx: judged.share.through_ptx,
            other_gpus: judged.share.specific,
        }
    }
}

#[derive(Serialize)]
struct DistributionRow<'a> {
    name: &'a str,
    version: &'a str,
    libraries: usize,
    gpus: Vec<GpuRow<'a>>,
}

#[derive(Serialize)]
struct ErrorRow<'a> {
    path: &'a str,
    error: &'a str,
}

/// Writes a scan as JSON, `gpudoc.scan/1`, with a newline at the end.
///
/// # Errors
///
/// Never in practice: every part serialises.
pub fn json(report: &ScanReport<'_>) -> serde_json::Result<String> {
    let rows =
        |judged: &[Judged]| report.gpus.iter().zip(judged).map(|(gpu, judged)| GpuRow::new(gpu, judged)).collect();
    let mut document = Document {
        schema: SCHEMA,
        gpudoc: env!("CARGO_PKG_VERSION"),
        objects: Vec::new(),
        distributions: Vec::new(),
        errors: Vec::new(),
    };
    for object in &report.objects {
        let library = match &object.contents {
            Ok(contents) => contents,
            Err(error) => {
                document.errors.push(ErrorRow { path: &object.path, error });
                continue;
            }
        };
        let glibc = library.versions.iter().find_map(|version| version.strip_prefix("GLIBC_"));
        document.objects.push(ObjectRow {
            path: &object.path,
            distribution: object.distribution.as_ref().map(|(name, _)| name.as_str()),
            size: object.size,
            machine: &library.machine,
            code: CodeRow::new(&library.code),
            relocatable: (!library.relocatable.is_empty()).then(|| CodeRow::new(&library.relocatable)),
            elsewhere: (!library.elsewhere.is_empty()).then(|| CodeRow::new(&library.elsewhere)),
            soname: library.soname.as_deref(),
            needed: &library.needed,
            rpath: &library.rpath,
            runpath: &library.runpath,
            glibc,
            versions: &library.versions,
            undefined: &library.undefined,
            gpus: rows(&object.judged),
        });
    }
    document.distributions = report
        .distributions
        .iter()
        .map(|distribution| DistributionRow {
            name: &distribution.name.0,
            version: &distribution.name.1,
            libraries: distribution.libraries,
            gpus: rows(&distribution.judged),
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}
