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
