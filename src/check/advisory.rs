//! Does a hand-written advisory apply?

use super::{Context, looked, newer, twins};
use crate::finding::{Basis, Change, Evidence, Finding, Kind, Outcome, Remedy, Severity};
use crate::rules::advisory::{Match, applies};
use crate::rules::cite;
use crate::rules::raw_platform::{RawAdvisory, RawSeverity};
use crate::step::{Step, Written};

/// Tries every advisory.
pub fn check(context: &Context<'_>) -> Outcome {
    if context.stack.installed.is_empty() {
        return Outcome::NotApplicable("nothing is installed".to_owned());
    }
    let installed = |name: &str| context.installed(name);
    let environment = context.environment(&installed);
    let found = context.db.advisories().filter_map(|advisory| {
        let hit = applies(advisory, &environment)?;
        Some(finding(context, advisory, &hit))
    });
    looked(found.chain(newer::findings(context)).collect())
}

fn finding(context: &Context<'_>, advisory: &RawAdvisory, hit: &Match) -> Finding {
    let mut packages: Vec<_> = hit.installed.iter().map(|(name, ..)| name.clone()).collect();
    packages.sort();
    let evidence = hit.installed.iter().map(|(name, version, required)| Evidence {
        fact: name.clone(),
        observed: if required.is_empty() { version.clone() } else { format!("{version}, affected: {required}") },
        required: None,
        source: Basis::Metadata,
        citation: context.stack.get(name).map(|installed| installed.distribution.metadata_dir.clone()),
    });
    let gpus: Vec<_> = hit.gpus.iter().map(|gpu| &context.target.gpus[*gpu]).collect();
    let hardware = gpus.iter().map(|gpu| Evidence {
        fact: gpu.label.clone(),
        observed: format!("compute capability {}", gpu.capability),
        required: None,
        source: Basis::Host,
        citation: None,
    });
    let rule = advisory.references.iter().take(1).map(|page| Evidence {
        fact: "advisory".to_owned(),
        observed: format!("{} of {}", advisory.id, advisory.date),
        required: None,
        source: Basis::Rule,
        citation: Some(cite(page)),
    });
    let mut found = of(advisory);
    if let Some(remedy) = twins::remedy(context, &advisory.one_of) {
        found.remedies = vec![remedy];
    }
    found.packages = packages;
    found.gpus = gpus.iter().filter_map(|gpu| gpu.index).collect();
    found.evidence = evidence.chain(hardware).chain(rule).collect();
    found
}

/// What an advisory says by itself, without evidence.
pub fn of(advisory: &RawAdvisory) -> Finding {
    let remedies = advisory.remedies.iter().map(|remedy| {
        let steps: Vec<Step> = remedy.commands.iter().flat_map(Written::steps).collect();
        Remedy {
            summary: with_versions(&remedy.summary, &remedy.requirements),
            requirements: remedy.requirements.clone(),
            change: taken_away(&steps),
            steps,
            verified: false,
        }
    });
    Finding {
        id: advisory.id.clone(),
        kind: kind(&advisory.kind),
        severity: match advisory.severity {
            RawSeverity::Fail => Severity::Fail,
            RawSeverity::Warn => Severity::Warn,
            RawSeverity::Info => Severity::Info,
        },
        title: advisory.title.clone(),
        message: advisory.story.split_whitespace().collect::<Vec<_>>().join(" "),
        packages: Vec::new(),
        gpus: Vec::new(),
        evidence: Vec::new(),
        remedies: remedies.collect(),
        references: advisory.references.iter().map(|page| page.page.clone()).collect(),
    }
}

/// What commands change that do nothing but take variables away.
fn taken_away(steps: &[Step]) -> Option<Change> {
    let names = steps.iter().map(|step| match step {
        Step::Unset { name } => Some(Change::Unset(name.as_str().to_owned())),
        _ => None,
    });
    names.collect::<Option<Vec<_>>>().filter(|changes| !changes.is_empty()).map(Change::All)
}

/// `Upgrade peft: peft>=0.18`: a summary with the versions that it means, where it does not say them.
fn with_versions(summary: &str, requirements: &[String]) -> String {
    let told = requirements.iter().all(|line| {
        let version = line.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        version.is_empty()
            || summary.contains(version.split([',', '*']).next().unwrap_or_default().trim_end_matches('.'))
    });
    if told { summary.to_owned() } else { format!("{summary}: {}", crate::text::list(requirements)) }
}

/// The family that an advisory names; `advisory` for a name that is none, which the linter refuses.
fn kind(name: &str) -> Kind {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).unwrap_or(Kind::Advisory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_the_versions_that_it_means() {
        let of = |summary, lines: &[&str]| {
            with_versions(summary, &lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(
            of("Upgrade both", &["torch>=2.11", "torchao>=0.17"]),
            "Upgrade both: torch>=2.11 and torchao>=0.17"
        );
        assert_eq!(of("Stay with transformers 4", &["transformers<5"]), "Stay with transformers 4: transformers<5");
        assert_eq!(of("Upgrade torch; 2.6 is the first", &["torch>=2.6"]), "Upgrade torch; 2.6 is the first");
        assert_eq!(of("Install tf-keras", &["tf-keras"]), "Install tf-keras");
    }
}
