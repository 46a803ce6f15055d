//! Were builds made for each other that must fit, and is there one copy of each?

use std::collections::BTreeMap;

use super::{Context, Installed, Stack, looked};
use crate::facts::Distribution;
use crate::finding::{Basis, Change, Evidence, Finding, Kind, Outcome, Remedy, Severity};
use crate::rules::model::Partner;
use crate::rules::partner::agrees;
use crate::rules::raw::CudaAgreement;
use crate::text;
use crate::version::CudaVersion;

/// Compares the CUDA variants of partners, and looks for second copies.
pub fn check(context: &Context<'_>) -> Outcome {
    let mut findings = copies(context);
    let mut compared = !findings.is_empty();
    for installed in &context.stack.installed {
        let (Some(package), Some(version)) = (installed.package, installed.version.as_ref()) else { continue };
        for rule in package.partners.iter().filter(|rule| rule.versions.contains(version)) {
            let Some(partner) = context.stack.get(&rule.with) else { continue };
            let (Some(own), Some(theirs)) = (installed.cuda(), partner.cuda()) else { continue };
            compared = true;
            if !agrees(rule.cuda, own, theirs) {
                findings.push(disagreement(installed, own, partner, theirs, rule));
            }
        }
    }
    if compared { looked(findings) } else { Outcome::NotApplicable("no pair of builds that must fit".to_owned()) }
}

fn variant(cuda: Option<CudaVersion>) -> String {
    cuda.map_or_else(|| "the CPU".to_owned(), |cuda| format!("CUDA {cuda}"))
}

fn disagreement(
    installed: &Installed<'_>,
    own: Option<CudaVersion>,
    partner: &Installed<'_>,
    theirs: Option<CudaVersion>,
    rule: &Partner,
) -> Finding {
    let required = match (rule.cuda, theirs) {
        (CudaAgreement::SameMajor, Some(cuda)) => format!("CUDA {}.x", cuda.major),
        (_, theirs) => variant(theirs),
    };
    Finding {
        id: format!("pairing/{}", installed.name()),
        kind: Kind::Pairing,
        severity: Severity::Fail,
        title: format!(
            "{} is built for {}, but {} for {}",
            installed.title(),
            variant(own),
            partner.title(),
            variant(theirs)
        ),
        message: format!("{}.", rule.otherwise),
        packages: vec![installed.name().to_owned(), partner.name().to_owned()],
        gpus: Vec::new(),
        evidence: vec![
            Evidence {
                fact: format!("{} build", installed.name()),
                observed: format!("{}, {}", installed.distribution.full_version(), variant(own)),
                required: Some(required),
                source: Basis::Binary,
                citation: Some(installed.cuda_place()),
            },
            Evidence {
                fact: format!("{} build", partner.name()),
                observed: format!("{}, {}", partner.distribution.full_version(), variant(theirs)),
                required: None,
                source: Basis::Binary,
                citation: Some(partner.cuda_place()),
            },
            Evidence {
                fact: "agreement".to_owned(),
                observed: "checked at import".to_owned(),
                required: None,
                source: Basis::Rule,
                citation: Some(rule.source.clone()),
            },
        ],
        remedies: Vec::new(),
        references: Vec::new(),
    }
}

/// Two copies of one distribution of the GPU stack on the path: the first is imported, tools may show the other.
fn copies(context: &Context<'_>) -> Vec<Finding> {
    let mut by_name: BTreeMap<&str, Vec<&Distribution>> = BTreeMap::new();
    for distribution in &context.facts.distributions {
        if Stack::is_gpu(&distribution.name, context.db) {
            by_name.entry(&distribution.name).or_default().push(distribution);
        }
    }
    by_name
        .into_iter()
        .filter(|(_, copies)| copies.len() > 1)
        .map(|(name, copies)| {
            let (first, second) = (copies[0], copies[1]);
            let same_folder = first.location == second.location;
            let versions: Vec<_> = copies.iter().map(|copy| copy.full_version()).collect();
            let message = if same_folder {
                "One folder holds the metadata of both: an installation was interrupted or written over another. Files of \
                 both may be mixed."
                    .to_owned()
            } else {
                format!(
                    "`import` takes the first, {}; the other is never used, though tools may list it.",
                    first.full_version()
                )
            };
            let remedy = if same_folder {
                Remedy {
                    summary: format!("Remove both and install {name} once"),
                    requirements: Vec::new(),
                    commands: vec![format!("pip uninstall -y {name}"), format!("pip uninstall -y {name}")],
                    change: None,
                    verified: false,
                }
            } else {
                Remedy {
                    summary: format!("Remove the copy in `{}`", first.location),
                    requirements: Vec::new(),
                    commands: vec![format!("rm -r {}/{} {0}/{}", first.location, name.replace('-', "_"), first.metadata_dir)],
                    change: Some(Change::Remove { name: name.to_owned(), location: first.location.clone() }),
                    verified: false,
                }
            };
            Finding {
                id: format!("pairing/two-{name}"),
                kind: Kind::Pairing,
                severity: Severity::Warn,
                title: format!("{name} is installed {} times: {}", copies.len(), text::list(&versions)),
                message,
                packages: vec![name.to_owned()],
                gpus: Vec::new(),
                evidence: copies
                    .iter()
                    .enumerate()
                    .map(|(place, copy)| Evidence {
                        fact: format!("{name} {}", copy.full_version()),
                        observed: if place == 0 { "imported".to_owned() } else { "shadowed".to_owned() },
                        required: None,
                        source: Basis::Metadata,
                        citation: Some(format!("{}/{}", copy.location, copy.metadata_dir)),
                    })
                    .collect(),
                remedies: vec![remedy],
                references: Vec::new(),
            }
        })
        .collect()
}
