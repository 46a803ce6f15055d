use anyhow::bail;

use super::rules_read::{package, release};
use super::{note, print, width};
use crate::exit::Exit;
use crate::finding::Kind;
use crate::report::{explain as report, rules as show};
use crate::rules::advisory::symptom;
use crate::rules::raw_platform::RawAdvisory;
use crate::rules::{self, RuleDb};
use crate::text::nearest;

/// Explain an advisory, a check, a package build or an error message, with sources
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc explain GPUDOC-2026-0001
  gpudoc explain gpu-arch/torch
  gpudoc explain torch==2.7.1+cu126
  gpudoc explain \"No module named 'triton.ops'\"

Exit codes: 0 explained, 1 nothing is known of it.")]
pub struct Args {
    /// An id from a report, a build, or a line of an error message
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
    if let Some(kind) = kind(text) {
        print(&report::kind(kind, width()))?;
        return Ok(Exit::Ok);
    }
    if let Some((name, version)) = text.split_once("==").filter(|_| !text.contains(' ')) {
        let package = package(name, db)?;
        let release = release(package, version)?;
        print(&show::show_text(package, &[release], width()))?;
        return Ok(Exit::Ok);
    }
    let hits: Vec<&RawAdvisory> = db.advisories().filter(|advisory| symptom(advisory, text).is_some()).collect();
    if hits.is_empty() {
        if db.package(&text.to_ascii_lowercase()).is_some() {
            note(&format!("hint: `gpudoc rules show {text}` lists its builds"));
        }
        note(&format!("nothing is known of `{text}`"));
        return Ok(Exit::Failed);
    }
    let texts: Vec<_> = hits.into_iter().map(|advisory| report::advisory(advisory, width())).collect();
    print(&texts.join("\n"))?;
    Ok(Exit::Ok)
}

/// The family of an id: `gpu-arch`, `gpu-arch/torch`.
fn kind(text: &str) -> Option<Kind> {
    let name = text.split('/').next().unwrap_or_default();
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

fn advisory<'a>(id: &str, db: &'a RuleDb) -> anyhow::Result<&'a RawAdvisory> {
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
