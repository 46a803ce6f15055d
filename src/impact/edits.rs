//! Which bytes of a project's files a change asks for: pins, index addresses, base images and GPU lists, in place; comments
//! and layout stay.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::outlook::{Fate, Outlook, Row};
use crate::check::rebuild::ARCH_LIST;
use crate::facts::TORCH;
use crate::pep::{Operator, Version, VersionSpecifiers, is_line};
use crate::project::conda_cuda::CondaCuda;
use crate::project::dependency::{Origin, WrittenRequirement, repository_name};
use crate::project::dockerfile::{Dockerfile, Kind};
use crate::project::install::{IndexKind, Install};
use crate::project::place::{Lines, Place};
use crate::project::pyproject::{GroupItem, PyProject};
use crate::project::requirements::{EntryKind, RequirementsFile};
use crate::project::shell::{Command, Word, script};
use crate::rules::RuleDb;
use crate::rules::requirement::{is_about, parse, satisfied, specifiers};
use crate::rules::schema::SourceBuild;
use crate::text::spliced;
use crate::version::{ComputeCapability, CudaVersion};

/// A replacement in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Range<usize>,
    /// What stands there then.
    pub text: String,
    /// Why, e.g. `torch 2.5.1+cu121 → 2.7.1+cu128`.
    pub why: String,
}

/// The edits of one file, and what it needs that cannot be done in place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    /// Ascending, none over another.
    pub edits: Vec<Edit>,
    /// Sentences with the line that they are about.
    pub notes: Vec<String>,
    /// Packages of the rules that the file names and of which the outlook says nothing, with what it asks for: `torchvision`,
    /// `torchvision==0.20.1`.
    pub unknown: BTreeMap<String, String>,
}

/// What sort of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// requirements.txt, constraints.txt.
    Requirements,
    /// pyproject.toml.
    Pyproject,
    /// Dockerfile, Containerfile.
    Dockerfile,
    /// setup.sh.
    Shell,
}

impl Sort {
    /// By the name of a file, e.g. `docker/Dockerfile.train`.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let base = name.rsplit(['/', '\\']).next().unwrap_or(name).to_lowercase();
        if base == "pyproject.toml" {
            Self::Pyproject
        } else if base.contains("dockerfile") || base.contains("containerfile") {
            Self::Dockerfile
        } else if base.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "sh" | "bash")) {
            Self::Shell
        } else {
            Self::Requirements
        }
    }
}

/// What an outlook asks of a file.
#[must_use]
pub fn edits(text: &str, sort: Sort, outlook: &Outlook, db: &RuleDb) -> Edits {
    let mut editor = Editor { outlook, db, found: Edits::default(), listed: false };
    match sort {
        Sort::Requirements => editor.requirements(text),
        Sort::Pyproject => editor.pyproject(text),
        Sort::Dockerfile => editor.dockerfile(text),
        Sort::Shell => editor.commands(text, &script(text), &Lines::of(text)),
    }
    let mut found = editor.found;
    found.edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    found.edits.dedup_by(|next, before| next.span.start < before.span.end || next.span == before.span);
    found.notes.dedup();
    found
}

/// The text with its edits.
#[must_use]
pub fn edited(text: &str, edits: &Edits) -> String {
    spliced(text, edits.edits.iter().map(|edit| (edit.span.clone(), edit.text.as_str())))
}

struct Editor<'e> {
    outlook: &'e Outlook,
    db: &'e RuleDb,
    found: Edits,
    /// The file says for which GPUs extensions are compiled.
    listed: bool,
}

impl Editor<'_> {
    fn requirements(&mut self, text: &str) {
        let file = RequirementsFile::parse(text, &|_| None);
        for entry in &file.entries {
            match &entry.kind {
                EntryKind::Requirement(line) => {
                    let hashed = !line.hashes.is_empty();
                    self.dependency(&line.dependency, hashed);
                }
                EntryKind::IndexUrl(url) | EntryKind::ExtraIndexUrl(url) => self.index(&url.value, &url.place),
                _ => {}
            }
        }
    }

    fn pyproject(&mut self, text: &str) {
        let project = PyProject::parse(text);
        let of_group = |item: &GroupItem| match item {
            GroupItem::Dependency(dependency) => Some((**dependency).clone()),
            GroupItem::Include(_) => None,
        };
        let groups = project.groups.values().flatten().filter_map(of_group);
        let others = project.extras.values().flatten().chain(&project.constraints).chain(&project.overrides);
        let all: Vec<WrittenRequirement> = project.dependencies.iter().chain(others).cloned().chain(groups).collect();
        for dependency in &all {
            self.dependency(dependency, false);
        }
        for index in &project.indexes {
            self.index(&index.url.value, &index.url.place);
        }
    }

    fn dockerfile(&mut self, text: &str) {
        let lines = Lines::of(text);
        let file = Dockerfile::parse(text);
        for instruction in &file.instructions {
            match &instruction.kind {
                Kind::From(from) if from.stage.is_none() => {
                    self.image(from.image.text(), &|part| from.image.part(part, &lines));
                }
                Kind::Set(settings) => {
                    for setting in settings.iter().filter(|setting| setting.name == ARCH_LIST) {
                        self.setting(&setting.value, &lines);
                    }
                }
                Kind::Run(commands) => self.commands(text, commands, &lines),
                _ => {}
            }
        }
    }

    /// A list of GPUs that is set for what follows.
    fn setting(&mut self, value: &Word, lines: &Lines<'_>) {
        self.listed = true;
        let place = value.part(0..value.text().len(), lines);
        self.arch_list(value.text(), &place);
    }

    fn commands(&mut self, text: &str, commands: &[Command], lines: &Lines<'_>) {
        for (at, command) in commands.iter().enumerate() {
            for assignment in command.assignments.iter().filter(|it| it.name == ARCH_LIST) {
                self.setting(&assignment.value, lines);
            }
            self.conda(command, lines);
            let Some(install) = Install::of(command, lines) else { continue };
            let hidden = commands.get(at + 1).and_then(|next| command.hidden_by(next, text, lines));
            self.compiled(text, command, &install, hidden.as_ref());
            for item in &install.items {
                if let Some(dependency) = &item.dependency {
                    self.dependency(dependency, false);
                }
            }
            for index in install.indexes.iter().filter(|index| index.known && index.kind != IndexKind::Links) {
                self.index(&index.url.value, &index.url.place);
            }
        }
    }

    /// What a command compiles against torch: for the new GPUs, with the new toolkit, and seeing torch.
    fn compiled(&mut self, text: &str, command: &Command, install: &Install, hidden: Option<&Place>) {
        let Some(cuda) = self.outlook.cuda.filter(|_| self.changes_torch()) else { return };
        for item in &install.items {
            let line = item.place.line;
            let origin = item.dependency.as_ref().map(|dependency| &dependency.what.origin);
            let location = match origin {
                Some(Origin::Elsewhere { location, .. }) => Some(location.as_str()),
                _ => None,
            };
            let name = item.name.clone().or_else(|| location.map(|location| repository_name(location).to_owned()));
            let row = name.as_deref().and_then(|name| self.db.source_build(name));
            let rebuilt =
                |name: &str| self.outlook.rows.iter().any(|row| row.name == name && row.fate == Fate::Rebuild);
            let is_built = location.is_some() || name.as_deref().is_some_and(rebuilt);
            let called = text.get(item.place.span.clone()).unwrap_or_default().trim_matches(['"', '\'']).to_owned();
            if !is_built || called.is_empty() {
                continue;
            }
            let is_cuda = row.is_none_or(|row| row.cuda);
            if row.is_none() {
                // A repository may hold nothing but Python.
                let holds =
                    if location.is_some_and(|location| location.contains("://")) { "it" } else { "this folder" };
                let gpus = match self.outlook.arch_list.as_str() {
                    "" => String::new(),
                    list => format!(" and {list} in {ARCH_LIST}"),
                };
                self.found.notes.push(format!(
                    "line {line}: `{called}` must be built anew if {holds} holds CUDA code: with the nvcc of CUDA {cuda}{gpus}"
                ));
            } else if is_cuda {
                self.found.notes.push(format!("line {line}: `{called}` is built anew, with the nvcc of CUDA {cuda}"));
            }
            self.flags(command, install, row, location.is_some());
            if let Some(place) = hidden {
                let written = text.get(place.span.clone()).unwrap_or_default();
                self.found
                    .notes
                    .push(format!("line {line}: `{written}` hides it when `{called}` does not compile: take it out"));
            }
        }
    }

    /// The GPUs to compile for, and the sight of torch.
    fn flags(&mut self, command: &Command, install: &Install, row: Option<&SourceBuild>, elsewhere: bool) {
        let start = command.place.span.start;
        let variable = row.map_or(Some(ARCH_LIST), |row| row.arch_variable.as_deref().filter(|_| row.cuda));
        let is_set = |name: &str| command.assignments.iter().any(|one| one.name == name);
        let wanted: Vec<&str> = self.outlook.arch_list.split(';').filter(|entry| !entry.is_empty()).collect();
        let gpus: Vec<_> = wanted.iter().filter_map(|text| text.parse().ok()).collect();
        let own = row.and_then(|row| row.arch_list(None, &gpus));
        match (variable, wanted.as_slice()) {
            (Some(ARCH_LIST), [_, ..]) if !self.listed && row.is_some() && !is_set(ARCH_LIST) => {
                let text = format!("{ARCH_LIST}=\"{}\" ", self.outlook.arch_list);
                let why = "the GPUs to compile for".to_owned();
                self.found.edits.push(Edit { span: start..start, text, why });
            }
            (Some(name), [_, ..]) if name != ARCH_LIST && !is_set(name) && own.is_some() => {
                let value = own.unwrap_or_default();
                let value = if value.contains(';') { format!("\"{value}\"") } else { value };
                let text = format!("{name}={value} ");
                let why = format!("the GPUs to compile for, in {name}");
                self.found.edits.push(Edit { span: start..start, text, why });
            }
            (Some(name), [_, ..]) if name != ARCH_LIST && !is_set(name) => {
                let line = command.place.line;
                let list = self.outlook.arch_list.replace(';', ", ");
                self.found.notes.push(format!("line {line}: name the GPUs to compile for, {list}, in {name}"));
            }
            _ => {}
        }
        let sees = ["--no-build-isolation", "--no-build-isolation-package"].iter().any(|flag| install.has(flag));
        if elsewhere && !sees && row.is_some_and(|row| !row.isolation) {
            let end = install.verb.span.end;
            let why = "its setup needs the installed torch".to_owned();
            self.found.edits.push(Edit { span: end..end, text: " --no-build-isolation".to_owned(), why });
        }
    }

    /// conda's CUDA: the label of a channel, and what is pinned beside it.
    fn conda(&mut self, command: &Command, lines: &Lines<'_>) {
        let Some(cuda) = self.outlook.cuda else { return };
        let Some(row) = self.db.tables().images.images.iter().rfind(|row| row.cuda() == Some(cuda)) else { return };
        for named in CondaCuda::of(command, lines).into_iter().filter(|named| named.cuda != cuda) {
            let why = format!("torch's CUDA is {cuda}, and conda's {}", named.cuda);
            self.found.edits.push(Edit { text: named.written(&row.version), span: named.place.span, why });
        }
    }

    fn changes_torch(&self) -> bool {
        self.outlook.rows.iter().any(|row| row.name == TORCH && matches!(row.fate, Fate::Change | Fate::Add))
    }

    /// A pin that the change leaves behind.
    fn dependency(&mut self, dependency: &WrittenRequirement, hashed: bool) {
        let Some(requirement) = &dependency.what.requirement else { return };
        let name = requirement.name.as_ref();
        let line = dependency.place.line;
        let Some(row) = self.outlook.rows.iter().find(|row| row.name == name) else {
            if self.db.package(name).is_some() {
                let range = specifiers(requirement).map_or_else(String::new, |range| range.to_string());
                self.found.unknown.insert(name.to_owned(), format!("{name}{range}"));
            }
            return;
        };
        if row.fate == Fate::Conflict {
            self.found.notes.push(format!("line {line}: {name} has no release that goes with the change"));
            return;
        }
        // What stays as it is, and goes with torch, the file may name otherwise.
        let stays = |text: &&String| {
            let version = text.parse::<Version>();
            self.changes_torch() && version.is_ok_and(|it| self.pins_torch(name, &it) || self.is_pinned_by_torch(name))
        };
        let after = match row.fate {
            Fate::Change | Fate::Add => row.after.as_ref(),
            Fate::Unchanged | Fate::Safe => row.after.as_ref().or(row.before.as_ref()).filter(stays),
            _ => None,
        };
        let Some(after) = after else { return };
        let why = told(row);
        if let Origin::Wheel { location } = &dependency.what.origin {
            self.found.notes.push(format!("line {line}: `{location}` is a file for another set: {why}"));
            return;
        }
        let (Some(range), Some(place)) = (specifiers(requirement), &dependency.versions) else { return };
        let Ok(version) = after.parse::<Version>() else { return };
        if range.is_empty() && self.pins_torch(name, &version) && !hashed {
            // Built for one torch, and an installer takes the newest.
            let public = version.without_local();
            self.found
                .notes
                .push(format!("line {line}: `{name}` is not pinned, and only {public} goes with the new torch"));
            self.found.edits.push(Edit { span: place.span.clone(), text: format!("=={public}"), why });
            return;
        }
        if range.is_empty() || satisfied(&range, &version) {
            return;
        }
        if hashed {
            self.found.notes.push(format!("line {line}: the hashes of {name} are those of another file"));
            return;
        }
        let text = wanted(&range, &version);
        self.found.edits.push(Edit { span: place.span.clone(), text, why });
    }

    /// Whether a release is for one torch alone.
    fn pins_torch(&self, name: &str, version: &Version) -> bool {
        self.pins(name, version, TORCH)
    }

    /// Whether the new torch asks for one release of it, as of its triton.
    fn is_pinned_by_torch(&self, name: &str) -> bool {
        let torch = self.outlook.rows.iter().find(|row| row.name == TORCH);
        let version = torch.and_then(|row| row.after.as_ref()?.parse::<Version>().ok());
        version.is_some_and(|version| self.pins(TORCH, &version, name))
    }

    /// Whether a release, or one of its builds, asks for one release of another package.
    fn pins(&self, name: &str, version: &Version, other: &str) -> bool {
        self.db.release(name, version).is_some_and(|release| {
            let texts = release.requires.iter().chain(release.builds.iter().flat_map(|build| &build.requires));
            let mut about = texts.filter(|text| is_about(text, other));
            about.any(|text| parse(text).ok().and_then(|it| specifiers(&it)).is_some_and(|it| it.iter().any(is_line)))
        })
    }

    /// The index of another CUDA variant.
    fn index(&mut self, url: &str, place: &Place) {
        let Some(now) = self.db.index_at(url) else { return };
        let is_variant = |name: &str| CudaVersion::from_variant(name).is_some();
        let wanted: Vec<&String> = self.outlook.indexes.iter().collect();
        if !is_variant(&now) || wanted.iter().any(|other| self.db.index_at(other).as_deref() == Some(&now)) {
            return;
        }
        // Where PyPI itself has the new builds, the variant's own index serves them too.
        let own = self.outlook.cuda.map(|cuda| format!("cu{}{}", cuda.major, cuda.minor));
        let new = wanted.first().map(|url| (*url).clone()).or_else(|| self.db.index_url(&own?));
        let Some(new) = new else { return };
        let why = format!("the index of {now} has no such builds");
        self.found.edits.push(Edit { span: place.span.clone(), text: new, why });
    }

    /// A base image with another CUDA, or another torch.
    fn image(&mut self, image: &str, place_of: &dyn Fn(Range<usize>) -> Place) {
        let Some((repository, tag)) = image.rsplit_once(':') else { return };
        let start = repository.len() + 1;
        let place = place_of(0..image.len());
        let Some(cuda) = self.outlook.cuda else { return };
        let repository = repository.trim_start_matches("docker.io/");
        if repository.ends_with(self.db.tables().images.repository.as_str()) {
            let (version, rest) = tag.split_once('-').unwrap_or((tag, ""));
            let Ok(now) = version.parse::<CudaVersion>() else { return };
            if now == cuda {
                return;
            }
            let (flavour, system) = rest.rsplit_once('-').unwrap_or((rest, ""));
            let ubuntu = system.strip_prefix("ubuntu").unwrap_or_default();
            let images = self.db.tables().images.images.iter();
            let fits = images.filter(|row| row.cuda() == Some(cuda) && row.ubuntu.iter().any(|one| one == ubuntu));
            match fits.max_by(|one, other| one.version.cmp(&other.version)) {
                // Which tags with cuDNN there are, the rules do not say.
                Some(row) if !flavour.contains("cudnn") => {
                    let span = place_of(start..start + version.len()).span;
                    let why = format!("torch's CUDA is {cuda}, and the image's {now}");
                    self.found.edits.push(Edit { span, text: row.version.clone(), why });
                }
                _ => self.found.notes.push(format!(
                    "line {}: `{image}` has CUDA {now}, and torch will have {cuda}: take a tag of CUDA {cuda}",
                    place.line
                )),
            }
        } else if repository.ends_with("pytorch/pytorch") {
            let torch = self.outlook.rows.iter().find(|row| row.name == TORCH && row.fate == Fate::Change);
            if let Some(after) = torch.and_then(|row| row.after.as_ref()) {
                let release = after.split('+').next().unwrap_or(after);
                self.found.notes.push(format!(
                    "line {}: `{image}` brings its own torch: take a tag of torch {release} with CUDA {cuda}, or a CUDA image",
                    place.line
                ));
            }
        }
    }

    /// A list of GPUs to compile for that lacks some of the target's.
    fn arch_list(&mut self, value: &str, place: &Place) {
        let entries: Vec<&str> = value.split([';', ' ', ',']).filter(|entry| !entry.is_empty()).collect();
        let named: BTreeSet<ComputeCapability> =
            entries.iter().filter_map(|entry| entry.trim_end_matches("+PTX").parse().ok()).collect();
        let wanted = self.outlook.arch_list.split(';').filter(|entry| !entry.is_empty());
        let lacking: Vec<&str> =
            wanted.filter(|entry| entry.parse().is_ok_and(|capability| !named.contains(&capability))).collect();
        if lacking.is_empty() || named.len() != entries.len() {
            return;
        }
        let separator = if value.contains(' ') && !value.contains(';') { " " } else { ";" };
        let text = entries.iter().copied().chain(lacking.iter().copied()).collect::<Vec<_>>().join(separator);
        let why = format!("the GPUs have compute capability {}", crate::text::list(&lacking));
        self.found.edits.push(Edit { span: place.span.clone(), text, why });
    }
}

/// A range that admits the new version, written like the old one: a pin stays a pin.
fn wanted(range: &VersionSpecifiers, version: &Version) -> String {
    let labelled = range.iter().any(|specifier| !specifier.version().local().is_empty());
    let exact = range.iter().any(is_line);
    let public = version.clone().without_local();
    if exact || range.len() != 1 {
        // The label is kept where the file has one: elsewhere an index line says where to look.
        return format!("=={}", if labelled { version } else { &public });
    }
    let specifier = range.iter().next().map(|specifier| *specifier.operator());
    match specifier {
        Some(Operator::TildeEqual) => format!("~={public}"),
        Some(Operator::GreaterThan | Operator::GreaterThanEqual) => format!(">={public}"),
        _ => format!("=={public}"),
    }
}

fn told(row: &Row) -> String {
    match (&row.before, &row.after) {
        (Some(before), Some(after)) if before != after => format!("{} {before} → {after}", row.name),
        _ => row.name.clone(),
    }
}
