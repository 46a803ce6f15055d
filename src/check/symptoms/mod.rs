//! Which finding explains the error that somebody saw?
//!
//! An error message decides nothing by itself: a fact that was observed always counts more. It puts the findings in order,
//! the one that explains it first, and where none does it becomes a finding of its own, marked as likely, with the command
//! that would settle it. Only a message that proves its cause, such as `Torch not compiled with CUDA enabled`, stands as a fact.

modules!(check::symptoms);

use self::consequence::attach;
use self::likely::{SYMPTOM, cure};
use self::quote::{line_of, shorten};
use self::ranked::{Ranked, explaining};
use self::words::Words;
use super::advisory::{self, kind};
use crate::check::Context;
use crate::facts::Facts;
use crate::facts::redact::Identity;
use crate::finding::{Evidence, Finding, Kind, Severity};
use crate::log::Log;
use crate::rules::advisory::symptom as quoted;
use crate::rules::schema::{Advisory, Level, Symptom};
use crate::rules::symptom::Heard;
use crate::rules::{RuleDb, Workload};

/// So many messages without an explanation become findings.
const MOST: usize = 4;

/// A text in which somebody told of an error.
pub struct Told<'db> {
    /// The text.
    pub text: Log,
    /// The messages in it.
    pub heard: Heard<'db>,
    /// The names that are hidden in what is quoted.
    pub people: Identity,
}

/// Puts the findings in the order in which they explain the messages of a text, and adds what is likely where none does.
#[must_use]
pub fn explain(
    facts: &Facts,
    db: &RuleDb,
    workload: &Workload,
    told: &Told<'_>,
    findings: Vec<Finding>,
) -> Vec<Finding> {
    let Told { text, heard, people } = told;
    let context = Context::new(facts, db, workload, heard);
    let judged = db.other_vendor(facts).is_none();
    let mut ranked: Vec<Ranked> = findings.into_iter().map(|finding| Ranked { finding, rank: None }).collect();
    let mut seen = heard.symptoms.clone();
    // Those that say most about the environment first.
    seen.sort_by_key(|seen| (seen.symptom.severity, seen.place));
    let mut likely: Vec<(Finding, usize)> = Vec::new();
    let mut next = 0;
    // Many messages of one line have one quote.
    let (mut last, mut line) = ("", String::new());
    for seen in &seen {
        let around = text.line_around(seen.place);
        if !std::ptr::eq(last, around) {
            last = around;
            line = shorten(around, people);
        }
        let words = Words::of(&context, seen, text, people);
        let explained = explaining(seen.symptom, words.package.as_deref(), &ranked);
        if explained.is_empty() {
            // What a message of CUDA's means on another vendor's device is not known.
            if !judged && speaks_of_cuda(seen.symptom) {
                continue;
            }
            likely.extend(likely::finding(&context, seen, &words, &line, text).map(|finding| (finding, seen.place)));
            continue;
        }
        // A message that proves its cause makes a doubt of the same sort certain.
        let proved = seen.symptom.severity == Level::Fail;
        for at in explained {
            let Some(ranked) = ranked.get_mut(at) else { continue };
            ranked.explains(&mut next, &line);
            let same = seen.symptom.causes.iter().find(|cause| cause.kind == ranked.finding.kind.name());
            if ranked.finding.remedies.is_empty()
                && let Some(cause) = same
            {
                ranked.finding.remedies.push(cure(&context, cause, &words, &|_| true));
            }
            let first = seen.symptom.causes.first().is_some_and(|cause| cause.kind == ranked.finding.kind.name());
            let explains = ranked.finding.severity == Severity::Warn;
            if proved && first || explains && db.failed(seen.symptom, &line) {
                ranked.finding.severity = Severity::Fail;
            }
        }
    }
    for advisory in db.advisories().filter(|_| judged) {
        let Some(line) = quoted(advisory, &heard.quoted).and_then(|words| line_of(text, words, people)) else {
            continue;
        };
        match ranked.iter_mut().find(|ranked| ranked.finding.id == advisory::id(advisory)) {
            Some(ranked) => {
                ranked.explains(&mut next, &line);
                if ranked.finding.severity == Severity::Warn && db.stops(&line) {
                    ranked.finding.severity = Severity::Fail;
                }
            }
            None => {
                let Some(finding) = from_advisory::finding(&context, advisory, &line) else { continue };
                // It names what the message alone leaves open.
                let knows_more = |(it, _): &mut (Finding, usize)| is_explained_by(it, advisory, &line, db);
                let places: Vec<usize> = likely.extract_if(.., knows_more).map(|(_, place)| place).collect();
                likely.push((finding, places.into_iter().min().unwrap_or(0)));
            }
        }
    }
    let explained = next > 0;
    ranked.extend(merged(likely, explained).into_iter().map(|(finding, rank)| Ranked { finding, rank: Some(rank) }));
    // What explains something is first, in the order of the messages; then the rest in its own order.
    ranked.sort_by_key(|ranked| ranked.rank.unwrap_or(usize::MAX));
    let mut findings = attach(ranked.into_iter().map(|ranked| ranked.finding).collect());
    own_error::soften(&mut findings, text, heard);
    findings
}

/// Whether a finding says of a message that a name is not there, and an advisory about the same message knows which it is.
fn is_explained_by(finding: &Finding, advisory: &Advisory, line: &str, db: &RuleDb) -> bool {
    let symptom = finding.id.subject().filter(|_| finding.id.is(&SYMPTOM)).and_then(|id| db.symptom(id));
    finding.evidence.contains(&ranked::message(line))
        && symptom.is_some_and(|it| it.causes.iter().any(|cause| cause.moved) && is_about(it, advisory))
}

/// Whether a message names an advisory among what explains it, or the advisory is of the same sort: a row of `[[import]]`.
fn is_about(symptom: &Symptom, advisory: &Advisory) -> bool {
    symptom.explained_by.contains(&advisory.id) || advisory.import.is_some()
}

/// Whether a message may come from NVIDIA's driver, GPUs or libraries.
fn speaks_of_cuda(symptom: &Symptom) -> bool {
    const OTHERS: [Kind; 4] = [Kind::Requirement, Kind::Python, Kind::Pairing, Kind::Advisory];
    symptom.causes.iter().any(|cause| !OTHERS.contains(&kind(&cause.kind)))
}

/// Messages with one cause are one finding; after an explanation in facts only what says something else is kept.
fn merged(likely: Vec<(Finding, usize)>, explained: bool) -> Vec<(Finding, usize)> {
    let mut kept: Vec<(Finding, usize)> = Vec::new();
    for (finding, _) in likely {
        let same = kept.iter_mut().find(|(other, _)| other.kind == finding.kind && other.packages == finding.packages);
        if let Some((other, _)) = same {
            let new = |evidence: &Evidence| evidence.fact == ranked::MESSAGE && !other.evidence.contains(evidence);
            let more: Vec<Evidence> = finding.evidence.into_iter().filter(new).collect();
            other.evidence.extend(more);
            continue;
        }
        // After what the facts explain, and before what nobody complained of.
        let rank = if explained { 1000 + kept.len() } else { kept.len() };
        if kept.len() < MOST {
            kept.push((finding, rank));
        }
    }
    kept
}
