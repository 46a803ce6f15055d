//! `platform/source_builds.toml`: what is compiled against the installed torch, and how.

use serde::{Deserialize, Serialize};

use super::super::fault::{Fault, day};
use super::page::{OpenedWheel, Page, Table, fault, normalised};
use crate::version::ComputeCapability;

/// `rules/platform/source_builds.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SourceBuildTable {
    /// Ascending by name.
    #[serde(rename = "package")]
    pub packages: Vec<SourceBuild>,
}

/// A package that compiles against the installed torch when it is installed from source, so that another torch, or another
/// CUDA of torch, means a rebuild.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SourceBuild {
    /// The normalised name, e.g. `torchsparse`.
    pub name: String,
    /// It compiles CUDA code: that takes the nvcc of torch's CUDA. Otherwise C++ alone.
    pub cuda: bool,
    /// What names the GPUs to compile for, e.g. `TORCH_CUDA_ARCH_LIST`; none where the setup has a list of its own or takes the
    /// GPU at hand.
    #[serde(default)]
    pub arch_variable: Option<String>,
    /// Of a variable of its own: all that its setup knows; it writes them as `80`, with `;` between, and what it does not know
    /// it passes over. Empty for the variable that torch reads, and where this is not known.
    #[serde(default)]
    pub arch_values: Vec<ComputeCapability>,
    /// What asks for the compiled part, e.g. `DS_BUILD_OPS=1`; none where a plain install compiles it.
    #[serde(default)]
    pub only_with: Option<String>,
    /// The build requirements name torch. It then builds in isolation, against the torch that the installer puts there, which
    /// need not be the installed one. Where this is false, only `--no-build-isolation` lets the setup see a torch.
    pub isolation: bool,
    /// Its setup at a tag or a commit.
    pub source: Page,
}

impl SourceBuild {
    /// What its variable must say for some GPUs, each the newest value whose machine code runs there: `80;120` for 8.6 and 12.0.
    /// None where it has no such list, or one of the GPUs none of its values.
    #[must_use]
    pub fn arch_list(&self, gpus: &[ComputeCapability]) -> Option<String> {
        let value = |gpu: &ComputeCapability| {
            self.arch_values.iter().filter(|value| value.major == gpu.major && value.minor <= gpu.minor).max()
        };
        let values: Option<std::collections::BTreeSet<_>> = gpus.iter().map(value).collect();
        let words: Vec<String> = values?.into_iter().map(|value| format!("{}{}", value.major, value.minor)).collect();
        (!words.is_empty()).then(|| words.join(";"))
    }
}

/// A torch release whose exported symbols were read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TorchRelease {
    /// E.g. `2.7.1`.
    pub version: String,
    /// The wheel that was opened.
    pub source: OpenedWheel,
}

/// Symbols that the same torch releases export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BuildHistory {
    /// The releases that export them, as runs of those that were read: `["2.1.0 to 2.6.0"]`.
    pub releases: Vec<String>,
    /// Mangled names.
    pub symbols: Vec<String>,
}

impl Table for SourceBuildTable {
    const FILE: &str = "source_builds";

    fn check(&self) -> Result<(), Fault> {
        let mut before = "";
        for (index, row) in self.packages.iter().enumerate() {
            let at = |message: &str| fault("package", index, message);
            normalised(&row.name).map_err(|message| at(&message))?;
            if row.name.as_str() <= before {
                return Err(at(&format!("`{}` does not come after `{before}`: names ascend, each once", row.name)));
            }
            before = &row.name;
            if row.arch_variable.is_some() && !row.cuda {
                return Err(at("`arch-variable` without CUDA code"));
            }
            let variables = [&row.arch_variable, &row.only_with].into_iter().flatten();
            for name in variables.map(|text| text.split_once('=').map_or(text.as_str(), |(name, _)| name)) {
                if name.is_empty()
                    || !name.bytes().all(|letter| letter.is_ascii_uppercase() || b"_0123456789".contains(&letter))
                {
                    return Err(at(&format!("`{name}` is no environment variable")));
                }
            }
            let page = &row.source.page;
            if !page.starts_with("https://") || page.contains("/blob/main/") || page.contains("/blob/master/") {
                return Err(at(&format!("`{page}` is no address that stays as it was read: name a tag or a commit")));
            }
            day(&row.source.read).map_err(|found| at(&found.message))?;
        }
        Ok(())
    }
}
