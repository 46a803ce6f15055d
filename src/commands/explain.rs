use std::collections::BTreeSet;

use anyhow::bail;

use super::rules_read::{package, release};
use super::{note, print, width};
use crate::check::registry;
use crate::exit::Exit;
use crate::finding::Kind;
use crate::lint;
use crate::machine::xid::parse_question;
use crate::report::{explain as report, rules as show, symptom as symptom_report, xid as xid_report};
use crate::rules::advisory::symptom;
use crate::rules::schema::{Advisory, Symptom};
use crate::rules::symptom::Seen;
use crate::rules::{self, RuleDb};
use crate::session::paste::without_people;
use crate::session::{about, on_gpu};
use crate::text::nearest;
use crate::told::clean;

/// Explain an advisory, a check, a finding of lint, a package build or an error message, with sources
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc explain GPUDOC-2026-0001
  gpudoc explain gpu-arch/torch
  gpudoc explain range-admits-bad
  gpudoc explain torch==2.7.1+cu126
  gpudoc explain 'torch==2.7.1+cu126 on \"RTX 5090\"'
  gpudoc explain 'torch 2.6.0 supports sm_120'
  gpudoc explain 'Xid 79'
  gpudoc explain \"No module named 'triton.ops'\"
  gpudoc explain symmetric memory

Exit codes: 0 explained, 1 nothing is known of it.")]
pub struct Args {
    /// An id from a report, a build, a claim about a build and a GPU, an Xid, an error message, or words
    #[arg(required = true, value_name = "ID|TEXT")]
    text: Vec<String>,
}

/// Runs the command.
///
/// # Errors
///
/// When an advisory or a release of that name does not exist.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let db = rules::embedded();
    let text = args.text.join(" ");
    let text = text.trim();
    if text.to_ascii_uppercase().starts_with("GPUDOC-") {
        print(&report::advisory(advisory(text, db)?, width()))?;
        return Ok(Exit::Ok);
    }
    if let Some((row, action, source)) = parse_question(text).and_then(|number| db.xid(number)) {
        print(&xid_report::xid(row, action, &source, width()))?;
        return Ok(Exit::Ok);
    }
    let wanted = text.strip_prefix("symptom/").unwrap_or(text);
    if let Some(found) = db.symptom(wanted) {
        print(&symptom_report::symptom(found, width()))?;
        return Ok(Exit::Ok);
    }
    if let Some(told) = on_gpu::answer(text, db) {
        print(&symptom_report::on_gpu(&told, width()))?;
        return Ok(Exit::Ok);
    }
    if let Some(rule) = lint::rule(text) {
        print(&report::lint_rule(rule, width()))?;
        return Ok(Exit::Ok);
    }
    let rules: Vec<_> = registry::rules_of(text).collect();
    if !rules.is_empty() {
        print(&report::rules(text, &rules, width()))?;
        return Ok(Exit::Ok);
    }
    if let Some(kind) = kind(text) {
        let rules: Vec<_> = registry::RULES.iter().copied().filter(|rule| rule.kind == kind).collect();
        print(&report::kind(kind, &rules, width()))?;
        return Ok(Exit::Ok);
    }
    if let Some((name, version)) = text.split_once("==").filter(|_| !text.contains(' ')) {
        let package = package(name, db)?;
        let release = release(package, version)?;
        print(&show::show_text(package, &[release], width()))?;
        return Ok(Exit::Ok);
    }
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
    let mut others: Vec<&Advisory> = Vec::new();
    if seen.is_empty() && hits.is_empty() && db.package(&text.to_ascii_lowercase()).is_none() {
        let about = about::about(text, db);
        hits = about.advisories;
        others = hits.split_off(hits.len().min(MOST));
        seen.extend(about.symptoms.into_iter().take(MOST).map(|symptom| Seen { symptom, place: 0 }));
    }
    // What says most about an environment first; what seldom does only alone.
    seen.sort_by_key(|seen| (seen.symptom.severity, seen.place));
    if hits.is_empty() && seen.is_empty() {
        if db.package(&text.to_ascii_lowercase()).is_some() {
            note(&format!("hint: `gpudoc rules show {text}` lists its builds"));
        }
        note(&format!("nothing is known of `{}`", without_people(text, db)));
        let near = nearest_symptoms(&log.flat, db.symptoms());
        for symptom in &near {
            note(&format!("perhaps: `{}` ({})", symptom.matches.first().map_or("", String::as_str), symptom.id));
        }
        if near.is_empty() {
            note("hint: collect `python -m torch.utils.collect_env`, `nvidia-smi` and the whole traceback, and try");
        } else {
            note(
                "hint: to see what it is, collect `python -m torch.utils.collect_env` and the whole traceback, and try",
            );
        }
        note("      `gpudoc check --from FILE`");
        return Ok(Exit::Failed);
    }
    let texts = hits.iter().map(|advisory| report::advisory(advisory, width()));
    // An advisory that explains a message says more than the message's own row.
    let told = |symptom: &Symptom| {
        symptom.explained_by.iter().any(|selector| hits.iter().any(|advisory| advisory.id == *selector))
    };
    let seen = seen.iter().filter(|seen| !told(seen.symptom)).take(MOST);
    let texts: Vec<_> = texts.chain(seen.map(|seen| symptom_report::symptom(seen.symptom, width()))).collect();
    print(&texts.join("\n"))?;
    for advisory in others {
        note(&format!("also: {}: {}", advisory.id, advisory.title));
    }
    Ok(Exit::Ok)
}

/// So many characters of a message tell which one it is.
const SHORTEST: usize = 12;

/// So many messages of one text are explained.
const MOST: usize = 3;

/// The messages that share most words with a text, at most three, each with two words at least.
fn nearest_symptoms<'a>(text: &str, symptoms: &'a [Symptom]) -> Vec<&'a Symptom> {
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
    near.into_iter().take(3).map(|(_, symptom)| symptom).collect()
}

/// The family of an id: `gpu-arch`, `gpu-arch/torch`.
fn kind(text: &str) -> Option<Kind> {
    let name = text.split('/').next().unwrap_or_default();
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

fn advisory<'a>(id: &str, db: &'a RuleDb) -> anyhow::Result<&'a Advisory> {
    let id = id.to_ascii_uppercase();
    if let Some(advisory) = db.all_advisories().iter().find(|advisory| advisory.id == id) {
        return Ok(advisory);
    }
    let near = nearest(&id, db.all_advisories().iter().map(|advisory| advisory.id.as_str()));
    let near: Vec<_> = near.into_iter().map(|id| format!("`{id}`")).collect();
    match near.as_slice() {
        [] => bail!("there is no advisory `{id}`; `gpudoc rules list --format json` names them"),
        near => bail!("there is no advisory `{id}`; did you mean {}?", near.join(" or ")),
    }
}
