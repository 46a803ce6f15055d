//! The name of an interpreter's library folder, which says its version: `python3.13t`, `pypy3.10`.

use super::python_path::join;
use super::root::RootFs;
use crate::version::PythonVersion;

/// The name of a library folder taken apart: `python3.13t`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Library {
    pub(super) version: PythonVersion,
    pub(super) free_threaded: bool,
    pub(super) pypy: bool,
}

impl Library {
    /// Reads the name of a library folder or of a binary; none for `python3`, which says too little.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let pypy = name.starts_with("pypy");
        let rest = name.strip_prefix(if pypy { "pypy" } else { "python" })?;
        let digits = rest.strip_suffix('t');
        let version: PythonVersion = digits.unwrap_or(rest).parse().ok()?;
        version.micro.is_none().then_some(Self { version, free_threaded: digits.is_some(), pypy })
    }

    pub(super) fn name(&self) -> String {
        let PythonVersion { major, minor, .. } = self.version;
        let (python, suffix) = (if self.pypy { "pypy" } else { "python" }, if self.free_threaded { "t" } else { "" });
        format!("{python}{major}.{minor}{suffix}")
    }
}

/// The newest library folder of a prefix that holds something to import.
pub(super) fn library_in(root: &RootFs, prefix: &str, minor: Option<PythonVersion>) -> Option<Library> {
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

/// Whether anything is installed in a folder.
pub(super) fn holds_distributions(root: &RootFs, folder: &str) -> bool {
    root.list(folder).iter().any(|name| name.ends_with(".dist-info"))
}
