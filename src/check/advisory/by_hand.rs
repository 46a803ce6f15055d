//! What does a hand-written advisory say that applies?

use crate::check::cuda_libs::twins;
use crate::check::import::missing_module::MISSING_MODULE;
use crate::check::import::missing_name::MISSING_NAME;
use crate::check::{Context, Installer};
use crate::finding::{Change, Evidence, Finding, Id, Kind, Remedy, Rule, Severity, rule};
use crate::rules::advisory::Match;
use crate::rules::cite;
use crate::rules::schema::{Advisory, Import};
use crate::step::{Step, Written};

rule! {
    /// A known bad combination that no other rule describes.
    ///
    /// An advisory is written by hand: the story, the combination, the way out, and the pages that it rests on. `gpudoc
    /// explain GPUDOC-…` prints it whole; `gpudoc rules list` counts them.
    pub ADVISORY = "GPUDOC-{number}": Advisory, Warn, since "0.1.0", judged on [Distributions, Gpus, Driver, Project, Report];
}

/// The advisory, with what it met in this environment as evidence.
pub fn finding(context: &Context<'_>, advisory: &Advisory, hit: &Match) -> Finding {
    let mut packages: Vec<_> = hit.installed.iter().map(|(name, ..)| name.clone()).collect();
    packages.sort();
    let evidence = hit.installed.iter().map(|(name, version, required)| {
        Evidence::metadata(
            name.clone(),
            if required.is_empty() { version.clone() } else { format!("{version}, affected: {required}") },
        )
        .cited(context.stack.get(name).map(|installed| installed.distribution.metadata_dir.clone()))
    });
    let gpus: Vec<_> = hit.gpus.iter().map(|gpu| &context.target.gpus[*gpu]).collect();
    let hardware =
        gpus.iter().map(|gpu| Evidence::host(gpu.label.clone(), format!("compute capability {}", gpu.capability)));
    let rule = advisory
        .references
        .iter()
        .take(1)
        .map(|page| Evidence::rule("advisory", format!("{} of {}", advisory.id, advisory.date)).cited(cite(page)));
    let mut found = of(advisory);
    for (remedy, own) in found.remedies.iter_mut().zip(&advisory.remedies) {
        taken_out(context, &own.removes, remedy);
    }
    if let Some(remedy) = twins::remedy(context, &advisory.one_of) {
        found.remedies = vec![remedy];
    }
    let group = advisory.one_of.iter().flatten().filter(|name| context.stack.get(name).is_some());
    if let [one, other] = group.map(String::as_str).collect::<Vec<_>>().as_slice()
        && twins::is_settled(context, &[one, other])
    {
        found.severity = Severity::Info;
    }
    found.packages = packages;
    found.gpus = gpus.iter().filter_map(|gpu| gpu.index).collect();
    found.evidence = evidence.chain(hardware).chain(rule).collect();
    found
}

/// Adds to a remedy what takes packages out, where they are there and nothing else needs them.
fn taken_out(context: &Context<'_>, names: &[String], remedy: &mut Remedy) {
    let there = names.iter().filter_map(|name| context.stack.get(name)).map(|installed| installed.distribution);
    let there: Vec<_> = there.collect();
    let is_needed = |name: &String| {
        let needed = context.stack.needed_by(name, &context.target, context.db);
        needed.iter().any(|other| names.iter().all(|name| name != other.name()))
    };
    if there.is_empty() || names.iter().any(is_needed) {
        return;
    }
    let own: Vec<&str> = there.iter().map(|it| it.name.as_str()).collect();
    remedy.steps.extend(Installer::of(context.facts).uninstall(&own));
    let gone = there.iter().map(|it| Change::Remove { name: it.name.clone(), location: it.location.clone() });
    remedy.change = Some(Change::All(gone.collect()));
}

/// The rule of an advisory and what of its id is filled in: a row of `[[import]]` is found as the walk of the files would.
fn rule_of(advisory: &Advisory) -> (&'static Rule, Vec<&str>) {
    match &advisory.import {
        Some(Import { package, wanted, module: true }) => (&MISSING_MODULE, vec![package, wanted]),
        Some(Import { package, wanted, .. }) => (&MISSING_NAME, vec![package, wanted]),
        None => (&ADVISORY, vec![number(advisory)]),
    }
}

/// The id of what an advisory finds.
pub fn id(advisory: &Advisory) -> Id {
    let (rule, subjects) = rule_of(advisory);
    rule.of(&subjects)
}

/// `2026-0001` of `GPUDOC-2026-0001`.
fn number(advisory: &Advisory) -> &str {
    advisory.id.trim_start_matches("GPUDOC-")
}

/// What an advisory says by itself, without evidence.
pub fn of(advisory: &Advisory) -> Finding {
    let remedies = advisory.remedies.iter().map(|remedy| {
        let steps: Vec<Step> = remedy.commands.iter().flat_map(Written::steps).collect();
        Remedy {
            requirements: remedy.requirements.clone(),
            change: taken_away(&steps),
            spelled_out: remedy.spelled_out,
            ..Remedy::new(with_versions(&remedy.summary, &remedy.requirements), steps)
        }
    });
    let (rule, subjects) = rule_of(advisory);
    rule.found(&subjects, &advisory.title)
        .kind(kind(&advisory.kind))
        .severity(advisory.severity.into())
        .message(advisory.story.split_whitespace().collect::<Vec<_>>().join(" "))
        .remedies(remedies)
        .references(advisory.references.iter().map(|page| page.page.clone()))
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
pub fn kind(name: &str) -> Kind {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).unwrap_or(Kind::Advisory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

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

    #[test]
    fn an_advisory_is_found_by_what_is_installed() {
        let of = |bitsandbytes| {
            Case::host().installed("triton", "3.2.0").installed("bitsandbytes", bitsandbytes).found(&ADVISORY)
        };
        let title = "GPUDOC-2026-0001: bitsandbytes before 0.45.1 imports `triton.ops`, which triton 3.2 no longer has";
        assert!(of("0.45.0").contains(&title.to_owned()));
        assert!(!of("0.45.1").contains(&title.to_owned()));
    }
}
