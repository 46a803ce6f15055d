//! The whole report: each finding with its evidence, its sources and all that would help.

use std::collections::HashSet;
use std::fmt::Write;

use super::Report;
use super::finding::shell;
use super::lines::Labels;
use super::look::{BOLD, CYAN, DIM, GREEN, Look, RED, YELLOW};
use super::text::footer;
use crate::facts::{Facts, Reading, TORCH, Virtualization};
use crate::finding::{Evidence, Finding, Remedy, Severity};
use crate::step::{self, Shell};
use crate::text::{bytes, count, wrap};

/// Writes a report with all that it rests on, styled; the stream strips styles that it cannot show.
#[must_use]
pub fn full(report: &Report<'_>, look: Look) -> String {
    let width = look.columns();
    let mut out = String::new();
    header(&mut out, report.facts, &report.screen.packages, width);
    let mut told = HashSet::new();
    let shell = shell(report.facts);
    for finding in &report.findings {
        out.push('\n');
        write_finding(&mut out, finding, &mut told, width, shell);
    }
    // Where no finding has it among its remedies.
    if let Some(plan) = report.plan.as_ref().filter(|plan| !told.contains(plan.summary.as_str())) {
        out.push('\n');
        let remedy = Remedy { verified: plan.verified, ..Remedy::new(&plan.summary, plan.steps.clone()) };
        write_remedy(&mut out, &remedy, false, false, width, shell);
    }
    out.push('\n');
    unchecked(&mut out, report, width);
    footer(&mut out, report, look, &report.findings.iter().map(|it| it.severity).collect::<Vec<_>>());
    out
}

fn header(out: &mut String, facts: &Facts, named: &[String], width: usize) {
    let labels = Labels { indent: 0, label: 9, width };
    let system = &facts.system;
    let mut parts = Vec::new();
    parts.extend(system.distro.value().or(system.os.value()).cloned());
    parts.extend(system.arch.value().cloned());
    parts.extend(system.glibc.value().map(|glibc| format!("glibc {glibc}")));
    parts.extend(system.container.value().map(|kind| format!("{kind} container")));
    parts.extend(system.wsl.value().map(|version| format!("WSL {version}")));
    let host = if parts.is_empty() { "not known".to_owned() } else { parts.join(", ") };
    labels.add(out, "host", &host);
    labels.add(out, "driver", &driver_line(facts));
    match &facts.gpus {
        Reading::Known { value, .. } if !value.is_empty() => {
            for gpu in value {
                let mut parts = vec![gpu.name.value().cloned().unwrap_or_else(|| "unnamed".to_owned())];
                parts.push(match gpu.compute_capability.value() {
                    Some(capability) => format!("compute capability {capability}"),
                    None => "compute capability not known".to_owned(),
                });
                parts.extend(gpu.memory_bytes.value().map(|size| bytes(*size)));
                let state = gpu.state.value();
                if gpu.mig.value() == Some(&true) {
                    let instances = state.map(|state| count(state.instances.len(), "instance", "instances"));
                    parts.push(instances.map_or_else(|| "MIG".to_owned(), |instances| format!("MIG with {instances}")));
                }
                if state.is_some_and(|state| state.virtualization == Some(Virtualization::Vgpu)) {
                    parts.push("vGPU".to_owned());
                }
                labels.add(out, &format!("gpu {}", gpu.index), &parts.join(", "));
            }
        }
        Reading::Unreadable { error } => labels.add(out, "gpu", &format!("not readable: {error}")),
        Reading::Unknown | Reading::Partly { .. } => labels.add(out, "gpu", "not known"),
        _ => labels.add(out, "gpu", "no NVIDIA GPU seen"),
    }
    let python = match &facts.python {
        Reading::Known { value, .. } => {
            let version = value.version.value().map_or_else(|| "unknown version".to_owned(), ToString::to_string);
            let number = count(facts.active_distributions().count(), "distribution", "distributions");
            format!("{version} in {}, {number}", value.prefix)
        }
        Reading::Absent { looked } => format!("none found ({looked})"),
        Reading::Unreadable { error } => format!("not readable: {error}"),
        Reading::Unknown | Reading::Partly { .. } => "not known".to_owned(),
    };
    labels.add(out, "python", &python);
    let stack: Vec<_> = named
        .iter()
        .filter_map(|name| facts.distribution(name))
        .map(|distribution| format!("{} {}", distribution.name, distribution.full_version()))
        .collect();
    let no_torch = facts.lists_all() && facts.distribution(TORCH).is_none();
    let parts: Vec<String> = no_torch.then(|| "this Python has no torch".to_owned()).into_iter().chain(stack).collect();
    if !parts.is_empty() {
        labels.add(out, "stack", &parts.join(", "));
    }
}

fn driver_line(facts: &Facts) -> String {
    let driver = &facts.driver;
    let mut parts = Vec::new();
    match &driver.version {
        Reading::Known { value, .. } => parts.push(value.to_string()),
        Reading::Partly { part, .. } => parts.push(format!("one of {}", part.said())),
        Reading::Absent { .. } => parts.push("none loaded".to_owned()),
        Reading::Unreadable { error } => parts.push(format!("not readable: {error}")),
        Reading::Unknown => parts.push("not known".to_owned()),
    }
    parts.extend(driver.cuda.value().map(|cuda| format!("CUDA up to {cuda}")));
    if let Some(library) = facts.loader.libcuda.value().filter(|library| library.compat) {
        let version = library.version.value().map_or_else(String::new, |version| format!(" {version}"));
        parts.push(format!("cuda-compat libcuda{version} in front"));
    }
    if let Reading::Unreadable { error } = &driver.nvml
        && driver.version.value().is_some()
    {
        parts.push(format!("NVML: {error}"));
    }
    parts.join(", ")
}

fn write_finding<'a>(out: &mut String, finding: &'a Finding, told: &mut HashSet<&'a str>, width: usize, shell: Shell) {
    let (word, style) = match finding.severity {
        Severity::Fail => ("fail", RED),
        Severity::Warn => ("warn", YELLOW),
        Severity::Info => ("info", CYAN),
    };
    let title = format!("{}  [{}]", finding.title, finding.id);
    let lines = wrap(&title, width - 6);
    for (index, line) in lines.iter().enumerate() {
        let head = if index == 0 { word } else { "" };
        let _ = writeln!(out, "{style}{head:<6}{style:#}{BOLD}{line}{BOLD:#}");
    }
    for line in wrap(&finding.message, width - 6) {
        let _ = writeln!(out, "      {line}");
    }
    for evidence in &finding.evidence {
        write_evidence(out, evidence, width);
    }
    for (index, remedy) in finding.remedies.iter().enumerate() {
        write_remedy(out, remedy, index > 0, !told.insert(&remedy.summary), width, shell);
    }
    // Wheels are cited as evidence; a page can be opened.
    for reference in finding.references.iter().filter(|reference| reference.starts_with("http")).take(2) {
        for line in wrap(&format!("see {reference}"), width - 6) {
            let _ = writeln!(out, "      {DIM}{line}{DIM:#}");
        }
    }
}

fn write_evidence(out: &mut String, evidence: &Evidence, width: usize) {
    let required = evidence.required.as_ref().map_or_else(String::new, |required| format!("; needed: {required}"));
    let line = format!("{}: {}{required}", evidence.fact, evidence.observed);
    for (index, line) in wrap(&line, width - 8).into_iter().enumerate() {
        let bullet = if index == 0 { "-" } else { " " };
        let _ = writeln!(out, "      {bullet} {line}");
    }
    if let Some(citation) = &evidence.citation {
        for line in wrap(&format!("({citation})"), width - 8) {
            let _ = writeln!(out, "        {DIM}{line}{DIM:#}");
        }
    }
}

/// A remedy that was told before is only named: one installation often helps several findings.
fn write_remedy(out: &mut String, remedy: &Remedy, alternative: bool, told: bool, width: usize, shell: Shell) {
    let verified = match (told && !remedy.steps.is_empty(), remedy.verified) {
        (true, true) => " (re-checked, see above)",
        (true, false) => " (see above)",
        (false, true) => " (re-checked)",
        (false, false) => "",
    };
    let head = if alternative { "or: " } else { "fix: " };
    let indent = head.len();
    for (index, line) in wrap(&format!("{}{verified}", remedy.summary), width - 6 - indent).into_iter().enumerate() {
        let head = if index == 0 { head } else { "" };
        let _ = writeln!(out, "      {GREEN}{head:<indent$}{GREEN:#}{line}");
    }
    if !told {
        for line in step::lines(&remedy.steps, shell, width - 10) {
            let _ = writeln!(out, "          {CYAN}{line}{CYAN:#}");
        }
    }
}

fn unchecked(out: &mut String, report: &Report<'_>, width: usize) {
    if let Some(pasted) = &report.facts.pasted {
        let read = match pasted.recognised.as_slice() {
            [] => "no report that gpudoc knows".to_owned(),
            recognised => recognised.join("; "),
        };
        let rest = match pasted.not_read {
            0 => String::new(),
            lines => format!("; not read: {}", count(lines, "line", "lines")),
        };
        for line in wrap(&format!("read: {read}{rest}"), width) {
            let _ = writeln!(out, "{DIM}{line}{DIM:#}");
        }
    }
    for text in report.unchecked() {
        for line in wrap(&text, width) {
            let _ = writeln!(out, "{DIM}{line}{DIM:#}");
        }
    }
    for demand in &report.demands {
        for line in wrap(demand, width) {
            let _ = writeln!(out, "{RED}{line}{RED:#}");
        }
    }
}
