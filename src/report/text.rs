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
use crate::check::{Checked, Verdict};
use crate::finding::{Finding, Outcome, Severity};
use crate::step::{self, Shell, Step};
use crate::text::{count, list, wrap, wrap_to};

/// Lines of a cause.
const CAUSE: usize = 3;
/// Lines of a cause where there are no more than two.
const FEW: usize = 5;
/// Lines of the host, and of the environment.
const HEADER: usize = 2;
/// Causes told in full; of further ones the title.
const FULL: usize = 6;
/// Causes told at all.
const TOLD: usize = 12;
/// Facts that a text lacks, of which it is told.
const LACKING: usize = 3;
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
    next(&mut out, report, look);
    gap(&mut out);
    footer(&mut out, report, look, &causes_of(report));
    out
}

/// The last line alone; nothing where nothing is wrong.
#[must_use]
pub fn quiet(report: &Report<'_>, look: Look) -> String {
    let mut out = String::new();
    if !matches!(report.verdict, Verdict::Pass(_)) {
        footer(&mut out, report, look, &causes_of(report));
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
    let lines =
        [("host", header::host(report.facts)), ("env", header::environment(report.facts, &report.screen.packages))];
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
        let most = if report.causes.len() <= 2 { FEW } else { CAUSE };
        let title = wrap_to(&cause.title, width, most - 1);
        let meaning = if at < FULL { shortened(&cause.meaning, width, most - title.len()) } else { Vec::new() };
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

/// A sentence in so many lines: what does not fit is left away from a full stop, colon or semicolon on. One without may
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
        let word =
            sentence.get(..at).is_some_and(|before| before.ends_with(|last: char| last.is_alphabetic() || last == '`'));
        let ends = matches!(letter, ';' | ':') || letter == '.' && word;
        if ends && !code && depth == 0 && rest.starts_with(' ') {
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
    let left_out: Vec<&str> = report.checks.iter().filter(|it| could_not_run(it)).map(|it| it.id).collect();
    if !left_out.is_empty() {
        let named: Vec<&str> = left_out.iter().take(3).copied().collect();
        let names = match left_out.len() - named.len() {
            0 => list(&named),
            more => format!("{} and {more} more", named.join(", ")),
        };
        counted.push(format!("not checked: {names}"));
    }
    // Who sees that nothing is wrong wants to know what was passed over.
    let pasted = report.facts.pasted.as_ref().filter(|pasted| pasted.not_read > 0 && report.causes.is_empty());
    if let Some(pasted) = pasted {
        counted.push(format!("{} not understood", count(pasted.not_read, "line", "lines")));
    }
    if !counted.is_empty() {
        gap(out);
        for line in wrap(&format!("{} (--verbose)", counted.join("; ")), look.columns()) {
            let _ = writeln!(out, "{DIM}{line}{DIM:#}");
        }
    }
    if let Some(pasted) = pasted {
        for line in &pasted.unread {
            let _ = writeln!(out, "{DIM}  {line}{DIM:#}");
        }
    }
}

fn could_not_run(checked: &Checked) -> bool {
    matches!(checked.outcome, Outcome::Skipped(_))
}

/// What to add where too little is known to say anything.
fn next(out: &mut String, report: &Report<'_>, look: Look) {
    if report.verdict != Verdict::Unknown || !report.to_do.is_empty() {
        return;
    }
    gap(out);
    if report.facts.pasted.is_none() {
        labelled(out, "next", "See what could not be checked, and why", look);
        commands(out, &Step::fixed("gpudoc check --verbose"), shell(report.facts), look);
        return;
    }
    let other = report.checks.iter().any(|it| it.id == "vendor" && matches!(it.outcome, Outcome::Findings(_)));
    if other {
        labelled(out, "next", "Ask where that vendor's stack is looked after: gpudoc judges NVIDIA's only", look);
        return;
    }
    let lacking = lacking(report);
    let told = match lacking.as_slice() {
        [] => String::new(),
        some => format!("The text does not tell {}. ", list(some)),
    };
    labelled(out, "next", &format!("{told}Run `gpudoc check` on that machine, or add what this prints"), look);
    // torch's own report tells of the driver and the GPUs too.
    let knows_torch = report.facts.distribution("torch").is_some_and(|it| it.version.value().is_some());
    let machine = report.facts.driver.version.value().is_none() || report.facts.gpus.value().is_none();
    let ask = if knows_torch && machine { &report.screen.machine } else { &report.screen.stack };
    commands(out, &ask.command.steps(), shell(report.facts), look);
}

/// The first few facts that a text could have told and did not, in words.
fn lacking(report: &Report<'_>) -> Vec<String> {
    let mut lacking: Vec<String> = Vec::new();
    for checked in &report.checks {
        let skipped = match &checked.outcome {
            Outcome::Skipped(what) => Some(what.split(',').next().unwrap_or(what).to_owned()),
            _ => None,
        };
        for what in skipped.into_iter().chain(checked.missing.iter().cloned()) {
            // Only a look at the machine tells those.
            if !what.contains("files of") && !lacking.contains(&what) {
                lacking.push(what);
            }
        }
    }
    lacking.truncate(LACKING);
    lacking
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
    for line in step::lines(steps, shell, look.columns() - 8) {
        let _ = writeln!(out, "        {CYAN}{line}{CYAN:#}");
    }
}

/// How bad each cause is.
fn causes_of(report: &Report<'_>) -> Vec<Severity> {
    report.causes.iter().map(|cause| cause.severity).collect()
}

/// The verdict, how it comes about (`told`: how bad each of the things is that were told), and how old the rules are.
pub(super) fn footer(out: &mut String, report: &Report<'_>, look: Look, told: &[Severity]) {
    let (mark, style) = look.verdict(&report.verdict);
    let mut parts = Vec::new();
    for (severity, one, many) in [(Severity::Fail, "failure", "failures"), (Severity::Warn, "warning", "warnings")] {
        let number = told.iter().filter(|it| **it == severity).count();
        if number > 0 {
            parts.push(count(number, one, many));
        }
    }
    let passed = report.checks.iter().filter(|checked| checked.outcome == Outcome::Pass).count();
    let skipped = report.checks.iter().filter(|it| could_not_run(it)).count();
    match &report.verdict {
        Verdict::Pass(looked) => parts.push(looked.in_words()),
        Verdict::Unknown if report.facts.pasted.is_some() => parts.push("this text says too little to tell".to_owned()),
        Verdict::Unknown => parts.push("too little could be checked to tell".to_owned()),
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
