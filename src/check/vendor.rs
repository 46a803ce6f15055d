//! Is the stack for another vendor's GPUs? Then it is recognised, and said to be not judged.

use super::Context;
use crate::facts::Facts;
use crate::finding::{Basis, Evidence, Finding, Kind, Outcome, Severity};
use crate::rules::RuleDb;

/// The distributions whose local label says what a stack is for.
const LABELLED: [&str; 3] = ["torch", "torchvision", "torchaudio"];

/// Another vendor's stack, and how it was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vendor {
    /// E.g. `AMD's ROCm`.
    pub name: String,
    /// E.g. `torch 2.7.1+rocm6.3`.
    pub sign: String,
    /// The page and the day.
    pub citation: String,
}

/// The vendor that facts are about; none where nothing says that it is not NVIDIA.
///
/// A label of torch decides. A distribution does only where no NVIDIA GPU is seen: XLA exists beside NVIDIA's GPUs too.
#[must_use]
pub fn other_vendor(facts: &Facts, db: &RuleDb) -> Option<Vendor> {
    let nvidia = facts.gpus.value().is_some_and(|gpus| !gpus.is_empty()) || facts.driver.version.value().is_some();
    let found = |name: &str, sign: String, citation| Vendor { name: name.to_owned(), sign, citation };
    let title = |name: &str| facts.distribution(name).map(|one| format!("{name} {}", one.full_version()));
    for (row, citation) in db.vendors() {
        let labelled = LABELLED.iter().find(|name| {
            let label = facts.distribution(name).and_then(|one| one.local());
            label.is_some_and(|label| row.labels.iter().any(|begin| label.starts_with(begin.as_str())))
        });
        if let Some(sign) = labelled.and_then(|name| title(name)) {
            return Some(found(&row.name, sign, citation));
        }
        if nvidia {
            continue;
        }
        if let Some(sign) = row.distributions.iter().find_map(|name| title(name)) {
            return Some(found(&row.name, sign, citation));
        }
        if row.os.is_some() && row.os.as_ref() == facts.system.os.value() {
            return Some(found(&row.name, row.os.clone().unwrap_or_default(), citation));
        }
    }
    None
}

/// The same with what the checks share.
pub fn of(context: &Context<'_>) -> Option<Vendor> {
    other_vendor(context.facts, context.db)
}

/// Says what the other checks pass over.
pub fn check(context: &Context<'_>) -> Outcome {
    let Some(Vendor { name, sign, citation }) = of(context) else {
        return Outcome::NotApplicable("nothing says that the stack is for another vendor's GPUs".to_owned());
    };
    Outcome::Findings(vec![Finding {
        id: "system/vendor".to_owned(),
        title: format!("this stack is for {name}, which gpudoc does not judge"),
        message: "gpudoc knows NVIDIA's GPUs and drivers. Whether this stack fits its own GPU is not checked; what Python packages \
                  require of each other is."
            .to_owned(),
        evidence: vec![Evidence {
            fact: "stack".to_owned(),
            observed: sign,
            required: None,
            source: Basis::Rule,
            citation: Some(citation),
        }],
        ..Finding::of(Kind::System, Severity::Info)
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Distribution, Gpu, Origin, Reading};
    use crate::rules::embedded;

    fn vendor(distributions: &[(&str, &str)], gpu: bool, os: &str) -> Option<String> {
        let mut facts = Facts::unknown(Origin::Host);
        facts.system.os = Reading::host(os.to_owned(), "the test");
        facts.gpus = if gpu { Reading::host(vec![Gpu::default()], "the test") } else { Reading::absent("the test") };
        facts.distributions = distributions
            .iter()
            .map(|(name, version)| Distribution {
                name: (*name).to_owned(),
                version: Reading::metadata((*version).to_owned(), "the test"),
                ..Distribution::default()
            })
            .collect();
        other_vendor(&facts, embedded()).map(|vendor| format!("{}: {}", vendor.name, vendor.sign))
    }

    #[test]
    fn a_label_decides_and_a_distribution_only_without_an_nvidia_gpu() {
        let of = |distributions: &[(&str, &str)], gpu| vendor(distributions, gpu, "linux");
        let rocm = Some("AMD's ROCm: torch 2.7.1+rocm6.3".to_owned());
        assert_eq!(of(&[("torch", "2.7.1+rocm6.3")], true), rocm);
        assert_eq!(of(&[("torch", "2.8.0+xpu")], false), Some("Intel's XPU: torch 2.8.0+xpu".to_owned()));
        let npu = [("torch", "2.1.0"), ("torch-npu", "2.1.0.post10")];
        assert_eq!(of(&npu, false), Some("Huawei's Ascend: torch-npu 2.1.0.post10".to_owned()));
        assert_eq!(of(&[("torch", "2.5.1"), ("torch-xla", "2.5.1")], true), None, "XLA runs on NVIDIA's GPUs too");
        assert_eq!(of(&[("torch", "2.7.1+cpu")], false), None, "a CPU build is nobody's");
        assert_eq!(vendor(&[("torch", "2.7.1")], false, "macos"), Some("Apple's Metal: macos".to_owned()));
    }
}
