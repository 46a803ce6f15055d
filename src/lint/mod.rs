//! What a project's files would install, judged before anybody installs it. Pure: texts, targets and rules in, findings out.
//!
//! [`read`] makes of each file the environments that it leads to ([`project`]): a requirements file, an extra of a
//! pyproject.toml, a stage of a Dockerfile, the jobs of a workflow. [`rules`] judge each of them on every declared target; what
//! versions fit together only the solver knows. [`edit`] carries out what a finding would change, [`policy`] what the project
//! has decided to live with.

pub mod edit;
pub mod kind;
pub mod policy;
pub mod project;
pub mod read;
pub mod registry;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use self::project::{Environment, Project};
use crate::finding::Severity;
use crate::project::place::{Lines, Place};
use crate::rules::{RuleDb, Target, Workload};

pub use registry::rule;
pub use rules::guard::VERSION_CHECK;

/// Something that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is, one of [`registry::RULES`].
    pub rule: &'static Rule,
    /// How bad.
    pub severity: Severity,
    /// The file as it was named, e.g. `docker/Dockerfile`.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// One sentence: subject, need, observation.
    pub message: String,
    /// What it rests on, each a sentence; the steps of a proof.
    pub notes: Vec<String>,
    /// What to do, imperative.
    pub hint: Option<String>,
    /// An edit after which the finding is gone; none where people must decide.
    pub fix: Option<Fix>,
}

impl Finding {
    /// The same with what to do.
    #[must_use]
    pub fn hinted(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }
}

/// Edits of one file that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// An imperative sentence.
    pub summary: String,
    /// None overlaps another.
    pub edits: Vec<Edit>,
}

/// Bytes of a file, and what is to stand there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// The file as it was named.
    pub file: String,
    /// First byte and the byte behind the last.
    pub start: usize,
    /// See `start`.
    pub end: usize,
    /// The new text.
    pub text: String,
}

/// An id and what it means, for rule lists of CI formats and `gpudoc explain`. Each is declared beside its judgement.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// E.g. `unsatisfiable`.
    pub id: &'static str,
    /// One sentence.
    pub title: &'static str,
    /// Why it matters and what to do.
    pub help: &'static str,
    /// What finds it in an environment by itself; none where [`rules::judge`] calls it, with what the solver said and the like.
    pub judge: Option<rules::Judge>,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

impl Rule {
    /// A finding of this rule without notes.
    #[must_use]
    pub fn found(&'static self, severity: Severity, file: String, place: Place, message: String) -> Finding {
        Finding { rule: self, severity, file, place, message, notes: Vec::new(), hint: None, fix: None }
    }
}

/// What gpudoc.toml says of the project's work, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// Whether it is judged by itself: the memory of the targets.
    pub told: bool,
    /// The file that says it.
    pub file: String,
    /// What it says.
    pub workload: Workload,
    /// Where `model-params` stands.
    pub model_params: Place,
    /// Where `min-vram` stands.
    pub min_vram: Place,
    /// Where `uses` stands.
    pub uses: Place,
}

/// So many threads at most.
const MOST_THREADS: usize = 8;

/// So many environments for each of them at least.
const FEWEST_OF_THREAD: usize = 8;

/// Judges a project on its targets. Without any, only what holds on every machine is said.
#[must_use]
pub fn run(project: &Project, targets: &[Target], declared: &Declared, db: &RuleDb) -> Vec<Finding> {
    let mut findings = project.findings.clone();
    if declared.told {
        rules::memory::judge(declared, targets, db, &mut findings);
    }
    let uses = declared.workload.words(db);
    if declared.told && !project.environments.iter().any(|environment| rules::is_covered(environment, db)) {
        rules::workload_advisory::foretold(declared, targets, &uses, db, &mut findings);
    }
    let part = &|environments: &[Environment]| {
        let solver = rules::solver::Solver::new(db);
        let mut findings = Vec::new();
        for environment in environments {
            rules::judge(project, environment, targets, db, &solver, &uses, &mut findings);
        }
        findings
    };
    // A thread is worth starting for some environments, not for one.
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let size = project.environments.len().div_ceil(threads).max(FEWEST_OF_THREAD);
    if project.environments.len() <= size {
        findings.extend(part(&project.environments));
    } else {
        // In order, so that the findings do not depend on who is ready first.
        let parts = std::thread::scope(|scope| {
            let started: Vec<_> =
                project.environments.chunks(size).map(|environments| scope.spawn(move || part(environments))).collect();
            let done = started.into_iter().map(std::thread::ScopedJoinHandle::join);
            done.map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect::<Vec<_>>()
        });
        findings.extend(parts.into_iter().flatten());
    }
    let mut seen = BTreeSet::new();
    let key =
        |one: &Finding| (one.file.clone(), one.place.span.start, one.place.span.end, one.rule.id, one.message.clone());
    // One line is told once where several environments share it.
    let mut told = BTreeSet::new();
    let many = [
        &read::SYNTAX,
        &rules::workload_advisory::WORKLOAD_ADVISORY,
        &rules::memory::MODEL_FIT,
        &rules::memory::MIN_VRAM,
    ];
    let mut is_new = |one: &Finding| {
        seen.insert(key(one))
            && (many.contains(&one.rule) || told.insert((one.file.clone(), one.place.span.start, one.rule.id)))
    };
    let (mut findings, again): (Vec<Finding>, Vec<Finding>) = findings.into_iter().partition(&mut is_new);
    // What another environment needs changed beside it is told at its own line.
    for fix in again.into_iter().filter_map(|one| one.fix) {
        let is_of = |one: &Finding, edit: &Edit| one.file == edit.file && one.place.span.contains(&edit.start);
        let known =
            |edit: &Edit| findings.iter().filter_map(|one| one.fix.as_ref()).any(|own| own.edits.contains(edit));
        let fresh: Vec<Edit> = fix.edits.iter().filter(|edit| !known(edit)).cloned().collect();
        let own = findings.iter_mut().find(|one| one.fix.is_none() && fresh.iter().any(|edit| is_of(one, edit)));
        own.into_iter().for_each(|own| own.fix = Some(fix.clone()));
    }
    findings.sort_by_key(key);
    settle(project, &mut findings);
    findings
}

/// Leaves each line to one finding: of two edits of a line the one stays that belongs to the larger change. What is left out
/// is looked at again where the first one is made.
fn settle(project: &Project, findings: &mut [Finding]) {
    let texts: BTreeMap<&str, Lines<'_>> =
        project.files.iter().map(|file| (file.path.as_str(), Lines::of(&file.text))).collect();
    let lines = |edit: &Edit| {
        let places = texts.get(edit.file.as_str());
        let line = |at: usize| places.map_or(at, |places| places.place(at..at).line);
        line(edit.start)..=line(edit.end)
    };
    let mut order: Vec<usize> =
        (0..findings.len()).filter(|at| findings.get(*at).is_some_and(|one| one.fix.is_some())).collect();
    order.sort_by_key(|at| {
        std::cmp::Reverse(findings.get(*at).and_then(|one| one.fix.as_ref()).map_or(0, |fix| fix.edits.len()))
    });
    // Each edit, its lines, and the place of the finding that has it.
    let mut taken: Vec<(Edit, std::ops::RangeInclusive<usize>, String)> = Vec::new();
    for at in order {
        let Some(finding) = findings.get_mut(at) else { continue };
        let Some(fix) = &mut finding.fix else { continue };
        let meets = |edit: &Edit| {
            let own = lines(edit);
            let mut met = taken.iter().filter(|(other, lines, _)| {
                other.file == edit.file && lines.start() <= own.end() && own.start() <= lines.end()
            });
            met.next().map(|(other, _, origin)| (other.clone(), origin.clone()))
        };
        let (mut own, mut first, mut differs) = (Vec::new(), None, false);
        for edit in &fix.edits {
            let same = taken.iter().find(|(other, ..)| other == edit).map(|(.., origin)| origin.clone());
            match (same, meets(edit)) {
                (Some(origin), _) => first = first.or(Some(origin)),
                (None, Some((_, origin))) => (first, differs) = (first.or(Some(origin)), true),
                (None, None) => own.push(edit.clone()),
            }
        }
        if differs || own.is_empty() {
            let origin = first.unwrap_or_default();
            finding.hint = Some(match differs {
                true => format!("make the change of {origin} first, which is about the same line, and lint again"),
                false => format!("the change of {origin} mends this too"),
            });
            finding.fix = None;
            continue;
        }
        let origin = format!("{}:{}", finding.file, finding.place.line);
        taken.extend(own.iter().map(|edit| (edit.clone(), lines(edit), origin.clone())));
        fix.edits = own;
    }
}
