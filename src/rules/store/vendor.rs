//! The words of other vendors than NVIDIA, and what names one.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use crate::rules::schema::VendorRow;

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

impl Words {
    /// The vendor that a line names.
    pub(super) fn name_in<'v>(&self, line: &str, vendors: &'v [VendorRow]) -> Option<&'v str> {
        let build = || AhoCorasick::new(words(vendors).map(|(_, word, _)| word)).ok();
        let finder = self.0.get_or_init(build).as_ref()?;
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
