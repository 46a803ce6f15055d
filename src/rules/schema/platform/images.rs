//! `platform/images.toml`: base images and what is in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{Page, Table, cited, fault, pages};
use crate::version::{CudaVersion, GlibcVersion, PythonVersion};

/// `rules/platform/images.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImageTable {
    /// Where the base images are, e.g. `nvidia/cuda`.
    pub repository: String,
    /// Pages by key.
    pub sources: BTreeMap<String, Page>,
    /// The check of an image against the driver.
    pub driver_check: DriverCheck,
    /// Where Pythons come from that Ubuntu does not have.
    pub python: PythonImage,
    /// What a package compiles with when it runs.
    pub compiler: CompilerRow,
    /// NVIDIA's apt repository.
    pub repository_key: RepositoryKey,
    /// What a build against torch needs beside torch.
    pub build_tools: BuildTools,
    /// Ubuntu releases, oldest first.
    #[serde(rename = "ubuntu")]
    pub ubuntus: Vec<UbuntuRelease>,
    /// Base images, oldest CUDA first.
    #[serde(rename = "image")]
    pub images: Vec<ImageRow>,
}

/// What turns off the check of an image against the driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DriverCheck {
    /// For `ENV`.
    pub off: String,
    /// A key of `sources`.
    pub source: String,
}

/// An image with uv in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PythonImage {
    /// E.g. `ghcr.io/astral-sh/uv:latest`.
    pub image: String,
    /// A key of `sources`.
    pub source: String,
}

/// A compiler that a package calls when it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CompilerRow {
    /// The package, e.g. `triton`.
    pub needed_by: String,
    /// Packages of Ubuntu.
    pub packages: Vec<String>,
    /// A key of `sources`.
    pub source: String,
}

/// The package that makes NVIDIA's apt repository known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RepositoryKey {
    /// `{os}` stands for e.g. `ubuntu2404`, `{machine}` for the next two.
    pub url: String,
    /// NVIDIA's word for `linux_x86_64`.
    #[serde(rename = "x86-64")]
    pub x86_64: String,
    /// NVIDIA's word for `linux_aarch64`.
    pub aarch64: String,
    /// A key of `sources`.
    pub source: String,
}

/// What a build without isolation expects to find.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BuildTools {
    /// Normalised names.
    pub packages: Vec<String>,
    /// A key of `sources`.
    pub source: String,
}

/// An Ubuntu release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UbuntuRelease {
    /// E.g. `24.04`.
    pub version: String,
    /// E.g. `2.39`.
    pub glibc: GlibcVersion,
    /// The Python that its packages have, e.g. `3.12`.
    pub python: PythonVersion,
    /// A key of `sources`.
    pub source: String,
}

/// The base images of one CUDA release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImageRow {
    /// With update, e.g. `12.8.1`.
    pub version: String,
    /// Ubuntu releases, e.g. `["22.04", "24.04"]`.
    pub ubuntu: Vec<String>,
    /// A key of `sources`.
    pub source: String,
}

impl ImageRow {
    /// The CUDA release without update, e.g. 12.8.
    #[must_use]
    pub fn cuda(&self) -> Option<CudaVersion> {
        self.version.rsplit_once('.')?.0.parse().ok()
    }
}

impl Table for ImageTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        cited(&self.sources, &self.driver_check.source, "driver-check", 0)?;
        cited(&self.sources, &self.python.source, "python", 0)?;
        cited(&self.sources, &self.compiler.source, "compiler", 0)?;
        cited(&self.sources, &self.repository_key.source, "repository-key", 0)?;
        cited(&self.sources, &self.build_tools.source, "build-tools", 0)?;
        for (index, row) in self.ubuntus.iter().enumerate() {
            cited(&self.sources, &row.source, "ubuntu", index)?;
        }
        if self.ubuntus.windows(2).position(|pair| pair[0].glibc >= pair[1].glibc).is_some() {
            return Err(fault("ubuntu", 1, "Ubuntu releases ascend"));
        }
        for (index, row) in self.images.iter().enumerate() {
            cited(&self.sources, &row.source, "image", index)?;
            if row.cuda().is_none() {
                return Err(fault("image", index, "`version` is a CUDA release with its update, such as `12.8.1`"));
            }
            let known = |name: &String| self.ubuntus.iter().any(|ubuntu| ubuntu.version == *name);
            if let Some(name) = row.ubuntu.iter().find(|name| !known(name)) {
                return Err(fault("image", index, &format!("there is no `[[ubuntu]]` for `{name}`")));
            }
        }
        match self.images.windows(2).position(|pair| pair[0].cuda() >= pair[1].cuda()) {
            Some(index) => Err(fault("image", index + 1, "images ascend, one for each CUDA release")),
            None => Ok(()),
        }
    }
}
