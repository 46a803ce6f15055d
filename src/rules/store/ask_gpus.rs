//! What the rules tell of GPUs: by name, by PCI id, by what somebody calls one.

use std::collections::BTreeMap;

use super::db::RuleDb;
use crate::rules::schema::page::cite_key;
use crate::rules::schema::{GpuClass, GpuPattern, GpuProduct, SeriesRow};
use crate::version::ComputeCapability;

/// What is known of a GPU by its name or PCI id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuModel {
    /// E.g. `12.0`.
    pub capability: ComputeCapability,
    /// E.g. `geforce`; unknown for a board of which only the chip is known.
    pub class: Option<GpuClass>,
    /// The page and the day.
    pub citation: String,
}

impl RuleDb {
    /// A GPU by the name that the driver prints.
    #[must_use]
    pub fn gpu_by_name(&self, name: &str) -> Option<GpuModel> {
        let row = self.gpu_pattern(name)?;
        Some(GpuModel {
            capability: row.capability,
            class: Some(row.class),
            citation: cite_key(&self.packed.tables.gpus.sources, &row.source),
        })
    }

    /// The machine type of a product that is CPU and GPU in one, e.g. `aarch64` for `NVIDIA GH200 480GB`, with the page.
    #[must_use]
    pub fn host_of_gpu(&self, name: &str) -> Option<(&str, String)> {
        let row = self.gpu_pattern(name)?;
        Some((row.host.as_deref()?, cite_key(&self.packed.tables.gpus.sources, &row.source)))
    }

    /// A GPU as people write it: `RTX 5090`, `rtx5090`, `H100`, `4070 ti super`.
    #[must_use]
    pub fn gpu_by_loose_name(&self, text: &str) -> Option<GpuModel> {
        if let Some(row) = self.product_by_loose_name(text) {
            return Some(GpuModel {
                capability: row.capability,
                class: Some(row.class),
                citation: cite_key(&self.packed.tables.gpus.sources, &row.source),
            });
        }
        if !names_a_product(text) {
            return self.gpu_by_name(text);
        }
        let upper = text.to_uppercase();
        let brands = self.gpu_series().iter().map(|series| series.brand.as_str());
        let brands: Vec<&str> =
            ["NVIDIA", "GeForce"].into_iter().chain(brands).chain(["Tesla", "Quadro", "Jetson"]).collect();
        let named = |text: &str| {
            let branded = brands.iter().find_map(|brand| self.gpu_by_name(&format!("{brand} {text}")));
            self.gpu_by_name(text).or(branded)
        };
        named(text).or_else(|| named(&upper))
    }

    /// How the names of boards begin that people call without a number, e.g. `Jetson`.
    #[must_use]
    pub fn gpu_boards(&self) -> Vec<&str> {
        self.packed.tables.gpus.boards.iter().map(|board| board.word.as_str()).collect()
    }

    /// How people call products, e.g. `RTX` for numbers that begin with `50`.
    #[must_use]
    pub fn gpu_series(&self) -> &[SeriesRow] {
        &self.packed.tables.gpus.series
    }

    /// The GPUs that a name in part may mean, those of one compute capability and class once: `GeForce RTX 207...` as nvidia-smi
    /// clips it, `GeForce RTX 20xx` for a series, `compute capability 7.x`. None for any other text.
    #[must_use]
    pub fn gpus_of_part(&self, text: &str) -> Vec<GpuModel> {
        let gpus = &self.packed.tables.gpus;
        let mut found: Vec<GpuModel> = Vec::new();
        let mut add = |capability: ComputeCapability, class: GpuClass, source: &str| {
            if !found.iter().any(|other| (other.capability, other.class) == (capability, Some(class))) {
                let citation = cite_key(&gpus.sources, source);
                found.push(GpuModel { capability, class: Some(class), citation });
            }
        };
        let lower = text.to_ascii_lowercase();
        if let Some(major) = lower.strip_prefix("compute capability ").and_then(|rest| rest.strip_suffix(".x")) {
            let is_meant = |capability: ComputeCapability| capability.major.to_string() == major;
            let patterns = gpus.patterns.iter().filter(|row| is_meant(row.capability));
            patterns.for_each(|row| add(row.capability, row.class, &row.source));
            let products = gpus.products.iter().filter(|row| is_meant(row.capability));
            products.for_each(|row| add(row.capability, row.class, &row.source));
        } else if let Some(stem) = ["...", "…", "xx"].iter().find_map(|end| text.strip_suffix(end)) {
            let stem = squeeze_product(stem);
            // A brand alone would be half the catalogue.
            if stem.len() >= 5 && stem.bytes().any(|byte| byte.is_ascii_digit()) {
                let begins = |row: &&GpuProduct| squeeze_product(&row.name).starts_with(&stem);
                gpus.products.iter().filter(begins).for_each(|row| add(row.capability, row.class, &row.source));
            }
        }
        found.sort_by_key(|model| model.capability);
        found
    }

    /// The class of all GPUs that a name in part may mean; none where they differ.
    #[must_use]
    pub fn class_of_part(&self, text: &str) -> Option<GpuClass> {
        let models = self.gpus_of_part(text);
        let first = models.first()?.class;
        first.filter(|_| models.iter().all(|model| model.class == first))
    }

    /// Product names nearest to a text that names no GPU, best first, at most three.
    #[must_use]
    pub fn gpu_suggestions(&self, text: &str) -> Vec<&str> {
        let wanted = squeeze(text);
        let mut near: Vec<_> = self
            .packed
            .tables
            .gpus
            .products
            .iter()
            .map(|row| row.name.trim_start_matches("NVIDIA ").trim_start_matches("GeForce "))
            .map(|name| (crate::text::distance(&squeeze(name), &wanted), name))
            .filter(|(distance, name)| *distance <= 2.max(name.len() / 3))
            .collect();
        near.sort_unstable();
        near.dedup();
        near.into_iter().take(3).map(|(_, name)| name).collect()
    }

    /// The compute capabilities of all known GPUs, ascending, each with its products.
    #[must_use]
    pub fn capabilities(&self) -> Vec<(ComputeCapability, Vec<String>)> {
        let mut found: BTreeMap<ComputeCapability, Vec<String>> = BTreeMap::new();
        for row in &self.packed.tables.gpus.products {
            let name = row.name.trim_start_matches("NVIDIA ").to_owned();
            let names = found.entry(row.capability).or_default();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        found.into_iter().collect()
    }

    /// A GPU by PCI device id, e.g. 0x2b85.
    #[must_use]
    pub fn gpu_by_pci(&self, device: u32) -> Option<GpuModel> {
        let id = format!("{device:04X}");
        let gpus = &self.packed.tables.gpus;
        if let Some(row) = gpus.products.iter().find(|row| row.devices.contains(&id)) {
            let citation = cite_key(&gpus.sources, &row.source);
            return Some(GpuModel { capability: row.capability, class: Some(row.class), citation });
        }
        let row = gpus
            .pci_blocks
            .iter()
            .filter_map(|row| {
                let longest = row.prefixes.iter().filter(|prefix| id.starts_with(*prefix)).map(String::len).max()?;
                Some((longest, row))
            })
            .max_by_key(|(longest, _)| *longest)?
            .1;
        Some(GpuModel { capability: row.capability, class: None, citation: cite_key(&gpus.sources, &row.source) })
    }

    /// The memory of a GPU by its name as the driver or people write it, in bytes, and where that was read: several sizes where
    /// the name does not say which, none where none is known.
    #[must_use]
    pub fn gpu_memory(&self, name: &str) -> (Vec<u64>, Option<String>) {
        let rules = &self.packed.tables.workload;
        let product = self.product_by_loose_name(name).map(|row| row.name.clone());
        let upper = name.to_uppercase();
        let names = [Some(name), product.as_deref(), Some(&upper)];
        let named = |name: &str| {
            rules.memories.iter().find(|row| regex_lite::Regex::new(&row.regex).is_ok_and(|regex| regex.is_match(name)))
        };
        let Some(row) = names.into_iter().flatten().find_map(named) else { return (Vec::new(), None) };
        (row.gib.iter().map(|gib| gib << 30).collect(), Some(cite_key(&rules.sources, &row.source)))
    }
}

/// Lower-case letters and digits only, for comparing names.
/// `laptop` or `gpu` names none.
fn names_a_product(text: &str) -> bool {
    let wanted = squeeze(text);
    wanted.len() >= 2 && (wanted.contains("titan") || wanted.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Without the maker, which older drivers leave out: `geforcertx2070` of `NVIDIA GeForce RTX 2070`.
fn squeeze_product(text: &str) -> String {
    squeeze(text).replace("nvidia", "")
}

fn squeeze(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether the last words of a product name, or all but `NVIDIA`, spell what was wanted.
fn words_end_with(name: &str, wanted: &str) -> bool {
    let words: Vec<_> = name.split_whitespace().collect();
    (0..words.len()).any(|from| squeeze(&words[from..].concat()) == wanted)
}

impl RuleDb {
    /// The row of a GPU by the name that the driver prints; the first pattern that matches.
    fn gpu_pattern(&self, name: &str) -> Option<&GpuPattern> {
        let rows = &self.packed.tables.gpus.patterns;
        let patterns =
            self.names.get_or_init(|| rows.iter().map(|row| regex_lite::Regex::new(&row.regex).ok()).collect());
        let is_match = |pattern: &Option<regex_lite::Regex>| pattern.as_ref().is_some_and(|it| it.is_match(name));
        rows.get(patterns.iter().position(is_match)?)
    }

    /// A product as people write it.
    fn product_by_loose_name(&self, text: &str) -> Option<&GpuProduct> {
        if !names_a_product(text) {
            return None;
        }
        // As forums write it: 4070TiS, 2080S.
        let wanted = squeeze(text);
        let wanted = match wanted.strip_suffix('s') {
            Some(stem) if stem.ends_with("ti") || stem.len() > 3 && stem.ends_with("70") || stem.ends_with("080") => {
                format!("{stem}super")
            }
            _ => wanted,
        };
        let named = self.packed.tables.gpus.products.iter().filter(|row| words_end_with(&row.name, &wanted));
        named.min_by_key(|row| (row.name.contains("Laptop"), row.name.len()))
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::schema::GpuClass;
    use crate::rules::store::embedded;

    #[test]
    fn a_name_in_part_means_all_products_that_begin_so() {
        let of = |text: &str| {
            let found = embedded().gpus_of_part(text);
            let mut capabilities: Vec<_> = found.iter().map(|model| model.capability.to_string()).collect();
            capabilities.dedup();
            capabilities.join(" ")
        };
        assert_eq!(of("GeForce RTX 207..."), "7.5");
        assert_eq!(of("NVIDIA GeForce RTX 207…"), "7.5");
        assert_eq!(of("GeForce RTX 40xx"), "8.9");
        // The RTX 2050, a laptop's, is of the generation after.
        assert_eq!(of("GeForce RTX 20xx"), "7.5 8.6");
        assert_eq!(of("compute capability 7.x"), "7.0 7.2 7.5");
        for text in ["GeForce...", "GeForce RTX 2070", "NVIDIA...", "...", "xx", "compute capability x.x"] {
            assert_eq!(of(text), "", "{text}");
        }
        assert_eq!(embedded().class_of_part("GeForce RTX 207..."), Some(GpuClass::Geforce));
    }
}
