//! Files to environments, one file of code for each sort of file.

mod commands;
mod compose;
mod conda;
mod dockerfile;
mod lock;
mod pyproject;
mod requirements;
mod workflow;

use std::collections::BTreeSet;

use super::Rule;
use super::kind::FileKind;
use super::project::{At, Environment, From, IndexAt, Line, Project, Snippet, SourceFile};
use crate::finding::Severity;
use crate::project::place::{InputError, Placed};
use crate::project::sourced::Sourced;
use crate::python::script::Script;

/// An installer refuses this.
pub static SYNTAX: Rule = Rule {
    id: "syntax",
    title: "An installer refuses this",
    help: "The file is read as pip, or the reader of that format, reads it.",
    judge: None,
};

/// Reads the files that a file names: its path as named by [`join`], and its text if there is such a file.
pub type ReadFile<'r> = dyn Fn(&str) -> Option<String> + 'r;

/// Reads files into a project.
pub struct Reader<'r> {
    project: Project,
    /// The files that were given, and what they are.
    kinds: Vec<(usize, FileKind)>,
    read: &'r ReadFile<'r>,
}

impl<'r> Reader<'r> {
    /// A reader that asks `read` for the files that others include.
    #[must_use]
    pub fn new(read: &'r ReadFile<'r>) -> Self {
        Self { project: Project::default(), kinds: Vec::new(), read }
    }

    /// Reads a file of a sort.
    pub fn add(&mut self, path: &str, kind: FileKind, text: &str) {
        let file = self.file(path, text);
        self.kinds.push((file, kind));
        match kind {
            FileKind::Requirements => requirements::read(self, file, text, false),
            FileKind::Constraints => requirements::read(self, file, text, true),
            FileKind::PyProject => pyproject::read(self, file, text),
            FileKind::Lock => lock::read(self, file, text),
            FileKind::Conda => conda::read(self, file, text),
            FileKind::Dockerfile => dockerfile::read(self, file, text),
            FileKind::Compose => compose::read(self, file, text),
            FileKind::Shell => commands::read(self, file, text),
            FileKind::Workflow => workflow::read(self, file, text),
            FileKind::Python => self.python(file, text),
        }
    }

    /// What was read.
    #[must_use]
    pub fn finish(mut self) -> Project {
        self.included();
        self.constrained();
        self.project
    }

    /// A file of Python, if it asks for versions.
    fn python(&mut self, file: usize, text: &str) {
        let script = Script::parse(text);
        if !script.is_empty() {
            self.project.snippets.push(Snippet { file, source: Sourced::verbatim(text, 0..text.len()), script });
        }
    }

    /// Requirements that a command installs are judged where it does: only there is it known where they come from.
    fn included(&mut self) {
        let installed: BTreeSet<usize> = (self.project.environments.iter())
            .filter(|environment| !environment.conditional && !environment.elsewhere)
            .flat_map(|environment| environment.lines.iter().filter(|line| line.step.is_some()))
            .map(|line| line.at.file)
            .collect();
        self.project.environments.retain(|environment| {
            !environment.steps.is_empty()
                || environment.conditional
                || environment.lines.is_empty()
                || !environment.lines.iter().all(|line| installed.contains(&line.at.file))
        });
    }

    /// A constraints file that nothing names is for the requirements beside it, if it is the only one there. Nobody knows for
    /// sure, so that such an environment may never come to be.
    fn constrained(&mut self) {
        let folder = |project: &Project, file: usize| {
            let path = project.path(file);
            path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned())
        };
        let of_kind = |kind: FileKind| self.kinds.iter().filter(move |(_, own)| *own == kind).map(|(file, _)| *file);
        let constraints: Vec<usize> = of_kind(FileKind::Constraints).collect();
        let requirements: Vec<usize> = of_kind(FileKind::Requirements).collect();
        for file in &constraints {
            let here = folder(&self.project, *file);
            let alone = constraints.iter().filter(|other| folder(&self.project, **other) == here).count() == 1;
            let is_named = |line: &Line| line.at.file == *file && line.constraint;
            let named = self.project.environments.iter().any(|environment| environment.lines.iter().any(is_named));
            let own = |environment: &Environment| {
                environment.steps.is_empty() && environment.lines.first().is_some_and(|line| line.at.file == *file)
            };
            let Some(own) = self.project.environments.iter().find(|one| own(one)).filter(|_| alone && !named) else {
                continue;
            };
            let limits: Vec<Line> = own.lines.iter().map(|line| Line { constraint: true, ..line.clone() }).collect();
            let beside = |environment: &&Environment| {
                let first = environment.lines.iter().find(|line| requirements.contains(&line.at.file));
                first.is_some_and(|line| folder(&self.project, line.at.file) == here)
            };
            let joined: Vec<Environment> = self.project.environments.iter().filter(beside).cloned().collect();
            self.project.environments.extend(joined.into_iter().map(|mut environment| {
                environment.lines.extend(limits.iter().cloned());
                environment.conditional = true;
                environment
            }));
        }
    }

    /// The number of a file.
    fn file(&mut self, path: &str, text: &str) -> usize {
        if let Some(known) = self.project.files.iter().position(|file| file.path == path) {
            return known;
        }
        self.project.files.push(SourceFile { path: path.to_owned(), text: text.to_owned() });
        self.project.files.len() - 1
    }

    /// Errors of a file, each told once.
    fn refuse(&mut self, file: usize, errors: Vec<InputError>) {
        let path = self.project.path(file).to_owned();
        for InputError { place, message, hint } in errors {
            self.project.findings.push(SYNTAX.found(Severity::Fail, path.clone(), place, message).hinted(hint));
        }
    }
}

/// Where packages come from by the options of one command or file.
fn source(file: usize, main: Option<&Placed<String>>, extra: Option<&Placed<String>>, otherwise: From) -> From {
    let index = |one: &Placed<String>| IndexAt { at: At { file, place: one.place.clone() }, url: one.value.clone() };
    match (main, extra) {
        (_, Some(extra)) => From::Extra(index(extra)),
        (Some(main), None) => From::Main(index(main)),
        (None, None) => otherwise,
    }
}

/// The path of a file that another one names: relative to the folder of that one.
#[must_use]
pub fn join(from: &str, name: &str) -> String {
    let name = name.strip_prefix("file://").unwrap_or(name);
    if name.starts_with('/') {
        return name.to_owned();
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Gives all lines a source that have none yet.
fn with_source(lines: &mut [Line], source: &From) {
    for line in lines.iter_mut().filter(|line| line.source == From::Unnamed) {
        line.source = source.clone();
    }
}
