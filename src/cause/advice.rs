//! Which remedy of a cause is the best, beside what is told to do already?
//!
//! A remedy that says otherwise than what was told before, such as the plan, is an alternative to it, and never stands beside it.

use std::collections::BTreeSet;

use super::group::is_told;
use crate::check::registry;
use crate::finding::{Change, Finding, Plan, Remedy};
use crate::pep::{Version, VersionSpecifiers, pinned};
use crate::rules::requirement::{name_of, normalise, parse, satisfied, specifiers};
use crate::step::Step;

/// What to do about one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Advice<'f> {
    /// What tells which of several causes it is.
    pub look: Option<&'f Remedy>,
    /// What mends it.
    pub cure: Option<&'f Remedy>,
}

/// What somebody is told to do, as far as it can contradict itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Names, normalised, with what is to be there.
    wanted: Vec<(String, VersionSpecifiers)>,
    /// Names that are to go, and do not come back.
    gone: BTreeSet<String>,
    steps: Vec<Step>,
}

impl Told {
    /// What a plan tells.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let mut told = Self::default();
        told.add(&plan.requirements, &plan.steps);
        told
    }

    /// Adds what requirements and steps say.
    pub fn add(&mut self, requirements: &[String], steps: &[Step]) {
        let lines = requirements.iter().cloned().chain(words_after(steps, "install"));
        let wanted = |line: String| Some((normalise(name_of(&line)), specifiers(&parse(&line).ok()?)?));
        self.wanted.extend(lines.filter_map(wanted));
        self.gone.extend(words_after(steps, "uninstall").map(|word| normalise(&word)));
        self.gone.retain(|name| !self.wanted.iter().any(|(wanted, _)| wanted == name));
        self.steps.extend_from_slice(steps);
    }

    /// Whether a remedy would undo what is told, or be undone by it: another release, a package that goes and comes.
    #[must_use]
    pub fn forbids(&self, remedy: &Remedy) -> bool {
        let same = !remedy.steps.is_empty() && remedy.steps.iter().all(|it| self.steps.contains(it));
        let mut other = Self::default();
        other.add(&remedy.requirements, &remedy.steps);
        let is_wanted = |told: &Self, name: &String| told.wanted.iter().any(|(wanted, _)| wanted == name);
        let disagree = |(name, range): &(String, VersionSpecifiers)| {
            self.wanted.iter().any(|(wanted, other)| wanted == name && !agree(range, other))
        };
        !same
            && (other.gone.iter().any(|name| is_wanted(self, name))
                || self.gone.iter().any(|name| is_wanted(&other, name))
                || other.wanted.iter().any(disagree))
    }
}

/// Whether one release may satisfy two ranges, told where either names one; a local label is no other release.
fn agree(one: &VersionSpecifiers, other: &VersionSpecifiers) -> bool {
    let exact = |range: &VersionSpecifiers| pinned(range).cloned();
    let fits = |range: &VersionSpecifiers, version: &Version| {
        satisfied(range, version) || satisfied(range, &version.clone().without_local())
    };
    match (exact(one), exact(other)) {
        (Some(version), Some(pinned)) => {
            version == pinned
                || (version.local().is_empty() != pinned.local().is_empty()
                    && version.without_local() == pinned.without_local())
        }
        (Some(version), None) => fits(other, &version),
        (None, Some(version)) => fits(one, &version),
        (None, None) => true,
    }
}

/// The best of what the findings of a cause offer: what was re-checked, then what an advisory says first if it writes it out, then
/// what can be run, then words; nothing that contradicts what is told already.
pub(super) fn best<'f>(findings: &[&'f Finding], told: &Told) -> Advice<'f> {
    let allowed = |remedy: &&'f Remedy| !told.forbids(remedy);
    let own = || findings.first().into_iter().flat_map(|finding| &finding.remedies).filter(allowed);
    let all = || findings.iter().flat_map(|finding| &finding.remedies).filter(allowed);
    let runs = |remedy: &&Remedy| !remedy.looks() && (!remedy.steps.is_empty() || !remedy.requirements.is_empty());
    let by_hand = findings.first().is_some_and(|finding| finding.id.is(&registry::ADVISORY));
    let first = || own().next().filter(|remedy| by_hand && !remedy.looks() && is_written_out(remedy));
    let cure = own().find(|remedy| remedy.verified).or_else(first).or_else(|| own().find(runs));
    let cure = cure.or_else(|| all().find(runs));
    let cure = cure.or_else(|| all().find(|remedy| !remedy.looks()));
    // What only looks stands in front where there is something to tell apart.
    Advice { look: own().next().filter(|remedy| remedy.looks()), cure }
}

/// Whether a remedy says to the letter what to run or to write.
pub(super) fn is_written_out(remedy: &Remedy) -> bool {
    !remedy.steps.is_empty() || remedy.spelled_out
}

/// Whether a plan mends a finding. What a message alone tells of, and one line would mend, is not mended by a plan that brings
/// something else.
pub(super) fn mends(plan: &Plan, finding: &Finding) -> bool {
    let cure = finding.remedies.iter().find(|remedy| !remedy.looks());
    let asked: Vec<String> = cure.into_iter().flat_map(|cure| words_after(&cure.steps, "install")).collect();
    let name = |line: &String| normalise(name_of(line));
    let brought = |line: &String| plan.requirements.iter().map(name).any(|brought| brought == name(line));
    let installs = !asked.is_empty() && asked.iter().all(|line| !line.contains(['/', ' ']));
    plan.fixes.contains(&finding.id)
        && (!is_told(finding) || !installs || plan.requirements.is_empty() || asked.iter().any(brought))
}

/// Why a plan leaves a cause, one sentence without full stop.
pub(super) fn reason(group: &[&Finding], plan: &Plan) -> String {
    let told = Told::of(plan);
    let left: Vec<&Finding> = group.iter().filter(|finding| !mends(plan, finding)).copied().collect();
    let cures: Vec<&Remedy> = left.iter().flat_map(|it| &it.remedies).filter(|remedy| !remedy.looks()).collect();
    let by_hand = |remedy: &&Remedy| remedy.requirements.is_empty() && !remedy.change.as_ref().is_some_and(installs);
    let reason = if left.iter().all(|finding| is_told(finding)) {
        "what was read does not tell whether it is that"
    } else if cures.is_empty() {
        "no fix is known"
    } else if cures.iter().all(|remedy| told.forbids(remedy)) {
        "what would end it contradicts the plan"
    } else if cures.iter().all(by_hand) {
        "it is to be done by hand"
    } else {
        "no set of known releases ends it together with the rest"
    };
    reason.to_owned()
}

/// Whether a change brings packages.
fn installs(change: &Change) -> bool {
    match change {
        Change::Install(_) => true,
        Change::All(changes) => changes.iter().any(installs),
        _ => false,
    }
}

/// The words behind a subcommand of an installer that are no option.
fn words_after<'s>(steps: &'s [Step], subcommand: &'s str) -> impl Iterator<Item = String> + 's {
    steps.iter().flat_map(calls).filter(|words| words.iter().any(|word| word.ends_with("pip"))).flat_map(move |words| {
        let mut words = words.into_iter().skip_while(|word| word != subcommand).skip(1);
        let mut found = Vec::new();
        while let Some(word) = words.next() {
            if WITH_VALUE.contains(&word.as_str()) {
                words.next();
            } else if !word.starts_with('-') {
                found.push(word);
            }
        }
        found
    })
}

/// What steps uninstall and do not install again.
pub(super) fn removed(steps: &[Step]) -> impl Iterator<Item = String> + '_ {
    let back: BTreeSet<String> = words_after(steps, "install").map(|line| normalise(name_of(&line))).collect();
    words_after(steps, "uninstall").map(|name| normalise(&name)).filter(move |name| !back.contains(name))
}

/// Options of an installer whose next word is no package.
const WITH_VALUE: [&str; 7] = ["--index-url", "--extra-index-url", "-i", "-f", "--find-links", "-r", "-c"];

/// The calls of a step, in words.
fn calls(step: &Step) -> Vec<Vec<String>> {
    match step {
        Step::Script(text) | Step::Sketch(text) => {
            let word = |word: &str| word.trim_matches(['"', '\'']).to_owned();
            text.as_str().split(" && ").map(|part| part.split_whitespace().map(word).collect()).collect()
        }
        _ => vec![step.words()],
    }
}
