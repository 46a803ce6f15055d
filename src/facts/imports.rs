use serde::{Deserialize, Serialize};

/// What importing the installed packages would come to, told from their files without running them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Imports {
    /// What is not there, by file and line.
    pub wants: Vec<Want>,
    /// Modules whose import nobody followed, for the time it takes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

/// Something that an import needs and will not find.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Want {
    /// The distribution whose file asks for it, e.g. `peft`; none where no RECORD lists the file.
    pub importer: Option<String>,
    /// That file, e.g. `/venv/lib/python3.12/site-packages/peft/tuners/tuners_utils.py`.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What sort of thing is not there.
    pub wanted: Wanted,
    /// The module that is missing, or that lacks the name, e.g. `transformers.modeling_layers`.
    pub module: String,
    /// The name that it lacks; what an error says, where a module raises one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The distribution that the module belongs to, or would, e.g. `transformers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What cannot be imported for it, e.g. `peft`; none where a condition decides that nobody can tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stops: Vec<String>,
    /// Modules below a package, which itself is imported, that cannot be, e.g. `statsmodels.api`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
}

/// What is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// A module.
    Module,
    /// A name that is imported from a module.
    Name,
    /// An attribute of a module, used while another is imported.
    Attribute,
    /// Nothing: a module raises an error of importing itself.
    Stop,
}
