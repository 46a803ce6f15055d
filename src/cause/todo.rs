//! What to do, in order: the plan and what it leaves, or the best remedy of what comes first; nothing in it says otherwise than
//! what stands before it.

use std::collections::BTreeSet;

use super::advice::{Told, best};
use super::group::{edge, wanted};
use super::{Cause, title};
use crate::check::Installer;
use crate::facts::{Facts, Origin};
use crate::finding::{Finding, Id, Plan, Remedy, Severity};
use crate::fix::who::is_for_a_person;
use crate::step::Step;
use crate::text::list;

/// What a thing to do is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It mends what can be mended, all at once.
    Plan,
    /// It keeps what the plan changes in a container.
    Image,
    /// It mends the first cause, where there is no plan.
    Fix,
    /// It only looks, and tells which of several causes it is.
    Look,
    /// It mends what the look tells of.
    Then,
    /// It mends one cause more, which the plan leaves, or which is not the first.
    Also,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is there for.
    pub role: Role,
    /// The title of the cause, for [`Role::Also`].
    pub about: Option<String>,
    /// One sentence without full stop.
    pub words: String,
    /// What to run.
    pub steps: Vec<Step>,
    /// The checks, run again on what it leaves, found it gone.
    pub verified: bool,
}

impl Item {
    fn of(role: Role, remedy: &Remedy) -> Self {
        let Remedy { summary, steps, verified, .. } = remedy;
        Self { role, about: None, words: summary.clone(), steps: steps.clone(), verified: *verified }
    }

    fn words(role: Role, words: impl Into<String>, steps: Vec<Step>) -> Self {
        Self { role, about: None, words: words.into(), steps, verified: false }
    }
}

/// What to do about a report.
#[must_use]
pub fn to_do(facts: &Facts, findings: &[Finding], causes: &[Cause], plan: Option<&Plan>) -> Vec<Item> {
    let mut told = Told::default();
    let mut items = Vec::new();
    if let Some(plan) = plan {
        told.add(&plan.requirements, &plan.steps);
        items.push(Item { verified: plan.verified, ..Item::words(Role::Plan, &plan.summary, plan.steps.clone()) });
        items.extend(image(facts, plan));
    }
    let open = |cause: &Cause| {
        let mut left = cause.findings.iter().filter(|id| !plan.is_some_and(|plan| plan.fixes.contains(id)));
        let of = |id: &Id| findings.iter().find(|finding| finding.id == *id);
        left.by_ref().filter_map(of).collect::<Vec<&Finding>>()
    };
    for (at, cause) in causes.iter().filter(|cause| !cause.ended).enumerate() {
        let left = open(cause);
        if at == 0 && plan.is_none() {
            items.extend(first(facts, &left, &mut told));
        } else if cause.severity == Severity::Fail || plan.is_some() {
            items.push(also(facts, cause, &left, &mut told));
        }
    }
    items
}

/// What keeps the changes of a plan in a container: the same commands in its image. None outside one, and none for a report, whose
/// reader may sit anywhere.
fn image(facts: &Facts, plan: &Plan) -> Option<Item> {
    let kind = facts.system.container.value().filter(|_| facts.origin == Origin::Host)?;
    let line = |step: &Step| match step.own() {
        _ if is_for_a_person(step) => None,
        Step::Run { .. } => Step::run(["RUN".to_owned()].into_iter().chain(step.words())),
        Step::Set { name, value } => Step::run(["ENV", &format!("{}={}", name.as_str(), value.as_str())]),
        _ => None,
    };
    let lines: Vec<Step> = plan.steps.iter().filter_map(line).collect();
    let unset = plan.steps.iter().filter_map(|step| match step.own() {
        Step::Unset { name } => Some(format!("`ENV {}`", name.as_str())),
        _ => None,
    });
    // An image cannot take a variable away that an earlier line sets: the line goes.
    let unset: Vec<String> = unset.collect();
    let without = if unset.is_empty() { String::new() } else { format!(" without {}", list(&unset)) };
    let words = format!("What this changes is lost with the {kind} container; its Dockerfile{without} keeps it");
    (!lines.is_empty() || !unset.is_empty()).then(|| Item::words(Role::Image, words, lines))
}

/// What to do about the first cause, where there is no plan.
fn first(facts: &Facts, findings: &[&Finding], told: &mut Told) -> Vec<Item> {
    if let Some(apart) = apart(facts, findings) {
        return vec![apart];
    }
    let advice = best(findings, told);
    let mut items: Vec<Item> = advice.look.map(|remedy| Item::of(Role::Look, remedy)).into_iter().collect();
    match advice.cure {
        Some(remedy) => {
            told.add(&remedy.requirements, &remedy.steps);
            items.push(Item::of(if items.is_empty() { Role::Fix } else { Role::Then }, remedy));
        }
        None if items.is_empty() => items.push(explained(findings)),
        None => {}
    }
    items
}

/// What to do about one cause more.
fn also(facts: &Facts, cause: &Cause, findings: &[&Finding], told: &mut Told) -> Item {
    let item = match (apart(facts, findings), best(findings, told).cure) {
        (Some(apart), _) => apart,
        (None, Some(remedy)) => {
            told.add(&remedy.requirements, &remedy.steps);
            Item::of(Role::Also, remedy)
        }
        (None, None) => match &cause.left {
            Some(reason) => Item::words(Role::Also, reason, Vec::new()),
            None => explained(findings),
        },
    };
    Item { role: Role::Also, about: Some(cause.title.clone()), ..item }
}

/// Where nothing is known to do.
fn explained(findings: &[&Finding]) -> Item {
    let steps = findings.first().and_then(|finding| Step::run(["gpudoc", "explain", &finding.id.to_string()]));
    Item::words(
        Role::Fix,
        "gpudoc knows no release or setting that ends it; read what is known of it",
        steps.into_iter().collect(),
    )
}

/// Distributions that want different exact releases of a third: no one environment holds them all.
fn apart(facts: &Facts, findings: &[&Finding]) -> Option<Item> {
    let exact =
        |finding: &&&Finding| wanted(facts, finding).filter(|range| range.starts_with("==") && !range.contains('*'));
    let edges = findings.iter().filter_map(|finding| Some((edge(finding)?, exact(&finding)?)));
    let edges: Vec<_> = edges.collect();
    let (first, range) = edges.first()?;
    let (other, _) = edges.iter().find(|(edge, other)| edge.of == first.of && other != range)?;
    let names: BTreeSet<String> = [first.by, other.by].map(|by| title::named(facts, by)).into();
    let names: Vec<String> = names.into_iter().collect();
    let installer = Installer::of(facts);
    let made = |by| installer.beside(by, &title::named(facts, by).replacen(' ', "==", 1));
    let steps = [first.by, other.by].into_iter().flat_map(made).collect();
    let words = format!("No one {} suits {}: make an environment for each", first.of, list(&names));
    Some(Item::words(Role::Fix, words, steps))
}
