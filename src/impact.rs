//! Findings before and after a change: which remedies really help.
//!
//! A remedy is *verified* when the checks, run again on the facts as the change would leave them, no longer report the
//! finding and report nothing new. Nothing is installed for that; it is the same rules on other facts.

pub mod edits;
mod imports;
mod libraries;
mod needed;
mod order;
mod outlook;
mod plan;
mod tried;
mod weighed;

use std::collections::BTreeSet;

use plan::Planned;

use crate::check;
use crate::facts::{Distribution, Facts, TORCH};
use crate::finding::{Change, Finding, Id, Kind, Plan, Remedy, Severity};
use crate::rules::model::Build;
use crate::rules::requirement;
use crate::rules::role::is_nvidias;
use crate::rules::schema::Advisory;
use crate::rules::{RuleDb, Workload};
use crate::solve::Pin;

pub use outlook::{Fate, Outlook, Rebuild, Row, Wish, foresee};
pub use tried::{apply, on_target};

/// Plans once for the whole report, tries every remedy out, and puts those that help first.
#[must_use]
pub fn with_remedies(
    facts: &Facts,
    db: &RuleDb,
    workload: &Workload,
    mut findings: Vec<Finding>,
) -> (Vec<Finding>, Option<Plan>) {
    let before: BTreeSet<Id> = findings.iter().map(|finding| finding.id.clone()).collect();
    let planned = plan::plan(facts, db, workload, &findings);
    let mut tried: Vec<(Change, BTreeSet<Id>)> = Vec::new();
    for finding in &mut findings {
        for remedy in &mut finding.remedies {
            let Some(change) = &remedy.change else { continue };
            let after = match tried.iter().find(|(known, _)| known == change) {
                Some((_, after)) => after,
                None => {
                    let changed = apply(facts, change, db);
                    let checked = check::findings(&check::run(&changed, db, workload));
                    tried.push((change.clone(), serious_ids(&checked)));
                    &tried[tried.len() - 1].1
                }
            };
            // Nobody has read the files of the other release.
            let is_read = finding.kind != Kind::Import && !change.is_compiled();
            remedy.verified = is_read
                && !is_heard(&finding.id, db, workload)
                && !after.contains(&finding.id)
                && after.is_subset(&before);
        }
        // The plan stands with each finding that it ends.
        let asks = installable(finding) || finding.remedies.iter().any(|remedy| !remedy.requirements.is_empty());
        let ends = |planned: &&Planned| asks && planned.plan.fixes.contains(&finding.id);
        let instead = planned.as_ref().filter(ends).and_then(|planned| planned.instead.clone());
        let installs = |planned: &&Planned| ends(planned) && !planned.plan.requirements.is_empty();
        if let Some(Planned { plan, change, .. }) = planned.as_ref().filter(installs) {
            finding.remedies.push(Remedy {
                requirements: plan.requirements.clone(),
                change: Some(change.clone()),
                verified: plan.verified,
                ..Remedy::new(plan.summary.clone(), plan.steps.clone())
            });
            // One cure: what would install something else contradicts it.
            let other = |remedy: &Remedy| remedy.change.as_ref() != Some(change) && !remedy.requirements.is_empty();
            finding.remedies.retain(|remedy| !other(remedy));
        }
        // Where the solver found a set, the advisory's plain wish for it says less.
        if finding.remedies.iter().any(|remedy| remedy.verified && !remedy.requirements.is_empty()) {
            finding.remedies.retain(|remedy| remedy.verified || remedy.requirements.is_empty());
        }
        finding.remedies.sort_by_key(|remedy| !remedy.verified);
        // Among remedies it is what may be taken in the place of the plan.
        finding.remedies.extend(
            instead.map(|it| Remedy { summary: format!("Or {}", crate::text::lower_first(&it.summary)), ..it }),
        );
    }
    let mut plan = weighed::plan(facts, db, &findings, planned.map(|planned| planned.plan));
    if let Some(plan) = &mut plan {
        let installer = check::Installer::of(facts);
        plan.steps = installer.prepared(std::mem::take(&mut plan.steps));
        if let Some(instead) = &mut plan.instead {
            instead.steps = installer.prepared(std::mem::take(&mut instead.steps));
        }
    }
    (findings, plan)
}

fn serious(finding: &Finding) -> bool {
    finding.severity <= Severity::Warn
}

/// Ids of what fails or warns.
fn serious_ids(findings: &[Finding]) -> BTreeSet<Id> {
    findings.iter().filter(|it| serious(it)).map(|it| it.id.clone()).collect()
}

/// Whether only a message tells of a finding, so that no check of changed facts can say that it is gone: a symptom, an advisory
/// that needs one, or an advisory about a use that the project does not declare.
fn is_heard(id: &Id, db: &RuleDb, workload: &Workload) -> bool {
    let uses = workload.words(db);
    let declared = |uses_of: &[String]| uses_of.iter().all(|item| uses.contains(item));
    let undeclared = |it: &Advisory| !it.when.iter().any(|condition| declared(&condition.workload));
    let of = |it: &Advisory| *id == check::registry::advisory(it) && (it.needs_symptom || undeclared(it));
    plan::is_told(id) || id.is(&check::registry::ADVISORY) && db.advisories().any(of)
}

/// Whether an advisory tells what to do without naming a release: other code, a variable.
fn is_by_hand(finding: &Finding) -> bool {
    let by_hand = |remedy: &Remedy| remedy.requirements.is_empty() && remedy.change.is_none();
    finding.kind == Kind::Advisory && !finding.remedies.is_empty() && finding.remedies.iter().all(by_hand)
}

/// Whether installing other builds may help.
fn installable(finding: &Finding) -> bool {
    // Libraries that are missing or damaged are put right by what the finding itself says.
    let acts = |remedy: &Remedy| !remedy.requirements.is_empty() || remedy.change.is_some();
    let told = finding.kind == Kind::CudaLibs && finding.remedies.iter().any(acts);
    // Another Python ends it, or another wish.
    let asked = finding.id.is(&check::registry::NO_WHEEL);
    serious(finding)
        && !told
        && !asked
        && !is_by_hand(finding)
        && matches!(
            finding.kind,
            Kind::GpuArch
                | Kind::CudaLibs
                | Kind::Abi
                | Kind::Import
                | Kind::Pairing
                | Kind::Driver
                | Kind::CpuBuild
                | Kind::Advisory
                | Kind::Requirement
                | Kind::Python
                | Kind::ForwardCompat
        )
}

/// NVIDIA's runtime wheels that only the replaced builds required. Installers leave them, and those of another CUDA major
/// hold files of the same names.
fn orphans<'a>(facts: &'a Facts, pins: &[Pin<'_>], changed: &[&Pin<'_>], db: &RuleDb) -> Vec<&'a Distribution> {
    let name_of = |line: &String| requirement::parse(line).ok().map(|wanted| wanted.name.to_string());
    let names = |lines: &[String]| lines.iter().filter_map(name_of).collect::<BTreeSet<_>>();
    let declared = |distribution: &Distribution| match distribution.metadata.value() {
        Some(metadata) => names(&metadata.requires),
        None => BTreeSet::new(),
    };
    let is_changed = |name: &str| changed.iter().any(|pin| pin.name == name);
    // Of a build that nobody opened, the others for its CUDA major tell which wheels it needs, if not which versions.
    let major = |build: &Build| build.cuda.map(|cuda| cuda.major);
    let alike = |pin: &Pin<'_>| {
        let releases = db.package(pin.name).into_iter().flat_map(|package| &package.releases);
        let unread = !pin.build.is_opened();
        let builds =
            releases.flat_map(|release| &release.builds).filter(|build| unread && major(build) == major(pin.build));
        builds.flat_map(|build| names(&build.requires)).collect::<BTreeSet<_>>()
    };
    let own = |pin: &Pin<'_>| [names(&pin.release.requires), names(&pin.build.requires), alike(pin)];
    let still: BTreeSet<_> = pins.iter().flat_map(own).flatten().collect();
    let replaced =
        facts.active_distributions().filter(|distribution| is_changed(&distribution.name)).flat_map(declared);
    let mut loose: BTreeSet<_> = replaced.filter(|name| is_nvidias(name) && !still.contains(name)).collect();
    loop {
        let needed: BTreeSet<_> = facts
            .active_distributions()
            .filter(|distribution| !is_changed(&distribution.name) && !loose.contains(&distribution.name))
            .flat_map(declared)
            .collect();
        let before = loose.len();
        loose.retain(|name| !needed.contains(name));
        if loose.len() == before {
            break;
        }
    }
    facts.active_distributions().filter(|distribution| loose.contains(&distribution.name)).collect()
}
