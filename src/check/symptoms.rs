//! Which finding explains the error that somebody saw?
//!
//! An error message decides nothing by itself: a fact that was observed always counts more. It puts the findings in order,
//! the one that explains it first, and where none does it becomes a finding of its own, marked as likely, with the command
//! that would settle it. Only a message that proves its cause, such as `Torch not compiled with CUDA enabled`, stands as a fact.

use super::advisory::of;
use super::{Context, rebuild, soname};
use crate::facts::redact::{Identity, redact_text};
use crate::facts::{Facts, Origin};
use crate::finding::{Evidence, Finding, Kind, Remedy, Severity, rule};
use crate::log::Log;
use crate::rules::advisory::{judge, symptom as quoted};
use crate::rules::machine;
use crate::rules::requirement::is_runtime_wheel;
use crate::rules::schema::{Matter, RawAdvisory, RawCause, RawSeverity, RawSymptom};
use crate::rules::symptom::{Heard, Seen};
use crate::rules::target::gpu_words;
use crate::rules::{RuleDb, Workload, cite};
use crate::step::{self, Step, Written};
use crate::text;

rule! {
    /// A known error message that no other finding explains.
    ///
    /// The message has a row in the rules with its causes; those that the facts rule out are not named. `likely:`
    /// stands before what the report does not decide. Known from the message and the sources of its row.
    pub SYMPTOM = "symptom/{message}": Advisory, Warn, since "0.1.0", judged on [Report];
}

/// A message is quoted up to so many characters.
const LONGEST: usize = 200;
/// So many messages without an explanation become findings.
const MOST: usize = 4;

/// A text in which somebody told of an error.
pub struct Told<'db> {
    /// The text.
    pub text: Log,
    /// The messages in it.
    pub heard: Heard<'db>,
    /// The names that are hidden in what is quoted.
    pub people: Identity,
}

/// Puts the findings in the order in which they explain the messages of a text, and adds what is likely where none does.
#[must_use]
pub fn explain(
    facts: &Facts,
    db: &RuleDb,
    workload: &Workload,
    told: &Told<'_>,
    findings: Vec<Finding>,
) -> Vec<Finding> {
    let Told { text, heard, people } = told;
    let context = Context::new(facts, db, workload, heard);
    let judged = db.other_vendor(facts).is_none();
    let mut ranked: Vec<Ranked> = findings.into_iter().map(|finding| Ranked { finding, rank: None }).collect();
    let mut seen = heard.symptoms.clone();
    // Those that say most about the environment first.
    seen.sort_by_key(|seen| (severity(seen.symptom.severity), seen.place));
    let mut likely: Vec<(Finding, usize)> = Vec::new();
    let mut next = 0;
    // Many messages of one line have one quote.
    let (mut last, mut line) = ("", String::new());
    for seen in &seen {
        let around = text.line_around(seen.place);
        if !std::ptr::eq(last, around) {
            last = around;
            line = shorten(around, people);
        }
        let package = package_in(&context, seen, text);
        let explained = explaining(seen.symptom, package.as_deref(), &ranked);
        if explained.is_empty() {
            // What a message of CUDA's means on another vendor's device is not known.
            if !judged && seen.symptom.causes.iter().any(|cause| is_of_cuda(kind(&cause.kind))) {
                continue;
            }
            likely.extend(hypothesis(&context, seen, package.as_deref(), &line).map(|finding| (finding, seen.place)));
            continue;
        }
        // A message that proves its cause makes a doubt of the same sort certain.
        let proved = severity(seen.symptom.severity) == Severity::Fail;
        for at in explained {
            let Some(ranked) = ranked.get_mut(at) else { continue };
            ranked.explains(&mut next, &line);
            let same = seen.symptom.causes.iter().find(|cause| cause.kind == ranked.finding.kind.name());
            if ranked.finding.remedies.is_empty()
                && let Some(cause) = same
            {
                ranked.finding.remedies.push(cure(&context, cause, package.as_deref(), &|_| true));
            }
            if proved && seen.symptom.causes.first().is_some_and(|cause| cause.kind == ranked.finding.kind.name()) {
                ranked.finding.severity = Severity::Fail;
            }
        }
    }
    for advisory in db.advisories().filter(|_| judged) {
        let Some(line) = quoted(advisory, &heard.quoted).and_then(|words| line_of(text, words, people)) else {
            continue;
        };
        match ranked.iter_mut().find(|ranked| ranked.finding.id == super::advisory::id(advisory)) {
            Some(ranked) => ranked.explains(&mut next, &line),
            None => likely.extend(from_advisory(&context, advisory, &line).map(|finding| (finding, 0))),
        }
    }
    let explained = next > 0;
    ranked.extend(merged(likely, explained).into_iter().map(|(finding, rank)| Ranked { finding, rank: Some(rank) }));
    // What explains something is first, in the order of the messages; then the rest in its own order.
    ranked.sort_by_key(|ranked| ranked.rank.unwrap_or(usize::MAX));
    attach(ranked.into_iter().map(|ranked| ranked.finding).collect())
}

/// Families that judge NVIDIA's driver, GPUs and libraries.
fn is_of_cuda(kind: Kind) -> bool {
    !matches!(kind, Kind::Requirement | Kind::Python | Kind::Pairing | Kind::Advisory)
}

/// Consequences go to their cause: that no GPU is visible to what keeps the driver from answering, and one unmet pin of torch's
/// CUDA libraries to the other.
fn attach(findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        match kept.iter_mut().find(|cause| is_consequence(&finding, cause)) {
            Some(cause) => cause.evidence.push(Evidence::rule(format!("consequence [{}]", finding.id), finding.title)),
            None => kept.push(finding),
        }
    }
    kept
}

fn is_consequence(finding: &Finding, cause: &Finding) -> bool {
    let pin = |finding: &Finding| {
        finding.kind == Kind::Requirement
            && matches!(finding.id.subjects().collect::<Vec<_>>()[..], ["torch", other] if is_runtime_wheel(other))
    };
    let unanswered = matches!(cause.kind, Kind::DriverMismatch | Kind::Driver) && cause.severity == Severity::Fail;
    // Two advisories on one package are two stories.
    let by_hand = |finding: &Finding| finding.id.is(&super::advisory::ADVISORY);
    let told_twice =
        by_hand(finding) && !by_hand(cause) && finding.kind == cause.kind && finding.packages == cause.packages;
    let blind = finding.id.is(&super::gpu_visibility::none::NONE)
        && (unanswered || cause.id.is(&super::system::jetson::JETSON));
    blind || told_twice || pin(finding) && pin(cause)
}

/// A finding and its place among those that explain something.
struct Ranked {
    finding: Finding,
    rank: Option<usize>,
}

impl Ranked {
    /// Notes that it explains a message.
    fn explains(&mut self, next: &mut usize, line: &str) {
        let evidence = message(line);
        if !self.finding.evidence.contains(&evidence) && self.finding.evidence.len() < 12 {
            self.finding.evidence.push(evidence);
        }
        if self.rank.is_none() {
            self.rank = Some(*next);
            *next += 1;
        }
    }
}

fn message(line: &str) -> Evidence {
    Evidence::host("error message", format!("`{line}`"))
}

/// The findings that explain a message: those of the first selector that any meets.
fn explaining(symptom: &RawSymptom, package: Option<&str>, findings: &[Ranked]) -> Vec<usize> {
    let excluded: Vec<&str> = symptom.explained_by.iter().filter_map(|selector| selector.strip_prefix('!')).collect();
    for selector in &symptom.explained_by {
        let wanted = match (selector.contains("{package}"), package) {
            (true, Some(package)) => selector.replace("{package}", package),
            (true, None) => continue,
            (false, _) => selector.clone(),
        };
        let found: Vec<usize> = findings
            .iter()
            .enumerate()
            .filter(|(_, ranked)| {
                let Finding { id, kind, severity, .. } = &ranked.finding;
                let id = id.to_string();
                *severity != Severity::Info
                    && !excluded.contains(&id.as_str())
                    && (id == wanted
                        || kind.name() == wanted
                        || id.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with('/')))
            })
            .map(|(at, _)| at)
            .collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// The distribution that a message names: by the path of a library, or by a module.
fn package_in(context: &Context<'_>, seen: &Seen<'_>, text: &Log) -> Option<String> {
    let from = seen.place.saturating_sub(300);
    let around: String = text
        .flat
        .bytes()
        .skip(from)
        .take(700)
        .map(|byte| if byte.is_ascii() { char::from(byte) } else { ' ' })
        .collect();
    let words = around.split([' ', '\'', '"', '(', ')', '`', ',', ':', '/', '\\', '=']);
    words.filter_map(|word| word.split('.').next()).filter(|word| word.len() > 3).find_map(|word| {
        let name = context.db.distribution_of_module(word)?;
        // Everything is about torch; what else is named tells more.
        (!matches!(name.as_str(), "torch" | "python" | "numpy")).then_some(name)
    })
}

pub(super) fn severity(raw: RawSeverity) -> Severity {
    match raw {
        RawSeverity::Fail => Severity::Fail,
        RawSeverity::Warn => Severity::Warn,
        RawSeverity::Info => Severity::Info,
    }
}

/// What a message may come from where no finding explains it: the causes that the facts leave.
fn hypothesis(context: &Context<'_>, seen: &Seen<'_>, package: Option<&str>, line: &str) -> Option<Finding> {
    let symptom = seen.symptom;
    let (holding, open) = causes(context, symptom);
    let proved = severity(symptom.severity);
    let left: Vec<&RawCause> = holding.iter().chain(&open).copied().collect();
    let (first, others) = left.split_first()?;
    let fill = |text: &str| filled(context, text, package);
    let title = fill(&first.title);
    let certain = proved == Severity::Fail;
    let mut message = symptom.meaning.split_whitespace().collect::<Vec<_>>().join(" ");
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(|cause| fill(&cause.title)).collect();
        message.push_str(&format!(" It may also be that {}.", alternatives(&others)));
    }
    if !certain {
        message.push_str(" The report does not decide it.");
    }
    let mut packages: Vec<String> = left.iter().flat_map(|cause| &cause.packages).cloned().collect();
    packages.extend(package.map(str::to_owned));
    packages.sort();
    packages.dedup();
    // A library that is not there is in some wheel, whatever the cause.
    let needing = package.and_then(|name| context.stack.get(name));
    let wheel = soname::in_line(line).and_then(|name| soname::remedy(context, needing, &[name]));
    let mut remedies: Vec<Remedy> = wheel.into_iter().collect();
    if (!certain || left.len() > 1) && symptom.settle.as_str() != "-" {
        remedies.push(Remedy::look(symptom.settle.steps()));
    }
    // The rule's own command names the wheel of one CUDA.
    let offered = remedies.iter().any(|remedy| !remedy.requirements.is_empty());
    let other = |command: &Written| !(offered && command.as_str().starts_with("pip install nvidia-"));
    remedies.extend(left.iter().map(|cause| cure(context, cause, package, &other)));
    let mut evidence = vec![self::message(line)];
    evidence.extend(known(context, first));
    evidence.push(Evidence::rule("known message", symptom.id.clone()).cited(symptom.sources.first().cloned()));
    Some(
        SYMPTOM
            .found(&[&symptom.id], if certain { title } else { format!("likely: {title}") })
            .severity(proved)
            .kind(kind(&first.kind))
            .message(message)
            .packages(packages)
            .evidence(evidence)
            .remedies(remedies)
            .references(symptom.sources.iter().map(|source| page(source).to_owned())),
    )
}

/// What to do about a cause, with those of its commands that are wanted.
fn cure(
    context: &Context<'_>,
    cause: &RawCause,
    package: Option<&str>,
    is_wanted: &dyn Fn(&Written) -> bool,
) -> Remedy {
    let own = cause.commands.iter().filter(|command| is_wanted(command)).flat_map(Written::steps);
    let task = match cause.matter {
        Some(Matter::Driver) => machine::newest_driver(context.facts, &context.target, context.db),
        Some(Matter::Shm) => machine::shared_memory(context.facts, context.db),
        None => None,
    };
    let mut summary = filled(context, &cause.remedy, package);
    let mut steps = Vec::new();
    if let Some(task) = task {
        summary = format!("{}: {}", summary, task.words);
        steps.extend(task.steps);
    }
    let built = package.filter(|_| cause.rebuild).and_then(|name| rebuild::of(context, context.stack.get(name)?));
    steps.extend(built.into_iter().flatten());
    steps.extend(own);
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

/// The causes whose conditions hold, and those that nothing contradicts.
fn causes<'db>(context: &Context<'_>, symptom: &'db RawSymptom) -> (Vec<&'db RawCause>, Vec<&'db RawCause>) {
    let installed = |name: &str| context.installed(name);
    let environment = context.environment(&installed);
    let whole = context.facts.pasted.as_ref().is_none_or(|pasted| pasted.whole_list);
    let (mut holding, mut open, mut doubtful) = (Vec::new(), Vec::new(), Vec::new());
    for cause in &symptom.causes {
        let mut terms = Vec::new();
        terms.extend(cause.when.as_ref().map(|when| judge(when, &environment, whole)));
        // Nobody says that a machine is not WSL.
        terms.extend(cause.wsl.then(|| Some(context.facts.system.wsl.value().is_some())));
        terms.extend(cause.cpu_torch.then(|| context.stack.torch_cuda().map(|cuda| cuda.is_none())));
        match terms.as_slice() {
            terms if terms.contains(&Some(false)) => {}
            [] => open.push(cause),
            terms if terms.contains(&None) => doubtful.push(cause),
            _ => holding.push(cause),
        }
    }
    open.append(&mut doubtful);
    (holding, open)
}

/// Fills what is known into a sentence.
fn filled(context: &Context<'_>, text: &str, package: Option<&str>) -> String {
    let gpus: Vec<_> = context.target.gpus.iter().collect();
    let gpu = match gpus.as_slice() {
        [] => "this GPU".to_owned(),
        gpus => {
            let mut capabilities: Vec<_> = gpus.iter().map(|gpu| format!("sm_{}", gpu.capability.sm())).collect();
            capabilities.dedup();
            format!("{} ({})", gpu_words(gpus), text::list(&capabilities))
        }
    };
    let title = |name: &str| context.stack.get(name).map(super::Installed::title);
    let package = package.map(|name| title(name).unwrap_or_else(|| name.to_owned()));
    let torch = title("torch").unwrap_or_else(|| "torch".to_owned());
    let driver =
        context.target.driver.as_ref().map_or_else(|| "the driver".to_owned(), |driver| format!("driver {driver}"));
    text.replace("{package}", package.as_deref().unwrap_or("the extension"))
        .replace("{gpu}", &gpu)
        .replace("{torch}", &torch)
        .replace("{driver}", &driver)
}

/// The facts that bear on a cause, as evidence: GPUs for what is about GPUs, the driver, distributions that it names.
fn known(context: &Context<'_>, cause: &RawCause) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    for name in &cause.packages {
        if let Some(installed) = context.stack.get(name) {
            evidence.push(
                Evidence::metadata(name.clone(), installed.distribution.full_version().to_owned())
                    .cited(installed.distribution.version.source().map(|source| source.place().to_owned())),
            );
        }
    }
    if matches!(cause.kind.as_str(), "gpu-arch" | "forward-compat" | "driver" | "cpu-build") {
        evidence.extend(context.target.gpus.iter().take(2).map(|gpu| {
            Evidence::host(
                gpu.label.clone(),
                format!("compute capability {}, sm_{}", gpu.capability, gpu.capability.sm()),
            )
        }));
    }
    if matches!(cause.kind.as_str(), "driver" | "forward-compat" | "driver-mismatch" | "system")
        && let Some(driver) = &context.target.driver
    {
        evidence.push(
            Evidence::host("driver", driver.to_string())
                .cited(context.facts.driver.version.source().map(|source| source.place().to_owned())),
        );
    }
    evidence
}

/// An advisory whose message was seen, but whose conditions are not all known.
fn from_advisory(context: &Context<'_>, advisory: &RawAdvisory, line: &str) -> Option<Finding> {
    let installed = |name: &str| context.installed(name);
    let environment = context.environment(&installed);
    let whole =
        context.facts.origin != Origin::Report || context.facts.pasted.as_ref().is_some_and(|pasted| pasted.whole_list);
    let open = advisory.when.iter().find(|when| judge(when, &environment, whole).is_none())?;
    let mut finding = of(advisory);
    finding.severity = Severity::Warn;
    finding.title = format!("likely: {}", finding.title);
    finding.packages = open
        .installed
        .iter()
        .filter_map(|line| Some(crate::rules::requirement::parse(line).ok()?.name.to_string()))
        .collect();
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
        .filter(|line| {
            crate::rules::requirement::parse(line).is_ok_and(|wanted| context.stack.get(wanted.name.as_ref()).is_none())
        })
        .cloned()
        .collect();
    if !missing.is_empty() {
        finding.message.push_str(&format!(" The report does not say whether {} is installed.", text::list(&missing)));
        let names = finding.packages.iter().filter_map(|name| step::requirement(name));
        let show = Step::run(["pip", "show"].map(str::to_owned).into_iter().chain(names));
        finding.remedies.insert(0, Remedy::look(show));
    }
    Some(finding)
}

/// Messages with one cause are one finding; after an explanation in facts only what says something else is kept.
fn merged(likely: Vec<(Finding, usize)>, explained: bool) -> Vec<(Finding, usize)> {
    let mut kept: Vec<(Finding, usize)> = Vec::new();
    for (finding, _) in likely {
        let same = kept.iter_mut().find(|(other, _)| other.kind == finding.kind && other.packages == finding.packages);
        if let Some((other, _)) = same {
            let new = |evidence: &Evidence| evidence.fact == "error message" && !other.evidence.contains(evidence);
            let more: Vec<Evidence> = finding.evidence.into_iter().filter(new).collect();
            other.evidence.extend(more);
            continue;
        }
        // After what the facts explain, and before what nobody complained of.
        let rank = if explained { 1000 + kept.len() } else { kept.len() };
        if kept.len() < MOST {
            kept.push((finding, rank));
        }
    }
    kept
}

fn kind(name: &str) -> Kind {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).unwrap_or(Kind::Advisory)
}

fn line_of(text: &Log, words: &str, people: &Identity) -> Option<String> {
    let place = memchr::memmem::find(text.flat.as_bytes(), words.as_bytes())?;
    Some(shorten(text.line_around(place), people))
}

/// A line as it is quoted: short, and without names of people and secrets.
fn shorten(line: &str, people: &Identity) -> String {
    // Half a token would not be known as one: what is looked at is longer than what is shown, and ends with a word.
    let cut = line.char_indices().nth(3 * LONGEST).and_then(|(end, _)| line.get(..end));
    let start = cut.map_or(line, |start| start.rsplit_once(' ').map_or("", |(words, _)| words));
    let clean = redact_text(start, people);
    match clean.chars().count() {
        length if length <= LONGEST && cut.is_none() => clean,
        _ => clean.chars().take(LONGEST).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_short_and_holds_no_half_of_a_token() {
        let people = Identity { users: vec!["ada".to_owned()], ..Identity::default() };
        assert_eq!(shorten("ada: no", &people), "user: no");
        let cut = shorten(&format!("{} hf_abcdefghijklmnop", "x".repeat(190)), &people);
        assert_eq!(cut, format!("{} redacted", "x".repeat(190)));
        let long = shorten(&format!("{} hf_abcdefghijklmnop", "x y ".repeat(500)), &people);
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(!long.contains("hf_"));
    }

    #[test]
    fn a_selector_names_a_kind_an_id_or_its_beginning() {
        assert_eq!(page("https://example.org/1, read 2026-11-20"), "https://example.org/1");
        assert_eq!(alternatives(&["a".to_owned(), "b".to_owned()]), "a, or b");
    }
}
