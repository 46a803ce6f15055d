//! Requirements and constraints from where people keep them: command line, requirements.txt, pyproject.toml, and the files
//! that these include. What a file says is told by `project/requirements.rs` and `project/pyproject.rs`; where its bytes come
//! from, by [`Files`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::pep::{MarkerEnvironment, MarkerTree, Requirement, VersionOrUrl, VersionSpecifiers};
use crate::project::dependency::{self, Origin, Style, WrittenRequirement};
use crate::project::place::{InputError, Place, Placed};
use crate::project::pyproject::{PyProject, Selection};
use crate::project::requirements::{EntryKind, RequirementsFile, decode};
use crate::rules::requirement::{markers, specifiers};
use crate::rules::{RuleDb, Target};
use crate::solve::{AskedRequirement, FromIndex};

/// Where files come from.
pub trait Files {
    /// The bytes of a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read; the error names it.
    fn bytes(&self, path: &Path) -> anyhow::Result<Vec<u8>>;

    /// The one path of a file that has several.
    fn one_path(&self, path: &Path) -> PathBuf;

    /// A variable that a requirements file may name, e.g. `${TOKEN}`.
    fn variable(&self, name: &str) -> Option<String>;
}

/// A file and those that it includes, on the way through them.
struct Walk<'w> {
    files: &'w dyn Files,
    /// What of a project is read.
    selection: &'w Selection,
    /// The files that led here.
    above: Vec<PathBuf>,
    /// What no installer accepts, with its place.
    wrong: Vec<String>,
}

/// What command line and files ask for.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Every requirement and constraint, in order.
    pub items: Vec<GivenRequirement>,
    /// uv's overrides: what they say of a package holds instead of what anybody else asks of it.
    pub overrides: Vec<AskedRequirement>,
    /// The indexes that the files name, for all packages, in order.
    ///
    /// `--index-url https://download.pytorch.org/whl/cu126` means: torch and its family are the builds of that index. Which
    /// builds those are stands in the rules, not here: compare the address with that of a build's index.
    pub indexes: Vec<WantedIndex>,
    /// The index from which one package is to come (`[tool.uv.sources]`), by normalised name.
    ///
    /// `torch = { index = "pytorch-cu128" }` means that torch's builds are those of that index. PEP 440 cannot say so (there
    /// is no `==*+cu128`), hence it is no constraint but stands here: see [`Self::index_of`].
    pub index_of: BTreeMap<String, Vec<IndexOf>>,
    /// The Pythons that projects support, with the place that says so.
    pub requires_python: Vec<(VersionSpecifiers, String)>,
    /// What the user should know, e.g. `req.in:3: --find-links is not looked at`.
    pub notes: Vec<String>,
    /// Files that were read, so that none is read twice.
    done: BTreeSet<(PathBuf, bool)>,
}

/// A requirement or constraint.
#[derive(Debug, Clone)]
pub struct GivenRequirement {
    /// As PEP 508 has it; none where nobody says the name.
    pub requirement: Option<Requirement>,
    /// Where it comes from.
    pub origin: Origin,
    /// It need not be installed, but if it is, this must hold.
    pub constraint: bool,
    /// Where it stands, e.g. `req.in:3`.
    pub place: String,
    /// As written, without credentials.
    pub text: String,
}

/// An index that a file names for all packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedIndex {
    /// The address; variables are put in, so it may hold a secret.
    pub url: String,
    /// Beside PyPI rather than instead of it.
    pub extra: bool,
    /// Where it stands, e.g. `req.in:1`.
    pub place: String,
}

/// An index for one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexOf {
    /// The address.
    pub url: String,
    /// Only where this holds.
    pub marker: MarkerTree,
    /// Where it stands, e.g. `pyproject.toml:12`.
    pub place: String,
}

/// What is respected and cannot be judged: nobody knows its version before it is built, or the rules do not know the wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Respected {
    /// The normalised name, if it is known.
    pub name: Option<String>,
    /// As written, without credentials.
    pub text: String,
    /// Where it stands.
    pub place: String,
}

/// What is asked of the solver.
#[derive(Debug, Default)]
pub struct Settled {
    /// What must be installed.
    pub requirements: Vec<AskedRequirement>,
    /// What must hold if it is installed.
    pub constraints: Vec<AskedRequirement>,
    /// What is taken as it is.
    pub respected: Vec<Respected>,
}

/// Longer chains of includes are mistakes.
const DEEPEST: usize = 100;

impl Inputs {
    /// Adds a requirement of the command line.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn add(&mut self, text: &str) -> anyhow::Result<()> {
        match dependency::parse(text, Style::Pip) {
            Ok((what, _)) => {
                let (place, text) = ("command line".to_owned(), without_credentials(text.trim()));
                let (requirement, origin) = (what.requirement, what.origin);
                self.items.push(GivenRequirement { requirement, origin, constraint: false, place, text });
                Ok(())
            }
            Err(problem) => {
                let error = problem.at(|span| Place { line: 1, column: 1, span });
                bail!("`{text}`: {}", sentence(&error))
            }
        }
    }

    /// Reads a file and the files that it includes: a pyproject.toml by the ending of its name, else requirements.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or says what no installer accepts: then all of that, with file, line and column.
    pub fn read(
        &mut self,
        files: &dyn Files,
        file: &Path,
        constraint: bool,
        selection: &Selection,
    ) -> anyhow::Result<()> {
        let mut walk = Walk { files, selection, above: Vec::new(), wrong: Vec::new() };
        self.read_below(&mut walk, file, constraint)?;
        if walk.wrong.is_empty() { Ok(()) } else { bail!("{}", walk.wrong.join("\n")) }
    }

    fn read_below(&mut self, walk: &mut Walk<'_>, file: &Path, constraint: bool) -> anyhow::Result<()> {
        let known = walk.files.one_path(file);
        if walk.above.contains(&known) {
            bail!("`{}` includes itself", file.display());
        }
        if walk.above.len() > DEEPEST {
            bail!("`{}` is included over more than {DEEPEST} files", file.display());
        }
        if !self.done.insert((known.clone(), constraint)) {
            return Ok(());
        }
        let text = decode(&walk.files.bytes(file)?);
        walk.above.push(known);
        if file.extension().is_some_and(|ending| ending == "toml") {
            self.project(walk, file, &text, constraint)?;
        } else {
            self.requirements(walk, file, &text, constraint)?;
        }
        walk.above.pop();
        Ok(())
    }

    fn requirements(&mut self, walk: &mut Walk<'_>, file: &Path, text: &str, constraint: bool) -> anyhow::Result<()> {
        let files = walk.files;
        let variable = |name: &str| files.variable(name);
        let parsed = RequirementsFile::parse(text, &variable);
        walk.wrong.extend(parsed.errors.iter().map(|error| told(file, error)));
        self.notes.extend(parsed.warnings.iter().map(|warning| told(file, warning)));
        for entry in parsed.entries {
            let place = at(file, &entry.line);
            match entry.kind {
                EntryKind::Requirement(line) => self.push(line.dependency, constraint, place, text),
                EntryKind::Include { file: inner, constraints } => {
                    let name = inner.value.strip_prefix("file://").unwrap_or(&inner.value);
                    if name.contains("://") {
                        let shown = without_credentials(&inner.value);
                        self.notes.push(format!("{place}: `{shown}` is not on this machine, and is not read"));
                        continue;
                    }
                    let path = file.parent().unwrap_or(Path::new("")).join(name);
                    self.read_below(walk, &path, constraint || constraints)
                        .with_context(|| format!("included from {place}"))?;
                }
                EntryKind::IndexUrl(url) => self.indexes.push(WantedIndex { url: url.value, extra: false, place }),
                EntryKind::ExtraIndexUrl(url) => self.indexes.push(WantedIndex { url: url.value, extra: true, place }),
                EntryKind::FindLinks(_) => self.unseen(&place, "--find-links"),
                EntryKind::NoIndex => self.unseen(&place, "--no-index"),
                EntryKind::Pre => self.unseen(&place, "--pre"),
                EntryKind::NoBinary(_) => self.unseen(&place, "--no-binary"),
                EntryKind::OnlyBinary(_) => self.unseen(&place, "--only-binary"),
                // These do not change which versions fit.
                EntryKind::PreferBinary | EntryKind::Other(_) => {}
            }
        }
        Ok(())
    }

    fn project(&mut self, walk: &mut Walk<'_>, file: &Path, text: &str, constraint: bool) -> anyhow::Result<()> {
        let project = PyProject::parse(text);
        walk.wrong.extend(project.errors.iter().map(|error| told(file, error)));
        self.notes.extend(project.warnings.iter().map(|warning| told(file, warning)));
        if !project.is_project && project.groups.is_empty() && project.errors.is_empty() {
            bail!("`{}` has no `[project]`, no `[dependency-groups]` and no `[tool.poetry]`", file.display());
        }
        let chosen = project.select(walk.selection).with_context(|| format!("`{}`", file.display()))?;
        for one in chosen {
            let place = at(file, &one.dependency.place);
            if let (Some(name), Some(url), Some(requirement)) =
                (one.dependency.name(), one.index, &one.dependency.what.requirement)
            {
                let marker = requirement.marker.clone();
                let place = at(file, &url.place);
                self.index_of.entry(name.to_owned()).or_default().push(IndexOf { url: url.value, marker, place });
            }
            self.push(one.dependency, constraint, place, text);
        }
        for dependency in project.constraints {
            let place = at(file, &dependency.place);
            self.push(dependency, true, place, text);
        }
        for dependency in project.overrides {
            let origin = at(file, &dependency.place);
            self.overrides
                .extend(dependency.what.requirement.map(|requirement| AskedRequirement::new(requirement, origin)));
        }
        for index in project.indexes.into_iter().filter(|index| !index.explicit) {
            let Placed { value: url, place } = index.url;
            self.indexes.push(WantedIndex { url, extra: !index.default, place: at(file, &place) });
        }
        self.requires_python.extend(project.requires_python.map(|range| (range.value, at(file, &range.place))));
        if let Some(dynamic) = project.dynamic.iter().find(|name| name.value == "dependencies") {
            if project.dependency_files.is_empty() && project.dependencies.is_empty() {
                let place = at(file, &dynamic.place);
                self.notes.push(format!("{place}: the build finds the dependencies out, and they are not read"));
            }
            for inner in &project.dependency_files {
                let path = file.parent().unwrap_or(Path::new("")).join(&inner.value);
                self.read_below(walk, &path, constraint)
                    .with_context(|| format!("named in {}", at(file, &inner.place)))?;
            }
        }
        Ok(())
    }

    fn push(&mut self, dependency: WrittenRequirement, constraint: bool, place: String, text: &str) {
        // As the file has it: a variable's value may be secret.
        let written = text.get(dependency.place.span.clone()).unwrap_or(&dependency.text);
        let text = without_credentials(&written.split_whitespace().collect::<Vec<_>>().join(" "));
        let (requirement, origin) = (dependency.what.requirement, dependency.what.origin);
        self.items.push(GivenRequirement { requirement, origin, constraint, place, text });
    }

    fn unseen(&mut self, place: &str, option: &str) {
        self.notes.push(format!("{place}: `{option}` is not looked at"));
    }

    /// The index from which a package must come in an environment, with the place that says so.
    #[must_use]
    pub fn index_of(&self, name: &str, environment: &MarkerEnvironment) -> Option<&IndexOf> {
        let choices = self.index_of.get(name)?;
        choices.iter().find(|choice| choice.marker.is_true() || choice.marker.evaluate(environment, &[]))
    }

    /// The indexes that packages must come from: one that stands for PyPI, and those of single packages.
    #[must_use]
    pub fn from_index(&self, targets: &[Target], db: &RuleDb) -> Vec<FromIndex> {
        let mut found = Vec::new();
        // Beside others, an index limits nothing: installers take the best of all.
        let alone = !self.indexes.iter().any(|wanted| wanted.extra);
        for wanted in self.indexes.iter().filter(|wanted| !wanted.extra && alone) {
            // One that holds nothing for the GPU, such as a mirror of PyPI, limits nothing.
            let index = db.index_at(&wanted.url);
            found.extend(index.map(|index| FromIndex { package: None, index, origin: wanted.place.clone() }));
        }
        let environment = targets.first().and_then(markers);
        for (name, choices) in &self.index_of {
            let one = match &environment {
                Some(environment) => self.index_of(name, environment),
                None => choices.first(),
            };
            let Some(one) = one else { continue };
            let Some(index) = db.index_at(&one.url) else { continue };
            found.push(FromIndex { package: Some(name.clone()), index, origin: one.place.clone() });
        }
        found
    }

    /// What the solver is asked. What it cannot judge keeps its address and asks for no version.
    #[must_use]
    pub fn settle(&self, db: &RuleDb) -> Settled {
        let mut settled = Settled::default();
        for item in &self.items {
            let respected = match &item.origin {
                Origin::Index => false,
                Origin::Wheel { .. } => !item.requirement.as_ref().is_some_and(|one| is_listed(one, db)),
                Origin::Elsewhere { .. } => true,
            };
            if respected {
                let name = item.requirement.as_ref().map(|requirement| requirement.name.to_string());
                settled.respected.push(Respected { name, text: item.text.clone(), place: item.place.clone() });
            }
            let Some(mut requirement) = item.requirement.clone() else { continue };
            if let (Origin::Wheel { location }, true) = (&item.origin, respected) {
                requirement = dependency::at_address(requirement, location);
            }
            let mut own = self.overrides.iter().filter(|other| other.requirement.name == requirement.name);
            if own.next().is_some() {
                requirement.version_or_url = None;
            }
            let asked = AskedRequirement::new(requirement, item.place.clone());
            if item.constraint { &mut settled.constraints } else { &mut settled.requirements }.push(asked);
        }
        settled.constraints.extend(self.overrides.iter().cloned());
        settled
    }
}

/// Whether the rules know the build that a wheel pins.
fn is_listed(requirement: &Requirement, db: &RuleDb) -> bool {
    let Some(VersionOrUrl::VersionSpecifier(_)) = &requirement.version_or_url else { return false };
    let exact = specifiers(requirement).and_then(|all| all.iter().next().map(|one| one.version().clone()));
    let Some(version) = exact else { return false };
    let Some(release) = db.release(requirement.name.as_ref(), &version) else { return false };
    version.local().is_empty() || release.builds.iter().any(|build| release.full_version(build) == version.to_string())
}

/// File and line, e.g. `req.in:3`.
fn at(file: &Path, place: &Place) -> String {
    format!("{}:{}", file.display(), place.line)
}

/// `req.in:3:7: what is wrong; write this`.
fn told(file: &Path, error: &InputError) -> String {
    format!("{}:{}: {}", file.display(), error.place, sentence(error))
}

fn sentence(error: &InputError) -> String {
    match &error.hint {
        Some(hint) => format!("{}; {hint}", error.message),
        None => error.message.clone(),
    }
}

/// An address without user and password.
#[must_use]
pub fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', ' ', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    // `git@` is a user name that everybody shares.
    match host.rsplit_once('@') {
        Some((user, host)) if user != "git" => format!("{scheme}://{host}{path}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files in memory, by path.
    struct Memory(BTreeMap<&'static str, &'static str>);

    impl Files for Memory {
        fn bytes(&self, path: &Path) -> anyhow::Result<Vec<u8>> {
            let text = path.to_str().and_then(|path| self.0.get(path));
            text.map(|text| text.as_bytes().to_vec()).with_context(|| format!("failed to read `{}`", path.display()))
        }

        fn one_path(&self, path: &Path) -> PathBuf {
            path.to_owned()
        }

        fn variable(&self, name: &str) -> Option<String> {
            (name == "TOKEN").then(|| "secret".to_owned())
        }
    }

    fn read(files: &[(&'static str, &'static str)]) -> anyhow::Result<Inputs> {
        let mut inputs = Inputs::default();
        let memory = Memory(files.iter().copied().collect());
        inputs.read(&memory, Path::new("a.in"), false, &Selection::default()).map(|()| inputs)
    }

    #[test]
    fn a_file_is_read_with_those_that_it_includes() {
        let files = [("a.in", "-r b.in\n-c c.txt\ntorch>=2.6\n"), ("b.in", "triton\n"), ("c.txt", "numpy<2\n")];
        let inputs = read(&files).expect("they are there");
        let told: Vec<_> = inputs.items.iter().map(|it| (it.text.as_str(), it.place.as_str(), it.constraint)).collect();
        assert_eq!(told, [("triton", "b.in:1", false), ("numpy<2", "c.txt:1", true), ("torch>=2.6", "a.in:3", false)]);
    }

    #[test]
    fn a_circle_and_a_file_that_is_not_there_are_errors() {
        let wrong = |files: &[(&'static str, &'static str)]| format!("{:#}", read(files).expect_err("it is wrong"));
        assert_eq!(wrong(&[("a.in", "-r a.in\n")]), "included from a.in:1: `a.in` includes itself");
        assert_eq!(wrong(&[("a.in", "-r b.in\n")]), "included from a.in:1: failed to read `b.in`");
    }

    #[test]
    fn the_value_of_a_variable_is_shown_nowhere() {
        let text = "torch @ https://${TOKEN}@host/torch-2.7.1-py3-none-any.whl\n";
        let inputs = read(&[("a.in", text)]).expect("it is there");
        let shown = format!("{:?} {:?}", inputs.items[0].text, inputs.notes);
        assert!(shown.contains("host/torch") && !shown.contains("secret"), "{shown}");
    }
}
