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
    /// How the environment was chosen: `--python`, `VIRTUAL_ENV`, `CONDA_PREFIX`, `PATH`.
    pub chosen_by: String,
    /// The folders in which `import` looks for distributions, in order: site, user site, dist-packages, .pth additions.
    pub path: Vec<String>,
    /// Who manages the environment, as files around it tell.
    #[serde(default, skip_serializing_if = "Management::is_unknown")]
    pub management: Management,
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
