//! What a text of `gpudoc explain` asks about: an id, a build, a claim, a number of the kernel log, an environment variable, a
//! message, or words.

use std::collections::BTreeSet;

use super::about::about;
use super::on_gpu;
use crate::check::registry;
use crate::finding::{Kind, Rule};
use crate::lint;
use crate::machine::xid::parse_question;
use crate::report::symptom::OnGpu;
use crate::rules::RuleDb;
use crate::rules::advisory::symptom;
use crate::rules::schema::{Advisory, Page, Symptom, VariableRow, XidAction, XidError};
use crate::rules::symptom::Seen;
use crate::told::clean;

/// What was asked about, the first that fits in this order.
pub enum Explained<'db> {
    /// An advisory by its id.
    Advisory(&'db Advisory),
    /// The id of an advisory that there is not, e.g. `GPUDOC-2026-9999`.
    NoAdvisory(String),
    /// An Xid, what is to be done, and where that was read.
    Xid(&'db XidError, &'db XidAction, String),
    /// A message by its id.
    Message(&'db Symptom),
    /// A claim about a build and a GPU.
    OnGpu(OnGpu),
    /// A finding of lint.
    Lint(&'static lint::Rule),
    /// The rules behind an id of check.
    Rules(Vec<&'static Rule>),
    /// All rules of a kind.
    Kind(Kind, Vec<&'static Rule>),
    /// A release, as it was written: `torch`, `2.7.1+cu126`.
    Release(String, String),
    /// What speaks of a message or of words.
    Found(Found<'db>),
    /// Nothing.
    Unknown(Unknown<'db>),
}

/// What speaks of a text, at least one.
#[derive(Default)]
pub struct Found<'db> {
    /// The environment variable that the text names, with the page that says what it does.
    pub variable: Option<(&'db VariableRow, Option<&'db Page>)>,
    /// Advisories, the one that says most first.
    pub advisories: Vec<&'db Advisory>,
    /// Messages that none of the advisories explains.
    pub messages: Vec<&'db Symptom>,
    /// More advisories, to be named.
    pub others: Vec<&'db Advisory>,
}

/// What is near a text of which nothing is known.
pub struct Unknown<'db> {
    /// It is the name of a package that the rules cover.
    pub is_package: bool,
    /// Messages that share words with it.
    pub near: Vec<&'db Symptom>,
}

/// So many characters of a message tell which one it is.
const SHORTEST: usize = 12;

/// So many messages of one text are explained.
const MOST: usize = 3;

/// Finds out what a text asks about.
#[must_use]
pub fn explained<'db>(text: &str, db: &'db RuleDb) -> Explained<'db> {
    if text.to_ascii_uppercase().starts_with("GPUDOC-") {
        let id = text.to_ascii_uppercase();
        let found = db.all_advisories().iter().find(|advisory| advisory.id == id);
        return found.map_or(Explained::NoAdvisory(id), Explained::Advisory);
    }
    if let Some(found) = db.advisories().find(|advisory| advisory.id == text) {
        return Explained::Advisory(found);
    }
    if let Some((row, action, source)) = parse_question(text).and_then(|number| db.tables().xid.error(number)) {
        return Explained::Xid(row, action, source);
    }
    if let Some(found) = db.symptom(text.strip_prefix("symptom/").unwrap_or(text)) {
        return Explained::Message(found);
    }
    if let Some(told) = on_gpu::answer(text, db) {
        return Explained::OnGpu(told);
    }
    if let Some(rule) = lint::rule(text) {
        return Explained::Lint(rule);
    }
    let rules: Vec<_> = registry::rules_of(text).collect();
    if !rules.is_empty() {
        return Explained::Rules(rules);
    }
    if let Some(kind) = kind(text) {
        let rules = registry::RULES.iter().copied().filter(|rule| rule.kind == kind).collect();
        return Explained::Kind(kind, rules);
    }
    if let Some((name, version)) = text.split_once("==").filter(|_| !text.contains(' ')) {
        return Explained::Release(name.to_owned(), version.to_owned());
    }
    of_words(text, db)
}

/// What speaks of a message or of words.
fn of_words<'db>(text: &str, db: &'db RuleDb) -> Explained<'db> {
    let variable = db.variable(text).map(|row| (row, db.variable_page(row)));
    let messages = db.heard_in(text).quoted;
    let mut hits: Vec<&Advisory> = db.advisories().filter(|advisory| symptom(advisory, &messages).is_some()).collect();
    // The longest quotation is about this very message.
    hits.sort_by_key(|advisory| std::cmp::Reverse(symptom(advisory, &messages).map_or(0, str::len)));
    let log = clean(text).log;
    let mut seen = db.heard_in(&log.flat).symptoms;
    // A part of a message that is long enough stands for it.
    let part = log.flat.to_lowercase();
    if seen.is_empty() && hits.is_empty() && part.chars().count() >= SHORTEST {
        let holds = |symptom: &&Symptom| symptom.matches.iter().any(|all| all.to_lowercase().contains(&part));
        seen.extend(db.symptoms().iter().filter(holds).map(|symptom| Seen { symptom, place: 0 }));
    }
    let is_package = db.package(&text.to_ascii_lowercase()).is_some();
    let mut others: Vec<&Advisory> = Vec::new();
    if seen.is_empty() && hits.is_empty() && !is_package {
        let about = about(text, db);
        hits = about.advisories;
        others = hits.split_off(hits.len().min(MOST));
        seen.extend(about.symptoms.into_iter().take(MOST).map(|symptom| Seen { symptom, place: 0 }));
    }
    if hits.is_empty() && seen.is_empty() && variable.is_none() {
        return Explained::Unknown(Unknown { is_package, near: nearest(&log.flat, db.symptoms()) });
    }
    // What says most about an environment first; what seldom does only alone.
    seen.sort_by_key(|seen| (seen.symptom.severity, seen.place));
    // An advisory that explains a message says more than the message's own row.
    let told = |symptom: &Symptom| {
        symptom.explained_by.iter().any(|selector| hits.iter().any(|advisory| advisory.id == *selector))
    };
    let messages = seen.into_iter().map(|seen| seen.symptom).filter(|symptom| !told(symptom)).take(MOST).collect();
    Explained::Found(Found { variable, advisories: hits, messages, others })
}

/// The messages that share most words with a text, at most three, each with two words at least.
fn nearest<'a>(text: &str, symptoms: &'a [Symptom]) -> Vec<&'a Symptom> {
    let words = |text: &str| -> BTreeSet<String> {
        let letters = |letter: char| !letter.is_alphanumeric() && letter != '_';
        text.to_lowercase().split(letters).filter(|word| word.len() > 3).map(str::to_owned).collect()
    };
    let wanted = words(text);
    let shared = |symptom: &Symptom| {
        symptom.matches.iter().map(|pattern| words(pattern).intersection(&wanted).count()).max().unwrap_or(0)
    };
    let mut near: Vec<_> =
        symptoms.iter().map(|symptom| (shared(symptom), symptom)).filter(|(score, _)| *score > 1).collect();
    near.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    near.into_iter().take(MOST).map(|(_, symptom)| symptom).collect()
}

/// The family of an id: `gpu-arch`, `gpu-arch/torch`.
fn kind(text: &str) -> Option<Kind> {
    let name = text.split('/').next().unwrap_or_default();
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::embedded;

    /// What a text asks about, in a word or two.
    fn of(text: &str) -> String {
        match explained(text, embedded()) {
            Explained::Advisory(advisory) => advisory.id.clone(),
            Explained::NoAdvisory(id) => format!("no {id}"),
            Explained::Xid(row, ..) => format!("xid {}", row.number),
            Explained::Message(symptom) => format!("message {}", symptom.id),
            Explained::OnGpu(_) => "a claim".to_owned(),
            Explained::Lint(rule) => format!("lint {}", rule.id),
            Explained::Rules(rules) => format!("{} of check", rules.len()),
            Explained::Kind(kind, _) => format!("kind {}", kind.name()),
            Explained::Release(name, version) => format!("{name} {version}"),
            Explained::Found(found) => {
                let variable = found.variable.iter().map(|(row, _)| row.name.as_str());
                let advisories = found.advisories.iter().map(|advisory| advisory.id.as_str());
                let messages = found.messages.iter().map(|symptom| symptom.id.as_str());
                variable.chain(advisories).chain(messages).collect::<Vec<_>>().join(" ")
            }
            Explained::Unknown(unknown) => {
                format!("{} near, {}", unknown.near.len(), if unknown.is_package { "a package" } else { "no package" })
            }
        }
    }

    #[test]
    fn each_sort_of_text_is_told_from_the_others() {
        for (text, about) in [
            ("gpudoc-2026-0001", "GPUDOC-2026-0001"),
            ("GPUDOC-2026-9999", "no GPUDOC-2026-9999"),
            ("Xid 79", "xid 79"),
            ("symptom/cuda-no-kernel-image", "message cuda-no-kernel-image"),
            ("torch 2.6.0 supports sm_120", "a claim"),
            ("range-admits-bad", "lint range-admits-bad"),
            ("gpu-arch", "kind gpu-arch"),
            ("torch==2.7.1+cu126", "torch 2.7.1+cu126"),
            ("PYTHONUSERBASE", "PYTHONUSERBASE"),
            ("torch", "0 near, a package"),
            ("zzzz", "0 near, no package"),
        ] {
            assert_eq!(of(text), about, "{text}");
        }
        assert!(of("driver/old").ends_with(" of check"));
        assert!(
            of("CUDA error: no kernel image is available for execution on the device").contains("cuda-no-kernel-image")
        );
    }
}
