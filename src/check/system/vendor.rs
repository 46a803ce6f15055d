//! Is the stack for another vendor's GPUs? Then it is recognised, and said to be not judged.

use crate::check::Context;
use crate::finding::{Evidence, Outcome, rule};

rule! {
    /// This stack is for another vendor's accelerators.
    ///
    /// ROCm, XPU, MPS, Neuron, Ascend and TPU builds are recognised and not judged. Known from the labels and packages.
    pub VENDOR = "system/vendor": System, Info, since "0.1.0", judged on [Builds];
}

/// Says what the other checks pass over.
pub fn check(context: &Context<'_>) -> Outcome {
    let Some(vendor) = context.db.other_vendor(context.facts) else {
        return Outcome::NotApplicable("nothing says that the stack is for another vendor's GPUs".to_owned());
    };
    Outcome::Findings(vec![
        VENDOR
            .found(&[], format!("this stack is for {}, which gpudoc does not judge", vendor.name))
            .message(
                "gpudoc knows NVIDIA's GPUs and drivers. Whether this stack fits its own GPU is not checked; what \
                 Python packages require of each other is.",
            )
            .evidence([Evidence::rule("stack", vendor.by)]),
    ])
}

#[cfg(test)]
mod tests {
    use super::VENDOR;
    use crate::check::cases::Case;
    use crate::facts::{Distribution, Facts, Gpu, Origin, Reading};
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
        embedded().other_vendor(&facts).map(|vendor| format!("{}: {}", vendor.name, vendor.by))
    }

    #[test]
    fn a_label_decides_and_a_distribution_only_without_an_nvidia_gpu() {
        let of = |distributions: &[(&str, &str)], gpu| vendor(distributions, gpu, "linux");
        let rocm = Some("AMD ROCm: torch 2.7.1+rocm6.3".to_owned());
        assert_eq!(of(&[("torch", "2.7.1+rocm6.3")], true), rocm);
        assert_eq!(of(&[("torch", "2.8.0+xpu")], false), Some("Intel XPU: torch 2.8.0+xpu".to_owned()));
        let npu = [("torch", "2.1.0"), ("torch-npu", "2.1.0.post10")];
        assert_eq!(of(&npu, false), Some("Huawei Ascend: torch-npu is installed".to_owned()));
        assert_eq!(of(&[("torch", "2.5.1"), ("torch-xla", "2.5.1")], true), None, "XLA runs on NVIDIA's GPUs too");
        assert_eq!(of(&[("torch", "2.7.1+cpu")], false), None, "a CPU build is nobody's");
        assert_eq!(vendor(&[("torch", "2.7.1")], false, "macos"), Some("Apple MPS: macos".to_owned()));
    }

    #[test]
    fn what_is_for_another_vendor_is_said() {
        let with = |version: &str| Case::host().installed("torch", version).found(&VENDOR);
        let title = "this stack is for AMD ROCm, which gpudoc does not judge";
        assert_eq!(with("2.7.1+rocm6.3"), [format!("system/vendor: {title}")]);
        assert_eq!(with("2.7.1+cu128"), [""; 0]);
    }
}
