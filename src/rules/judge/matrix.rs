//! Which builds of a package run on which compute capability: the grid that people keep by hand, from the rows.

use super::driver::oldest_driver;
use super::kernel::{Runs, code_runs};
use crate::rules::RuleDb;
use crate::rules::store::model::{Build, Code, Package, Release};
use crate::version::{ComputeCapability, CudaVersion, DriverVersion};

/// How a build runs on a compute capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// By machine code.
    Native,
    /// By PTX, which the driver compiles at the first start.
    Ptx,
    /// A part of its containers does.
    Partly,
    /// Not at all.
    No,
    /// Nobody opened that build.
    Unknown,
}

impl Cell {
    /// A letter that needs no colour.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Native => 'S',
            Self::Ptx => 'P',
            Self::Partly => '~',
            Self::No => '·',
            Self::Unknown => '?',
        }
    }

    /// The word in JSON and in style sheets.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Ptx => "ptx",
            Self::Partly => "partly",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }

    /// What it means, for a legend.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Native => "machine code (SASS)",
            Self::Ptx => "PTX only: compiled by the driver at the first start",
            Self::Partly => "a part of the kernels",
            Self::No => "no kernel",
            Self::Unknown => "not known",
        }
    }

    /// All, in the order of a legend.
    pub const ALL: [Self; 5] = [Self::Native, Self::Ptx, Self::Partly, Self::No, Self::Unknown];
}

/// A line of the grid: a build, or one of the libraries in it.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// The release.
    pub release: &'a Release,
    /// The build.
    pub build: &'a Build,
    /// The library for one CUDA version, where a build has several.
    pub library: Option<CudaVersion>,
    /// The CUDA runtime.
    pub cuda: Option<CudaVersion>,
    /// The oldest driver that runs it.
    pub driver: Option<DriverVersion>,
    /// One for each compute capability.
    pub cells: Vec<Cell>,
}

/// The grid of a package on a platform, newest release first.
#[must_use]
pub fn rows<'a>(package: &'a Package, platform: &str, capabilities: &[ComputeCapability], db: &RuleDb) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for release in package.releases.iter().rev() {
        for build in release.builds.iter().filter(|build| build.platform == platform) {
            let mut libraries: Vec<Option<CudaVersion>> = build.code.iter().map(|code| code.for_cuda).collect();
            libraries.sort_unstable();
            libraries.dedup();
            if libraries.is_empty() {
                libraries.push(None);
            }
            for library in libraries {
                let code: Vec<_> = build.code.iter().filter(|code| code.for_cuda == library).collect();
                let cuda = library.or(build.cuda);
                let cells = capabilities.iter().map(|capability| cell(build, &code, cuda, *capability, db)).collect();
                let driver = cuda.and_then(|cuda| Some(oldest_driver(cuda, db)?.0));
                rows.push(Row { release, build, library, cuda, driver, cells });
            }
        }
    }
    rows
}

fn cell(build: &Build, code: &[&Code], cuda: Option<CudaVersion>, gpu: ComputeCapability, db: &RuleDb) -> Cell {
    if !build.assembles.is_empty() {
        return if build.assembles.contains(&gpu) { Cell::Native } else { Cell::No };
    }
    if code.is_empty() {
        // A CPU build has no kernel for sure.
        return if build.local.as_deref() == Some("cpu") { Cell::No } else { Cell::Unknown };
    }
    let ways: Vec<_> = code.iter().map(|code| code_runs(code, gpu, cuda, db)).collect();
    let any = |wanted: fn(&Runs) -> bool| ways.iter().any(wanted);
    if any(|way| matches!(way, Runs::Native(_))) {
        Cell::Native
    } else if any(|way| matches!(way, Runs::ThroughPtx(_))) {
        Cell::Ptx
    } else if any(|way| matches!(way, Runs::Partly(..))) {
        Cell::Partly
    } else {
        Cell::No
    }
}
