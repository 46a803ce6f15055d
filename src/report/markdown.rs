//! A report as an answer under an issue: what is wrong first, how we know folded below it.

use std::fmt::Write;

use super::Report;
use super::finding::shell;
use crate::cause::{Item, Role};
use crate::check::Verdict;
use crate::finding::{Evidence, Finding, Severity};
use crate::step::{Shell, print};
use crate::text::{count, shown};

/// Writes a report in Markdown, with a newline at the end.
#[must_use]
pub fn markdown(report: &Report<'_>) -> String {
    let mut out = String::new();
    if report.causes.is_empty() {
        let _ = match &report.verdict {
            Verdict::Pass(looked) => {
                writeln!(out, "**gpudoc found nothing wrong: {}.**", escaped(&looked.in_words()))
            }
            _ => {
                writeln!(out, "**gpudoc found nothing wrong in what this shows, but not all that matters is known.**")
            }
        };
    }
    for cause in &report.causes {
        let id = cause.findings.first().map(ToString::to_string).unwrap_or_default();
        let (title, meaning) = (escaped(&cause.title), escaped(&cause.meaning));
        let meaning = if meaning.is_empty() { meaning } else { format!("  \n{meaning}") };
        let _ = writeln!(out, "{} **{title}** (`{id}`){meaning}\n", mark(cause.severity));
    }
    for item in &report.to_do {
        write_item(&mut out, item, report.plan.is_some(), shell(report.facts));
    }
    let _ = writeln!(out, "\n<details>\n<summary>How we know</summary>\n");
    for finding in &report.findings {
        write_evidence(&mut out, finding);
    }
    write_unchecked(&mut out, report);
    let _ = writeln!(out, "</details>\n");
    let _ = writeln!(out, "<sub>gpudoc {}, rules of {}</sub>", env!("CARGO_PKG_VERSION"), report.rules.day);
    if let Some(notice) = report.rules.notice() {
        let _ = writeln!(out, "\n<sub>{}</sub>", escaped(&notice));
    }
    out
}

fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Fail => "❌",
        Severity::Warn => "⚠️",
        Severity::Info => "ℹ️",
    }
}

/// One thing to do, its commands in a block to copy.
fn write_item(out: &mut String, item: &Item, planned: bool, shell: Shell) {
    let word = match item.role {
        Role::Plan => "Plan",
        Role::Instead => "Or",
        Role::Image => "In the image",
        Role::Fix => "Fix",
        Role::Look => "First",
        Role::Then => "Then",
        Role::Also if planned => "It leaves",
        Role::Also => "Also",
    };
    let about = item.about.as_ref().map_or_else(String::new, |title| format!("{}. ", escaped(title)));
    let checked = if item.verified { " (re-checked)" } else { "" };
    let _ = writeln!(out, "\n{word}: {about}{}{checked}", escaped(&item.words));
    if !item.steps.is_empty() {
        let language = if shell == Shell::PowerShell { "powershell" } else { "sh" };
        let _ = writeln!(out, "\n```{language}\n{}\n```", print(&item.steps, shell).join("\n"));
    }
}

fn write_evidence(out: &mut String, finding: &Finding) {
    let _ = writeln!(out, "{} {} (`{}`)\n", mark(finding.severity), escaped(&finding.title), finding.id);
    for Evidence { fact, observed, required, source: _, citation } in &finding.evidence {
        let required =
            required.as_ref().map_or_else(String::new, |required| format!("; needed: {}", escaped(required)));
        let citation = citation.as_ref().map_or_else(String::new, |citation| format!(" ({})", escaped(citation)));
        let _ = writeln!(out, "- {}: {}{required}{citation}", escaped(fact), escaped(observed));
    }
    for remedy in &finding.remedies {
        let _ = writeln!(out, "- remedy: {}", escaped(&remedy.summary));
    }
    for page in finding.references.iter().filter(|page| page.starts_with("http")).take(3) {
        let _ = writeln!(out, "- {page}");
    }
    out.push('\n');
}

/// What was read, and what could not be judged.
fn write_unchecked(out: &mut String, report: &Report<'_>) {
    if let Some(pasted) = &report.facts.pasted {
        if !pasted.recognised.is_empty() {
            let _ = writeln!(out, "Read: {}.", escaped(&pasted.recognised.join("; ")));
        }
        if pasted.not_read > 0 {
            let _ = writeln!(out, "Not read: {}.", count(pasted.not_read, "line", "lines"));
        }
    }
    for text in report.unchecked() {
        let text = escaped(&text).replacen("not checked", "Not checked", 1);
        let _ = writeln!(out, "{text}.");
    }
    for demand in &report.demands {
        let _ = writeln!(out, "{}.", escaped(demand));
    }
    out.push('\n');
}

/// Text of a report must not become markup: no tags, no mentions, no links to other issues.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut code = false;
    for letter in shown(text).chars() {
        match letter {
            '`' => {
                code = !code;
                out.push('`');
            }
            '<' if !code => out.push_str("&lt;"),
            '>' if !code => out.push_str("&gt;"),
            '@' if !code => out.push_str("@\u{200b}"),
            '#' | '*' | '_' | '|' if !code => {
                out.push('\\');
                out.push(letter);
            }
            '\n' => out.push(' '),
            letter => out.push(letter),
        }
    }
    // A code mark that is not closed would take the rest of the page.
    if code {
        out.push('`');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_report_is_no_markup() {
        assert_eq!(escaped("<script> @ada sm_120 `a_b <c>`"), "&lt;script&gt; @\u{200b}ada sm\\_120 `a_b <c>`");
        assert_eq!(escaped("an `open mark"), "an `open mark`");
    }
}
