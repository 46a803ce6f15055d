//! What a change would do, as text and as JSON (`gpudoc.impact/1`).

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::finding::{FindingDocument, shell};
use super::lines::Labels;
use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::impact::{Fate, Outlook, Row};
use crate::rules::role::is_runtime_wheel;
use crate::step::print;
use crate::text::{count, list};
use crate::version::CudaVersion;

const SCHEMA: &str = "gpudoc.impact/1";
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();

/// The titles of what is told row by row, in this order.
const TOLD: [(Fate, &str, Style); 7] = [
    (Fate::Conflict, "Conflicts", RED),
    (Fate::Change, "Must change", YELLOW),
    (Fate::Rebuild, "Must be rebuilt", YELLOW),
    (Fate::Add, "Comes in", YELLOW),
    (Fate::Remove, "Goes", YELLOW),
    (Fate::Unknown, "Unknown", YELLOW),
    (Fate::Safe, "Safe", GREEN),
];

/// Writes an outlook for people. `diffs`: files and what would change in them; `target`: the machine in words.
#[must_use]
pub fn text(outlook: &Outlook, diffs: &[(String, String)], target: &str, facts: &Facts, width: usize) -> String {
    let shell = shell(facts);
    let width = width.clamp(40, 100);
    let mut out = String::new();
    let _ = writeln!(out, "{DIM}{}{DIM:#}", crate::text::wrap(&format!("on {target}"), width).join("\n"));
    for (fate, title, style) in TOLD {
        let rows: Vec<&Row> = outlook.rows.iter().filter(|row| row.fate == fate).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{style}{title}{style:#}");
        let (runtime, rows): (Vec<&Row>, Vec<&Row>) = rows.into_iter().partition(|row| is_runtime_wheel(&row.name));
        if matches!(fate, Fate::Unknown | Fate::Safe) {
            in_groups(&mut out, &rows, width);
            continue;
        }
        let column = rows.iter().map(|row| row.name.len()).max().unwrap_or_default().clamp(8, 24) + 2;
        let labels = Labels { indent: 2, label: column, width };
        for row in rows {
            labels.styled(&mut out, BOLD, Style::new(), &row.name, &versions(row));
            if !row.why.is_empty() {
                labels.styled(&mut out, DIM, DIM, "", &row.why);
            }
            if let Some(rebuild) = &row.rebuild {
                if let Some(cuda) = rebuild.toolkit {
                    labels.add(&mut out, "", &format!("needs the nvcc of CUDA {cuda}"));
                }
                for step in &rebuild.steps {
                    let _ = writeln!(out, "{:indent$}{}", "", step.print(shell), indent = 2 + column);
                }
            }
        }
        if !runtime.is_empty() {
            let wheels = count(runtime.len(), "runtime wheel", "runtime wheels");
            let label = Labels { indent: 2, label: 2, width };
            label.styled(&mut out, DIM, DIM, "", &format!("and {wheels} of NVIDIA: {}", runtime[0].why));
        }
    }
    let unchanged: Vec<&str> =
        outlook.rows.iter().filter(|row| row.fate == Fate::Unchanged).map(|row| row.name.as_str()).collect();
    if !unchanged.is_empty() {
        let number = count(unchanged.len(), "distribution", "distributions");
        let _ = writeln!(out, "\n{GREEN}Unchanged{GREEN:#}: {number}");
    }
    findings(&mut out, "Fixed", GREEN, &outlook.fixed, width);
    findings(&mut out, "New", RED, &outlook.introduced, width);
    findings(&mut out, "Still there", YELLOW, &outlook.remaining, width);
    if !diffs.is_empty() {
        let _ = writeln!(out, "\n{BOLD}Edits{BOLD:#}");
        diffs.iter().for_each(|(_, diff)| coloured(&mut out, diff));
    }
    if !outlook.steps.is_empty() {
        let _ = writeln!(out, "\n{BOLD}Commands{BOLD:#}");
        for command in print(&outlook.steps, shell) {
            let _ = writeln!(out, "  {command}");
        }
    } else {
        let _ = writeln!(out, "\nnothing to install: all that is asked for is there");
    }
    out
}

fn coloured(out: &mut String, diff: &str) {
    for line in diff.lines() {
        let style = match line.as_bytes() {
            [b'+', ..] => GREEN,
            [b'-', ..] => RED,
            [b'@', ..] => DIM,
            _ => Style::new(),
        };
        let _ = writeln!(out, "{style}{line}{style:#}");
    }
}

/// Those of which the same is said together.
fn in_groups(out: &mut String, rows: &[&Row], width: usize) {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for row in rows {
        let title = format!("{} {}", row.name, versions(row));
        match groups.iter_mut().find(|(why, _)| *why == row.why) {
            Some((_, titles)) => titles.push(title),
            None => groups.push((&row.why, vec![title])),
        }
    }
    for (why, titles) in groups {
        Labels { indent: 2, label: 0, width }.add(out, "", &titles.join(", "));
        Labels { indent: 4, label: 0, width }.styled(out, DIM, DIM, "", why);
    }
}

fn versions(row: &Row) -> String {
    match (&row.before, &row.after) {
        (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
        (Some(before), Some(_)) => before.clone(),
        (Some(before), None) => format!("{before} → none"),
        (None, after) => after.clone().unwrap_or_default(),
    }
}

fn findings(out: &mut String, title: &str, style: Style, findings: &[Finding], width: usize) {
    if findings.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{style}{title}{style:#}");
    let labels = Labels { indent: 2, label: 6, width };
    for finding in findings {
        let severity = if finding.severity == Severity::Fail { "fail" } else { "warn" };
        labels.add(out, severity, &format!("{} [{}]", finding.title, finding.id));
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    distributions: Vec<RowDocument<'a>>,
    fixed: Vec<FindingDocument<'a>>,
    introduced: Vec<FindingDocument<'a>>,
    remaining: Vec<FindingDocument<'a>>,
    pins: &'a [String],
    indexes: &'a [String],
    commands: Vec<String>,
    cuda: Option<CudaVersion>,
    arch_list: &'a str,
    edits: Vec<EditDocument<'a>>,
}

#[derive(Serialize)]
struct RowDocument<'a> {
    name: &'a str,
    status: &'static str,
    before: Option<&'a str>,
    after: Option<&'a str>,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rebuild: Option<RebuildDocument<'a>>,
}

#[derive(Serialize)]
struct RebuildDocument<'a> {
    variable: Option<&'a str>,
    value: Option<&'a str>,
    toolkit: Option<CudaVersion>,
    command: String,
}

#[derive(Serialize)]
struct EditDocument<'a> {
    file: &'a str,
    diff: &'a str,
}

/// The same for programs. `edits`: files and their unified diffs.
#[must_use]
pub fn json(outlook: &Outlook, edits: &[(String, String)], facts: &Facts) -> String {
    let shell = shell(facts);
    let rows = outlook.rows.iter().map(|row| RowDocument {
        name: &row.name,
        status: row.fate.name(),
        before: row.before.as_deref(),
        after: row.after.as_deref(),
        reason: &row.why,
        rebuild: row.rebuild.as_ref().map(|rebuild| RebuildDocument {
            variable: rebuild.variable.as_ref().map(|(name, _)| name.as_str()),
            value: rebuild.variable.as_ref().map(|(_, value)| value.as_str()),
            toolkit: rebuild.toolkit,
            command: rebuild.steps.last().map(|step| step.print(shell)).unwrap_or_default(),
        }),
    });
    let document = Document {
        schema: SCHEMA,
        distributions: rows.collect(),
        fixed: FindingDocument::all(&outlook.fixed, shell),
        introduced: FindingDocument::all(&outlook.introduced, shell),
        remaining: FindingDocument::all(&outlook.remaining, shell),
        pins: &outlook.pins,
        indexes: &outlook.indexes,
        commands: print(&outlook.steps, shell),
        cuda: outlook.cuda,
        arch_list: &outlook.arch_list,
        edits: edits.iter().map(|(file, diff)| EditDocument { file, diff }).collect(),
    };
    // Strings, numbers and lists only: nothing here that JSON could refuse.
    serde_json::to_string_pretty(&document).map(|text| text + "\n").unwrap_or_default()
}

/// One line that says what becomes of how many: `1 conflict, 3 must change, 2 must be rebuilt, 14 unchanged`.
#[must_use]
pub fn summary(outlook: &Outlook) -> String {
    let number = |fate: Fate| outlook.rows.iter().filter(|row| row.fate == fate).count();
    let words = [
        (Fate::Conflict, "in conflict"),
        (Fate::Change, "to change"),
        (Fate::Rebuild, "to rebuild"),
        (Fate::Add, "new"),
        (Fate::Remove, "to remove"),
        (Fate::Unknown, "unknown"),
        (Fate::Safe, "safe"),
        (Fate::Unchanged, "unchanged"),
    ];
    let told: Vec<_> = words
        .iter()
        .filter(|(fate, _)| number(*fate) > 0)
        .map(|(fate, word)| format!("{} {word}", number(*fate)))
        .collect();
    list(&told)
}
