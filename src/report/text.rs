//! The screen: where this is, what is wrong, what to do.
//!
//! What is to be done stands last, since what stands first has scrolled away. How it is known, and what else would help, is
//! told with `--verbose` ([`super::full`]).

use crate::facts::TORCH;
use std::fmt::Write;

use anstyle::Style;

use super::Report;
use super::finding::shell;
use super::header;
use super::lines::Labels;
use super::look::{BOLD, CYAN, DIM, GREEN, Look, RED, YELLOW};
use crate::cause::{Item, Role};
use crate::check::{Verdict, subjects};
use crate::finding::{Outcome, Severity};
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
/// Facts that are lacking, of which it is told.
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
        let most = if report.causes.len() <= 2 { FEW } else { CAUSE };
        let title = wrap_to(&cause.title, width, most - 1);
        let meaning = if at < FULL && !cause.meaning.is_empty() {
            shortened(&cause.meaning, width, most - title.len())
        } else {
            Vec::new()
        };
        for (index, line) in title.iter().enumerate() {
            let mark = if index == 0 { mark } else { "" };
            let _ = writeln!(out, "{style}{mark:<indent$}{style:#}{BOLD}{line}{BOLD:#}");
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

/// What is worth knowing where nothing is wrong, and on a machine what could not be looked at.
fn notes(out: &mut String, report: &Report<'_>, look: Look) {
    let (mark, style) = look.of(Severity::Info);
    let labels = Labels { indent: 0, label: look.indent(), width: look.columns() };
    let notes = if report.causes.is_empty() { remarks(report) } else { Vec::new() };
    if !notes.is_empty() {
        gap(out);
    }
    for note in notes {
        labels.styled(out, style, Style::new(), mark, &note);
    }
    let lacking = lacking(report);
    if report.facts.pasted.is_none() && report.verdict != Verdict::Unknown && !lacking.is_empty() {
        gap(out);
        for line in wrap(&format!("not known, so not checked: {} (--verbose)", list(&lacking)), look.columns()) {
            let _ = writeln!(out, "{DIM}{line}{DIM:#}");
        }
    }
}

/// Notes, a sentence each without full stop, and what an environment says of itself.
fn remarks(report: &Report<'_>) -> Vec<String> {
    let facts = report.facts;
    let notes = report.findings.iter().filter(|finding| finding.severity == Severity::Info);
    let mut notes: Vec<String> = notes.map(|finding| finding.title.clone()).collect();
    let prefix = facts.python.value().map(|python| python.prefix.as_str()).filter(|_| facts.pasted.is_none());
    let is_there = |name: &String| facts.distribution(name).is_some();
    if let Some(prefix) = prefix.filter(|_| facts.lists_all() && !report.screen.packages.iter().any(is_there)) {
        notes.push(format!(
            "no torch in {prefix}; is it the right environment? Check another one with `gpudoc check --python PATH`"
        ));
    }
    let without_gpu = facts.gpus.is_absent() || facts.gpus.value().is_some_and(Vec::is_empty);
    let torch = facts.distribution(TORCH).filter(|torch| torch.build.cuda.value().is_some());
    if let Some(torch) = torch.filter(|_| prefix.is_some() && without_gpu) {
        notes.push(format!("torch {} runs on the CPU only here: no NVIDIA GPU or driver", torch.full_version()));
    }
    notes
}

/// What to add where too little is known to say anything.
fn next(out: &mut String, report: &Report<'_>, look: Look) {
    if report.verdict != Verdict::Unknown || !report.to_do.is_empty() {
        return;
    }
    let lacking = lacking(report);
    if report.facts.pasted.is_some() && judged(report).is_some() && lacking.iter().all(|what| is_minor(what)) {
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
        labelled(out, "next", "gpudoc supports NVIDIA only: ask the vendor of this hardware", look);
        return;
    }
    // Which code a build holds, and what it requires, stands in its files alone.
    let in_files = |what: &String| {
        what.starts_with("the metadata of") || what.starts_with("the GPU code of") || what.starts_with("the CUDA that")
    };
    if !lacking.is_empty() && lacking.iter().all(in_files) {
        let words = format!("Run gpudoc on that machine: only the installed files show {}", list(&lacking));
        labelled(out, "next", &words, look);
        commands(out, &Step::fixed("gpudoc check"), shell(report.facts), look);
        return;
    }
    let told = match lacking.as_slice() {
        [] => String::new(),
        some => format!("Missing from the report: {}. ", list(some)),
    };
    labelled(out, "next", &format!("{told}Run `gpudoc check` on that machine, or add the output of"), look);
    // torch's own report tells of the driver and the GPUs too.
    let knows_torch = report.facts.distribution(TORCH).is_some_and(|it| it.version.value().is_some());
    let machine = report.facts.driver.version.value().is_none() || report.facts.gpus.value().is_none();
    let ask = if knows_torch && machine { &report.screen.machine } else { &report.screen.stack };
    commands(out, &ask.command.steps(), shell(report.facts), look);
}

/// The first few facts that could have been known and are not, in words.
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
            Role::Plan if report.to_do.first().is_some_and(|first| first.role == Role::Plan) => "plan",
            Role::Plan => "then",
            Role::Instead => "or",
            Role::Image => "image",
            Role::Fix => "fix",
            Role::Look => "first",
            Role::Then => "then",
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

/// The verdict and how it comes about; `told` says how bad each of the things is that were told.
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
    let text = match &report.verdict {
        Verdict::Pass(looked) if report.facts.pasted.is_some() => format!(
            "nothing wrong found in {}; if it fails all the same, look at the program and its settings",
            looked.in_words()
        ),
        Verdict::Pass(looked) => format!("nothing wrong found in {}", looked.in_words()),
        Verdict::Unknown => undecided(report),
        _ => {
            parts.push(format!("{} passed", count(passed, "check", "checks")));
            format!("{} (details: --verbose)", parts.join(", "))
        }
    };
    let indent = if look.signs { 2 } else { look.indent().max(mark.len() + 2) };
    for (index, line) in wrap(&text, look.columns() - indent).into_iter().enumerate() {
        let mark = if index == 0 { mark } else { "" };
        let _ = writeln!(out, "{style}{mark:<indent$}{style:#}{line}");
    }
    for line in report.rules.notice().into_iter().flat_map(|notice| wrap(&notice, look.columns())) {
        let _ = writeln!(out, "{YELLOW}{line}{YELLOW:#}");
    }
}

/// What rarely decides anything, and which nobody writes into a report.
fn is_minor(what: &str) -> bool {
    ["the version of glibc", "the Python version", "the metadata of"].iter().any(|words| what.starts_with(words))
}

/// What was found sound where not all is known; none where that is too little to speak of.
fn judged(report: &Report<'_>) -> Option<String> {
    let subjects = subjects(report.facts);
    let looked = report.checks.iter().any(|checked| checked.outcome == Outcome::Pass);
    (looked && subjects.len() > 1).then(|| list(&subjects))
}

/// Why nothing is decided, with what was found sound as far as it was judged.
fn undecided(report: &Report<'_>) -> String {
    let vendor = report.checks.iter().any(|it| it.id == "vendor" && matches!(it.outcome, Outcome::Findings(_)));
    let lacking = lacking(report);
    match judged(report).filter(|_| !lacking.is_empty()) {
        _ if vendor => "not an NVIDIA stack, so not checked".to_owned(),
        Some(judged) if lacking.iter().all(|what| is_minor(what)) => format!(
            "nothing wrong found in {judged}; only {} could not be checked. If it fails all the same, look at the \
             program and its settings",
            list(&lacking)
        ),
        Some(judged) => format!("nothing wrong found in {judged}, but not all of it could be checked"),
        None if report.facts.pasted.is_some() => "this text says too little to tell".to_owned(),
        None => "too little could be checked to tell".to_owned(),
    }
}
