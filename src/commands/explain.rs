//! `gpudoc explain`.

use anyhow::bail;

use super::rules_read::{package, release};
use super::{note, print, width};
use crate::exit::Exit;
use crate::report::{explain as report, rules as show, symptom as symptom_report, xid as xid_report};
use crate::rules::{self, RuleDb};
use crate::session::explain::{Explained, Found, Unknown, explained};
use crate::session::paste::without_people;
use crate::text::nearest;

/// Explain an advisory, a check, a finding of lint, a package build, an environment variable or an error message, with sources
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
  gpudoc explain CUDA_DEVICE_ORDER
  gpudoc explain \"No module named 'triton.ops'\"
  gpudoc explain symmetric memory

Exit codes: 0 explained, 1 nothing is known of it.")]
pub struct Args {
    /// An id from a report, a build, a claim about a build and a GPU, an Xid, an environment variable, an error message, or words
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
    print(&match explained(text, db) {
        Explained::Advisory(advisory) => report::advisory(advisory, width()),
        Explained::NoAdvisory(id) => return no_advisory(&id, db),
        Explained::Xid(row, action, source) => xid_report::xid(row, action, &source, width()),
        Explained::Message(symptom) => symptom_report::symptom(symptom, width()),
        Explained::OnGpu(told) => symptom_report::on_gpu(&told, width()),
        Explained::Lint(rule) => report::lint_rule(rule, width()),
        Explained::Rules(rules) => report::rules(text, &rules, width()),
        Explained::Kind(kind, rules) => report::kind(kind, &rules, width()),
        Explained::Release(name, version) => {
            let package = package(&name, db)?;
            show::show_text(package, &[release(package, &version)?], width())
        }
        Explained::Found(found) => return print_found(&found),
        Explained::Unknown(unknown) => return Ok(say_unknown(text, &unknown, db)),
    })?;
    Ok(Exit::Ok)
}

fn print_found(found: &Found<'_>) -> anyhow::Result<Exit> {
    let variable = found.variable.iter().map(|(row, page)| report::variable(row, *page, width()));
    let texts = found.advisories.iter().map(|advisory| report::advisory(advisory, width()));
    let messages = found.messages.iter().map(|symptom| symptom_report::symptom(symptom, width()));
    print(&variable.chain(texts).chain(messages).collect::<Vec<_>>().join("\n"))?;
    for advisory in &found.others {
        note(&format!("also: {}: {}", advisory.id, advisory.title));
    }
    Ok(Exit::Ok)
}

fn say_unknown(text: &str, unknown: &Unknown<'_>, db: &RuleDb) -> Exit {
    if unknown.is_package {
        note(&format!("hint: `gpudoc rules show {text}` lists its builds"));
    }
    note(&format!("nothing is known of `{}`", without_people(text, db)));
    for symptom in &unknown.near {
        note(&format!("perhaps: `{}` ({})", symptom.matches.first().map_or("", String::as_str), symptom.id));
    }
    note(if unknown.near.is_empty() {
        "hint: collect `python -m torch.utils.collect_env`, `nvidia-smi` and the whole traceback, and try"
    } else {
        "hint: to see what it is, collect `python -m torch.utils.collect_env` and the whole traceback, and try"
    });
    note("      `gpudoc check --from FILE`");
    Exit::Failed
}

fn no_advisory(id: &str, db: &RuleDb) -> anyhow::Result<Exit> {
    let near = nearest(id, db.all_advisories().iter().map(|advisory| advisory.id.as_str()));
    let near: Vec<_> = near.into_iter().map(|id| format!("`{id}`")).collect();
    match near.as_slice() {
        [] => bail!("there is no advisory `{id}`; `gpudoc rules list --format json` names them"),
        near => bail!("there is no advisory `{id}`; did you mean {}?", near.join(" or ")),
    }
}
