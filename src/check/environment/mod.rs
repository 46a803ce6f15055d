//! Is the environment itself in order: its interpreter, its folder, its scripts, where its packages come from?

modules!(check::environment);

use super::Context;
use crate::facts::{Origin, Python};
use crate::finding::{Change, Evidence, Finding, Remedy, Rule};
use crate::step::Step;

/// What is out of order, the interpreter first.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let Some(python) = context.facts.python.value().filter(|_| context.facts.origin != Origin::Report) else {
        return Vec::new();
    };
    let mut findings: Vec<Finding> = [packages_found(python), pythonhome::check(&python.place), scripts::check(python)]
        .into_iter()
        .flatten()
        .collect();
    findings.extend(leftover::check(context));
    findings.extend(in_front::check(context));
    findings.extend(context.stack.installed.iter().filter_map(|installed| source::check(context, installed)));
    findings.extend(context.stack.installed.iter().filter_map(|installed| record::check(context, installed)));
    findings
}

/// Whether the interpreter starts and finds the packages beside it; one cause is enough.
fn packages_found(python: &Python) -> Option<Finding> {
    interpreter::check(python).or_else(|| pyvenv_cfg::check(python)).or_else(|| packages::check(python))
}

fn fail(rule: &'static Rule, title: String, message: &str, evidence: Evidence) -> Finding {
    rule.found(&[], title).message(message).packages(["python"]).evidence([evidence])
}

fn seen(fact: &str, observed: impl Into<String>, required: Option<String>) -> Evidence {
    let (fact, observed) = (fact.to_owned(), observed.into());
    Evidence::host(fact, observed).required(required)
}

/// The environment made again around its packages, with an interpreter of the version that they are for.
fn renew(python: &Python) -> Option<Remedy> {
    let prefix = python.prefix.as_str();
    let summary = format!("Make `{prefix}` again around its packages");
    let Some(other) = &python.place.other_python else {
        return Some(Remedy::new(
            "Make the environment again with the Python that its packages are for, and install them",
            [],
        ));
    };
    let steps: Vec<Step> = if python.management.uv.is_some() {
        Step::run(["uv", "venv", "--allow-existing", "--python", other, prefix]).into_iter().collect()
    } else {
        // `venv` leaves a link that is there as it is.
        let own = other.rsplit('/').next().unwrap_or_default();
        let links = ["python", "python3", own].map(|name| format!("{prefix}/bin/{name}"));
        let remove = ["rm", "-f"].map(str::to_owned).into_iter().chain(links);
        let make = [other.as_str(), "-m", "venv", "--without-pip", prefix];
        [Step::run(remove), Step::run(make)].into_iter().flatten().collect()
    };
    Some(Remedy { change: Some(Change::Renew), ..Remedy::new(summary, steps) })
}

/// What the tests of the rules share.
#[cfg(test)]
mod made {
    use super::check;
    use crate::check::Context;
    use crate::check::made::distribution;
    use crate::facts::{Distribution, Facts, Management, Origin, Place, Python, PythonImplementation, Reading};
    use crate::rules::symptom::Heard;
    use crate::rules::{Workload, embedded};
    use crate::step::{Shell, print};

    /// What is told of an environment in order after this change to it, with the commands.
    pub fn told(change: impl FnOnce(&mut Python, &mut Vec<Distribution>)) -> String {
        let mut facts = Facts::unknown(Origin::Host);
        let mut python = Python {
            executable: Reading::host("/v/bin/python".to_owned(), "the test"),
            prefix: "/v".to_owned(),
            base_prefix: Reading::Unknown,
            version: Reading::host("3.12.1".parse().expect("a version"), "the test"),
            implementation: PythonImplementation::CPython,
            free_threaded: false,
            bits: Reading::Unknown,
            chosen_by: "the test".to_owned(),
            path: Vec::new(),
            management: Management::default(),
            place: Place { other_python: Some("/usr/bin/python3.11".to_owned()), ..Place::default() },
        };
        facts.distributions = vec![distribution("peft", "0.18.0", &[])];
        change(&mut python, &mut facts.distributions);
        facts.python = Reading::host(python, "the test");
        let (workload, heard) = (Workload::default(), Heard::default());
        let context = Context::new(&facts, embedded(), &workload, &heard);
        let mut lines = Vec::new();
        for finding in check(&context) {
            lines.push(format!("{:?} {}: {}", finding.severity, finding.id, finding.title));
            lines.extend(finding.remedies.iter().flat_map(|remedy| print(&remedy.steps, Shell::Sh)));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::made::told;

    #[test]
    fn an_environment_in_order_is_not_told_of() {
        assert_eq!(told(|_, _| ()), "");
    }
}
