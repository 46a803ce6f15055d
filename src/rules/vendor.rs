//! Whose stack is it? Those of other vendors than NVIDIA are recognised, and not judged.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use super::RuleDb;
use super::schema::VendorRow;
use crate::facts::{Facts, Reading, TORCH};

/// The stack of another vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherVendor {
    /// As the rules name it, e.g. `AMD ROCm`.
    pub name: String,
    /// What says so, e.g. `torch 2.7.1+rocm6.3`.
    pub by: String,
}

impl OtherVendor {
    /// Why nothing is judged, in a sentence that names the vendor.
    #[must_use]
    pub fn why(&self) -> String {
        format!("an NVIDIA stack: this one is for {} ({}), which gpudoc does not judge", self.name, self.by)
    }
}

/// The words of all vendors, ready to be looked for.
#[derive(Default)]
pub(super) struct Words(OnceLock<Option<AhoCorasick>>);

/// What a word proves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    Field,
    Error,
    Device,
}

fn words(vendors: &[VendorRow]) -> impl Iterator<Item = (&str, &str, Proof)> {
    vendors.iter().flat_map(|vendor| {
        let all = [(&vendor.fields, Proof::Field), (&vendor.says, Proof::Error), (&vendor.names, Proof::Device)];
        all.into_iter()
            .flat_map(move |(words, proof)| words.iter().map(move |word| (vendor.name.as_str(), word.as_str(), proof)))
    })
}

impl RuleDb {
    /// The vendor that a line of a report names: by a field with a value, an error, or a device.
    #[must_use]
    pub fn vendor_in(&self, line: &str) -> Option<&str> {
        let vendors = &self.packed.tables.gpus.vendors;
        let build = || AhoCorasick::new(words(vendors).map(|(_, word, _)| word)).ok();
        let finder = self.vendor_words.0.get_or_init(build).as_ref()?;
        finder.find_overlapping_iter(line).find_map(|found| {
            let (name, _, proof) = words(vendors).nth(found.pattern().as_usize())?;
            let holds = match proof {
                Proof::Field => line.get(found.end()..).is_some_and(has_value),
                Proof::Error => true,
                Proof::Device => is_about_a_device(line),
            };
            holds.then_some(name)
        })
    }

    /// Whose stack these facts are, where it is not NVIDIA's. An NVIDIA GPU or its driver decides against any other word.
    #[must_use]
    pub fn other_vendor(&self, facts: &Facts) -> Option<OtherVendor> {
        let gpus = facts.gpus.value().map(Vec::as_slice).unwrap_or_default();
        let is_nvidia = |name: &String| self.gpu_by_name(name).is_some();
        if facts.driver.version.value().is_some() || gpus.iter().filter_map(|gpu| gpu.name.value()).any(is_nvidia) {
            return None;
        }
        let torch = facts.distribution(TORCH);
        let local = torch.and_then(|torch| torch.local()).unwrap_or_default();
        let vendors = &self.packed.tables.gpus.vendors;
        let by_label = vendors.iter().find(|row| row.labels.iter().any(|label| local.starts_with(label.as_str())));
        if let (Some(row), Some(torch)) = (by_label, torch) {
            return Some(OtherVendor { name: row.name.clone(), by: format!("torch {}", torch.full_version()) });
        }
        for row in vendors {
            if let Some(found) = row.distributions.iter().find_map(|name| facts.distribution(name)) {
                return Some(OtherVendor { name: row.name.clone(), by: format!("{} is installed", found.name) });
            }
        }
        if let Reading::Known { value, source } = &facts.vendor {
            return Some(OtherVendor { name: value.clone(), by: source.place().to_owned() });
        }
        let os = facts.system.os.value()?;
        let row = vendors.iter().find(|row| row.os.as_ref() == Some(os))?;
        Some(OtherVendor { name: row.name.clone(), by: os.clone() })
    }
}

/// Whether something that is there stands behind the name of a field: ` : 6.3.42131`, `: (0, 'instance-type: trn1')`, `: True`.
fn has_value(rest: &str) -> bool {
    let value = rest.trim_start_matches([' ', ':', '.', '=']);
    rest.len() > value.len()
        && (value.starts_with(|letter: char| letter.is_ascii_digit() || letter == '(') || value.starts_with("True"))
}

/// Whether a line begins with what it is about, and that is a device: `GPU 0: AMD Radeon RX 7900 XTX`.
fn is_about_a_device(line: &str) -> bool {
    const ABOUT: [&str; 10] =
        ["gpu", "device", "accelerator", "graphics", "video", "card", "npu", "tpu", "instance", "hardware"];
    let head = line.split([':', '|', '=']).next().unwrap_or_default().to_lowercase();
    let words = head.split(|letter: char| !letter.is_alphanumeric()).take(4);
    line.contains([':', '|', '='])
        && words.into_iter().any(|word| ABOUT.contains(&word.trim_end_matches('s')) || word == "gpus")
}

#[cfg(test)]
mod tests {
    use crate::rules::embedded;

    #[test]
    fn a_line_names_a_vendor_by_a_value_an_error_or_a_device() {
        for (line, expected) in [
            ("ROCM used to build PyTorch: 6.3.42131-fa1d09cbd", Some("AMD ROCm")),
            ("ROCM used to build PyTorch   : N/A", None),
            ("HIP runtime version: N/A", None),
            ("GPU 0: AMD Radeon RX 7900 XTX", Some("AMD ROCm")),
            ("Model name: AMD Ryzen 7 7840U w/ Radeon 780M Graphics", None),
            ("RuntimeError: HIP error: invalid device function", Some("AMD ROCm")),
            ("Is XPU available: False", None),
            ("Is XPU available: True", Some("Intel XPU")),
            ("Neuron SDK Version: N/A", None),
            ("Neuron SDK Version: (0, 'instance-type: inf2.xlarge')", Some("AWS Neuron")),
            ("Device: Apple M3 Max", Some("Apple MPS")),
            ("NPU: Ascend 910B", Some("Huawei Ascend")),
            ("GPU 0: NVIDIA A100-SXM4-80GB", None),
        ] {
            assert_eq!(embedded().vendor_in(line), expected, "{line}");
        }
    }
}
