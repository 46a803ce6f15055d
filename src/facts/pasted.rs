use serde::{Deserialize, Serialize};

/// How places begin that tell of the loaded kernel module itself.
pub const KERNEL: &str = "the kernel";

/// How places begin where a command asks for a version, which need not be there.
pub const ASKED: &str = "asked of";

/// How a pasted text was read. What it tells are facts like others, whose source is a line of it.
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
    /// Things that the text says in two ways.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contradictions: Vec<Contradiction>,
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
