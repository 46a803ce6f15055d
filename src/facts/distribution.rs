use serde::{Deserialize, Serialize};

use super::{ChangedFile, Library, Reading, Source};
use crate::pep::Version;
use crate::version::CudaVersion;

/// An installed Python distribution.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Distribution {
    /// The normalised name (PEP 503), e.g. `nvidia-cublas-cu12`.
    pub name: String,
    /// The version in METADATA, e.g. `2.7.1`; unreadable where METADATA is damaged.
    pub version: Reading<String>,
    /// What the installed files say of the build, e.g. `2.7.1+cu126` in `torch/version.py`.
    pub build: DistributionBuild,
    /// The folder on the path that holds it, e.g. `/workspace/venv/lib/python3.11/site-packages`.
    pub location: String,
    /// The metadata folder or file in it, e.g. `torch-2.7.1.dist-info`; empty in a pasted list.
    pub metadata_dir: String,
    /// What it declares.
    pub metadata: Reading<Metadata>,
    /// INSTALLER, e.g. `pip`, `uv`, `conda`.
    pub installer: Reading<String>,
    /// Installed by name, not only because another needs it: `REQUESTED`, which pip and uv write. False also where nobody knows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub requested: bool,
    /// The URL of `direct_url.json`, without credentials: installed from a file, folder or repository.
    pub direct_url: Reading<String>,
    /// Installed in development mode, from a folder.
    pub editable: bool,
    /// The folder that it was installed from in development mode, where that is no longer there, e.g. `/workspace/vllm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_gone: Option<String>,
    /// Its dist-info folder has no RECORD of its own: pip can neither remove nor replace it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Stray>,
    /// `Tag` lines of WHEEL, e.g. `cp311-cp311-manylinux_2_28_x86_64`.
    pub wheel_tags: Vec<String>,
    /// Its shared libraries that have to do with GPUs, torch or other libraries' versions, by path.
    #[serde(skip_serializing_if = "Reading::is_unknown")]
    pub libraries: Reading<Vec<Library>>,
    /// Files that are not as RECORD says: by size for libraries and Python modules, by hash for all files with `--deep`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<ChangedFile>,
}

/// What is wrong with the RECORD of a dist-info folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Stray {
    /// There is none.
    Missing,
    /// Another metadata folder beside it, of the same distribution, is the one whose RECORD fits the installed files.
    Stale,
    /// It is that of another folder, e.g. `tokenizers-0.22.2.dist-info` in `tokenizers-0.19.1.dist-info`.
    Of(String),
}

/// What the installed files say of a build, beyond the version in METADATA.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DistributionBuild {
    /// The full version, e.g. `2.7.1+cu126`. PyPI's torch says only 2.7.1 in METADATA.
    pub version: Reading<String>,
    /// The CUDA runtime it was built for, e.g. `12.6`; absent in a CPU build.
    pub cuda: Reading<CudaVersion>,
    /// The version of torch it was built against, where its files say so (xformers).
    pub torch: Reading<String>,
    /// The CUDA versions for which the distribution ships a library of its own (bitsandbytes).
    pub cuda_libraries: Vec<CudaVersion>,
}

/// What a distribution declares about itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metadata {
    /// `Requires-Dist` lines as they stand, with their markers.
    pub requires: Vec<String>,
    /// `Requires-Python`.
    pub requires_python: Option<String>,
    /// `Provides-Extra`.
    pub extras: Vec<String>,
}

impl Distribution {
    /// The most telling version there is, e.g. `2.7.1+cu126` rather than `2.7.1`; as it was said where it is known in part; `?`
    /// where none was read.
    #[must_use]
    pub fn full_version(&self) -> &str {
        fn told(reading: &Reading<String>) -> Option<&str> {
            match reading {
                Reading::Known { value, .. } => Some(value),
                Reading::Partly { part, .. } => Some(part.said()),
                _ => None,
            }
        }
        told(&self.build.version).or(told(&self.version)).unwrap_or("?")
    }

    /// The version in METADATA, e.g. 2.7.1; none where nobody read one, or it is none by PEP 440.
    #[must_use]
    pub fn stated_version(&self) -> Option<Version> {
        self.version.value()?.parse().ok()
    }

    /// The version of the build, e.g. 2.7.1+cu126: [`Self::full_version`], where it is one by PEP 440.
    #[must_use]
    pub fn build_version(&self) -> Option<Version> {
        self.full_version().parse().ok()
    }

    /// Whether somebody looked at its libraries; an error message that names one of them did not.
    #[must_use]
    pub fn were_files_read(&self) -> bool {
        !self.libraries.is_unknown() && !matches!(self.libraries.source(), Some(Source::Report(_)))
    }

    /// The local version label of the build, e.g. `cu126`, `cpu`.
    #[must_use]
    pub fn local(&self) -> Option<&str> {
        self.full_version().split_once('+').map(|(_, local)| local)
    }
}
