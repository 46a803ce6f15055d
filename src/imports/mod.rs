//! What `import X` will do, told from the files.
//!
//! What goes in is a way to find and read modules ([`Modules`]), what comes out is [`Evidence`]: which import or use of a name stops
//! what was imported, in which file and line. The statements of a module are followed in their order as Python would run
//! them, with values where they are known and `Unknown` where not: a test that cannot be decided is followed both ways, and
//! what fails there is conditional. What a handler catches is no evidence. A module that makes its names at run time
//! (`__getattr__` that cannot be followed, `globals()`, an extension) has every name: nothing is missing in it.

mod builtin;
mod call;
mod composite;
mod eval;
mod method;
mod names;
mod run;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod tries;
mod value;
mod walk;
mod ways;
mod weigh;

use std::sync::Arc;

pub use crate::facts::Wanted;
pub use text::Prepared;
pub use walk::Walk;

/// Where a module is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Its text is at this path.
    Text {
        /// E.g. `/venv/lib/python3.12/site-packages/peft/__init__.py`.
        path: String,
        /// It is a package.
        package: bool,
    },
    /// One of the standard library, at this path: only its names are asked for.
    Library(String),
    /// Of a package whose inside is not followed, at this path: only its names are asked for.
    Names(String),
    /// There, and nobody can say what it holds: an extension, a built-in module, compiled code.
    Opaque,
    /// A folder without a module of its own.
    Namespace,
    /// Nowhere.
    Missing,
    /// Perhaps something puts it there.
    Unknown,
}

/// What the walker asks of a machine.
pub trait Modules {
    /// Where a module is, by its full name; its parents are asked for first.
    fn find(&self, name: &str) -> Found;
    /// The module at a path, by its full name; none where it cannot be read.
    fn read(&self, path: &str, name: &str) -> Option<Arc<Prepared>>;
    /// The version of an installed distribution by the name that `importlib.metadata` is asked for: none where it is not known,
    /// none inside where it is not installed.
    fn version(&self, distribution: &str) -> Option<Option<String>>;
    /// The value of a variable: none where it is not known, none inside where it is not set.
    fn variable(&self, name: &str) -> Option<Option<String>>;
    /// Whether the file of an extension spells a name, and may so hold it. True where that cannot be told.
    fn spells(&self, extension: &str, name: &str) -> bool;
    /// Python's version, e.g. `(3, 12, 1)`.
    fn python(&self) -> (i64, i64, i64);
}

/// Why an import fails.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// The file in which it stops.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
    /// What sort of thing is not there.
    pub wanted: Wanted,
    /// The module that is missing, or that lacks the name, e.g. `transformers.modeling_layers`.
    pub module: String,
    /// The name that it lacks, or what the error says.
    pub name: String,
    /// The file of the module that lacks a name.
    pub owner: Option<String>,
}
