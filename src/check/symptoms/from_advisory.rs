//! What is said of an advisory whose message was seen, but whose conditions are not all known?

use super::ranked::message;
use crate::check::{Context, advisory};
use crate::finding::{Evidence, Finding, Remedy, Severity};
use crate::rules::advisory::judge;
use crate::rules::cite;
use crate::rules::schema::{Advisory, Line};
use crate::step::Step;
use crate::{step, text};

/// An advisory whose message was seen, but whose conditions are not all known.
pub fn finding(context: &Context<'_>, advisory: &Advisory, line: &str) -> Option<Finding> {
    let installed = |name: &str| context.installed(name);
    let environment = context.environment(&installed);
    let whole = context.facts.lists_all();
    let open = advisory.when.iter().find(|when| judge(when, &environment, whole).is_none())?;
    let mut finding = advisory::of(advisory);
    finding.severity = if context.db.stops(line) { Severity::Fail } else { Severity::Warn };
    finding.title = format!("likely: {}", finding.title);
    finding.packages = open.installed.iter().filter_map(Line::name).map(str::to_owned).collect();
    finding.packages.sort();
    finding.evidence = vec![message(line)];
    finding.evidence.extend(
        advisory
            .references
            .iter()
            .take(1)
            .map(|page| Evidence::rule("advisory", format!("{} of {}", advisory.id, advisory.date)).cited(cite(page))),
    );
    let missing: Vec<String> = open
        .installed
        .iter()
        .filter(|line| line.name().is_some_and(|name| context.stack.get(name).is_none()))
        .map(ToString::to_string)
        .collect();
    if !missing.is_empty() {
        finding.message.push_str(&format!(" The report does not say whether {} is installed.", text::list(&missing)));
        let names = finding.packages.iter().filter_map(|name| step::requirement(name));
        let show = Step::run(["pip", "show"].map(str::to_owned).into_iter().chain(names));
        finding.remedies.insert(0, Remedy::look(show));
    }
    Some(finding)
}
