use serde::{Deserialize, Serialize};

use super::Reading;
use crate::version::PythonVersion;

/// An interpreter and what its path is, worked out without running it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Python {
    /// The interpreter as it would be called, e.g. `/workspace/venv/bin/python3`.
    pub executable: Reading<String>,
    /// The environment's folder, e.g. `/workspace/venv`.
    pub prefix: String,
    /// The folder of the Python that the environment is based on, e.g. `/usr`.
    pub base_prefix: Reading<String>,
    /// E.g. `3.11.9`; the micro number may be unknown.
    pub version: Reading<PythonVersion>,
    /// CPython, or something else.
    pub implementation: PythonImplementation,
    /// Built without the global interpreter lock: tag `cp313t`.
    pub free_threaded: bool,
    /// How wide its pointers are, e.g. 32, where that was seen.
    #[serde(default, skip_serializing_if = "Reading::is_unknown")]
    pub bits: Reading<u32>,
    /// How the environment was chosen: `--python`, `VIRTUAL_ENV`, `CONDA_PREFIX`, `PATH`.
    pub chosen_by: String,
    /// The folders in which `import` looks for distributions, in order: site, user site, dist-packages, .pth additions.
    pub path: Vec<String>,
    /// Who manages the environment, as files around it tell.
    #[serde(default, skip_serializing_if = "Management::is_unknown")]
    pub management: Management,
    /// What is out of order around it.
    #[serde(default, skip_serializing_if = "Place::is_sound")]
    pub place: Place,
}

/// What is out of order around an interpreter. All empty where nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Place {
    /// A folder with packages and an interpreter whose `pyvenv.cfg` is gone, e.g. `/workspace/venv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_cfg: Option<String>,
    /// The packages of another Python in the environment, none of its own being there, e.g. `python3.11`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packages_of: Option<String>,
    /// Scripts that start an interpreter which is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scripts: Option<Scripts>,
    /// The value of PYTHONHOME, where no standard library of this Python is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// An interpreter of the environment's version on PATH, e.g. `/usr/bin/python3.11`; looked for where one is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_python: Option<String>,
    /// What stands on `sys.path` in front of installed packages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub in_front: Vec<InFront>,
    /// Metadata folders that an interrupted upgrade or removal left, e.g. `/venv/lib/python3.11/site-packages/~orch-2.7.1.dist-info`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leftovers: Vec<String>,
}

impl Place {
    /// Nothing is out of order.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        *self == Self::default()
    }
}

/// Scripts that start an interpreter which is not there: those of an environment that was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scripts {
    /// What their first line names, e.g. `/old/venv/bin/python3`.
    pub interpreter: String,
    /// Their paths, sorted.
    pub paths: Vec<String>,
}

/// A module or distribution that `import` finds in the place of an installed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InFront {
    /// The distribution that is hidden, e.g. `tokenizers`.
    pub name: String,
    /// What is found instead, e.g. `/workspace/tokenizers.py`, or the folder of another copy.
    pub path: String,
    /// What put it there.
    pub by: PutBy,
}

/// What puts a folder in front of the installed packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PutBy {
    /// The working directory, which `python -c`, `python -m` and a script in it search first.
    WorkingDirectory,
    /// The variable PYTHONPATH.
    Pythonpath,
    /// The user's own site folder.
    UserSite,
    /// A line of code in a `.pth` file, by its path.
    Pth(String),
}

/// What says which tool an environment belongs to. All of it may be unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Management {
    /// The version of uv that made it: `uv` of its pyvenv.cfg, e.g. `0.9.5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uv: Option<String>,
    /// It is conda's: it has a folder `conda-meta`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub conda: bool,
    /// It is the system's own, closed to pip by a file EXTERNALLY-MANAGED (PEP 668).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// The project whose environment it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<Locked>,
}

/// A project that a tool locks and installs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// Its folder, e.g. `/workspace/app`.
    pub folder: String,
    /// The lock file in it: `uv.lock`, `poetry.lock`.
    pub lock: String,
}

impl Management {
    /// Nothing was seen.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// Which Python.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PythonImplementation {
    /// The reference implementation.
    #[default]
    #[serde(rename = "cpython")]
    CPython,
    /// PyPy.
    #[serde(rename = "pypy")]
    PyPy,
}
