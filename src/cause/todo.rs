//! What to do, in order: the plan and what it leaves, or the best remedy of what comes first; nothing in it says otherwise than
//! what stands before it.

use std::collections::BTreeSet;

use super::advice::{Told, best, is_written_out, mends, removed};
use super::group::{edge, is_told, wanted};
use super::{Cause, title};
use crate::check::Installer;
use crate::facts::{Facts, Origin, TORCH};
use crate::finding::{Finding, Id, Plan, Remedy, Severity};
use crate::fix::who::is_for_a_person;
use crate::pep::{pinned, read_range};
use crate::rules::requirement::name_of;
use crate::rules::role::is_runtime_wheel;
use crate::step::Step;
use crate::text::{count, list, lower_first};
use crate::version::CudaVersion;

/// What a thing to do is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It mends what can be mended, all at once.
    Plan,
    /// It does in the place of the plan, and keeps what that changes.
    Instead,
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

/// Of warnings beside no plan so many cures stand together: what matters stays on one screen.
const FEW: usize = 3;

/// What to do about a report.
#[must_use]
pub fn to_do(facts: &Facts, findings: &[Finding], causes: &[Cause], plan: Option<&Plan>) -> Vec<Item> {
    let mut told = Told::default();
    let mut items = Vec::new();
    let mut at_once = None;
    if let Some(plan) = plan {
        told.add(&plan.requirements, &plan.steps);
        at_once = before(findings, causes, plan, &mut told);
        items.extend(at_once.clone());
        let words = headline(facts, plan);
        items.push(Item { verified: plan.verified, ..Item::words(Role::Plan, words, plan.steps.clone()) });
        items.extend(plan.instead.as_ref().map(|remedy| Item::of(Role::Instead, remedy)));
        items.extend(image(facts, plan));
    }
    let open = |cause: &Cause| {
        let of = |id: &Id| findings.iter().find(|finding| finding.id == *id);
        let all = cause.findings.iter().filter_map(of);
        all.filter(|finding| !plan.is_some_and(|plan| mends(plan, finding))).collect::<Vec<&Finding>>()
    };
    let done = usize::from(at_once.is_some());
    for (at, cause) in causes.iter().filter(|cause| !cause.ended).enumerate().skip(done) {
        let left = open(cause);
        if plan.is_some_and(|plan| is_brought(&left, plan)) {
            continue;
        }
        if at == 0 && plan.is_none() {
            items.extend(first(facts, &left, &mut told));
        } else {
            let written = best(&left, &told).cure.is_some_and(is_written_out);
            // That nothing is known to do is said of failures.
            if cause.severity == Severity::Fail || written && (plan.is_some() || items.len() < FEW) {
                items.push(also(facts, cause, &left, &mut told));
            }
        }
    }
    items
}

/// What a plan does, in a line or two: where it changes torch's CUDA that is said first, and what it removes is counted.
fn headline(facts: &Facts, plan: &Plan) -> String {
    let label = |version: &str| version.split_once('+').and_then(|(_, label)| CudaVersion::from_variant(label));
    let pins = plan.requirements.iter();
    let torch = pins.clone().find_map(|line| line.strip_prefix("torch==")).and_then(label);
    let now = facts.distribution(TORCH).and_then(|torch| label(torch.full_version()));
    let removed: BTreeSet<String> = removed(&plan.steps).filter(|name| is_runtime_wheel(name)).collect();
    let removed = match removed.len() {
        0 => String::new(),
        number => format!(", and remove {}", count(number, "NVIDIA wheel", "NVIDIA wheels")),
    };
    match torch.zip(now).filter(|(then, now)| then != now && pins.len() > 1) {
        Some((then, _)) => {
            format!("Move the stack to CUDA {then}: {}{removed}", lower_first(&plan.summary))
        }
        None => format!("{}{removed}", plan.summary),
    }
}

/// What ends the first cause, where the plan is for others and nothing has to be found out first.
fn before(findings: &[Finding], causes: &[Cause], plan: &Plan, told: &mut Told) -> Option<Item> {
    let cause = causes.first().filter(|cause| !cause.findings.iter().any(|id| plan.fixes.contains(id)))?;
    let left: Vec<&Finding> = findings.iter().filter(|finding| cause.findings.contains(&finding.id)).collect();
    let is_certain = left.first().is_some_and(|finding| !is_told(finding));
    let remedy = best(&left, told).cure.filter(|remedy| is_certain && !remedy.steps.is_empty())?;
    told.add(&remedy.requirements, &remedy.steps);
    Some(Item::of(Role::Fix, remedy))
}

/// Whether all that findings ask for are NVIDIA's wheels, which the torch of a plan brings.
fn is_brought(findings: &[&Finding], plan: &Plan) -> bool {
    let is_torch = |line: &String| name_of(line) == TORCH && !line.ends_with("+cpu");
    let of_nvidia = |finding: &&Finding| {
        let mut lines = finding.remedies.iter().flat_map(|remedy| &remedy.requirements).peekable();
        lines.peek().is_some() && lines.all(|line| is_runtime_wheel(name_of(line)))
    };
    plan.requirements.iter().any(is_torch) && !findings.is_empty() && findings.iter().all(of_nvidia)
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
    Item::words(Role::Fix, "No fix is known; this prints what is known about it", steps.into_iter().collect())
}

/// Distributions that want different exact releases of a third: no one environment holds them all.
fn apart(facts: &Facts, findings: &[&Finding]) -> Option<Item> {
    let exact = |finding: &&&Finding| wanted(facts, finding).filter(|range| pinned(&read_range(range)).is_some());
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
