//! What may a message come from that no finding explains, and what is done about it?

use super::causes::{causes, known};
use super::kind;
use super::moved::{Moved, moved};
use super::ranked::MESSAGE;
use super::words::Words;
use crate::check::{Context, rebuild, soname};
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};
use crate::log::Log;
use crate::rules::schema::{Matter, Symptom, SymptomCause};
use crate::rules::symptom::Seen;
use crate::rules::{RuleDb, machine};
use crate::step::Written;

/// What stands before the title of a guess.
const GUESS: &str = "likely: ";

rule! {
    /// A known error message that no other finding explains.
    ///
    /// The message has a row in the rules with its causes; those that the facts rule out are not named. `likely:`
    /// stands before what the report does not decide. Known from the message and the sources of its row.
    pub SYMPTOM = "symptom/{message}": Advisory, Warn, since "0.1.0", judged on [Report];
}

/// What a message may come from where no finding explains it: the causes that the facts leave.
pub fn finding(context: &Context<'_>, seen: &Seen<'_>, words: &Words, line: &str, text: &Log) -> Option<Finding> {
    let symptom = seen.symptom;
    let (holding, open) = causes(context, symptom, words);
    let package = words.package.as_deref();
    let proved = Severity::from(symptom.severity);
    // What the facts speak for is not to be told apart from what nothing speaks for.
    let (left, doubts) = if holding.is_empty() { (open, Vec::new()) } else { (holding, open) };
    let (first, others) = left.split_first()?;
    let fill = |text: &str| words.fill(context, text);
    let title = fill(&first.title);
    let certain = is_certain(symptom);
    let mut message = symptom.meaning.split_whitespace().collect::<Vec<_>>().join(" ");
    let named =
        |causes: &[&SymptomCause]| alternatives(&causes.iter().map(|cause| fill(&cause.title)).collect::<Vec<_>>());
    let also = named(&[others, doubts.as_slice()].concat());
    let others = named(others);
    if !also.is_empty() {
        message.push_str(&format!(" It may also be that {also}."));
    }
    if !certain {
        message.push_str(" The report does not decide it.");
    }
    let mut packages: Vec<String> = left.iter().flat_map(|cause| &cause.packages).cloned().collect();
    packages.extend(package.map(str::to_owned));
    let of_moved = left.iter().filter(|cause| cause.moved);
    let moved: Vec<Moved> = of_moved.filter_map(|cause| moved(context, &cause.packages, seen, text)).collect();
    packages.extend(moved.iter().map(|it| it.importer.clone()));
    packages.sort();
    packages.dedup();
    // A library that is not there is in some wheel, whatever the cause.
    let needing = package.and_then(|name| context.stack.get(name));
    let wheel = soname::in_line(line).and_then(|name| soname::remedy(context, needing, &[name]));
    let mut remedies: Vec<Remedy> = wheel.into_iter().collect();
    // With one cause left there is nothing to tell apart: what mends it comes first.
    let settles = symptom.settle.as_str() != "-";
    if settles && left.len() > 1 {
        remedies.push(Remedy::look_among(symptom.settle.steps(), &others));
    }
    // The rule's own command names the wheel of one CUDA.
    let offered = remedies.iter().any(|remedy| !remedy.requirements.is_empty());
    let other = |command: &Written| !(offered && command.as_str().starts_with("pip install nvidia-"));
    let moved: Vec<Remedy> = moved.into_iter().flat_map(|it| it.remedies).collect();
    let told = |cause: &&&SymptomCause| !cause.moved || moved.is_empty();
    let cures: Vec<Remedy> = left.iter().filter(told).map(|cause| cure(context, cause, words, &other)).collect();
    remedies.extend(moved.into_iter().chain(cures));
    if settles && left.len() == 1 && !certain {
        remedies.push(Remedy::look(symptom.settle.steps()));
    }
    let mut evidence = vec![super::ranked::message(line)];
    evidence.extend(known(context, first));
    evidence.push(Evidence::rule("known message", symptom.id.clone()).cited(symptom.sources.first().cloned()));
    Some(
        SYMPTOM
            .found(&[&symptom.id], if certain { title } else { format!("{GUESS}{title}") })
            .severity(if context.db.failed(symptom, line) { Severity::Fail } else { proved })
            .kind(kind(&first.kind))
            .message(message)
            .packages(packages)
            .evidence(evidence)
            .remedies(remedies)
            .references(symptom.sources.iter().map(|source| page(source).to_owned())),
    )
}

/// Whether a message by itself proves what it comes from.
fn is_certain(symptom: &Symptom) -> bool {
    Severity::from(symptom.severity) == Severity::Fail
}

/// Whether a finding is a guess at what a message comes from that tells of no exception: nothing that is installed is exchanged
/// for it.
#[must_use]
pub fn is_guess(finding: &Finding, db: &RuleDb) -> bool {
    let stops = |evidence: &Evidence| evidence.fact == MESSAGE && db.stops(&evidence.observed);
    let message = finding.id.subject().filter(|_| finding.id.is(&SYMPTOM)).and_then(|message| db.symptom(message));
    message.is_some_and(|message| !is_certain(message)) && !finding.evidence.iter().any(stops)
}

/// What to do about a cause, with those of its commands that are wanted.
pub fn cure(
    context: &Context<'_>,
    cause: &SymptomCause,
    words: &Words,
    is_wanted: &dyn Fn(&Written) -> bool,
) -> Remedy {
    let own = cause.commands.iter().filter(|command| is_wanted(command)).flat_map(|command| words.steps(command));
    let task = match cause.matter {
        Some(Matter::Driver) => match words.release().and_then(|release| release.parse().ok()) {
            Some(release) => Some(machine::driver(&release, context.facts, context.db)),
            None => machine::newest_driver(context.facts, &context.target, context.db),
        },
        Some(Matter::Shm) => machine::shared_memory(context.facts, context.db),
        Some(Matter::ContainerToolkit) => Some(machine::container_toolkit(context.facts, context.db)),
        None => None,
    };
    let mut summary = words.fill(context, &cause.remedy);
    let mut steps = Vec::new();
    if let Some(task) = task {
        summary = format!("{}: {}", summary, task.words);
        steps.extend(task.steps);
    }
    let built = words
        .package
        .as_deref()
        .filter(|_| cause.rebuild)
        .and_then(|name| rebuild::forced(context, context.stack.get(name)?));
    match built {
        Some(built) => steps.extend(built),
        None => steps.extend(own),
    }
    Remedy::new(summary, steps)
}

/// `https://… , read 2026-11-20` without the day.
fn page(citation: &str) -> &str {
    citation.split(", read ").next().unwrap_or(citation)
}

fn alternatives(titles: &[String]) -> String {
    match titles {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{}, or {last}", head.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;
    use crate::check::{Told, explain, findings, run};
    use crate::facts::redact::Identity;
    use crate::rules::{Workload, embedded};

    #[test]
    fn a_selector_names_a_kind_an_id_or_its_beginning() {
        assert_eq!(page("https://example.org/1, read 2026-11-20"), "https://example.org/1");
        assert_eq!(alternatives(&["a".to_owned(), "b".to_owned()]), "a, or b");
    }

    #[test]
    fn a_message_is_a_finding_where_no_other_explains_it() {
        let of = |case: Case| {
            let mut text = Log::default();
            text.push("AssertionError: Torch not compiled with CUDA enabled", 1, false);
            let (db, workload) = (embedded(), Workload::default());
            let told = Told { heard: db.heard_in(&text.flat), text, people: Identity::default() };
            let found = findings(&run(&case.facts, db, &workload));
            let found = explain(&case.facts, db, &workload, &told, found).into_iter();
            found.filter(|finding| finding.id.is(&SYMPTOM)).map(|finding| finding.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(of(Case::report()), ["symptom/torch-not-compiled"]);
        let explained = Case::report().gpu("NVIDIA L4", "8.9").installed("torch", "2.7.1+cpu");
        assert!(of(explained).is_empty(), "`cpu-build/torch` says it");
    }
}
