//! Whose stack is it? Those of other vendors than NVIDIA are recognised, and not judged.

use super::db::RuleDb;
use super::vendor::OtherVendor;
use crate::facts::{Facts, Reading, TORCH};

impl RuleDb {
    /// The vendor that a line of a report names: by a field with a value, an error, or a device.
    #[must_use]
    pub fn vendor_in(&self, line: &str) -> Option<&str> {
        self.vendor_words.name_in(line, &self.packed.tables.gpus.vendors)
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

#[cfg(test)]
mod tests {
    use crate::rules::store::embedded;

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
