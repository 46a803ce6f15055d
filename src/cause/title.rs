//! What is a cause called, and what does it mean?
//!
//! A cause of one finding has its title. Of several, what they have in common is said once, from their ids, their evidence and
//! the facts.

use std::collections::{BTreeMap, BTreeSet};

use super::group::{Edge, complaint, edge, is_match, is_told, wanted};
use crate::check::registry;
use crate::facts::Facts;
use crate::finding::{Finding, Kind};
use crate::rules::role::is_runtime_wheel;
use crate::text::{count, first_sentence, list};

/// Names that a title holds before it counts the others.
const NAMED: usize = 3;

/// The title of a group, the worst finding first.
pub(super) fn title(facts: &Facts, group: &[&Finding]) -> String {
    let [first, _, ..] = group else {
        return group.first().map(|finding| finding.title.clone()).unwrap_or_default();
    };
    let composed = if group.iter().all(|finding| is_match(finding)) {
        of_matches(facts, group)
    } else if group.iter().all(|finding| finding.kind == Kind::GpuArch && !is_told(finding)) {
        of_builds(facts, group)
    } else if group.iter().all(|finding| finding.id.is(&registry::UNREADABLE)) {
        let names: Vec<String> = group.iter().flat_map(|finding| finding.packages.iter().cloned()).collect();
        Some(format!("the metadata of {} cannot be read", some(&names)))
    } else {
        None
    };
    composed.unwrap_or_else(|| first.title.clone())
}

/// What it means: the first sentence of the finding that says what happens, rather than what is declared.
pub(super) fn meaning(group: &[&Finding]) -> String {
    let worst = group.iter().map(|finding| finding.severity).min();
    let says = |finding: &&&Finding| Some(finding.severity) == worst && finding.kind != Kind::Requirement;
    let finding = group.iter().find(says).or(group.first());
    finding.map(|finding| first_sentence(&finding.message).to_owned()).unwrap_or_default()
}

/// Whether a sentence says hardly more than a title that stands above it: most of its longer words are there.
pub(super) fn repeats(title: &str, meaning: &str) -> bool {
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
        // `requires` and `require`, `compiled` and `compile` are one word.
        words.filter(|word| word.len() > 3).map(|word| word.to_ascii_lowercase().chars().take(5).collect()).collect()
    };
    let (title, meaning) = (words(title), words(meaning));
    !meaning.is_empty() && meaning.intersection(&title).count() * 3 >= meaning.len() * 2
}

/// Builds that hold no code for the same GPU.
fn of_builds(facts: &Facts, group: &[&Finding]) -> Option<String> {
    let names: Vec<String> = group.iter().filter_map(|it| it.id.subject()).map(|it| named(facts, it)).collect();
    let mut gpus = facts.gpus.value()?.iter().filter(|gpu| group[0].gpus.contains(&gpu.index));
    let first = gpus.next()?;
    let capability = first.compute_capability.value()?;
    let name = first.name.value().map_or_else(String::new, |name| format!(" {name}"));
    let more = match gpus.count() {
        0 => String::new(),
        more => format!(" and {}", count(more, "other GPU", "other GPUs")),
    };
    Some(format!("{} are not built for GPU {}{name} ({capability}){more}", some(&names), first.index))
}

/// Distributions of which one is not what the others were made for.
fn of_matches(facts: &Facts, group: &[&Finding]) -> Option<String> {
    let edges: Vec<Edge<'_>> = group.iter().filter_map(|finding| edge(finding)).collect();
    let of_one = edges.iter().all(|edge| edge.by == edges[0].by);
    if of_one && edges.iter().any(|edge| edge.of != edges[0].of) {
        let names: BTreeSet<String> = edges.iter().map(|edge| edge.of.to_owned()).collect();
        let names: Vec<String> = names.into_iter().collect();
        return Some(format!("{} requires other releases of {}", named(facts, edges[0].by), some(&names)));
    }
    let mut wanted_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for edge in edges.iter().filter(|edge| !is_runtime_wheel(edge.of)) {
        let by = wanted_by.entry(edge.of).or_default();
        if !by.contains(&edge.by) {
            by.push(edge.by);
        }
    }
    // The one that most want otherwise; of several the first.
    let most = wanted_by.values().map(Vec::len).max()?;
    let hub = edges.iter().map(|edge| edge.of).find(|of| wanted_by.get(of).is_some_and(|by| by.len() == most))?;
    let by = wanted_by.get(hub)?;
    let names: Vec<String> = by.iter().map(|name| named(facts, name)).collect();
    let verb = |one: &'static str, many: &'static str| if names.len() == 1 { one } else { many };
    let found: BTreeSet<Option<String>> = by.iter().map(|by| found(facts, by, hub)).collect();
    let of_hub = |finding: &&&Finding| edge(finding).is_some_and(|edge| edge.of == hub);
    let wanted: BTreeSet<Option<String>> = group.iter().filter(of_hub).map(|it| wanted(facts, it)).collect();
    let wanted: Option<BTreeSet<String>> = wanted.into_iter().filter(Option::is_some).collect();
    let all_about_it = wanted_by.len() == 1;
    let [here] = found.iter().collect::<Vec<_>>()[..] else {
        return Some(format!("{} do not agree on {hub}", some(&names)));
    };
    match (here, wanted.filter(|wanted| wanted.len() == 1 && all_about_it)) {
        (None, _) => Some(format!("{hub} is not installed, and {} {} it", some(&names), verb("requires", "require"))),
        (Some(here), Some(wanted)) => {
            let wanted = wanted.first()?;
            Some(format!("{} {} {hub}{wanted}, but {here} is installed", some(&names), verb("requires", "require")))
        }
        (Some(here), None) => Some(format!("{} {} not match {hub} {here}", some(&names), verb("does", "do"))),
    }
}

/// The version that is there, as whoever complains saw it.
fn found(facts: &Facts, by: &str, of: &str) -> Option<String> {
    match complaint(facts, by, of) {
        Some(unmet) => unmet.found.clone(),
        None => facts.distribution(of).map(|it| it.full_version().to_owned()),
    }
}

/// `torch 2.7.1+cu128`, or its name alone.
pub(super) fn named(facts: &Facts, name: &str) -> String {
    match facts.distribution(name).map(|it| it.full_version().to_owned()).filter(|version| version != "?") {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    }
}

/// The first few, and how many more.
fn some(names: &[String]) -> String {
    match names.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{} and {more} more", names[..NAMED].join(", ")),
        _ => list(names),
    }
}
