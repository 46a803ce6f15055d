//! Which Python is meant: an interpreter, and the environment around it, without running it.
//!
//! What is tried, in order: `--python`, VIRTUAL_ENV, CONDA_PREFIX, `python3` on PATH, `python` on PATH. A `python3` that
//! is pyenv's shim, a shell script, is followed as pyenv follows it.

use std::collections::BTreeMap;

use super::python_library::{Library, holds_distributions};
use super::python_path::join;
use super::root::RootFs;
use crate::facts::{Reading, Source};
use crate::python::pyvenv::PyvenvCfg;
use crate::version::PythonVersion;

/// Where programs are found when PATH is not set, as in an image.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

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

/// As many links as Linux follows before it says ELOOP.
const MAX_LINKS: usize = 40;

/// The `pyvenv.cfg` of an interpreter, beside it or one folder up (PEP 405), and the prefix that it makes.
pub(super) fn environment_of(root: &RootFs, executable: &str) -> Option<(String, PyvenvCfg)> {
    let bin = join(executable, "..");
    let prefix = join(&bin, "..");
    let text = [&bin, &prefix].into_iter().find_map(|folder| root.read_text(&join(folder, "pyvenv.cfg")).ok())?;
    Some((prefix, PyvenvCfg::parse(&text)))
}

/// The folder of an interpreter that is only a link, and that has packages beside it but no `pyvenv.cfg`: the interpreter
/// looks for packages where its link leads.
pub(super) fn environment_without_cfg(root: &RootFs, executable: &str) -> Option<String> {
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
    let holds = |folder: &String| holds_distributions(root, &join(folder, "site-packages"));
    let elsewhere = !follow(root, executable).starts_with(&format!("{prefix}/"));
    (!has_stdlib && elsewhere && folders.iter().any(holds)).then_some(prefix)
}

/// Where the links of a file lead in the end, be it to nothing.
pub(super) fn follow(root: &RootFs, path: &str) -> String {
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
