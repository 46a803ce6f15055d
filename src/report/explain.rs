//! What `gpudoc explain` tells: an advisory, an environment variable, a check.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::lines::Labels;
use crate::finding::{self as check, Kind};
use crate::lint::Rule;
use crate::rules::cite;
use crate::rules::schema::{Advisory, Condition, Page, VariableRow};
use crate::text::{list, wrap};

const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();

fn paragraph(out: &mut String, text: &str, indent: usize, width: usize) {
    for line in wrap(text, width.saturating_sub(indent).max(20)) {
        let _ = writeln!(out, "{:indent$}{line}", "");
    }
}

/// An advisory, whole.
#[must_use]
pub fn advisory(advisory: &Advisory, width: usize) -> String {
    let width = width.clamp(40, 100);
    let labels = Labels { indent: 0, label: 10, width };
    let mut out = String::new();
    for line in wrap(&format!("{}: {}", advisory.id, advisory.title), width) {
        let _ = writeln!(out, "{BOLD}{line}{BOLD:#}");
    }
    out.push('\n');
    paragraph(&mut out, &advisory.story.split_whitespace().collect::<Vec<_>>().join(" "), 0, width);
    out.push('\n');
    for condition in &advisory.when {
        labels.add(&mut out, "applies", &condition_in_words(condition));
    }
    for symptom in &advisory.symptoms {
        labels.add(&mut out, "symptom", &format!("`{symptom}`"));
    }
    for remedy in &advisory.remedies {
        let mut text = remedy.summary.clone();
        if !remedy.requirements.is_empty() {
            let _ = write!(text, ": {}", remedy.requirements.join(", "));
        }
        labels.styled(&mut out, GREEN, Style::new(), "fix", &text);
        if !remedy.removes.is_empty() {
            let _ = writeln!(out, "{:12}{CYAN}pip uninstall -y {}{CYAN:#}", "", remedy.removes.join(" "));
        }
        for command in &remedy.commands {
            let _ = writeln!(out, "{:12}{CYAN}{command}{CYAN:#}", "");
        }
    }
    for page in &advisory.references {
        labels.add(&mut out, "source", &cite(page));
    }
    labels.add(&mut out, "written", &advisory.date);
    if let Some(withdrawn) = &advisory.withdrawn {
        labels.add(&mut out, "withdrawn", withdrawn);
    }
    out
}

/// An environment variable: who reads it, what it decides, what it may be.
#[must_use]
pub fn variable(row: &VariableRow, page: Option<&Page>, width: usize) -> String {
    let labels = Labels { indent: 0, label: 10, width: width.clamp(40, 100) };
    let mut out = format!("{BOLD}{}{BOLD:#}\n\n", row.name);
    labels.add(&mut out, "read by", &row.read_by);
    labels.add(&mut out, "does", &row.does);
    if !row.valid.is_empty() {
        let values =
            row.valid.iter().map(|value| if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") });
        labels.add(&mut out, "valid", &values.collect::<Vec<_>>().join(" or "));
    }
    if let Some(wrong) = &row.wrong {
        labels.add(&mut out, "wrong", wrong);
    }
    if let Some(page) = page {
        labels.add(&mut out, "source", &cite(page));
    }
    out
}

/// `bitsandbytes>=0.39,<0.45.1 and triton>=3.2`
fn condition_in_words(condition: &Condition) -> String {
    let Condition {
        installed,
        absent,
        cuda,
        capability,
        class,
        driver,
        python,
        free_threaded,
        platform,
        gpus,
        workload,
    } = condition;
    let mut words: Vec<String> = installed.iter().map(ToString::to_string).collect();
    words.extend(absent.iter().map(|name| format!("no {name}")));
    words.extend(cuda.iter().map(|range| format!("torch's CUDA {range}")));
    words.extend(capability.iter().map(|range| format!("a GPU of compute capability {range}")));
    if !class.is_empty() {
        let names: Vec<_> = class.iter().map(|class| class.name()).collect();
        words.push(format!("a GPU of class {}", names.join(" or ")));
    }
    words.extend(driver.iter().map(|range| format!("driver {range}")));
    words.extend(python.iter().map(|range| format!("Python {range}")));
    words.extend(free_threaded.map(|free| format!("Python {} the global lock", if free { "without" } else { "with" })));
    words.extend(platform.iter().map(|platform| format!("on {platform}")));
    words.extend(gpus.map(|gpus| format!("{gpus} GPUs or more")));
    words.extend(workload.iter().map(|use_| format!("the project uses {use_}")));
    list(&words)
}

/// What a finding of `gpudoc lint` means, and how to live with it.
#[must_use]
pub fn lint_rule(rule: &Rule, width: usize) -> String {
    let width = width.clamp(40, 100);
    let mut out = format!("{BOLD}{}{BOLD:#}\n\n", rule.id);
    paragraph(&mut out, &format!("{}.", rule.title), 0, width);
    out.push('\n');
    paragraph(&mut out, rule.help, 0, width);
    if !matches!(rule.id, "ignore-unused" | "ignore-lapsed") {
        out.push_str("\nTo live with it, in gpudoc.toml:\n\n");
        let _ = writeln!(out, "  [policy]\n  ignore = [{{ id = \"{}\", reason = \"…\", until = \"…\" }}]", rule.id);
    }
    out
}

/// What a family of checks looks at, and how it knows.
#[must_use]
pub fn kind(kind: Kind, rules: &[&check::Rule], width: usize) -> String {
    let width = width.clamp(40, 100);
    let mut out = format!("{BOLD}{}{BOLD:#}\n\n", kind.name());
    paragraph(&mut out, about(kind), 0, width);
    for rule in rules {
        let _ = writeln!(out, "\n{CYAN}{}{CYAN:#}", rule.id);
        paragraph(&mut out, rule.line.trim(), 2, width);
    }
    out
}

/// The pages of the rules that an id may be of.
#[must_use]
pub fn rules(id: &str, rules: &[&check::Rule], width: usize) -> String {
    let width = width.clamp(40, 100);
    // The family, then its rules with that id.
    let of_kind = rules.first().filter(|rule| rule.is_named_after_its_family());
    let mut out = of_kind.map_or_else(|| format!("{BOLD}{id}{BOLD:#}\n"), |rule| kind(rule.kind, &[], width));
    for rule in rules {
        let (page, needs) = (rule.page.split_whitespace().collect::<Vec<_>>().join(" "), rule.needs);
        let needs: Vec<_> = needs.iter().map(|fact| fact.words()).collect();
        let _ = writeln!(out, "\n{BOLD}{}{BOLD:#}", rule.line.trim());
        paragraph(&mut out, &page, 0, width);
        paragraph(&mut out, &format!("Judged on {}. Since gpudoc {}.", list(&needs), rule.since), 0, width);
    }
    out
}

/// The families, in sentences.
fn about(kind: Kind) -> &'static str {
    match kind {
        Kind::DriverMismatch => {
            "The kernel module, libcuda and NVML come from one driver package and must have one version. After an upgrade \
             without a reboot, or with two packages installed, they differ, and CUDA does not start. Known from \
             /proc/driver/nvidia/version, NVML and the files that the loader finds."
        }
        Kind::ForwardCompat => {
            "A cuda-compat package puts a newer libcuda over an older kernel driver, by its place in LD_LIBRARY_PATH. It \
             works on data-centre GPUs only (804 elsewhere), and not if it is older than the driver (803). Known from the \
             loader's order, the versions of the files, and NVIDIA's matrix in the rules."
        }
        Kind::Driver => {
            "Each CUDA major release asks for a driver of a certain branch or newer; PTX asks for one whose CUDA is not \
             older than the toolkit that wrote it. Known from NVML or the kernel, the CUDA version in the installed \
             builds, and NVIDIA's release notes in the rules."
        }
        Kind::GpuVisibility => {
            "Whether the machine has an NVIDIA GPU, whether NVML sees it, and whether CUDA_VISIBLE_DEVICES and its like \
             hide it. Known from NVML, the PCI bus and the environment."
        }
        Kind::CpuBuild => {
            "A build of torch without GPU code on a machine with a GPU. Known from torch/version.py and the local label."
        }
        Kind::GpuArch => {
            "Whether the installed libraries hold code for the GPUs that are here: machine code (SASS) of the same major \
             compute capability and not above the minor, or PTX that is not newer than the GPU. Known from the headers of \
             the fat binaries in the installed files, library by library; from the rules, which were read from the \
             published wheels, where the files are not at hand. For Triton: what its ptxas can assemble."
        }
        Kind::Pairing => {
            "Builds that must be made for each other, whether or not they say so: torchvision's CUDA and torch's, two \
             copies of one distribution on the path. Known from the builds' own files and from the packages' code, as the \
             rules cite it."
        }
        Kind::Abi => {
            "Whether the loader can bind the compiled parts: symbols of torch that an extension needs and the installed \
             torch does not export (it was compiled for another release, or with another C++ ABI), symbols between CUDA \
             libraries, glibc and libstdc++ of the host, NumPy's C API. Known from the symbol tables of the installed \
             files; which torch a symbol belongs to, from the rules."
        }
        Kind::Import => {
            "Whether the modules and names are there that installed packages take from each other and from Python when they \
             are imported. Known by following in the files what the import runs, statement by statement, without running it; \
             what a module makes at run time is not judged."
        }
        Kind::Advisory => "A known bad combination. `gpudoc explain` with its id tells the story and the sources.",
        Kind::Requirement => {
            "Requires-Dist of an installed distribution that what is installed does not meet, for the packages of the GPU \
             stack and whatever they need. Known from METADATA."
        }
        Kind::CudaLibs => {
            "The CUDA libraries that the installed packages need: missing ones, other copies in front because of \
             LD_LIBRARY_PATH, files that two distributions install, files that are not as RECORD says (by hash with \
             --deep). Known by following what each library needs, in the loader's own order."
        }
        Kind::Environment => {
            "Whether the environment is whole: its interpreter and its place, what stands in front of an installed package on \
             sys.path, Python modules and folders that are missing, empty, cut off or other than RECORD says. Known from the \
             file system; nothing is imported."
        }
        Kind::Python => {
            "Whether wheels fit the interpreter, the platform and glibc. Known from WHEEL tags, Requires-Python and the \
             rules."
        }
        Kind::Toolchain => {
            "What building extensions and just-in-time compilation need: nvcc, a compiler, headers, ptxas."
        }
        Kind::System => {
            "Whether the machine and its GPUs are in a state to work: the NVLink fabric and its manager, NVLinks, compute mode, \
             confidential computing, memory errors, heat, what fills the GPUs' memory, the driver's errors in the kernel's log; \
             shared memory, limits, disk space, WSL, Jetson. Known from NVML, the kernel and the file systems."
        }
    }
}
