//! `platform/gpus.toml`: GPUs by name and PCI id, and the words of other vendors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{Page, Table, cited, fault, pages};
use crate::version::ComputeCapability;

/// `rules/platform/gpus.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GpuTable {
    /// Pages by key.
    pub sources: BTreeMap<String, Page>,
    /// Ordered: the first pattern that matches a device name decides.
    #[serde(rename = "pattern")]
    pub patterns: Vec<GpuPattern>,
    /// Device ids by leading digits, for boards that no product row names.
    #[serde(rename = "pci-block")]
    pub pci_blocks: Vec<PciBlock>,
    /// Known products.
    #[serde(rename = "product")]
    pub products: Vec<GpuProduct>,
    /// Stacks of other vendors.
    #[serde(rename = "vendor")]
    pub vendors: Vec<VendorRow>,
    /// How people call products.
    #[serde(rename = "series")]
    pub series: Vec<SeriesRow>,
    /// How the names of boards begin that people call without a number, in any order.
    #[serde(rename = "board")]
    pub boards: Vec<BoardRow>,
}

/// Products that people call by a word and a number, or by the number alone: `RTX 5090`, `5090`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SeriesRow {
    /// The word before the number, in capitals, e.g. `RTX`.
    pub word: String,
    /// What stands before the number in the products' names, e.g. `GeForce RTX`.
    pub brand: String,
    /// How their numbers begin, two digits each, e.g. `50`.
    pub begins: Vec<String>,
    /// A key of `sources`.
    pub source: String,
}

/// A word with which the names of boards begin, after which a pattern knows the rest: `Jetson` of `Jetson AGX Orin`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BoardRow {
    /// The word, e.g. `Jetson`.
    pub word: String,
    /// A key of `sources`.
    pub source: String,
}

/// How the stack of another vendor than NVIDIA is recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VendorRow {
    /// As it is called, e.g. `AMD ROCm`.
    pub name: String,
    /// How the local label of its torch begins, e.g. `rocm` of `2.7.1+rocm6.3`.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Distributions that are installed for nothing else.
    #[serde(default)]
    pub distributions: Vec<String>,
    /// The operating system that has nothing else.
    #[serde(default)]
    pub os: Option<String>,
    /// Names of lines in reports, where a number, a tuple or `True` follows.
    #[serde(default)]
    pub fields: Vec<String>,
    /// What stands in its errors and nowhere else.
    #[serde(default)]
    pub says: Vec<String>,
    /// Parts of the names of its devices.
    #[serde(default)]
    pub names: Vec<String>,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// Device names and what they mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GpuPattern {
    /// Unanchored, case-sensitive.
    pub regex: String,
    /// E.g. `12.0`.
    pub capability: ComputeCapability,
    /// E.g. `Blackwell`.
    pub architecture: String,
    /// E.g. `geforce`.
    pub class: GpuClass,
    /// The machine type where the product is CPU and GPU in one, e.g. `aarch64`.
    #[serde(default)]
    pub host: Option<String>,
    /// A key of `sources`.
    pub source: String,
}

/// PCI device ids that begin with these hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PciBlock {
    /// E.g. `2B` for 0x2b85.
    pub prefixes: Vec<String>,
    /// E.g. `12.0`.
    pub capability: ComputeCapability,
    /// E.g. `Blackwell`.
    pub architecture: String,
    /// A key of `sources`.
    pub source: String,
}

/// One product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GpuProduct {
    /// As the driver prints it, e.g. `NVIDIA GeForce RTX 5090`.
    pub name: String,
    /// E.g. `12.0`.
    pub capability: ComputeCapability,
    /// E.g. `geforce`.
    pub class: GpuClass,
    /// PCI device ids, four hexadecimal digits each.
    #[serde(default)]
    pub devices: Vec<String>,
    /// A key of `sources`.
    pub source: String,
}

/// The market segment of a GPU; decides forward compatibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GpuClass {
    /// Tesla and data-centre boards, e.g. T4, A100, H100, L40S.
    Datacenter,
    /// Grace superchips, e.g. GH200, GB200.
    Grace,
    /// Quadro, RTX A and RTX PRO boards.
    Workstation,
    /// GeForce.
    Geforce,
    /// TITAN.
    Titan,
    /// Jetson and DRIVE.
    JetsonTegra,
    /// DGX Spark and RTX Spark.
    DgxSpark,
}

impl GpuClass {
    /// The class in a sentence, e.g. `GeForce`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Datacenter => "data-centre",
            Self::Grace => "Grace",
            Self::Workstation => "workstation",
            Self::Geforce => "GeForce",
            Self::Titan => "TITAN",
            Self::JetsonTegra => "Jetson",
            Self::DgxSpark => "DGX Spark",
        }
    }
}

impl Table for GpuTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        for (index, row) in self.patterns.iter().enumerate() {
            cited(&self.sources, &row.source, "pattern", index)?;
        }
        for (index, row) in self.pci_blocks.iter().enumerate() {
            cited(&self.sources, &row.source, "pci-block", index)?;
        }
        for (index, row) in self.products.iter().enumerate() {
            cited(&self.sources, &row.source, "product", index)?;
            for earlier in self.products.iter().take(index).filter(|earlier| earlier.capability != row.capability) {
                let shared = row.devices.iter().find(|id| earlier.devices.contains(id));
                if let Some(id) = shared.or((earlier.name == row.name).then_some(&row.name)) {
                    return Err(fault("product", index, &format!("`{id}` has another capability in an earlier row")));
                }
            }
            if row.devices.iter().any(|id| id.len() != 4 || u16::from_str_radix(id, 16).is_err()) {
                return Err(fault("product", index, "a device id is four hexadecimal digits"));
            }
        }
        for (index, row) in self.boards.iter().enumerate() {
            cited(&self.sources, &row.source, "board", index)?;
        }
        for (index, row) in self.series.iter().enumerate() {
            cited(&self.sources, &row.source, "series", index)?;
            let two_digits = |begin: &String| begin.len() == 2 && begin.bytes().all(|digit| digit.is_ascii_digit());
            let capitals = row.word.bytes().all(|letter| letter.is_ascii_uppercase());
            if row.word.is_empty() || !capitals || row.begins.is_empty() || !row.begins.iter().all(two_digits) {
                return Err(fault(
                    "series",
                    index,
                    "a series has a word in capitals, and numbers that begin with two digits",
                ));
            }
        }
        for (index, row) in self.vendors.iter().enumerate() {
            row.sources.iter().try_for_each(|source| cited(&self.sources, source, "vendor", index))?;
            let words = [&row.fields, &row.says, &row.names].into_iter().flatten();
            if row.sources.is_empty() || words.into_iter().any(|word| word.len() < 4) {
                return Err(fault("vendor", index, "a vendor has sources, and words of four letters or more"));
            }
        }
        Ok(())
    }
}
