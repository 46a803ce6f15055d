//! The screen: where this is, what is wrong, what to do.
//!
//! What is to be done stands last, since what stands first has scrolled away. How it is known, and what else would help, is
//! told with `--verbose` ([`super::full`]).

use std::fmt::Write;

use anstyle::Style;

use super::Report;
use super::finding::shell;
use super::header;
use super::lines::Labels;
use super::look::{BOLD, CYAN, DIM, GREEN, Look, RED, YELLOW};
use crate::cause::{Item, Role};
use crate::check::Verdict;
use crate::finding::{Finding, Outcome, Severity};
use crate::step::{Shell, Step};
use crate::text::{count, list, wrap, wrap_to};

/// Lines of a cause.
const CAUSE: usize = 3;
/// Lines of the host, and of the environment.
const HEADER: usize = 2;
/// Causes told in full; of further ones the title.
const FULL: usize = 6;
/// Causes told at all.
const TOLD: usize = 12;
/// Causes beside the plan, or beside the first one, of which it is said what to do.
const BESIDE: usize = 3;

/// Writes a report for people, styled; the stream strips styles that it cannot show.
#[must_use]
pub fn text(report: &Report<'_>, look: Look) -> String {
    let mut out = String::new();
    header(&mut out, report, look);
    causes(&mut out, report, look);
    notes(&mut out, report, look);
    to_do(&mut out, report, look);
    gap(&mut out);
    footer(&mut out, report, look);
    out
}

/// The last line alone; nothing where nothing is wrong.
#[must_use]
pub fn quiet(report: &Report<'_>, look: Look) -> String {
    let mut out = String::new();
    if !matches!(report.verdict, Verdict::Pass(_)) {
        footer(&mut out, report, look);
    }
    out
}

/// An empty line between two parts.
fn gap(out: &mut String) {
    if !out.is_empty() {
        out.push('\n');
    }
}

fn header(out: &mut String, report: &Report<'_>, look: Look) {
    let read = report.facts.pasted.as_ref().filter(|pasted| pasted.recognised.is_empty());
    let nothing = read.map(|_| "no report that gpudoc knows".to_owned());
    let lines = [("host", header::host(report.facts)), ("env", header::environment(report.facts, report.named))];
    let lines = lines.into_iter().chain(nothing.map(|text| ("read", text)));
    for (label, text) in lines.filter(|(_, text)| !text.is_empty()) {
        for (index, line) in wrap(&fitting(&text, look.columns() - 6), look.columns() - 6).into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let _ = writeln!(out, "{DIM}{label:<6}{DIM:#}{line}");
        }
    }
}

/// A list in at most [`HEADER`] lines; what does not fit is counted.
fn fitting(text: &str, width: usize) -> String {
    let parts: Vec<&str> = text.split(", ").collect();
    let shown = |number: usize| match parts.len() - number {
        0 => text.to_owned(),
        more => format!("{} and {more} more", parts[..number].join(", ")),
    };
    let fits = |number: &usize| wrap(&shown(*number), width).len() <= HEADER;
    (1..=parts.len()).rev().find(fits).map_or_else(|| text.to_owned(), shown)
}

fn causes(out: &mut String, report: &Report<'_>, look: Look) {
    if !report.causes.is_empty() {
        gap(out);
    }
    for (at, cause) in report.causes.iter().take(TOLD).enumerate() {
        let (mark, style) = look.of(cause.severity);
        let indent = look.indent();
        let width = look.columns() - indent;
        let id = cause.findings.first().map(|id| format!("[{id}]")).unwrap_or_default();
        let title = wrap_to(&cause.title, width, CAUSE - 1);
        let meaning = if at < FULL { shortened(&cause.meaning, width, CAUSE - title.len()) } else { Vec::new() };
        for (index, line) in title.iter().enumerate() {
            let mark = if index == 0 { mark } else { "" };
            let fits = index + 1 == title.len() && line.chars().count() + 2 + id.chars().count() <= width;
            let id = if fits { format!("  {DIM}{id}{DIM:#}") } else { String::new() };
            let _ = writeln!(out, "{style}{mark:<indent$}{style:#}{BOLD}{line}{BOLD:#}{id}");
        }
        for line in meaning {
            let _ = writeln!(out, "{:indent$}{line}", "");
        }
    }
    if let Some(more @ 1..) = report.causes.len().checked_sub(TOLD) {
        let _ = writeln!(out, "{:1$}and {2}: --verbose", "", look.indent(), count(more, "other", "others"));
    }
    for demand in &report.demands {
        for line in wrap(demand, look.columns()) {
            let _ = writeln!(out, "{RED}{line}{RED:#}");
        }
    }
}

/// A sentence in so many lines: what does not fit is left away from a colon or semicolon on. A sentence without one may
/// have a line more.
fn shortened(sentence: &str, width: usize, most: usize) -> Vec<String> {
    let mut whole = sentence;
    loop {
        let lines = wrap(whole, width);
        if lines.len() <= most {
            return if whole.len() == sentence.len() { lines } else { wrap(&format!("{whole}."), width) };
        }
        match clause_end(whole).filter(|end| *end > width / 3) {
            Some(end) => whole = &whole[..end],
            None => return wrap_to(sentence, width, most + 1),
        }
    }
}

/// Where the last clause of a sentence begins, outside of backticks and brackets.
fn clause_end(sentence: &str) -> Option<usize> {
    let (mut code, mut depth, mut end) = (false, 0_usize, None);
    for (at, letter) in sentence.char_indices() {
        code ^= letter == '`';
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let rest = sentence.get(at + 1..).unwrap_or_default();
        if matches!(letter, ';' | ':') && !code && depth == 0 && rest.starts_with(' ') {
            end = Some(at);
        }
    }
    end
}

/// What is worth knowing, and what could not be looked at: in full where nothing is wrong, else counted.
fn notes(out: &mut String, report: &Report<'_>, look: Look) {
    let info: Vec<&Finding> = report.findings.iter().filter(|finding| finding.severity == Severity::Info).collect();
    let mut counted = Vec::new();
    if report.causes.is_empty() && !info.is_empty() {
        gap(out);
        for finding in &info {
            let (mark, style) = look.of(Severity::Info);
            let labels = Labels { indent: 0, label: look.indent(), width: look.columns() };
            labels.styled(out, style, Style::new(), mark, &finding.title);
        }
    } else if !info.is_empty() {
        counted.push(count(info.len(), "note", "notes"));
    }
    let left_out: Vec<&str> =
        report.checks.iter().filter(|it| leaves_out(&it.outcome, &it.missing)).map(|it| it.id).collect();
    if !left_out.is_empty() {
        let named: Vec<&str> = left_out.iter().take(3).copied().collect();
        let names = match left_out.len() - named.len() {
            0 => list(&named),
            more => format!("{} and {more} more", named.join(", ")),
        };
        counted.push(format!("not checked: {names}"));
    }
    let not_read = report.facts.pasted.as_ref().map_or(0, |pasted| pasted.not_read);
    if not_read > 0 {
        counted.push(format!("not read: {}", count(not_read, "line", "lines")));
    }
    // Where little is told, the machine itself tells the rest.
    if report.verdict == Verdict::Unknown && report.facts.pasted.is_some() {
        counted.push("`gpudoc check` on the machine itself tells the rest".to_owned());
    }
    if !counted.is_empty() {
        gap(out);
        for line in wrap(&format!("{} (--verbose)", counted.join("; ")), look.columns()) {
            let _ = writeln!(out, "{DIM}{line}{DIM:#}");
        }
    }
}

fn leaves_out(outcome: &Outcome, missing: &[String]) -> bool {
    matches!(outcome, Outcome::Skipped(_)) || !missing.is_empty()
}

/// The plan with what it leaves, or the best remedy of what comes first.
fn to_do(out: &mut String, report: &Report<'_>, look: Look) {
    if !report.to_do.is_empty() {
        gap(out);
    }
    let beside = |item: &&Item| item.role == Role::Also;
    let others = report.to_do.iter().filter(beside).skip(BESIDE).count();
    for item in report.to_do.iter().filter(|item| !beside(item)).chain(report.to_do.iter().filter(beside).take(BESIDE))
    {
        let label = match item.role {
            Role::Plan => "plan",
            Role::Image => "image",
            Role::Fix => "fix",
            Role::Look => "first",
            Role::Then => "then",
            Role::Also if report.plan.is_some() => "left",
            Role::Also => "also",
        };
        let checked = if item.verified { " (re-checked)" } else { "" };
        let words = format!("{}{checked}", item.words);
        match &item.about {
            Some(title) => {
                let title = wrap_to(title, look.columns() - 7, 1);
                labelled(out, label, &format!("{}:", title.join(" ")), look);
                labelled(out, "", &words, look);
            }
            None => labelled(out, label, &words, look),
        }
        commands(out, &item.steps, shell(report.facts), look);
    }
    if others > 0 {
        labelled(out, "", &format!("and {}: --verbose", count(others, "other", "others")), look);
    }
}

fn labelled(out: &mut String, label: &str, text: &str, look: Look) {
    for (index, line) in wrap(text, look.columns() - 6).into_iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        let _ = writeln!(out, "{GREEN}{label:<6}{GREEN:#}{line}");
    }
}

fn commands(out: &mut String, steps: &[Step], shell: Shell, look: Look) {
    for line in steps.iter().flat_map(|step| step.lines(shell, look.columns() - 8)) {
        let _ = writeln!(out, "        {CYAN}{line}{CYAN:#}");
    }
}

/// The verdict, how it comes about, and how old the rules are.
pub(super) fn footer(out: &mut String, report: &Report<'_>, look: Look) {
    let (mark, style) = look.verdict(&report.verdict);
    let mut parts = Vec::new();
    for (severity, one, many) in [(Severity::Fail, "failure", "failures"), (Severity::Warn, "warning", "warnings")] {
        let number = report.findings.iter().filter(|finding| finding.severity == severity).count();
        if number > 0 {
            parts.push(count(number, one, many));
        }
    }
    let told: usize = report.causes.iter().map(|cause| cause.findings.len()).sum();
    if let Some(last) = parts.last_mut().filter(|_| told > report.causes.len()) {
        last.push_str(&format!(" of {}", count(report.causes.len(), "cause", "causes")));
    }
    let passed = report.checks.iter().filter(|checked| checked.outcome == Outcome::Pass).count();
    let skipped = report.checks.iter().filter(|checked| matches!(checked.outcome, Outcome::Skipped(_))).count();
    match &report.verdict {
        Verdict::Pass(looked) => parts.push(looked.in_words()),
        Verdict::Unknown => parts.push("nothing wrong was found, but not all that matters is known".to_owned()),
        _ => parts.push(format!("{} passed", count(passed, "check", "checks"))),
    }
    if skipped > 0 {
        parts.push(format!("{skipped} could not run"));
    }
    let text = format!("{}; rules of {}", parts.join(", "), report.rules.day);
    let indent = if look.signs { 2 } else { look.indent().max(mark.len() + 2) };
    for (index, line) in wrap(&text, look.columns() - indent).into_iter().enumerate() {
        let mark = if index == 0 { mark } else { "" };
        let _ = writeln!(out, "{style}{mark:<indent$}{style:#}{line}");
    }
    for line in report.rules.notice().into_iter().flat_map(|notice| wrap(&notice, look.columns())) {
        let _ = writeln!(out, "{YELLOW}{line}{YELLOW:#}");
    }
}
