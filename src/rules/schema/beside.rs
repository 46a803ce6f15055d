//! What a package's file says of it beside its releases. A package that nobody harvested may have a file with these alone.

use serde::{Deserialize, Serialize};

use super::fault::{Fault, day};
use super::guard::{AlsoRow, AssemblerRow, GuardRow};
use super::import::ImportRow;
use super::library::CudaLibrary;
use super::module::ModuleRow;
use super::old_release::OldRelease;
use super::page::{Page, Row};
use super::prebuilt::{CpuOnly, Prebuilt};
use super::source_build::SourceBuild;
use super::torch_abi::TorchExtension;

/// The tables, each described at its field of [`super::PackageFile`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    pub conda: Option<CondaName>,
    pub modules: Vec<ModuleRow>,
    pub also: Vec<AlsoRow>,
    pub libraries: Vec<CudaLibrary>,
    pub guards: Vec<GuardRow>,
    pub imports: Vec<ImportRow>,
    pub assemblers: Vec<AssemblerRow>,
    pub source_build: Option<SourceBuild>,
    pub prebuilts: Vec<Prebuilt>,
    pub cpu_only: Vec<CpuOnly>,
    pub old_releases: Vec<OldRelease>,
    pub torch_abi: Vec<TorchExtension>,
}

/// How conda is asked for a package whose builds for CUDA it has under names of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CondaName {
    /// The arguments of `conda install`, in which `{version}`, `{cuda}` and `{next}`, the next major release, are filled in.
    pub specs: Vec<String>,
    /// Where this was read.
    pub source: Page,
}

impl Beside {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks all rows. `compared`: the torch releases whose symbols were read.
    ///
    /// # Errors
    ///
    /// The first row that is wrong, with its place.
    pub fn check(&self, compared: &[String]) -> Result<(), Fault> {
        one(self.conda.as_ref())?;
        all(&self.modules)?;
        all(&self.also)?;
        all(&self.libraries)?;
        all(&self.guards)?;
        all(&self.imports)?;
        all(&self.assemblers)?;
        one(self.source_build.as_ref())?;
        all(&self.prebuilts)?;
        all(&self.cpu_only)?;
        all(&self.old_releases)?;
        all(&self.torch_abi)?;
        for (index, row) in self.torch_abi.iter().enumerate() {
            let fault = |message: String| Fault::new(message).below(TorchExtension::TABLE, index);
            if self.torch_abi.iter().take(index).any(|other| other.version == row.version) {
                return Err(fault(format!("`{}` stands here twice", row.version)));
            }
            for run in &row.torch {
                let (first, last) = run.split_once(" to ").unwrap_or((run, run));
                if ![first, last].iter().all(|end| compared.iter().any(|release| release == end)) {
                    return Err(fault(format!("`{run}` is no run of the releases in `torch_symbols.toml`")));
                }
            }
        }
        Ok(())
    }
}

fn all<R: Row>(rows: &[R]) -> Result<(), Fault> {
    rows.iter().enumerate().try_for_each(|(index, row)| row.check().map_err(|fault| fault.below(R::TABLE, index)))
}

fn one<R: Row>(row: Option<&R>) -> Result<(), Fault> {
    let at = |fault: Fault| Fault { path: vec![R::TABLE.to_owned()], ..fault };
    row.map_or(Ok(()), |row| row.check().map_err(at))
}

impl Row for CondaName {
    const TABLE: &str = "conda";

    fn check(&self) -> Result<(), Fault> {
        if self.specs.is_empty() {
            return Err(Fault::new("no `specs`"));
        }
        day(&self.source.read)
    }
}
