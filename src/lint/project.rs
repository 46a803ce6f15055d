//! What files lead to: environments, each with the lines that ask for packages, in the order in which they are installed.

use super::Finding;
use crate::pep::Requirement;
use crate::project::conda_cuda::CondaCuda;
use crate::project::dependency::{Elsewhere, Origin, WrittenRequirement, repository_name};
use crate::project::install::Tool;
use crate::project::place::Place;
use crate::project::shell::Word;
use crate::project::sourced::Sourced;
use crate::python::script::Script;
use crate::rules::requirement::parse;

/// All files of a run.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// Files by number.
    pub files: Vec<SourceFile>,
    /// What they lead to.
    pub environments: Vec<Environment>,
    /// Files of Python beside them.
    pub snippets: Vec<Snippet>,
    /// What is wrong with a file in itself.
    pub findings: Vec<Finding>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// As it was named.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// A piece of Python that may ask for versions.
#[derive(Debug, Clone)]
pub struct Snippet {
    /// The number of the file.
    pub file: usize,
    /// Where its text comes from.
    pub source: Sourced,
    /// What it says.
    pub script: Script,
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The number of the file.
    pub file: usize,
    /// Where in it.
    pub place: Place,
}

/// What ends up installed together.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The lines, in the order of installation.
    pub lines: Vec<Line>,
    /// The commands, in order; empty for a file that only lists.
    pub steps: Vec<Step>,
    /// The image that it is built on.
    pub images: Vec<Image>,
    /// The toolkits that conda installs, and in which file it is told so.
    pub toolkits: Vec<(usize, CondaCuda)>,
    /// Variables, in order.
    pub settings: Vec<Setting>,
    /// What `python -c` is given.
    pub snippets: Vec<Snippet>,
    /// The lines are a lock, written by a machine: nobody edits them.
    pub locked: bool,
    /// It may never come to be: a command in an `if`, a branch for other machines.
    pub conditional: bool,
    /// It is made on machines of a CI service, not on the declared targets.
    pub elsewhere: bool,
}

/// A line that asks for a package.
#[derive(Debug, Clone)]
pub struct Line {
    /// Where it stands.
    pub at: At,
    /// Where its versions stand, or would.
    pub versions: Option<Place>,
    /// As written.
    pub text: String,
    /// The normalised name.
    pub name: String,
    /// What it asks for.
    pub requirement: Requirement,
    /// Not from an index: a repository, a path.
    pub elsewhere: bool,
    /// It only limits what others ask for.
    pub constraint: bool,
    /// Where the package comes from.
    pub source: From,
    /// The command that installs it.
    pub step: Option<usize>,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// It says so in a way that nobody can follow: `--find-links`, a variable.
    Unknown,
    /// The file names no index: PyPI, unless who installs names another one.
    Unnamed,
    /// No index is named on the command: PyPI.
    Pypi,
    /// This index alone.
    Main(IndexAt),
    /// This index beside PyPI.
    Extra(IndexAt),
}

/// An index and where it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexAt {
    /// Where the address stands.
    pub at: At,
    /// The address.
    pub url: String,
}

/// A command that installs.
#[derive(Debug, Clone)]
pub struct Step {
    /// The whole command.
    pub at: At,
    /// `install`: options go behind it.
    pub verb: Place,
    /// Who installs.
    pub tool: Tool,
    /// Options that are given, e.g. `--no-deps`.
    pub flags: Vec<(String, Place)>,
    /// How many of the environment's settings stand before it.
    pub settings: usize,
    /// What hides that it fails, e.g. `|| echo failed`.
    pub hidden: Option<Place>,
}

impl Step {
    /// Whether an option is given.
    #[must_use]
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|(own, _)| own == flag)
    }
}

/// A base image.
#[derive(Debug, Clone)]
pub struct Image {
    /// The number of the file.
    pub file: usize,
    /// E.g. `nvidia/cuda:12.4.1-devel-ubuntu22.04`.
    pub name: Word,
}

/// A variable and its value.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The number of the file.
    pub file: usize,
    /// The variable.
    pub name: String,
    /// Its value.
    pub value: Word,
}

impl Line {
    /// Makes a line of a dependency; none where nobody knows its name. A repository without one is taken to have the name of
    /// the package: `git+https://github.com/mit-han-lab/torchsparse.git`.
    #[must_use]
    pub fn of(file: usize, text: &str, dependency: WrittenRequirement, constraint: bool, source: From) -> Option<Self> {
        let by_location = || match &dependency.what.origin {
            Origin::Elsewhere { kind: Elsewhere::Repository, location } => parse(repository_name(location)).ok(),
            _ => None,
        };
        let requirement = dependency.what.requirement.clone().or_else(by_location)?;
        let written = text.get(dependency.place.span.clone()).unwrap_or(&dependency.text);
        Some(Self {
            text: written.split_whitespace().collect::<Vec<_>>().join(" "),
            name: requirement.name.to_string(),
            elsewhere: matches!(dependency.what.origin, Origin::Elsewhere { .. }),
            at: At { file, place: dependency.place },
            versions: dependency.versions,
            requirement,
            constraint,
            source,
            step: None,
        })
    }
}

impl Project {
    /// The path of a file.
    #[must_use]
    pub fn path(&self, file: usize) -> &str {
        self.files.get(file).map_or("", |file| &file.path)
    }

    /// Part of the text of a file.
    #[must_use]
    pub fn written(&self, file: usize, place: &Place) -> &str {
        self.files.get(file).and_then(|file| file.text.get(place.span.clone())).unwrap_or_default()
    }
}
