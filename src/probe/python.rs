//! Which Python is meant, where its prefix is and which version it has, all without running it.
//!
//! What is tried, in order: `--python`, VIRTUAL_ENV, CONDA_PREFIX, `python3` on PATH, `python` on PATH. A `python3` that
//! is pyenv's shim, a shell script, is followed as pyenv follows it.

use super::interpreter::{
    Interpreter, PythonError, PythonRequest, choose, environment_of, environment_without_cfg, follow,
};
use super::python_library::{Library, library_in};
use super::python_path::{Layout, SystemSite, join, search_path};
use super::root::RootFs;
use super::site_packages::distributions;
use super::{PythonFacts, place};
use crate::facts::{Locked, Python, PythonImplementation, Reading, Source};
use crate::python::pyvenv::PyvenvCfg;
use crate::version::PythonVersion;

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
        Reading::Unknown | Reading::Partly { .. } => PythonFacts::default(),
    })
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
        bits: Reading::Unknown,
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
