//! Which findings are about one thing?
//!
//! Each finding has keys, made of its kind, its id and its packages, and findings that share a key are one cause. What a
//! sentence says is never looked at.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::registry;
use crate::facts::{Facts, Origin, Unmet};
use crate::finding::{Finding, Kind};
use crate::pep::{is_line, read_range};
use crate::rules::requirement::{is_about, name_of};
use crate::rules::role::is_runtime_wheel;

/// The fact under which the line of an error message stands among the evidence.
const MESSAGE: &str = "error message";

/// What findings of one cause have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'f> {
    /// A distribution that is not installed.
    Without(&'f str),
    /// A distribution of which another release, or another build, is wanted.
    Release(&'f str),
    /// A distribution that names exact releases of others.
    Pins(&'f str),
    /// A distribution without GPU code.
    CpuBuild(&'f str),
    /// Two distributions that must be made for each other.
    Pair(&'f str, &'f str),
    /// A GPU that builds hold no code for.
    Gpu(u32),
    /// The driver, and libraries in its place.
    Driver,
    /// GPUs that are not seen.
    Visibility,
    /// What the variables of the loader put in front.
    LibraryPath,
    /// Two environments in one report.
    TwoEnvironments,
    /// Metadata that nobody can read, of whatever package.
    Metadata,
    /// A line that somebody saw.
    Message(&'f str),
}

/// Who wants what of whom, e.g. torchaudio of torch in `requirement/torchaudio/torch`.
#[derive(Clone, Copy)]
pub(super) struct Edge<'f> {
    /// Who wants it.
    pub by: &'f str,
    /// Whom it wants it of.
    pub of: &'f str,
}

/// The edge that a finding is, where it is one.
pub(super) fn edge(finding: &Finding) -> Option<Edge<'_>> {
    let mut parts = finding.id.subjects();
    let (by, of) = (parts.next()?, parts.next());
    let is_named = |name: &str| finding.packages.iter().any(|package| package == name);
    match (of, finding.packages.as_slice()) {
        (Some(of), _) if is_named(by) && is_named(of) => Some(Edge { by, of }),
        // Its second subject is a module.
        (Some(_), [one, other]) if finding.kind == Kind::Import => {
            Some(Edge { by, of: if one == by { other } else { one } })
        }
        (None, [one, other]) if one == by => Some(Edge { by, of: other }),
        (None, [one, other]) if other == by => Some(Edge { by, of: one }),
        _ => None,
    }
}

/// Findings by cause, each group and the groups in the order of the findings.
pub(super) fn groups<'f>(facts: &Facts, findings: &[&'f Finding]) -> Vec<Vec<&'f Finding>> {
    let hubs: BTreeSet<&str> = findings
        .iter()
        .filter(|finding| is_match(finding))
        .filter_map(|finding| edge(finding))
        .filter(|edge| facts.distribution(edge.of).is_some() && !is_runtime_wheel(edge.of))
        .map(|edge| edge.of)
        .collect();
    // The group of each finding: the place of the first one that it is tied to.
    let mut group: Vec<usize> = (0..findings.len()).collect();
    let mut seen: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    for (at, finding) in findings.iter().enumerate() {
        for key in keys(facts, finding, &hubs) {
            let (one, other) = (group[*seen.entry(key).or_insert(at)], group[at]);
            let (first, last) = (one.min(other), one.max(other));
            group.iter_mut().filter(|place| **place == last).for_each(|place| *place = first);
        }
    }
    let mut groups: BTreeMap<usize, Vec<&Finding>> = BTreeMap::new();
    for (finding, place) in findings.iter().zip(group) {
        groups.entry(place).or_default().push(finding);
    }
    groups.into_values().collect()
}

/// Whether a finding compares two distributions.
pub(super) fn is_match(finding: &Finding) -> bool {
    matches!(finding.kind, Kind::Requirement | Kind::Pairing | Kind::Abi | Kind::Import)
        && edge(finding).is_some()
        && !is_told(finding)
}

/// Whether only a message points to a finding.
pub(super) fn is_told(finding: &Finding) -> bool {
    finding.id.is(&registry::SYMPTOM)
}

/// The range that one wants of another, e.g. `==2.8.0`; none where nothing declares it.
pub(super) fn wanted(facts: &Facts, finding: &Finding) -> Option<String> {
    let Edge { by, of } = edge(finding)?;
    let declared = finding.evidence.iter().find(|evidence| evidence.fact == of);
    declared.and_then(|evidence| evidence.required.clone()).or_else(|| {
        let line = complaint(facts, by, of)?.requirement.as_str();
        Some(line.get(name_of(line).len()..)?.trim().to_owned())
    })
}

/// What an installer said of two distributions, in a report.
pub(super) fn complaint<'f>(facts: &'f Facts, by: &str, of: &str) -> Option<&'f Unmet> {
    let mut unmet = facts.installing.unmet.iter();
    unmet.find(|unmet| unmet.package.0 == by && is_about(&unmet.requirement, of))
}

/// The line of the message that a finding quotes.
fn message(finding: &Finding) -> Option<&str> {
    finding.evidence.iter().find(|evidence| evidence.fact == MESSAGE).map(|evidence| evidence.observed.as_str())
}

fn keys<'f>(facts: &Facts, finding: &'f Finding, hubs: &BTreeSet<&str>) -> Vec<Key<'f>> {
    let mut keys = Vec::new();
    if let [one, other] = finding.packages.as_slice() {
        keys.push(Key::Pair(one.min(other), one.max(other)));
    }
    // An advisory is what its message says, and what checks found has other words of its own.
    if is_told(finding) || finding.id.is(&registry::ADVISORY) {
        keys.extend(message(finding).map(Key::Message));
    }
    match (finding.kind, edge(finding)) {
        (Kind::Pairing, _) if finding.id.is(&registry::CONTRADICTION) => keys.push(Key::TwoEnvironments),
        (Kind::Requirement | Kind::Pairing | Kind::Abi | Kind::Import, Some(Edge { by, of })) if !is_told(finding) => {
            let is_there = facts.distribution(of).is_some() || facts.origin == Origin::Report;
            if is_there && wanted(facts, finding).is_some_and(|range| read_range(&range).iter().any(is_line)) {
                keys.push(Key::Pins(by));
            }
            // NVIDIA's wheels are as the one who pins them is.
            if is_runtime_wheel(of) {
                keys.push(Key::Release(by));
            } else if is_there {
                keys.push(Key::Release(of));
                // Who is not what others were made for, and is not made for a third, is the odd one of all.
                keys.extend(hubs.contains(by).then_some(Key::Release(by)));
            } else {
                keys.push(Key::Without(of));
            }
            if finding.kind == Kind::Pairing {
                keys.push(Key::CpuBuild(of));
            }
        }
        (Kind::Requirement, None) if finding.id.is(&registry::UNREADABLE) => keys.push(Key::Metadata),
        (Kind::CpuBuild, _) => keys.extend(finding.packages.iter().map(|name| Key::CpuBuild(name))),
        (Kind::GpuArch, _) if !is_told(finding) => keys.extend(finding.gpus.iter().map(|gpu| Key::Gpu(*gpu))),
        (Kind::Driver | Kind::DriverMismatch | Kind::ForwardCompat, _) => keys.push(Key::Driver),
        (Kind::GpuVisibility, _) => keys.push(Key::Visibility),
        (Kind::CudaLibs, _) if finding.id.is(&registry::SHADOWED) || finding.id.is(&registry::LIBRARY_PATH) => {
            keys.push(Key::LibraryPath);
        }
        _ => {}
    }
    keys
}
