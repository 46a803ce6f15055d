//! Does this driver branch know the GPU?

use super::{NONE, update};
use crate::check::Context;
use crate::facts::{Origin, Reading};
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};
use crate::rules::driver::{GpuBound, gpu_bound};

rule! {
    /// This driver branch does not know the GPU.
    ///
    /// Each generation of GPUs has a first and a last driver branch; outside them nvidia-smi finds no device. Known
    /// from NVIDIA's lists of supported products in the rules. Install a driver of a branch that supports the GPU.
    pub OLD_FOR_GPU = "driver/gpu": Driver, Fail, since "0.1.0", judged on [Driver, Gpus], by findings;
}

/// GPUs that this driver does not know yet, or no longer.
pub fn findings(context: &Context<'_>) -> Vec<Finding> {
    let facts = context.facts;
    let Some(driver) = &context.target.driver else { return Vec::new() };
    // Who lists its GPUs through the driver has one that knows them.
    if facts.driver.nvml.value().is_some() {
        return Vec::new();
    }
    let refused = facts.origin == Origin::Host && matches!(facts.driver.nvml, Reading::Unreadable { .. });
    let mut findings: Vec<Finding> = Vec::new();
    for gpu in &context.target.gpus {
        let Some(bound) = gpu_bound(gpu.capability, driver, context.db) else { continue };
        let (title, required, citation, remedy) = match bound {
            GpuBound::First(first, citation) => (
                format!("driver {driver} is older than {}, which driver {first} is the first to know", gpu.label),
                format!("{first} or newer"),
                citation,
                update(context, &first),
            ),
            GpuBound::Last(branch, toolkit, citation) => (
                format!("driver {driver} no longer supports {}: branch {branch} is the last", gpu.label),
                format!("branch {branch} or older"),
                citation,
                Remedy::new(
                    format!("Install a driver of branch {branch}, and builds for CUDA {toolkit} or older"),
                    NONE,
                ),
            ),
        };
        if let Some(known) = findings.iter_mut().find(|known| known.remedies.first() == Some(&remedy)) {
            known.gpus.extend(gpu.index);
            continue;
        }
        // A report may mix two machines.
        let severity = if refused { Severity::Fail } else { Severity::Warn };
        findings.push(
            OLD_FOR_GPU
                .found(&[], title)
                .severity(severity)
                .message("nvidia-smi and CUDA find no device then, although the GPU is on the bus.")
                .packages(["nvidia-driver"])
                .gpus(gpu.index)
                .evidence([Evidence::rule("driver", driver.to_string()).required(required).cited(citation)])
                .remedies([remedy]),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn a_gpu_has_a_first_branch() {
        let of = |driver| Case::host().gpu("NVIDIA GeForce RTX 5090", "12.0").driver(driver).found(&OLD_FOR_GPU);
        assert_eq!(
            of("550.54.15"),
            ["driver/gpu: driver 550.54.15 is older than GPU 0 NVIDIA GeForce RTX 5090, which \
              driver 570.26 is the first to know"]
        );
        assert!(of("580.65.06").is_empty());
    }
}
