//! `[[library]]` of a package: the CUDA libraries that its wheels ship.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::page::{OpenedWheel, Row, wheel};
use super::range::Range;

/// The CUDA libraries of some releases of a distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CudaLibrary {
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

impl Row for CudaLibrary {
    const TABLE: &str = "library";

    fn check(&self) -> Result<(), Fault> {
        if let Some(versions) = &self.versions {
            versions.check()?;
        }
        if self.sonames.is_empty() {
            return Err(Fault::new("no `sonames`"));
        }
        wheel(&self.source)
    }
}
