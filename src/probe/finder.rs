//! Where `import` finds a module: Python's own finders, folder by folder, without Python.
//!
//! In order: what is built in, PYTHONPATH, the standard library, the folders of packages. In a folder a package comes before an
//! extension, that before a `.py` file, that before compiled code, and a folder without a module of its own last of all, after
//! every folder of the path (importlib's `FileFinder` and `PathFinder`). A finder that a `.pth` file installs may find anything
//! that its text names.

mod below;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use memchr::memmem;

use super::python_path::pythonpath;
use super::root::RootFs;
use crate::facts::{Distribution, Python};
use crate::imports::Found;
use crate::python::pth::code_lines;
use crate::python::record::parse_record;
use crate::version::PythonVersion;

/// What is inspected.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The file system.
    pub root: &'a RootFs,
    /// The interpreter and its path.
    pub python: &'a Python,
    /// What is installed.
    pub distributions: &'a [Distribution],
    /// The environment of the machine.
    pub environment: &'a BTreeMap<String, String>,
    /// For relative entries of PYTHONPATH.
    pub current_dir: Option<&'a str>,
}

/// Finds modules of one interpreter.
pub struct Finder<'a> {
    place: Place<'a>,
    version: PythonVersion,
    /// In front of the standard library.
    front: Vec<String>,
    /// The standard library and its extensions; none where it is not known.
    library: Option<String>,
    path: Vec<String>,
    /// Something on the path is no folder: an egg, a zip.
    archives: bool,
    hooks: Vec<String>,
    listed: Mutex<HashMap<String, Option<Arc<HashSet<String>>>>>,
    found: Mutex<HashMap<String, Located>>,
    built_in: OnceLock<Option<BuiltIn>>,
}

/// Where a module is, and the folders in which those below it are.
type Located = (Found, Arc<Vec<String>>);

/// What is built into an interpreter.
enum BuiltIn {
    /// Modules, by the names of the functions that make them: `_ssl` of `PyInit__ssl`.
    Names(HashSet<Vec<u8>>),
    /// One that keeps the names of its modules alone, among all its texts.
    Stripped(Vec<u8>),
}

impl BuiltIn {
    fn of(binary: Vec<u8>) -> Self {
        const FUNCTION: &[u8] = b"PyInit_";
        let name = |at: usize| {
            let rest = &binary[at + FUNCTION.len()..];
            let end = rest.iter().take(64).position(|it| !(it.is_ascii_alphanumeric() || *it == b'_'));
            rest[..end.unwrap_or(0)].to_vec()
        };
        let names: HashSet<Vec<u8>> = memmem::find_iter(&binary, FUNCTION).map(name).collect();
        if names.is_empty() { Self::Stripped(binary) } else { Self::Names(names) }
    }
}

/// Modules that have no function by which their names are known in the interpreter.
const ALWAYS: [&str; 8] = [
    "sys",
    "builtins",
    "marshal",
    "__main__",
    "_warnings",
    "_frozen_importlib",
    "_frozen_importlib_external",
    "zipimport",
];
/// No interpreter is larger, in bytes.
const LARGEST: u64 = 128 << 20;

impl<'a> Finder<'a> {
    /// Looks at the path; nothing is read yet.
    #[must_use]
    pub fn new(place: Place<'a>, version: PythonVersion) -> Self {
        let named: Vec<String> = pythonpath(place.environment, place.current_dir).collect();
        let (front, path): (Vec<String>, Vec<String>) =
            place.python.path.iter().cloned().partition(|it| named.contains(it));
        let free = if place.python.free_threaded { "t" } else { "" };
        let name = format!("python{}.{}{free}", version.major, version.minor);
        let base = place.python.base_prefix.value();
        let library = base.and_then(|base| {
            let folders = ["lib", "lib64"].map(|lib| format!("{base}/{lib}/{name}"));
            folders.into_iter().find(|it| place.root.is_file(&format!("{it}/os.py")))
        });
        let archives = place.python.path.iter().any(|it| !place.root.is_folder(it));
        let hooks = hooks(place);
        Self {
            place,
            version,
            front,
            library,
            path,
            archives,
            hooks,
            listed: Mutex::default(),
            found: Mutex::default(),
            built_in: OnceLock::new(),
        }
    }

    /// The top modules of a distribution, e.g. `yaml` of PyYAML.
    #[must_use]
    pub fn tops(&self, distribution: &Distribution) -> Vec<String> {
        let names = self.names(&distribution.location);
        let there =
            |name: &str| names.as_ref().is_some_and(|it| it.contains(name) || it.contains(&format!("{name}.py")));
        let name = distribution.name.replace('-', "_");
        if there(&name) && !matches!(self.find(&name), Found::Namespace | Found::Missing) {
            return vec![name];
        }
        let folder = format!("{}/{}", distribution.location, distribution.metadata_dir);
        let stated = self.place.root.read_text(&format!("{folder}/top_level.txt")).unwrap_or_default();
        let mut tops: Vec<String> =
            stated.lines().map(str::trim).filter(|it| is_name(it) && there(it)).map(str::to_owned).collect();
        if tops.is_empty() {
            tops = self.recorded(&folder);
        }
        // Helpers of an installation are nobody's import.
        tops.retain(|it| {
            let first = it.split('.').next().unwrap_or_default();
            !first.starts_with('_') && !["tests", "test", "docs", "examples", "setup"].contains(&first)
        });
        tops.sort();
        tops.dedup();
        tops
    }

    /// The modules that a distribution's RECORD lists which lie in no other of its packages: `yaml`, `langgraph.prebuilt` of a
    /// namespace.
    fn recorded(&self, folder: &str) -> Vec<String> {
        let record = self.place.root.read(&format!("{folder}/RECORD"), 32 << 20).unwrap_or_default();
        let record = String::from_utf8_lossy(&record);
        let names = parse_record(&record).filter_map(|it| {
            let stem = it.path.strip_suffix(".py")?;
            let stem = stem.strip_suffix("/__init__").unwrap_or(stem);
            stem.split('/').all(is_name).then(|| stem.replace('/', "."))
        });
        let mut names: Vec<String> = names.collect();
        names.sort();
        let mut tops: Vec<String> = Vec::new();
        for name in names {
            let is_below = |top: &String| name.strip_prefix(top.as_str()).is_some_and(|rest| rest.starts_with('.'));
            if !tops.last().is_some_and(is_below) {
                tops.push(name);
            }
        }
        // A folder of modules that is no package is no part of anything.
        tops.retain(|it| it.matches('.').count() < 3);
        tops
    }

    /// Where a module is.
    #[must_use]
    pub fn find(&self, name: &str) -> Found {
        self.located(name).0
    }

    fn located(&self, name: &str) -> Located {
        let known = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(known) = known {
            return known;
        }
        let (found, folders) = self.locate(name);
        let located = (found, Arc::new(folders));
        self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), located.clone());
        located
    }

    fn locate(&self, name: &str) -> (Found, Vec<String>) {
        if self.is_hooked(name) {
            return (Found::Unknown, Vec::new());
        }
        if let Some((parent, last)) = name.rsplit_once('.') {
            let (found, folders) = self.located(parent);
            return match found {
                Found::Unknown => (Found::Unknown, Vec::new()),
                Found::Opaque if !folders.is_empty() => self.in_folders(&folders, last, false),
                found => self.in_folders(&folders, last, matches!(found, Found::Library(_))),
            };
        }
        if ALWAYS.contains(&name) {
            return (Found::Opaque, Vec::new());
        }
        let front = self.in_folders(&self.front, name, false);
        if !matches!(front.0, Found::Missing | Found::Namespace) {
            return front;
        }
        if let Some(library) = &self.library {
            let own = self.in_folders(std::slice::from_ref(library), name, true);
            if own.0 != Found::Missing {
                return own;
            }
            if self.has_extension(&format!("{library}/lib-dynload"), name) {
                return (Found::Opaque, Vec::new());
            }
        }
        let installed = self.in_folders(&self.path, name, false);
        match installed.0 {
            Found::Missing | Found::Namespace if self.is_built_in(name) => (Found::Opaque, Vec::new()),
            Found::Missing if self.library.is_none() || self.archives => (Found::Unknown, Vec::new()),
            Found::Missing if front.0 == Found::Namespace => front,
            Found::Namespace if front.0 == Found::Namespace => {
                (Found::Namespace, front.1.into_iter().chain(installed.1).collect())
            }
            _ => installed,
        }
    }

    /// Looks in folders, one after the other; gives the folders in which modules below it are.
    fn in_folders(&self, folders: &[String], name: &str, library: bool) -> (Found, Vec<String>) {
        let mut portions = Vec::new();
        for folder in folders {
            let Some(names) = self.names(folder) else { continue };
            let below = format!("{folder}/{name}");
            if names.contains(name) {
                if self.has_extension(&below, "__init__") || self.has(&below, "__init__.pyc") {
                    return (Found::Opaque, vec![below]);
                }
                if self.has(&below, "__init__.py") {
                    let path = format!("{below}/__init__.py");
                    let found = if library { Found::Library(path) } else { Found::Text { path, package: true } };
                    return (found, vec![below]);
                }
            }
            if self.has_extension(folder, name) {
                return (Found::Opaque, Vec::new());
            }
            if names.contains(&format!("{name}.py")) {
                let path = format!("{below}.py");
                return (if library { Found::Library(path) } else { Found::Text { path, package: false } }, Vec::new());
            }
            if names.contains(&format!("{name}.pyc")) {
                return (Found::Opaque, Vec::new());
            }
            if names.contains(name) && !library && self.place.root.is_folder(&below) {
                portions.push(below);
            }
        }
        if portions.is_empty() { (Found::Missing, portions) } else { (Found::Namespace, portions) }
    }

    fn names(&self, folder: &str) -> Option<Arc<HashSet<String>>> {
        let known = self.listed.lock().unwrap_or_else(PoisonError::into_inner).get(folder).cloned();
        if let Some(known) = known {
            return known;
        }
        let names: HashSet<String> = self.place.root.list(folder).into_iter().collect();
        let names = (!names.is_empty()).then(|| Arc::new(names));
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned(), names.clone());
        names
    }

    fn has(&self, folder: &str, name: &str) -> bool {
        self.names(folder).is_some_and(|it| it.contains(name))
    }

    /// Whether a folder holds an extension of that name that this interpreter loads.
    fn has_extension(&self, folder: &str, name: &str) -> bool {
        self.extension_in(folder, name).is_some()
    }

    fn extension_in(&self, folder: &str, name: &str) -> Option<String> {
        let names = self.names(folder)?;
        let plain = [format!("{name}.so"), format!("{name}.abi3.so")];
        if let Some(it) = plain.iter().find(|it| names.contains(it.as_str())) {
            return Some(format!("{folder}/{it}"));
        }
        let free = if self.place.python.free_threaded { "t" } else { "" };
        let own = format!("{name}.cpython-{}{}{free}-", self.version.major, self.version.minor);
        let prefix = format!("{name}.");
        let its = names.iter().find(|it| it.starts_with(&prefix) && it.starts_with(&own) && it.ends_with(".so"))?;
        Some(format!("{folder}/{its}"))
    }

    /// Whether the interpreter or its library has a module built in, by the name of the function that makes it.
    fn is_built_in(&self, name: &str) -> bool {
        let binary = self.built_in.get_or_init(|| {
            let executable = self.place.python.executable.value()?;
            let real = self.place.root.real_path(executable)?;
            let mut bytes = self.place.root.read(&real, LARGEST).ok()?;
            let base = self.place.python.base_prefix.value()?;
            let (major, minor) = (self.version.major, self.version.minor);
            let free = if self.place.python.free_threaded { "t" } else { "" };
            let folder = format!("{base}/lib");
            let own = format!("libpython{major}.{minor}{free}.so");
            let mut folders = vec![folder.clone(), format!("{base}/lib64")];
            folders.extend(
                self.place
                    .root
                    .list(&folder)
                    .into_iter()
                    .filter(|it| it.ends_with("-linux-gnu"))
                    .map(|it| format!("{folder}/{it}")),
            );
            for folder in folders {
                let library = self.place.root.list(&folder).into_iter().find(|it| it.starts_with(&own));
                let more = library.and_then(|it| self.place.root.read(&format!("{folder}/{it}"), LARGEST).ok());
                bytes.extend(more.unwrap_or_default());
            }
            Some(BuiltIn::of(bytes))
        });
        match binary {
            None => true,
            Some(BuiltIn::Names(names)) => names.contains(name.as_bytes()),
            Some(BuiltIn::Stripped(binary)) => memmem::find(binary, format!("\0{name}\0").as_bytes()).is_some(),
        }
    }

    /// Whether a finder that a `.pth` file installs names a module, or one above it.
    fn is_hooked(&self, name: &str) -> bool {
        let mut name = Some(name);
        while let Some(it) = name {
            let quoted = [format!("'{it}'"), format!("\"{it}\"")];
            if self.hooks.iter().any(|text| quoted.iter().any(|it| text.contains(it.as_str()))) {
                return true;
            }
            name = it.rsplit_once('.').map(|(parent, _)| parent);
        }
        false
    }
}

/// The texts of what the code in `.pth` files imports, and of that code.
fn hooks(place: Place<'_>) -> Vec<String> {
    let mut hooks = Vec::new();
    for folder in &place.python.path {
        for name in place.root.list(folder).into_iter().filter(|it| it.ends_with(".pth")) {
            let Ok(text) = place.root.read_text(&format!("{folder}/{name}")) else { continue };
            for line in code_lines(&text) {
                let words = line.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_'));
                for word in words.filter(|it| it.len() > 2) {
                    let files = [format!("{folder}/{word}.py"), format!("{folder}/{word}/__init__.py")];
                    hooks.extend(files.iter().filter_map(|it| place.root.read_text(it).ok()));
                }
                hooks.push(line.to_owned());
            }
        }
    }
    hooks
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
}
