//! What `gpudoc explain` tells of an error message, and of a build on a GPU.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::lines::Labels;
use crate::rules::schema::Symptom;
use crate::text::wrap;

const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// An error message, whole.
#[must_use]
pub fn symptom(symptom: &Symptom, width: usize) -> String {
    let width = width.clamp(40, 100);
    let labels = Labels { indent: 0, label: 10, width };
    let mut out = String::new();
    let first = symptom.matches.first().map_or("", String::as_str);
    for line in wrap(&format!("{}: `{first}`", symptom.id), width) {
        let _ = writeln!(out, "{BOLD}{line}{BOLD:#}");
    }
    out.push('\n');
    for line in wrap(&symptom.meaning, width) {
        let _ = writeln!(out, "{line}");
    }
    out.push('\n');
    for cause in &symptom.causes {
        let plain = |text: &str| {
            text.replace("{package}", "the package")
                .replace("{gpu}", "this GPU")
                .replace("{torch}", "torch")
                .replace("{driver}", "the driver")
        };
        // What a text would say there.
        let open = |text: &str| {
            symptom
                .says
                .keys()
                .fold(plain(text), |text, name| text.replace(&format!("{{{name}}}"), &format!("<{name}>")))
        };
        labels.add(&mut out, "cause", &format!("{}  [{}]", open(&cause.title), cause.kind));
        labels.styled(&mut out, GREEN, Style::new(), "  fix", &open(&cause.remedy));
        for command in &cause.commands {
            let _ = writeln!(out, "{:12}{CYAN}{}{CYAN:#}", "", open(command.as_str()));
        }
    }
    if symptom.settle.as_str() != "-" {
        labels.add(&mut out, "settle", "this tells the causes apart:");
        let _ = writeln!(out, "{:12}{CYAN}{}{CYAN:#}", "", symptom.settle);
    }
    for other in symptom.matches.iter().skip(1) {
        labels.add(&mut out, "also", &format!("`{other}`"));
    }
    for source in &symptom.sources {
        labels.add(&mut out, "source", source);
    }
    out
}

/// How one build stands on a GPU.
pub struct BuildVerdict {
    /// The build, e.g. `2.7.1+cu126`.
    pub build: String,
    /// Whether it holds code for the GPU; none where nobody knows its code.
    pub runs: Option<bool>,
    /// What it is compiled for, e.g. `sm_50 sm_60 … sm_90`.
    pub code: String,
    /// The wheel or page.
    pub source: String,
}

/// The builds of a release on one GPU.
pub struct OnGpu {
    /// What was asked, e.g. `torch 2.6.0 supports sm_120`.
    pub question: String,
    /// The answer in one sentence.
    pub answer: String,
    /// Whether it is good news.
    pub good: bool,
    /// One row for each build.
    pub builds: Vec<BuildVerdict>,
}

/// The answer, and the rows behind it.
#[must_use]
pub fn on_gpu(told: &OnGpu, width: usize) -> String {
    let width = width.clamp(40, 100);
    let labels = Labels { indent: 0, label: 16, width };
    let mut out = String::new();
    for line in wrap(&told.question, width) {
        let _ = writeln!(out, "{BOLD}{line}{BOLD:#}");
    }
    let style = if told.good { GREEN } else { RED };
    for line in wrap(&told.answer, width) {
        let _ = writeln!(out, "{style}{line}{style:#}");
    }
    out.push('\n');
    for row in &told.builds {
        let word = match row.runs {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not known",
        };
        labels.add(&mut out, &row.build, &format!("{word}: {}", row.code));
        labels.add(&mut out, "", &format!("({})", row.source));
    }
    out
}
