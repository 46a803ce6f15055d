//! pyproject.toml: what a project depends on, and where it wants that from.
//!
//! ```toml
//! [project]
//! requires-python = ">=3.10"
//! dependencies = ["torch>=2.6,<2.8"]
//! [project.optional-dependencies]
//! train = ["deepspeed"]
//! all = ["mine[train]"]                            # extras of its own
//! [dependency-groups]                              # PEP 735
//! dev = ["pytest", { include-group = "lint" }]
//! [tool.uv.sources]
//! torch = { index = "pytorch-cu128" }
//! [[tool.uv.index]]
//! name = "pytorch-cu128"
//! url = "https://download.pytorch.org/whl/cu128"
//! explicit = true
//! [tool.poetry.dependencies]                       # older projects have only this
//! torch = "^2.6"
//! ```
//!
//! All that is wrong is gathered with its place, in the order of the file; the rest is read nevertheless.

mod poetry;
mod select;
mod table;
mod uv;

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use self::table::Reader;
use super::dependency::WrittenRequirement;
use super::place::{InputError, Placed};
use crate::pep::VersionSpecifiers;
use crate::python::wheel::normalise_name;

pub use self::select::{Chosen, Selection};
pub use self::uv::{Index, Source, SourceKind};

/// What a file says.
#[derive(Debug, Clone, Default)]
pub struct PyProject<'t> {
    /// The project's own normalised name.
    pub name: Option<String>,
    /// The Pythons that it supports.
    pub requires_python: Option<Placed<VersionSpecifiers>>,
    /// `[project] dependencies`, else those of Poetry.
    pub dependencies: Vec<WrittenRequirement>,
    /// `[project.optional-dependencies]`, else Poetry's extras, by normalised name.
    pub extras: BTreeMap<String, Vec<WrittenRequirement>>,
    /// `[dependency-groups]`, by normalised name; beside them uv's older `dev-dependencies` and Poetry's groups.
    pub groups: BTreeMap<String, Vec<GroupItem>>,
    /// What `dynamic` names: a build back end finds it out elsewhere, e.g. `dependencies` in requirements.txt.
    pub dynamic: Vec<Placed<String>>,
    /// The files from which setuptools takes dynamic dependencies.
    pub dependency_files: Vec<Placed<String>>,
    /// `[tool.uv.sources]` and Poetry's `source`: by normalised name, where a package comes from. Several differ in markers.
    pub sources: BTreeMap<String, Vec<Source>>,
    /// `[[tool.uv.index]]`, `[[tool.poetry.source]]`.
    pub indexes: Vec<Index>,
    /// `[tool.uv] constraint-dependencies`.
    pub constraints: Vec<WrittenRequirement>,
    /// `[tool.uv] override-dependencies`: whatever else anybody asks of these packages, this holds.
    pub overrides: Vec<WrittenRequirement>,
    /// `[tool.gpudoc]`, for whoever reads it: `toml::de::ValueDeserializer::from` makes a typed value of it, with spans.
    pub gpudoc: Option<Spanned<DeValue<'t>>>,
    /// It has a `[project]` table or one of Poetry's.
    pub is_project: bool,
    /// What is wrong.
    pub errors: Vec<InputError>,
    /// What is right and cannot be carried over, e.g. a union of Poetry's ranges.
    pub warnings: Vec<InputError>,
}

/// An item of a dependency group.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupItem {
    /// A requirement.
    Dependency(Box<WrittenRequirement>),
    /// `{ include-group = "lint" }`, as written.
    Include(Placed<String>),
}

impl<'t> PyProject<'t> {
    /// Reads a text.
    #[must_use]
    pub fn parse(text: &'t str) -> Self {
        let (document, faults) = DeTable::parse_recoverable(text);
        let mut reader = Reader::new(text);
        for fault in faults {
            let span = fault.span().unwrap_or_default();
            reader.wrong(span, format!("this is not TOML: {}", fault.message()));
        }
        let mut project = Self::default();
        let document = document.get_ref();
        if let Some(table) = reader.table(document, "project") {
            project.is_project = true;
            project.read_project(table, &mut reader);
        }
        if let Some(groups) = reader.table(document, "dependency-groups") {
            project.read_groups(groups, &mut reader);
        }
        if let Some(tool) = reader.table(document, "tool") {
            if let Some(table) = reader.table(tool, "poetry") {
                poetry::read(&mut project, table, &mut reader);
            }
            if let Some(table) = reader.table(tool, "uv") {
                uv::read(&mut project, table, &mut reader);
            }
            if let Some(table) = reader.table(tool, "setuptools").and_then(|table| reader.table(table, "dynamic")) {
                project.dependency_files = reader.dependency_files(table);
            }
            project.gpudoc = tool.get("gpudoc").cloned();
        }
        project.check_includes(&mut reader);
        (project.errors, project.warnings) = reader.finish();
        project
    }

    fn read_project(&mut self, table: &DeTable<'t>, reader: &mut Reader<'t>) {
        self.name = reader.string(table, "name").map(|name| normalise_name(&name.value));
        self.requires_python = reader.requires_python(table);
        self.dependencies = reader.dependencies(table, "dependencies");
        if let Some(optional) = reader.table(table, "optional-dependencies") {
            for (name, _) in optional {
                let list = reader.dependencies(optional, name.get_ref());
                self.extras.entry(normalise_name(name.get_ref())).or_default().extend(list);
            }
        }
        self.dynamic = reader.strings(table, "dynamic");
    }

    fn read_groups(&mut self, table: &DeTable<'t>, reader: &mut Reader<'t>) {
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in table {
            let normal = normalise_name(name.get_ref());
            if let Some(other) = seen.insert(normal.clone(), name.get_ref().to_string()) {
                reader.wrong(name.span(), format!("the group `{}` is the same as `{other}`", name.get_ref()));
            }
            let items = reader.group(name.get_ref(), value);
            self.groups.entry(normal).or_default().extend(items);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::dependency::{Elsewhere, Origin};

    /// Place, bytes, and what the solver sees.
    fn told<'t>(text: &'t str, list: &[WrittenRequirement]) -> Vec<(String, &'t str, String)> {
        let one = |dependency: &WrittenRequirement| {
            let requirement = dependency.what.requirement.as_ref().map(ToString::to_string).unwrap_or_default();
            (dependency.place.to_string(), &text[dependency.place.span.clone()], requirement)
        };
        list.iter().map(one).collect()
    }

    fn names(chosen: &[Chosen]) -> Vec<&str> {
        chosen.iter().filter_map(|one| one.dependency.name()).collect()
    }

    fn select(text: &str, extras: &[&str], groups: &[&str]) -> Vec<Chosen> {
        let project = PyProject::parse(text);
        assert_eq!(project.errors, []);
        let owned = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect();
        let selection = Selection { extras: owned(extras), groups: owned(groups), ..Selection::default() };
        project.select(&selection).unwrap()
    }

    #[test]
    fn places_lie_within_the_quotes() {
        let text = "[project]\nname = 'Mine'\nrequires-python = \">=3.10\"\ndependencies = [\n  \"torch>=2.6\", 'numpy <2',\n  \"\"\"\
                    scipy\"\"\", \"a\\u003e1\",\n]\n";
        let project = PyProject::parse(text);
        assert_eq!((project.errors.len(), project.name.as_deref()), (0, Some("mine")));
        assert_eq!(
            told(text, &project.dependencies),
            [
                ("5:4".to_owned(), "torch>=2.6", "torch>=2.6".to_owned()),
                ("5:18".to_owned(), "numpy <2", "numpy<2".to_owned()),
                ("6:6".to_owned(), "scipy", "scipy".to_owned()),
                // What is written otherwise than it reads is placed as a whole.
                ("6:16".to_owned(), "\"a\\u003e1\"", "a>1".to_owned()),
            ]
        );
        let versions: Vec<_> =
            project.dependencies.iter().map(|one| one.versions.as_ref().map(ToString::to_string)).collect();
        assert_eq!(versions, [Some("5:9".to_owned()), Some("5:24".to_owned()), Some("6:11".to_owned()), None]);
        let python = project.requires_python.unwrap();
        assert_eq!((python.value.to_string().as_str(), python.place.to_string().as_str()), (">=3.10", "3:20"));
    }

    const PROJECT: &str = r#"
[project]
name = "mine"
dependencies = ["torch>=2.6"]
dynamic = ["version"]
[project.optional-dependencies]
train = ["deepspeed", "flash_attn"]
all = ["mine[train,Eval_Set]"]
eval-set = ["lm-eval"]
[dependency-groups]
dev = ["pytest", { include-group = "Lint" }]
lint = ["ruff"]
"#;

    #[test]
    fn extras_and_groups_are_chosen() {
        assert_eq!(names(&select(PROJECT, &[], &[])), ["torch"]);
        assert_eq!(names(&select(PROJECT, &["all"], &[])), ["torch", "deepspeed", "flash-attn", "lm-eval"]);
        assert_eq!(names(&select(PROJECT, &[], &["dev"])), ["torch", "pytest", "ruff"]);
        let project = PyProject::parse(PROJECT);
        let all = Selection { all_extras: true, all_groups: true, ..Selection::default() };
        assert_eq!(project.select(&all).unwrap().len(), 6);
        let wrong = Selection { extras: vec!["trian".to_owned()], ..Selection::default() };
        let error = project.select(&wrong).unwrap_err().to_string();
        assert_eq!(error, "no extra is named `trian`; there is `train`");
    }

    #[test]
    fn a_circle_of_groups_is_told_with_its_names() {
        let text = "[dependency-groups]\na = [{include-group = 'b'}]\nb = ['x', {include-group = 'C'}]\nc = [{include-group = 'a'}]\n";
        let project = PyProject::parse(text);
        let errors: Vec<_> =
            project.errors.iter().map(|error| (error.place.to_string(), error.message.as_str())).collect();
        assert_eq!(errors, [("4:24".to_owned(), "these groups include each other: `a` → `b` → `c` → `a`")]);
        let selection = Selection { groups: vec!["a".to_owned()], ..Selection::default() };
        assert_eq!(names(&project.select(&selection).unwrap()), ["x"], "and choosing ends");
        assert!(PyProject::parse("[dependency-groups]\na = [{include-group = 'b'}]\n").errors.len() == 1);
    }

    const SOURCES: &str = r#"
[project]
name = "mine"
dependencies = ["torch>=2.6", "torchvision", "vllm", "flash-attn", "core[cuda]>=1"]
[tool.uv]
constraint-dependencies = ["numpy<2"]
override-dependencies = ["triton==3.3.0"]
[tool.uv.sources]
torch = [
  { index = "cpu", marker = "sys_platform == 'darwin'" },
  { index = "cu128", marker = "sys_platform == 'linux'" },
]
torchvision = { index = "cu128" }
vllm = { git = "https://github.com/vllm-project/vllm", rev = "main" }
flash-attn = { url = "https://h/flash_attn-2.8.3+cu12torch2.7-cp311-cp311-linux_x86_64.whl" }
core = { workspace = true }
[[tool.uv.index]]
name = "cu128"
url = "https://download.pytorch.org/whl/cu128"
explicit = true
[[tool.uv.index]]
name = "cpu"
url = "https://download.pytorch.org/whl/cpu"
"#;

    #[test]
    fn sources_say_where_from() {
        let chosen = select(SOURCES, &[], &[]);
        let told: Vec<_> = chosen
            .iter()
            .map(|one| {
                let requirement = one.dependency.what.requirement.as_ref().unwrap();
                let index = one.index.as_ref().map(|url| url.value.rsplit('/').next().unwrap());
                (requirement.name.as_ref(), requirement.marker.try_to_string().unwrap_or_default(), index)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("torch", "sys_platform == 'darwin'".to_owned(), Some("cpu")),
                ("torch", "sys_platform == 'linux'".to_owned(), Some("cu128")),
                ("torch", "sys_platform != 'darwin' and sys_platform != 'linux'".to_owned(), None),
                ("torchvision", String::new(), Some("cu128")),
                ("vllm", String::new(), None),
                ("flash-attn", String::new(), None),
                ("core", String::new(), None),
            ]
        );
        let kinds: Vec<_> = chosen.iter().map(|one| one.dependency.what.origin.clone()).collect();
        let location = "git+https://github.com/vllm-project/vllm@main".to_owned();
        assert_eq!(kinds[4], Origin::Elsewhere { kind: Elsewhere::Repository, location });
        assert!(matches!(kinds[5], Origin::Wheel { .. }));
        assert!(matches!(kinds[6], Origin::Elsewhere { kind: Elsewhere::Path, .. }));
        let flash = chosen[5].dependency.what.requirement.as_ref().unwrap();
        assert_eq!(flash.to_string(), "flash-attn==2.8.3+cu12torch2.7");
        let project = PyProject::parse(SOURCES);
        assert_eq!(told_names(&project.constraints), ["numpy"]);
        assert_eq!(told_names(&project.overrides), ["triton"]);
        assert_eq!((project.indexes[0].explicit, project.indexes[1].explicit), (true, false));
    }

    fn told_names(list: &[WrittenRequirement]) -> Vec<&str> {
        list.iter().filter_map(WrittenRequirement::name).collect()
    }

    #[test]
    fn a_source_holds_for_its_extra_alone() {
        let text = "[project]\nname='m'\n[project.optional-dependencies]\ncpu=['torch']\ngpu=['torch']\n[tool.uv.sources]\n\
                    torch=[{index='c',extra='cpu'},{index='g',extra='gpu'}]\n[[tool.uv.index]]\nname='c'\nurl='https://c'\n\
                    [[tool.uv.index]]\nname='g'\nurl='https://g'\n";
        let indexes = |extra| {
            select(text, &[extra], &[]).into_iter().filter_map(|one| one.index).map(|url| url.value).collect::<Vec<_>>()
        };
        assert_eq!(indexes("cpu"), ["https://c"]);
        assert_eq!(indexes("gpu"), ["https://g"]);
    }

    const POETRY: &str = r#"
[tool.poetry]
name = "old"
[tool.poetry.dependencies]
python = "^3.10"
torch = { version = "^2.6", source = "pytorch", markers = "sys_platform == 'linux'" }
numpy = [{ version = "<2", python = "<3.12" }, { version = ">=2", python = ">=3.12" }]
vllm = { git = "https://github.com/vllm-project/vllm", optional = true, extras = ["audio"] }
scipy = "*"
pandas = "^1.5 || ^2.0"
[tool.poetry.extras]
serve = ["vllm"]
[tool.poetry.group.dev.dependencies]
pytest = "~8.3"
[[tool.poetry.source]]
name = "pytorch"
url = "https://download.pytorch.org/whl/cu124"
priority = "explicit"
"#;

    #[test]
    fn poetry_speaks_of_ranges_of_its_own() {
        let project = PyProject::parse(POETRY);
        assert_eq!(project.errors, []);
        assert_eq!(
            project.requires_python.as_ref().map(|python| python.value.to_string()).as_deref(),
            Some(">=3.10, <4")
        );
        let requirements: Vec<_> =
            told(POETRY, &project.dependencies).into_iter().map(|(at, _, what)| (at, what)).collect();
        let expected = [
            ("6:9", "torch>=2.6,<3 ; sys_platform == 'linux'"),
            ("7:10", "numpy<2 ; python_full_version < '3.12'"),
            ("7:48", "numpy>=2 ; python_full_version >= '3.12'"),
            ("9:9", "scipy"),
            ("10:10", "pandas"),
        ];
        assert_eq!(requirements, expected.map(|(at, what)| (at.to_owned(), what.to_owned())));
        assert_eq!(project.warnings.len(), 1, "the union");
        let versions = project.dependencies[0].versions.as_ref().unwrap();
        assert_eq!((&POETRY[versions.span.clone()], versions.column), ("^2.6", 22));
        let chosen = select(POETRY, &["serve"], &["dev"]);
        assert_eq!(names(&chosen), ["torch", "numpy", "numpy", "vllm", "scipy", "pandas", "pytest"]);
        assert_eq!(chosen[0].index.as_ref().unwrap().value, "https://download.pytorch.org/whl/cu124");
        assert_eq!(chosen[6].dependency.what.requirement.as_ref().unwrap().to_string(), "pytest>=8.3,<8.4");
    }

    #[test]
    fn project_decides_where_poetry_stands_beside_it() {
        let text = "[project]\nname='m'\ndependencies=['torch>=2.6']\n[tool.poetry.dependencies]\ntorch={source='s'}\n\
                    [[tool.poetry.source]]\nname='s'\nurl='https://s'\n";
        let project = PyProject::parse(text);
        assert_eq!(project.errors, []);
        assert_eq!(told_names(&project.dependencies), ["torch"]);
        assert_eq!(project.dependencies[0].text, "torch>=2.6");
        assert_eq!(select(text, &[], &[])[0].index.as_ref().unwrap().value, "https://s");
    }

    #[test]
    fn every_error_is_found_where_it_stands() {
        let text = "[project]\nname = 3\nrequires-python = '>=3.10 <3.13'\ndependencies = ['torch=>2', 7, 'git+https://h/x']\n\
                    [project.optional-dependencies]\na = 'x'\n[tool.uv]\nsources = { torch = { index = 'cu12' } }\n\
                    [[tool.uv.index]]\nname = 'cu128'\nurl = 'https://h'\n[tool.uv\n";
        let project = PyProject::parse(text);
        let errors: Vec<_> = project.errors.iter().map(|error| (error.place.line, error.place.column)).collect();
        assert_eq!(
            errors,
            [(2, 8), (3, 20), (4, 23), (4, 29), (4, 33), (6, 5), (8, 32), (12, 7), (12, 9)],
            "{:#?}",
            project.errors
        );
        assert_eq!(project.errors[1].hint.as_deref(), Some("write `>=3.10,<3.13`"));
        assert_eq!(project.errors[2].hint.as_deref(), Some("write `torch>=2`"));
        assert!(project.errors[8].message == "this is not TOML: unclosed table, expected `]`", "{}", project.errors[8]);
    }

    #[test]
    fn what_gpudoc_reads_itself_is_handed_on() {
        #[derive(serde::Deserialize)]
        struct Own {
            gpu: Vec<Spanned<String>>,
        }
        let text = "[project]\nname='m'\n[tool.gpudoc]\ngpu = ['H100']\n";
        let value = PyProject::parse(text).gpudoc.unwrap();
        let own = <Own as serde::Deserialize>::deserialize(toml::de::ValueDeserializer::from(value)).unwrap();
        assert_eq!(&text[own.gpu[0].span()], "'H100'");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_and_all_places_lie_in_it(text in "(\\[project\\]\n|\\[tool.uv.sources\\]\n|\\[dependency-groups\\]\n|\\[tool.poetry.dependencies\\]\n|\\[\\[tool.uv.index\\]\\]\n|dependencies = |torch = |a = |name = |url = |index = |\\[|\\]|\\{|\\}|include-group = |'torch>=2'|\"a\\\\u003e1\"|\"\"\"|'|\"|=|,|é|\n|\\^1|git = | ){0,40}") {
            let project = PyProject::parse(&text);
            let all = Selection { all_extras: true, all_groups: true, ..Selection::default() };
            let chosen = project.select(&all).unwrap();
            let dependencies = chosen.iter().map(|one| &one.dependency);
            let inner = dependencies.flat_map(|one| [Some(&one.place), one.versions.as_ref()]).flatten();
            let errors = project.errors.iter().chain(&project.warnings).map(|error| &error.place);
            for place in inner.chain(errors) {
                proptest::prop_assert!(text.get(place.span.clone()).is_some(), "{place:?} in {text:?}");
                proptest::prop_assert!(place.line >= 1 && place.column >= 1);
            }
        }
    }
}
