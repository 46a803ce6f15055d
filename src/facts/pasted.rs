use serde::{Deserialize, Serialize};

use crate::version::{ComputeCapability, CudaVersion, DriverVersion};

/// How places begin that tell of the loaded kernel module itself.
pub const KERNEL: &str = "the kernel";

/// How places begin where a command asks for a version, which need not be there.
pub const ASKED: &str = "asked of";

/// What a pasted text tells beyond what a probe observes: what programs in it said, and how far it could be read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pasted {
    /// What was recognised, e.g. `torch collect_env, lines 3 to 41`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recognised: Vec<String>,
    /// Lines that say nothing that a reader knows.
    pub not_read: usize,
    /// The first few of them, shortened, for the screen of who pasted them: they may hold anything, and leave the machine in no
    /// format.
    #[serde(skip)]
    pub unread: Vec<String>,
    /// What `torch.cuda.is_available()` said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuda_available: Option<bool>,
    /// A whole list of distributions was pasted: what it does not name is not installed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub whole_list: bool,
    /// The CUDA toolkit whose nvcc comes first, e.g. `12.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nvcc: Option<CudaVersion>,
    /// The newest CUDA toolkit that the text names in words, e.g. `11.8` of `CUDA: 11.8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named_cuda: Option<CudaVersion>,
    /// The text speaks of torch, whether or not it says which.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub names_torch: bool,
    /// The driver package that is installed, where it is not the loaded module, e.g. `550.107.02`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_package: Option<DriverVersion>,
    /// Compute capabilities that an error names without a product, e.g. `12.0` of `Value 'sm_120' is not defined`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<ComputeCapability>,
    /// A Docker command starts a container without GPUs: the command, shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docker_without_gpus: Option<String>,
    /// `ldconfig -p` lists libcuda.so.1, but not libcuda.so, which some programs open.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_plain_libcuda: bool,
    /// Python is a build for 32-bit processors.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub narrow_python: bool,
    /// torch was installed as PyPI has it for the platform: `pip install torch`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub plain_install: bool,
    /// Things that the text says in two ways.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contradictions: Vec<Contradiction>,
    /// Requirements that an installer called unmet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
    /// What an installer weighed before it gave up, and what the user asked of it: nothing of it is installed for that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// The stack of another vendor than NVIDIA that the text is about: its name in the rules, e.g. `AMD ROCm`, and where it
    /// stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<(String, String)>,
}

/// A requirement in an installer's proof that no set exists: `torch 2.6.0 depends on triton==3.2.0`, or `The user requested
/// (constraint) triton<3.0.0`. Not to be confused with [`Unmet`], which is about what is installed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The releases that declare it, e.g. `torch==2.6.0`; none where the user asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The requirement, without its marker, e.g. `triton==3.2.0`; a name alone where any release will do.
    pub requirement: String,
    /// It is a line of a constraints file, which asks for nothing by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub constraint: bool,
    /// Where it stands, e.g. `pip, line 4`.
    pub place: String,
}

/// One thing that a text says in two ways, e.g. two versions of torch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contradiction {
    /// What, e.g. `torch`, `driver`.
    pub what: String,
    /// The value that the checks use, and where it stands, e.g. (`2.0.1+cu118`, `xformers, line 10`).
    pub used: (String, String),
    /// The other one.
    pub other: (String, String),
}

/// An installer's complaint: `vllm 0.6.3 requires torch==2.4.0, but you have torch 2.4.1 which is incompatible.`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unmet {
    /// The distribution that requires, and its version.
    pub package: (String, String),
    /// The requirement, e.g. `torch==2.4.0`.
    pub requirement: String,
    /// The version that there is; none where it is not installed.
    pub found: Option<String>,
    /// Where it stands, e.g. `pip, line 2`.
    pub place: String,
}
