//! Has a build no kernel at all for this GPU?

use super::gpu_evidence;
use super::verdict::Judged;
use crate::check::rebuild::{ARCH_LIST, own_source};
use crate::check::{Context, Installed, Installer, out_of_reach};
use crate::finding::{Change, Finding, Remedy, Severity, rule};
use crate::rules::requirement::{is_about, parse};
use crate::rules::target::{arch_list, gpu_words};
use crate::text;
use crate::version::ComputeCapability;

rule! {
    /// A build has no kernel for this GPU.
    ///
    /// `no kernel image is available for execution on the device` (error 209). Machine code runs on its own major
    /// compute capability and not below its minor; PTX runs on what is newer. Known from the headers of the fat
    /// binaries in the installed files, or from the published wheels in the rules. Install the variant for a CUDA that
    /// supports the GPU: what decides is the variant, not only the release.
    pub NO_KERNEL = "gpu-arch/{package}": GpuArch, Warn, since "0.1.0", judged on [Libraries, Builds, Gpus];
}

/// Says what it holds instead, on some GPUs of the target.
pub fn finding(
    context: &Context<'_>,
    installed: &Installed<'_>,
    judged: &Judged,
    without: &[usize],
    severity: Severity,
    required_by: Option<&str>,
) -> Finding {
    let target = &context.target;
    let gpus: Vec<_> = without.iter().map(|gpu| &target.gpus[*gpu]).collect();
    let mut capabilities: Vec<_> = gpus.iter().map(|gpu| gpu.capability).collect();
    capabilities.sort_unstable();
    capabilities.dedup();
    let words: Vec<_> = capabilities.iter().map(ToString::to_string).collect();
    let newest = judged.targets.iter().filter(|target| !target.ptx).max();
    let variant = match (judged.local.as_deref(), newest) {
        (Some(local), Some(newest)) => format!(
            " What decides is the build, not the release: {local} holds machine code up to {newest}, and other CUDA \
             variants of a release may hold other targets."
        ),
        _ => String::new(),
    };
    let mut evidence = judged.evidence.clone();
    if let Some(first) = evidence.first_mut() {
        first.required = Some(needed(&capabilities));
    }
    for capability in &capabilities {
        let first = gpus.iter().find(|gpu| gpu.capability == *capability);
        evidence.extend(first.map(|gpu| gpu_evidence(context, gpu.index, gpu.capability)));
    }
    NO_KERNEL
        .found(
            &[installed.name()],
            format!(
                "{} has no kernel for compute capability {} ({})",
                installed.title(),
                text::list(&words),
                gpu_words(&gpus)
            ),
        )
        .severity(severity)
        .message(match required_by.filter(|_| severity != Severity::Fail) {
            Some(other) => format!("{other} requires it, and may do without it on this GPU."),
            None => format!("{}{variant}", super::no_image(context)),
        })
        .packages([installed.name()])
        .gpus(gpus.iter().filter_map(|gpu| gpu.index))
        .evidence(evidence)
        .remedies(capabilities.first().and_then(|gpu| not_compiled(context, installed, *gpu)))
        .remedies(match installed.package {
            Some(package) => out_of_reach::remedy(context, package, &capabilities),
            None => Some(rebuilt(context, installed, &capabilities)),
        })
}

/// What the rules do not cover was compiled by somebody, and is compiled again for these GPUs.
fn rebuilt(context: &Context<'_>, installed: &Installed<'_>, capabilities: &[ComputeCapability]) -> Remedy {
    let list = arch_list(capabilities.iter().copied());
    let summary = format!("Compile {} again for this GPU, with {ARCH_LIST}={list}", installed.name());
    Remedy::new(summary, own_source(installed.distribution, &list, context.facts))
}

/// What to do where no release of today is compiled for a GPU from its source either; none where one may be.
fn not_compiled(context: &Context<'_>, installed: &Installed<'_>, gpu: ComputeCapability) -> Option<Remedy> {
    let name = installed.name();
    let newest = context.db.source_build(name)?.compiles.last()?;
    let least = newest.gpus.iter().min().filter(|least| gpu < **least)?;
    let summary = format!("Do without {name} on this GPU: its source is compiled for sm_{} and newer only", least.sm());
    if !context.stack.needed_by(name, &context.target, context.db).is_empty() {
        return None;
    }
    let gone = Change::Remove { name: name.to_owned(), location: installed.distribution.location.clone() };
    let remedy = Remedy::new(summary, Installer::of(context.facts).uninstall(&[name]));
    Some(Remedy { change: Some(Change::All(vec![gone])), ..remedy })
}

/// The first other distribution that requires this one.
pub fn required_by<'a>(context: &'a Context<'_>, installed: &Installed<'_>) -> Option<&'a str> {
    let requires = |other: &&Installed<'_>| {
        let lines = other.requires().unwrap_or_default();
        other.name() != installed.name()
            && lines.iter().filter(|line| is_about(line, installed.name())).any(|line| parse(line).is_ok())
    };
    context.stack.installed.iter().find(requires).map(|other| other.distribution.name.as_str())
}

/// What would run on these compute capabilities, in words.
fn needed(capabilities: &[ComputeCapability]) -> String {
    let words: Vec<_> = capabilities
        .iter()
        .map(|capability| {
            let base = ComputeCapability::new(capability.major, 0).sm();
            if capability.minor == 0 { format!("sm_{base}") } else { format!("sm_{base} to sm_{}", capability.sm()) }
        })
        .collect();
    format!("{}, or PTX that is not newer", text::list(&words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn torch_2_6_ends_before_blackwell() {
        let of =
            |gpu, capability| Case::host().gpu(gpu, capability).installed("torch", "2.6.0+cu124").found(&NO_KERNEL);
        assert_eq!(
            of("NVIDIA GeForce RTX 5090", "12.0"),
            ["gpu-arch/torch: torch 2.6.0+cu124 has no kernel for compute capability 12.0 (GPU 0 \
              NVIDIA GeForce RTX 5090)"]
        );
        assert!(of("NVIDIA GeForce RTX 4090", "8.9").is_empty(), "sm_86 runs on 8.9");
    }
}
