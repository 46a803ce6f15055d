//! `[source-build]` of a package: it is compiled against the installed torch, and how.

use serde::{Deserialize, Serialize};

use super::fault::{Fault, day};
use super::page::{Page, Row, variable};
use super::range::Range;
use crate::pep::Version;
use crate::version::{ComputeCapability, CudaVersion};

/// A package that compiles against the installed torch when it is installed from source, so that another torch, or another
/// CUDA of torch, means a rebuild.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SourceBuild {
    /// It compiles CUDA code: that takes the nvcc of torch's CUDA. Otherwise C++ alone.
    pub cuda: bool,
    /// What names the GPUs to compile for, e.g. `TORCH_CUDA_ARCH_LIST`; none where the setup has a list of its own or takes the
    /// GPU at hand.
    #[serde(default)]
    pub arch_variable: Option<String>,
    /// The GPUs that its releases compile code for, whatever the machine has; empty where that is left to torch or the machine, and
    /// where nobody looked.
    #[serde(default)]
    pub compiles: Vec<Compiles>,
    /// What asks for the compiled part, e.g. `DS_BUILD_OPS=1`; none where a plain install compiles it.
    #[serde(default)]
    pub only_with: Option<String>,
    /// What keeps its setup from taking a ready wheel from its release page instead, e.g. `FLASH_ATTENTION_FORCE_BUILD=TRUE`.
    #[serde(default)]
    pub force: Option<String>,
    /// The build requirements name torch. It then builds in isolation, against the torch that the installer puts there, which
    /// need not be the installed one. Where this is false, only `--no-build-isolation` lets the setup see a torch.
    pub isolation: bool,
    /// No index serves its source: it is compiled from the repository that `source` is of.
    #[serde(default)]
    pub from_repository: bool,
    /// Its setup at a tag or a commit.
    pub source: Page,
    /// Where ready wheels lie, a page for each torch.
    #[serde(default)]
    pub wheels: Option<WheelPages>,
}

/// Which GPUs some releases compile code for: all that their setup knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Compiles {
    /// PEP 440 specifiers, e.g. `>=2.0,<2.7.3`.
    pub versions: Range,
    /// Machine code, e.g. `8.0`; no PTX.
    pub gpus: Vec<ComputeCapability>,
    /// `arch-variable` chooses among them: it writes them as `80`, with `;` between, and passes over what it does not know.
    #[serde(default)]
    pub chosen: bool,
    /// The setup at a tag of these releases.
    pub source: Page,
}

/// Pages of wheels that were built for one torch each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WheelPages {
    /// With `{torch}` for the first release of torch's line and `{cuda}` for the label of its CUDA:
    /// `https://data.pyg.org/whl/torch-{torch}+{cuda}.html`.
    pub page: String,
    /// Where that is said.
    pub source: Page,
}

impl SourceBuild {
    /// The page of wheels for a torch, `https://data.pyg.org/whl/torch-2.6.0+cu124.html` for 2.6.1 and CUDA 12.4.
    #[must_use]
    pub fn wheels_for(&self, torch: &Version, cuda: CudaVersion) -> Option<String> {
        let page = &self.wheels.as_ref()?.page;
        let [major, minor, ..] = torch.release() else { return None };
        Some(page.replace("{torch}", &format!("{major}.{minor}.0")).replace("{cuda}", &cuda.variant()))
    }

    /// What pip compiles it from, where no index serves its source: `git+https://github.com/mit-han-lab/torchsparse.git`, with the
    /// folder of its setup, `#subdirectory=bindings/torch`.
    #[must_use]
    pub fn repository(&self) -> Option<String> {
        let (repository, file) = self.source.page.split_once("/blob/").filter(|_| self.from_repository)?;
        let folder = file.split_once('/').and_then(|(_, path)| Some(path.rsplit_once('/')?.0));
        let folder = folder.map_or_else(String::new, |folder| format!("#subdirectory={folder}"));
        Some(format!("git+{repository}.git{folder}"))
    }

    /// What a release compiles code for; none where its setup has no list of its own.
    #[must_use]
    pub fn compiles_for(&self, version: &Version) -> Option<&Compiles> {
        self.compiles.iter().find(|row| row.versions.has(version))
    }

    /// What the variable must say for some GPUs to a release, or to the newest where none is named, each the newest value whose
    /// machine code runs there: `80;120` for 8.6 and 12.0. None where it chooses from no such list, or one of the GPUs has none of
    /// its values.
    #[must_use]
    pub fn arch_list(&self, version: Option<&Version>, gpus: &[ComputeCapability]) -> Option<String> {
        let row =
            version.map_or(self.compiles.last(), |version| self.compiles_for(version)).filter(|row| row.chosen)?;
        let value = |gpu: &ComputeCapability| {
            row.gpus.iter().filter(|value| value.major == gpu.major && value.minor <= gpu.minor).max()
        };
        let values: Option<std::collections::BTreeSet<_>> = gpus.iter().map(value).collect();
        let words: Vec<String> = values?.into_iter().map(|value| format!("{}{}", value.major, value.minor)).collect();
        (!words.is_empty()).then(|| words.join(";"))
    }
}

impl Row for SourceBuild {
    const TABLE: &str = "source-build";

    fn check(&self) -> Result<(), Fault> {
        if self.arch_variable.is_some() && !self.cuda {
            return Err(Fault::new("`arch-variable` without CUDA code"));
        }
        let variables = [&self.arch_variable, &self.only_with].into_iter().flatten();
        for name in variables.map(|text| text.split_once('=').map_or(text.as_str(), |(name, _)| name)) {
            variable(name).map_err(Fault::new)?;
        }
        if let Some(wheels) = &self.wheels {
            day(&wheels.source.read)?;
            if !["{torch}", "{cuda}", "https://"].iter().all(|part| wheels.page.contains(part)) {
                return Err(Fault::new(format!("`{}` is no page for each torch", wheels.page)));
            }
        }
        for row in &self.compiles {
            day(&row.source.read)?;
            if row.gpus.is_empty() || (row.chosen && self.arch_variable.is_none()) {
                return Err(Fault::new("`compiles` without GPUs, or chosen by no variable"));
            }
        }
        let page = &self.source.page;
        if self.from_repository && self.repository().is_none() {
            return Err(Fault::new(format!("`{page}` is of no repository")));
        }
        if !page.starts_with("https://") {
            return Err(Fault::new(format!("`{page}` is no address of its setup")));
        }
        day(&self.source.read)
    }
}
