//! What a check says: a finding with its evidence and remedies, or why there is none.

mod build;
#[cfg(test)]
mod declared;
mod rule;

use serde::{Deserialize, Serialize};

use crate::step::Step;

pub(crate) use self::rule::rule;
pub use self::rule::{Fact, Id, Rule};

/// The family of a finding; `kind` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Kernel module, libcuda and NVML of different versions.
    DriverMismatch,
    /// A compat libcuda is needed, or in use where it must not be.
    ForwardCompat,
    /// Too old for a CUDA runtime, for PTX, or for what Triton's ptxas writes.
    Driver,
    /// No GPU visible, or hidden.
    GpuVisibility,
    /// A build without GPU code on a machine with a GPU.
    CpuBuild,
    /// No usable kernel for a GPU.
    GpuArch,
    /// Interpreter, `sys.path`, shadowing, files that are damaged or other than the metadata say.
    Environment,
    /// Built for another partner, declared or not.
    Pairing,
    /// Symbols, C++ ABI, numpy ABI.
    Abi,
    /// A module or name that is not there, a guard that stops.
    Import,
    /// A known bad combination of any other sort.
    Advisory,
    /// A declared requirement that is not met.
    Requirement,
    /// NVIDIA libraries missing, doubled, shadowed, overwritten.
    CudaLibs,
    /// Python, glibc, platform.
    Python,
    /// What building or just-in-time compilation needs.
    Toolchain,
    /// The state of the machine and its GPUs: fabric manager, memory errors, shared memory, limits, WSL.
    System,
}

impl Kind {
    /// The name in ids and JSON, e.g. `gpu-arch`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DriverMismatch => "driver-mismatch",
            Self::ForwardCompat => "forward-compat",
            Self::Driver => "driver",
            Self::GpuVisibility => "gpu-visibility",
            Self::CpuBuild => "cpu-build",
            Self::GpuArch => "gpu-arch",
            Self::Environment => "environment",
            Self::Pairing => "pairing",
            Self::Abi => "abi",
            Self::Import => "import",
            Self::Advisory => "advisory",
            Self::Requirement => "requirement",
            Self::CudaLibs => "cuda-libs",
            Self::Python => "python",
            Self::Toolchain => "toolchain",
            Self::System => "system",
        }
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It does not work.
    Fail,
    /// It may not work, or works badly.
    Warn,
    /// Worth knowing.
    Info,
}

/// What a statement rests on, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// An installed file.
    Binary,
    /// What a distribution declares.
    Metadata,
    /// The machine.
    Host,
    /// A row of the rules.
    Rule,
}

/// One observation, what would have been right, and where each is known from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was looked at, e.g. `torch build`, `driver`.
    pub fact: String,
    /// What it is, e.g. `2.7.1+cu126, machine code for sm_50 sm_60 … sm_90`.
    pub observed: String,
    /// What it would have to be, e.g. `sm_120, or PTX up to compute_120`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<String>,
    /// What kind of source it is.
    pub source: Basis,
    /// The source itself, e.g. a file, a wheel with its hash, a page and the day it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub citation: Option<String>,
}

/// Something to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// One imperative sentence without full stop.
    pub summary: String,
    /// Pins that the remedy installs, e.g. `torch==2.7.1+cu128`.
    pub requirements: Vec<String>,
    /// What to run, in order.
    pub steps: Vec<Step>,
    /// What it changes, for [`crate::impact`] to try out; none where that cannot be told.
    pub change: Option<Change>,
    /// Re-running the checks on the changed facts showed the finding gone and no new one.
    pub verified: bool,
    /// The summary says to the letter what to write in the project's own code: `for layer in model.layers: layer.compile()`.
    pub spelled_out: bool,
}

impl Remedy {
    /// Steps which nobody has tried: `("Make room", Step::fixed("df -h"))`.
    pub fn new(summary: impl Into<String>, steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            summary: summary.into(),
            requirements: Vec::new(),
            steps: steps.into_iter().collect(),
            change: None,
            verified: false,
            spelled_out: false,
        }
    }

    /// What tells which of several causes a message comes from, by running something that only looks.
    pub fn look(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::new(LOOK, steps)
    }

    /// The same with the causes that it tells apart beside the one that is named already.
    pub fn look_among(steps: impl IntoIterator<Item = Step>, others: &str) -> Self {
        Self::new(format!("{LOOK}: that, or {others}"), steps)
    }

    /// Whether it only looks, and changes nothing.
    #[must_use]
    pub fn looks(&self) -> bool {
        self.summary.starts_with(LOOK)
    }
}

/// What a remedy that only looks is called.
const LOOK: &str = "Find out which it is";

/// A change to an environment that can be tried out on its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Install exactly these, `name==version+local`, the distributions that a solver chose.
    Install(Vec<String>),
    /// All of these.
    All(Vec<Change>),
    /// Another kernel driver, e.g. `580.65.06`.
    Driver(crate::version::DriverVersion),
    /// A cuda-compat library of this driver version first on the loader's path.
    Compat(crate::version::DriverVersion),
    /// The driver's own libcuda first on the loader's path.
    NoCompat,
    /// Without this environment variable.
    Unset(String),
    /// A distribution of a folder once more, as its index has it: its files are whole and for this machine.
    Again {
        /// The distribution's name.
        name: String,
        /// The folder on the path that holds it.
        location: String,
    },
    /// A distribution of a folder compiled once more beside the torch that is there: what its files are then, nobody has read.
    Compile {
        /// The distribution's name.
        name: String,
        /// The folder on the path that holds it.
        location: String,
    },
    /// Without what stands in front of the installed packages: a folder of the path, or a module in the working directory.
    OffPath(String),
    /// Without a metadata folder that is not of what is installed.
    Forget {
        /// The folder on the path that holds it.
        location: String,
        /// Its name, e.g. `tokenizers-0.19.1.dist-info`.
        metadata_dir: String,
        /// The version that is installed again in its place; none where another folder is of what is installed.
        instead: Option<String>,
    },
    /// The environment made again around its packages, with another interpreter of the same version.
    Renew,
    /// Its scripts starting its own interpreter.
    Scripts,
    /// Without the copy of a distribution in a folder.
    Remove {
        /// The distribution's name.
        name: String,
        /// The folder on the path that holds the copy.
        location: String,
    },
}

impl Change {
    /// Whether it makes files that nobody has read: the same release compiled, or fetched, for the torch that is there.
    #[must_use]
    pub fn is_compiled(&self) -> bool {
        match self {
            Self::Compile { .. } => true,
            Self::All(changes) => changes.iter().any(Self::is_compiled),
            _ => false,
        }
    }
}

/// Something that is wrong, or worth knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable, says which rule: `gpu-arch/torch`, `GPUDOC-2026-0001`.
    pub id: Id,
    /// The family.
    pub kind: Kind,
    /// How bad.
    pub severity: Severity,
    /// One line: subject, need, observation.
    pub title: String,
    /// What it means for the user, in a few sentences.
    pub message: String,
    /// The distributions involved, sorted.
    pub packages: Vec<String>,
    /// Indices of the GPUs involved.
    pub gpus: Vec<u32>,
    /// How we know.
    pub evidence: Vec<Evidence>,
    /// What to do, best first.
    pub remedies: Vec<Remedy>,
    /// Pages to read.
    pub references: Vec<String>,
}

/// What mends a whole report: chosen once, from the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One imperative sentence without full stop.
    pub summary: String,
    /// Pins that it installs, with local labels, sorted, e.g. `torch==2.7.1+cu128`.
    pub requirements: Vec<String>,
    /// What to run, in order.
    pub steps: Vec<Step>,
    /// Ids of the findings that it ends.
    pub fixes: Vec<Id>,
    /// Ids of the failures and warnings that it leaves.
    pub leaves: Vec<Id>,
    /// The checks, run again on the facts as it would leave them, report nothing that is not in `leaves`, and what it installs
    /// is known.
    pub verified: bool,
    /// What would do in its place, and keeps what it changes: the driver, or a framework's release.
    pub instead: Option<Remedy>,
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Looked, nothing wrong.
    Pass,
    /// Looked, found these.
    Findings(Vec<Finding>),
    /// Could not look: the facts that are missing, in words.
    Skipped(String),
    /// Nothing to look at: why, in words.
    NotApplicable(String),
}
