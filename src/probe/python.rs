//! Which Python is meant, where its prefix is and which version it has, all without running it.
//!
//! What is tried, in order: `--python`, VIRTUAL_ENV, CONDA_PREFIX, `python3` on PATH, `python` on PATH. A `python3` that
//! is pyenv's shim, a shell script, is followed as pyenv follows it.

use std::collections::BTreeMap;

use super::PythonFacts;
use super::place;
use super::python_path::{Layout, SystemSite, join, search_path};
use super::root::RootFs;
use super::site_packages::distributions;
use crate::facts::{Locked, Python, PythonImplementation, Reading, Source};
use crate::parse::pyvenv::PyvenvCfg;
use crate::version::PythonVersion;

/// Where programs are found when PATH is not set, as in an image.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// As many links as Linux follows before it says ELOOP.
const MAX_LINKS: usize = 40;

/// What to inspect.
#[derive(Debug, Clone, Copy)]
pub struct PythonRequest<'a> {
    /// The file system: this machine's or a folder's.
    pub root: &'a RootFs,
    /// The environment of the machine: VIRTUAL_ENV, CONDA_PREFIX, PATH, HOME, PYTHONPATH, PYTHONNOUSERSITE,
    /// PYTHONUSERBASE, PYENV_ROOT, PYENV_VERSION.
    pub environment: &'a BTreeMap<String, String>,
    /// The working directory, for relative paths.
    pub current_dir: Option<&'a str>,
    /// `--python`: an interpreter, the folder of an environment, or a name on PATH.
    pub python: Option<&'a str>,
}

/// The interpreter that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// As it would be called, e.g. `/workspace/venv/bin/python3`; its links are not followed.
    pub executable: String,
    /// How it was chosen: `--python`, `VIRTUAL_ENV`, `CONDA_PREFIX`, `PATH`; what was passed over may follow.
    pub chosen_by: String,
}

/// `--python` names something that cannot be inspected. The command exits 2 with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PythonError {
    /// Nothing is there.
    #[error("`{path}` is not there")]
    Missing {
        /// As it was looked for.
        path: String,
        /// What is there instead.
        near: Vec<String>,
    },
    /// A name that is neither here nor on PATH.
    #[error("`{name}` is neither in this folder nor on PATH")]
    NotOnPath {
        /// As it was given, e.g. `python3.14`.
        name: String,
        /// Environments and interpreters here.
        near: Vec<String>,
    },
    /// A link whose end is not there.
    #[error("`{path}` leads to `{target}`, which is not there")]
    Dangling {
        /// The link.
        path: String,
        /// Where its last link points.
        target: String,
    },
    /// A folder without an interpreter.
    #[error("`{path}` has no `bin/python3` or `bin/python`{}", if *.venv { ", though it has a `pyvenv.cfg`" } else { "" })]
    NoInterpreter {
        /// The folder.
        path: String,
        /// It has been a virtual environment.
        venv: bool,
        /// Environments in it.
        near: Vec<String>,
    },
    /// A file that is something else.
    #[error("`{path}` is not a Python interpreter{}", if *.script { " but a script" } else { "" })]
    NotPython {
        /// The file.
        path: String,
        /// It starts with `#!`.
        script: bool,
        /// Interpreters beside it.
        near: Vec<String>,
    },
}

impl PythonError {
    /// What may have been meant instead, e.g. `/workspace/venv/bin/python3`.
    #[must_use]
    pub fn near(&self) -> &[String] {
        match self {
            Self::Missing { near, .. }
            | Self::NotOnPath { near, .. }
            | Self::NoInterpreter { near, .. }
            | Self::NotPython { near, .. } => near,
            Self::Dangling { .. } => &[],
        }
    }
}

/// Chooses the interpreter and reads its environment.
///
/// # Errors
///
/// If `--python` names something that cannot be inspected.
pub fn probe(request: PythonRequest<'_>) -> Result<PythonFacts, PythonError> {
    Ok(match choose(request)? {
        Reading::Known { value, .. } => read(request, &value),
        Reading::Absent { looked } => PythonFacts { python: Reading::Absent { looked }, ..PythonFacts::default() },
        Reading::Unreadable { error } => {
            PythonFacts { python: Reading::Unreadable { error }, ..PythonFacts::default() }
        }
        Reading::Unknown => PythonFacts::default(),
    })
}

/// Chooses the interpreter; absent where there is none.
///
/// # Errors
///
/// If `--python` names something that cannot be inspected.
pub fn choose(request: PythonRequest<'_>) -> Result<Reading<Interpreter>, PythonError> {
    if let Some(python) = request.python {
        let executable = named(request, python)?;
        let source = Source::Argument("--python".to_owned());
        return Ok(Reading::Known { value: Interpreter { executable, chosen_by: "--python".to_owned() }, source });
    }
    // What was passed over, for those who wonder.
    let mut passed = Vec::new();
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        let Some(folder) = request.environment.get(variable).filter(|folder| !folder.is_empty()) else { continue };
        let folder = absolute(request, folder);
        if let Some(executable) = interpreter_in(request.root, &folder) {
            return Ok(chosen(executable, variable, &passed));
        }
        passed.push(format!("{variable} names `{folder}`, which holds no Python"));
    }
    for name in ["python3", "python"] {
        match on_path(request, name) {
            (Some(executable), scripts) => {
                passed.extend(scripts);
                return Ok(chosen(executable, "PATH", &passed));
            }
            (None, scripts) => passed.extend(scripts),
        }
    }
    if passed.is_empty() {
        Ok(Reading::absent("VIRTUAL_ENV, CONDA_PREFIX, `python3` and `python` on PATH"))
    } else {
        Ok(Reading::unreadable(format!("{}, and PATH holds no other", passed.join("; "))))
    }
}

fn chosen(executable: String, by: &str, passed: &[String]) -> Reading<Interpreter> {
    let chosen_by = if passed.is_empty() { by.to_owned() } else { format!("{by} ({})", passed.join("; ")) };
    Reading::host(Interpreter { executable, chosen_by }, by)
}

fn absolute(request: PythonRequest<'_>, path: &str) -> String {
    join(request.current_dir.filter(|_| request.root.is_host()).unwrap_or("/"), path)
}

/// Whether a file is called as interpreters are: `python3.11`, `python3.13t`, `pypy3`.
fn is_interpreter_name(name: &str) -> bool {
    let rest = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy"));
    rest.is_some_and(|rest| rest.trim_end_matches('t').bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// Whether something is there, be it a link that leads nowhere.
fn is_there(root: &RootFs, path: &str) -> bool {
    root.exists(path) || root.link(path).is_some()
}

/// The interpreter of an environment's folder: `bin/python3`, `bin/python`, else one with a version in its name.
fn interpreter_in(root: &RootFs, folder: &str) -> Option<String> {
    let bin = join(folder, "bin");
    let usual = ["python3", "python"].map(|name| join(&bin, name));
    if let Some(path) = usual.into_iter().find(|path| is_there(root, path)) {
        return Some(path);
    }
    root.list(&bin).into_iter().rev().find(|name| is_interpreter_name(name)).map(|name| join(&bin, &name))
}

/// The environments and interpreters in a folder.
fn near(root: &RootFs, folder: &str) -> Vec<String> {
    let interpreters = |name: &String| is_interpreter_name(name) && root.is_file(&join(folder, name));
    let names = root.list(folder);
    let mut near: Vec<String> =
        names.iter().filter(|name| interpreters(name)).map(|name| join(folder, name)).take(3).collect();
    if near.is_empty() {
        let folders = names.iter().map(|name| join(folder, name));
        near.extend(folders.filter(|path| interpreter_in(root, path).is_some()).take(3));
    }
    near
}

/// The environments in a folder, else the one around it: `/venv` for `/venv/lib/python3.11/site-packages`.
fn near_or_above(root: &RootFs, folder: &str) -> Vec<String> {
    let near = near(root, folder);
    if !near.is_empty() || folder == "/" {
        return near;
    }
    let mut above = join(folder, "..");
    while above != "/" {
        if interpreter_in(root, &above).is_some() {
            return vec![above];
        }
        above = join(&above, "..");
    }
    Vec::new()
}

/// What `--python` names.
fn named(request: PythonRequest<'_>, python: &str) -> Result<String, PythonError> {
    let root = request.root;
    let path = absolute(request, python);
    if root.is_folder(&path) {
        // A folder `bin` is as good as the environment around it.
        let inside = interpreter_in(root, &path).or_else(|| {
            ["python3", "python"].map(|name| join(&path, name)).into_iter().find(|path| root.is_file(path))
        });
        return inside.ok_or_else(|| PythonError::NoInterpreter {
            venv: root.exists(&join(&path, "pyvenv.cfg")),
            near: near_or_above(root, &path),
            path,
        });
    }
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    if root.is_file(&path) {
        let real = root.real_path(&path);
        let real_name = real.as_deref().and_then(|real| real.rsplit('/').next()).unwrap_or(name);
        if !is_interpreter_name(name) && !is_interpreter_name(real_name) {
            return Err(PythonError::NotPython { near: near(root, folder), script: is_script(root, &path), path });
        }
        if !is_script(root, &path) {
            return Ok(path);
        }
        let behind = pyenv_shim(request, &path, name);
        return behind.ok_or_else(|| PythonError::NotPython { near: Vec::new(), script: true, path });
    }
    if root.link(&path).is_some() {
        // A virtual environment whose base is gone can still be read.
        return match (environment_of(root, &path), follow(root, &path)) {
            (Some(_), _) => Ok(path),
            (None, target) => Err(PythonError::Dangling { path, target }),
        };
    }
    if !python.contains('/') {
        let number = python.starts_with(|letter: char| letter.is_ascii_digit());
        let name = if number { format!("python{python}") } else { python.to_owned() };
        if is_interpreter_name(&name)
            && let (Some(found), _) = on_path(request, &name)
        {
            return Ok(found);
        }
    }
    // The nearest folder that is there: `/venv` for a missing `/venv/bin/python3.12`, the last folder for a misspelt name.
    let mut folder = folder;
    while !folder.is_empty() && !root.is_folder(folder) {
        folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
    }
    let near = near(root, folder);
    if python.contains('/') {
        Err(PythonError::Missing { near, path })
    } else {
        Err(PythonError::NotOnPath { near, name: python.to_owned() })
    }
}

/// Looks for a program on PATH; with it the scripts that were passed over.
fn on_path(request: PythonRequest<'_>, name: &str) -> (Option<String>, Vec<String>) {
    let path = request.environment.get("PATH").map_or(DEFAULT_PATH, String::as_str);
    let mut scripts = Vec::new();
    for folder in path.split(':').filter(|folder| !folder.is_empty()) {
        let executable = join(&absolute(request, folder), name);
        if !request.root.is_file(&executable) {
            continue;
        }
        if !is_script(request.root, &executable) {
            return (Some(executable), scripts);
        }
        if let Some(behind) = pyenv_shim(request, &executable, name) {
            return (Some(behind), scripts);
        }
        // pyenv's shims hand on to the next on PATH when the version is `system`.
        if !executable.contains("/shims/") {
            scripts.push(format!("`{executable}` is a script"));
        }
    }
    (None, scripts)
}

fn is_script(root: &RootFs, path: &str) -> bool {
    root.read(path, 2).is_ok_and(|start| start == b"#!")
}

/// The interpreter that pyenv would run for a shim, in pyenv's order: PYENV_VERSION, `.python-version` here or above,
/// the file `version` of its root. None for `system`, or for a script that is no shim.
fn pyenv_shim(request: PythonRequest<'_>, shim: &str, name: &str) -> Option<String> {
    let root = request.root;
    let variable = |name: &str| request.environment.get(name).filter(|text| !text.is_empty()).cloned();
    let home = shim.strip_suffix(name)?.strip_suffix("/shims/")?;
    let home = variable("PYENV_ROOT").unwrap_or_else(|| home.to_owned());
    let chosen = variable("PYENV_VERSION").or_else(|| {
        let mut folder = request.current_dir.filter(|_| root.is_host());
        while let Some(here) = folder {
            if let Ok(text) = root.read_text(&join(here, ".python-version")) {
                return Some(text);
            }
            folder = here
                .trim_end_matches('/')
                .rsplit_once('/')
                .map(|(above, _)| if above.is_empty() { "/" } else { above });
            folder = folder.filter(|above| *above != here);
        }
        root.read_text(&join(&home, "version")).ok()
    })?;
    let versions = root.list(&join(&home, "versions"));
    let words = chosen.lines().filter(|line| !line.trim_start().starts_with('#'));
    for word in words.flat_map(|line| line.split([':', ' ', '\t', '\r'])).filter(|word| !word.is_empty()) {
        // `3.11` means the newest 3.11.x.
        let below = |version: &&String| version.strip_prefix(word).is_some_and(|rest| rest.starts_with('.'));
        let newest = || versions.iter().filter(below).max_by_key(|version| version.parse::<PythonVersion>().ok());
        let Some(version) = versions.iter().find(|version| *version == word).or_else(newest) else { continue };
        let executable = join(&home, &format!("versions/{version}/bin/{name}"));
        if root.is_file(&executable) {
            return Some(executable);
        }
    }
    None
}

/// The `pyvenv.cfg` of an interpreter, beside it or one folder up (PEP 405), and the prefix that it makes.
fn environment_of(root: &RootFs, executable: &str) -> Option<(String, PyvenvCfg)> {
    let bin = join(executable, "..");
    let prefix = join(&bin, "..");
    let text = [&bin, &prefix].into_iter().find_map(|folder| root.read_text(&join(folder, "pyvenv.cfg")).ok())?;
    Some((prefix, PyvenvCfg::parse(&text)))
}

/// The folder of an interpreter that is only a link, and that has packages beside it but no `pyvenv.cfg`: the interpreter
/// looks for packages where its link leads.
fn environment_without_cfg(root: &RootFs, executable: &str) -> Option<String> {
    let prefix = join(executable, "../..");
    if prefix == "/" || environment_of(root, executable).is_some() || root.link(executable).is_none() {
        return None;
    }
    let lib = join(&prefix, "lib");
    let folders: Vec<String> = root
        .list(&lib)
        .into_iter()
        .filter(|name| Library::parse(name).is_some())
        .map(|name| join(&lib, &name))
        .collect();
    let has_stdlib = folders.iter().any(|folder| root.exists(&join(folder, "os.py")));
    let holds = |folder: &String| place::holds_distributions(root, &join(folder, "site-packages"));
    let elsewhere = !follow(root, executable).starts_with(&format!("{prefix}/"));
    (!has_stdlib && elsewhere && folders.iter().any(holds)).then_some(prefix)
}

/// Where the links of a file lead in the end, be it to nothing.
fn follow(root: &RootFs, path: &str) -> String {
    if let Some(real) = root.real_path(path) {
        return real;
    }
    let mut at = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Some(target) = root.link(&at) else { break };
        at = join(&join(&at, ".."), &target);
    }
    at
}

/// The name of a library folder taken apart: `python3.13t`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Library {
    version: PythonVersion,
    free_threaded: bool,
    pypy: bool,
}

impl Library {
    /// Reads the name of a library folder or of a binary; none for `python3`, which says too little.
    fn parse(name: &str) -> Option<Self> {
        let pypy = name.starts_with("pypy");
        let rest = name.strip_prefix(if pypy { "pypy" } else { "python" })?;
        let digits = rest.strip_suffix('t');
        let version: PythonVersion = digits.unwrap_or(rest).parse().ok()?;
        version.micro.is_none().then_some(Self { version, free_threaded: digits.is_some(), pypy })
    }

    fn name(&self) -> String {
        let PythonVersion { major, minor, .. } = self.version;
        let (python, suffix) = (if self.pypy { "pypy" } else { "python" }, if self.free_threaded { "t" } else { "" });
        format!("{python}{major}.{minor}{suffix}")
    }
}

/// The newest library folder of a prefix that holds something to import.
fn library_in(root: &RootFs, prefix: &str, minor: Option<PythonVersion>) -> Option<Library> {
    let fits = |library: &Library| {
        minor.is_none_or(|at| (at.major, at.minor) == (library.version.major, library.version.minor))
    };
    let holds = |library: &Library| {
        let folder = |lib: &str, rest: &str| join(prefix, &format!("{lib}/{}/{rest}", library.name()));
        ["lib", "lib64"]
            .iter()
            .any(|lib| root.exists(&folder(lib, "os.py")) || root.is_folder(&folder(lib, "site-packages")))
    };
    let names = ["lib", "lib64"].map(|lib| root.list(&join(prefix, lib)));
    names
        .iter()
        .flatten()
        .filter_map(|name| Library::parse(name))
        .filter(|library| fits(library) && holds(library))
        .max()
}

/// The prefix around an interpreter's folder: the first one up that holds a standard library, else its parent.
fn prefix_of(root: &RootFs, bin: &str) -> String {
    let bin = root.real_path(bin).unwrap_or_else(|| bin.to_owned());
    let mut folder = bin.clone();
    while folder != "/" {
        folder = join(&folder, "..");
        let has_stdlib = |lib: &str| {
            let lib = join(&folder, lib);
            root.list(&lib)
                .iter()
                .any(|name| Library::parse(name).is_some() && root.exists(&join(&lib, &format!("{name}/os.py"))))
        };
        if has_stdlib("lib") || has_stdlib("lib64") {
            return folder;
        }
    }
    join(&bin, "..")
}

/// Reads the environment of an interpreter.
#[must_use]
pub fn read(request: PythonRequest<'_>, interpreter: &Interpreter) -> PythonFacts {
    let root = request.root;
    let executable = &interpreter.executable;
    let by = interpreter.chosen_by.split(' ').next().unwrap_or_default();
    let source = if by == "--python" { Source::Argument(by.to_owned()) } else { Source::Host(by.to_owned()) };

    let target = follow(root, executable);
    let lost = environment_without_cfg(root, executable);
    let as_it_was = |prefix: &String| (prefix.clone(), PyvenvCfg::parse("include-system-site-packages = false"));
    let venv = environment_of(root, executable).or_else(|| lost.as_ref().map(as_it_was));
    let home = venv.as_ref().and_then(|(_, cfg)| cfg.home.clone()).filter(|home| home.starts_with('/'));
    let home_is_there = home.as_ref().is_none_or(|home| root.exists(home));
    let base_prefix = prefix_of(root, &home.unwrap_or_else(|| join(&target, "..")));
    let prefix = venv.as_ref().map_or_else(|| base_prefix.clone(), |(prefix, _)| prefix.clone());
    let cfg = venv.map(|(_, cfg)| cfg);

    let library = library(root, &target, cfg.as_ref(), &prefix, &base_prefix);
    let mut python = Python {
        executable: if root.exists(executable) {
            Reading::Known { value: executable.clone(), source: source.clone() }
        } else {
            Reading::unreadable(format!("`{executable}` leads to `{target}`, which is not there"))
        },
        prefix,
        base_prefix: match home_is_there {
            true if cfg.is_some() => Reading::host(base_prefix.clone(), "pyvenv.cfg"),
            true => Reading::host(base_prefix.clone(), target.as_str()),
            false => Reading::unreadable(format!("pyvenv.cfg names `{base_prefix}`, which is not there")),
        },
        version: Reading::unreadable(format!("neither `{target}` nor its folders name a version")),
        implementation: PythonImplementation::CPython,
        free_threaded: false,
        chosen_by: interpreter.chosen_by.clone(),
        path: Vec::new(),
        management: crate::facts::Management::default(),
        place: crate::facts::Place::default(),
    };
    python.place.without_cfg = lost;
    python.management.uv = cfg.as_ref().and_then(|cfg| cfg.uv.clone());
    python.management.conda = root.is_folder(&join(&python.prefix, "conda-meta"));
    python.management.project = locked(root, &python.prefix);
    let Some((library, place)) = library else {
        python.place.other_python = place::other_python(request, &python, None);
        return PythonFacts { python: Reading::Known { value: python, source }, distributions: Vec::new() };
    };
    python.version = match micro(root, &base_prefix, &library, cfg.as_ref()) {
        Some((version, place)) => Reading::host(version, place),
        None => Reading::host(library.version, place),
    };
    python.free_threaded = library.free_threaded;
    let closed = join(&base_prefix, &format!("lib/{}/EXTERNALLY-MANAGED", library.name()));
    python.management.external = cfg.is_none() && root.is_file(&closed);
    if library.pypy {
        python.implementation = PythonImplementation::PyPy;
    }
    let system_site = |cfg: &PyvenvCfg| match cfg.system_site_packages {
        true => SystemSite::Included,
        false => SystemSite::Excluded,
    };
    let path = search_path(
        root,
        Layout {
            prefix: &python.prefix,
            base_prefix: &base_prefix,
            venv: cfg.as_ref().map(system_site),
            library: &library.name(),
            environment: request.environment,
            current_dir: request.current_dir,
        },
    );
    let distributions = distributions(root, &path);
    python.place = place::place(request, &python, &library.name(), &path, &distributions);
    python.path = path.into_iter().map(|folder| folder.path).collect();
    PythonFacts { python: Reading::Known { value: python, source }, distributions }
}

/// The project around an environment `.venv`, where a tool has locked it.
fn locked(root: &RootFs, prefix: &str) -> Option<Locked> {
    let folder = prefix.strip_suffix("/.venv").filter(|folder| !folder.is_empty())?;
    let lock = ["uv.lock", "poetry.lock"].into_iter().find(|lock| root.is_file(&join(folder, lock)))?;
    Some(Locked { folder: folder.to_owned(), lock: lock.to_owned() })
}

/// Which library folder an interpreter uses, and what says so: the name of the binary, pyvenv.cfg, the folders.
fn library(
    root: &RootFs,
    target: &str,
    cfg: Option<&PyvenvCfg>,
    prefix: &str,
    base_prefix: &str,
) -> Option<(Library, String)> {
    let folder = |minor| library_in(root, prefix, minor).or_else(|| library_in(root, base_prefix, minor));
    let binary = target.rsplit('/').next().and_then(Library::parse).map(|library| (library, target.to_owned()));
    let (library, place) = binary
        .or_else(|| {
            let cfg = cfg?;
            let version = PythonVersion { micro: None, ..cfg.version? };
            let pypy = cfg.implementation.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("pypy"));
            Some((Library { version, free_threaded: false, pypy }, "pyvenv.cfg".to_owned()))
        })
        .or_else(|| folder(None).map(|library| (library.clone(), format!("lib/{}", library.name()))))?;
    // A free-threaded build may be called like the other one; only its folder tells.
    let same = |found: &Library| found.pypy == library.pypy;
    let found = folder(Some(library.version)).filter(same);
    let plain_is_there =
        [prefix, base_prefix].iter().any(|prefix| root.exists(&join(prefix, &format!("lib/{}", library.name()))));
    Some(match found {
        Some(found) if !plain_is_there => (found, place),
        _ => (library, place),
    })
}

/// The full version with its micro number, and what says so.
///
/// The headers of the base (`patchlevel.h`) are upgraded with it; pyvenv.cfg keeps the version of the day on which the
/// environment was made. conda and dpkg keep lists of what they installed.
fn micro(
    root: &RootFs,
    base_prefix: &str,
    library: &Library,
    cfg: Option<&PyvenvCfg>,
) -> Option<(PythonVersion, String)> {
    let fits = |version: &PythonVersion| {
        let same = (version.major, version.minor) == (library.version.major, library.version.minor);
        same && version.micro.is_some()
    };
    if !library.pypy {
        let header = join(base_prefix, &format!("include/{}/patchlevel.h", library.name()));
        if let Some(version) = root.read_text(&header).ok().and_then(|text| patchlevel(&text)).filter(fits) {
            return Some((version, header));
        }
    }
    if let Some(version) = cfg.and_then(|cfg| cfg.version).filter(fits) {
        return Some((version, "pyvenv.cfg".to_owned()));
    }
    let conda = join(base_prefix, "conda-meta");
    for name in root.list(&conda) {
        let version = name.strip_prefix("python-").and_then(|rest| rest.split('-').next()?.parse().ok());
        if let Some(version) = version.filter(fits) {
            return Some((version, format!("{conda}/{name}")));
        }
    }
    if base_prefix == "/usr" {
        const STATUS: &str = "/var/lib/dpkg/status";
        let bytes = root.read(STATUS, 32 << 20).ok()?;
        let version = dpkg_version(&String::from_utf8_lossy(&bytes), &format!("{}-minimal", library.name()));
        return version.filter(fits).map(|version| (version, STATUS.to_owned()));
    }
    None
}

/// Reads `#define PY_VERSION "3.11.7"` of CPython's `patchlevel.h`.
fn patchlevel(text: &str) -> Option<PythonVersion> {
    let line = text.lines().find_map(|line| {
        line.strip_prefix("#define PY_VERSION ").or_else(|| line.strip_prefix("#define PY_VERSION\t"))
    })?;
    line.trim().trim_matches('"').parse().ok()
}

/// The version of an installed Debian package: `3.11.2-6+deb12u6` of `python3.11-minimal` is 3.11.2.
fn dpkg_version(status: &str, package: &str) -> Option<PythonVersion> {
    let (_, rest) = status.split_once(&format!("Package: {package}\n"))?;
    let stanza = rest.split_once("\n\n").map_or(rest, |(stanza, _)| stanza);
    let installed = stanza.lines().any(|line| line.starts_with("Status: ") && line.ends_with(" installed"));
    let version = stanza.lines().find_map(|line| line.strip_prefix("Version: "))?;
    let upstream = version.split_once('-').map_or(version, |(upstream, _)| upstream);
    installed.then(|| upstream.split(['+', '~']).next()?.parse().ok()).flatten()
}

#[cfg(all(test, unix))]
#[path = "python_tests.rs"]
mod tests;
