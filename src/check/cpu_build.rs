//! Is torch a CPU build on a machine with a GPU?

use super::{Context, Installed, looked};
use crate::facts::Origin;
use crate::finding::{Evidence, Finding, Outcome, Severity, rule};
use crate::rules::model::Release;
use crate::rules::target::gpu_words;

rule! {
    /// `pip install torch` brings a CPU build on this platform.
    ///
    /// The default index has no CUDA build of these releases for Linux on aarch64. Known from the published wheels in
    /// the rules. Name PyTorch's own index for a CUDA release.
    pub PLAIN_INSTALL = "cpu-build/torch": CpuBuild, Warn, since "0.1.0", judged on [System, Report];
}

rule! {
    /// torch is a CPU build on a machine with a GPU.
    ///
    /// The build holds no CUDA code, so `torch.cuda.is_available()` is False whatever the driver. Known from
    /// `torch/version.py` and the local label (`+cpu`). Install the same release from an index of CUDA builds that fits
    /// the driver and the GPU.
    pub CPU_BUILD = "cpu-build/torch": CpuBuild, Fail, since "0.1.0", judged on [Gpus, Builds];
}

/// Looks at torch's build.
pub fn check(context: &Context<'_>) -> Outcome {
    let Some(torch) = context.stack.get("torch") else {
        if let Some(finding) = plain_install(context) {
            return looked(vec![finding]);
        }
        return Outcome::NotApplicable("torch is not installed".to_owned());
    };
    let target = &context.target;
    if target.gpus.is_empty() {
        return match context.facts.gpus.value() {
            None if context.facts.origin == Origin::Report && torch.cuda() == Some(None) => {
                looked(vec![finding(torch, Severity::Warn, "the report does not name the GPU", Vec::new())])
            }
            None if !context.facts.gpus.is_absent() => Outcome::Skipped("the list of GPUs".to_owned()),
            _ => Outcome::NotApplicable("no NVIDIA GPU was found".to_owned()),
        };
    }
    let cuda = match torch.cuda() {
        None => return Outcome::Skipped("torch's build (torch/version.py)".to_owned()),
        Some(cuda) => cuda,
    };
    if cuda.is_some() {
        return Outcome::Pass;
    }
    let gpus = gpu_words(&target.gpus.iter().collect::<Vec<_>>());
    let gpus = format!("this machine has {gpus}");
    let indices = target.gpus.iter().filter_map(|gpu| gpu.index).collect();
    looked(vec![finding(torch, Severity::Fail, &gpus, indices)])
}

/// `pip install torch` on a platform for which PyPI had no CUDA build.
fn plain_install(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    let arch = facts.system.arch.value()?;
    if !facts.pasted.as_ref()?.plain_install || arch != "aarch64" {
        return None;
    }
    let torch = context.db.package("torch")?;
    let platform = "linux_aarch64";
    let from_pypi = |release: &&Release| {
        release.builds.iter().any(|build| build.platform == platform && build.index == "pypi" && build.cuda.is_none())
    };
    let last = torch.releases.iter().rev().find(from_pypi)?;
    let citation = last.builds.iter().find(|build| build.platform == platform).map(|build| build.source.citation());
    Some(PLAIN_INSTALL.found(&[], format!("`pip install torch` on aarch64 brings a CPU build up to torch {}", last.version)).message("PyPI's wheels of these releases for Linux on aarch64 hold no CUDA code; the CUDA builds are on PyTorch's own indexes.").packages(["torch"]).evidence([Evidence::rule("machine type", arch.clone()).required("a build for CUDA".to_owned()).cited(citation)]))
}

fn finding(torch: &Installed<'_>, severity: Severity, gpus: &str, indices: Vec<u32>) -> Finding {
    CPU_BUILD
        .found(&[], format!("{} is a CPU build, and {gpus}", torch.title()))
        .severity(severity)
        .message("It holds no CUDA code: `torch.cuda.is_available()` is False, whatever the driver.")
        .packages(["torch"])
        .gpus(indices)
        .evidence([Evidence::binary(
            "torch build",
            format!("{}, built without CUDA", torch.distribution.full_version()),
        )
        .required("a build for CUDA".to_owned())
        .cited(torch.cuda_place())])
}
