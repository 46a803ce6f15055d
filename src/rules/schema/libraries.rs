//! `platform/libraries.toml`: which wheel ships which CUDA library.

use serde::{Deserialize, Serialize};

use super::super::fault::Fault;
use super::page::{OpenedWheel, Table, fault, wheel};
use super::range::Range;

/// `rules/platform/libraries.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CudaLibraries {
    /// Which distribution ships which CUDA libraries.
    #[serde(rename = "library")]
    pub libraries: Vec<CudaLibrary>,
}

/// The CUDA libraries of some releases of a distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CudaLibrary {
    /// The normalised name, e.g. `nvidia-cudnn-cu12`.
    pub distribution: String,
    /// The CUDA major that the wheel's name or its folder states, e.g. 12.
    #[serde(default)]
    pub cuda: Option<u32>,
    /// The releases that ship these, e.g. `>=9`; none for all.
    #[serde(default)]
    pub versions: Option<Range>,
    /// Below site-packages, e.g. `nvidia/cudnn/lib`.
    pub folder: String,
    /// As the loader asks for them, e.g. `libcudnn.so.9`.
    pub sonames: Vec<String>,
    /// The newest wheel that was opened.
    pub source: OpenedWheel,
}

impl Table for CudaLibraries {
    const FILE: &str = "libraries";

    fn check(&self) -> Result<(), Fault> {
        for (index, row) in self.libraries.iter().enumerate() {
            if let Some(versions) = &row.versions {
                versions.check().map_err(|fault| fault.below("library", index))?;
            }
            if row.sonames.is_empty() {
                return Err(fault("library", index, "no `sonames`"));
            }
            wheel(&row.source).map_err(|message| fault("library", index, &message))?;
        }
        Ok(())
    }
}
