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
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Severity;
use crate::parse::place::{Lines, Place};
use crate::rules::{RuleDb, Target, Workload};

use self::project::{Environment, Project};

/// Something that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable, one of [`IDS`].
    pub id: &'static str,
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

/// An id and what it means, for rule lists of CI formats and `gpudoc explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// E.g. `unsatisfiable`.
    pub id: &'static str,
    /// One sentence.
    pub title: &'static str,
    /// Why it matters and what to do.
    pub help: &'static str,
}

/// The ids that findings have.
pub const IDS: [Rule; 21] = [
    Rule {
        id: "unsatisfiable",
        title: "What is declared cannot all be installed, or not work, on a declared target",
        help: "The notes are a proof: statements that cannot all hold, each with its source. The hint is the cheapest change that was solved again.",
    },
    Rule {
        id: "index-without-build",
        title: "A package index has no build that works on a declared target",
        help: "The builds of another CUDA do. An index is chosen by the CUDA of the builds, and each build holds code for some GPUs only.",
    },
    Rule {
        id: "range-admits-bad",
        title: "A version range admits a release that does not work on a declared target",
        help: "An installer knows nothing of GPUs and drivers: it takes what the range admits. The narrower range does not.",
    },
    Rule {
        id: "cuda-mismatch",
        title: "Base image or toolkit and torch are for different CUDA releases",
        help: "What is compiled in the image is compiled by its toolkit, and must fit torch's CUDA runtime: another major release is refused by torch.utils.cpp_extension, another minor release is warned of.",
    },
    Rule {
        id: "image-driver",
        title: "A base image needs a newer driver than a declared target has",
        help: "The CUDA libraries of the image do not run on that driver, and NVIDIA's container runtime may refuse to start it.",
    },
    Rule {
        id: "arch-list-without-gpu",
        title: "The list of GPUs to compile for leaves out one of a declared target",
        help: "An extension that is compiled with this list has no kernel for that GPU.",
    },
    Rule {
        id: "arch-list-refused",
        title: "The list of GPUs to compile for names one that the toolkit does not know",
        help: "The toolkit stops with `Unsupported gpu architecture`.",
    },
    Rule {
        id: "compat-breaks",
        title: "A cuda-compat folder in LD_LIBRARY_PATH does not work on a declared target",
        help: "Forward compatibility is for data-centre GPUs and for drivers older than the package: elsewhere CUDA fails with error 803 or 804.",
    },
    Rule {
        id: "force-reinstall",
        title: "`--force-reinstall` without `--no-deps` replaces torch or what is pinned beside it",
        help: "It reinstalls all dependencies too, torch among them, from the index of that command.",
    },
    Rule {
        id: "unpinned-torch",
        title: "torch is not pinned beside an extension that is",
        help: "An extension is compiled for one torch. When a newer torch is published, the next installation takes it.",
    },
    Rule {
        id: "built-before-torch",
        title: "An extension is compiled before the torch that it is to work with is installed",
        help: "It is compiled for the torch that is there then, or for none.",
    },
    Rule {
        id: "build-isolation",
        title: "A package that compiles against the installed torch is installed with build isolation",
        help: "In isolation its setup sees no torch: pass `--no-build-isolation`, with torch installed before.",
    },
    Rule {
        id: "undoes-earlier",
        title: "A command replaces what an earlier one installed, or what that needs",
        help: "Installers look at one command: what it names and needs is installed, and what was there before is replaced, or left with requirements that are no longer met.",
    },
    Rule {
        id: "version-check",
        title: "A check of a version stops, or complains, with what is installed",
        help: "An assertion in an image or a program asks for another release than the files do, or than the change that mends them. Let it ask for what is needed, or take it out.",
    },
    Rule {
        id: "hidden-failure",
        title: "The failure of a build is hidden",
        help: "Behind `|| echo …` an image is built also where an extension does not compile, and its import fails later, elsewhere.",
    },
    Rule {
        id: "model-fit",
        title: "The project's model does not fit the GPUs of a declared target",
        help: "Counted are the weights alone: `model-params` of gpudoc.toml by 16 bits, or by 4 with `bitsandbytes-4bit` in `uses`. GPUs of a target count together (`gpu = [\"2x H100\"]`), and `vram` says what a name does not.",
    },
    Rule {
        id: "min-vram",
        title: "A GPU of a declared target has less memory than the project needs",
        help: "`min-vram` of gpudoc.toml is compared with what the GPU is sold with; `vram` of the target says what a name does not.",
    },
    Rule {
        id: "workload-advisory",
        title: "Something is known of what the project does with the releases that its files ask for",
        help: "`uses` of gpudoc.toml says what the project does. `gpudoc explain GPUDOC-…` tells the whole story, with its sources.",
    },
    Rule {
        id: "syntax",
        title: "An installer refuses this",
        help: "The file is read as pip, or the reader of that format, reads it.",
    },
    Rule {
        id: "ignore-unused",
        title: "An `ignore` of the policy matches no finding",
        help: "Take it out, so that it does not hide what comes later.",
    },
    Rule {
        id: "ignore-lapsed",
        title: "An `ignore` of the policy has lapsed",
        help: "Its `until` has passed: mend the finding, or decide again.",
    },
];

/// The rule of an id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    IDS.iter().find(|rule| rule.id == id)
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
        rules::workload::memory(declared, targets, db, &mut findings);
    }
    let uses = declared.workload.words(db);
    if declared.told && !project.environments.iter().any(|environment| rules::is_covered(environment, db)) {
        rules::workload::foretold(declared, targets, &uses, db, &mut findings);
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
    let key = |one: &Finding| (one.file.clone(), one.place.span.start, one.place.span.end, one.id, one.message.clone());
    // One line is told once where several environments share it.
    let mut told = BTreeSet::new();
    let many = ["syntax", "workload-advisory", "model-fit", "min-vram"];
    let mut is_new = |one: &Finding| {
        seen.insert(key(one))
            && (many.contains(&one.id) || told.insert((one.file.clone(), one.place.span.start, one.id)))
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
