//! Were builds made for each other that must fit, and is there one copy of each?

modules!(check::pairing);

use crate::check::{Context, looked};
use crate::finding::{Evidence, Outcome};
use crate::rules::model::{Agreement, Partner};
use crate::rules::partner::{goes_beside, goes_with};

/// Compares the CUDA variants of partners.
pub fn check(context: &Context<'_>) -> Outcome {
    let by_torch = context.stack.installed.iter().filter_map(|installed| other_torch::finding(context, installed));
    let mut findings: Vec<_> = by_torch.collect();
    let mut compared = !findings.is_empty();
    for installed in &context.stack.installed {
        let (Some(package), Some(version)) = (installed.package, installed.version.as_ref()) else { continue };
        for rule in package.partners.iter().filter(|rule| rule.versions.contains(version)) {
            let Some(partner) = context.stack.get(&rule.with) else { continue };
            let finding = match &rule.agreement {
                Agreement::Cuda(agreement) => {
                    let (Some(own), Some(theirs)) = (installed.cuda(), partner.cuda()) else { continue };
                    let published =
                        || other_cuda::published_for(package, *agreement, theirs?, &context.target, version);
                    let (release, platform) = (
                        installed.row.map(|(release, _)| release),
                        context.target.platform.as_deref().unwrap_or_default(),
                    );
                    (!goes_beside((rule, *agreement), release, platform, own, theirs)).then(|| {
                        let mut finding = other_cuda::finding(installed, own, partner, theirs, (rule, *agreement));
                        finding.message.extend(published().map(|said| format!(" {said}.")));
                        finding
                    })
                }
                Agreement::Release(_) | Agreement::Extra(_) => {
                    let Some(theirs) = partner.version.as_ref() else { continue };
                    let row = context.db.release(installed.name(), version);
                    (!goes_with(rule, version, row, theirs))
                        .then(|| other_partner::finding(context, installed, partner, (rule, row)))
                }
            };
            compared = true;
            findings.extend(finding);
        }
    }
    if compared { looked(findings) } else { Outcome::NotApplicable("no pair of builds that must fit".to_owned()) }
}

fn by_rule(rule: &Partner) -> Evidence {
    Evidence::rule("agreement", "checked at import").cited(rule.source.clone())
}
