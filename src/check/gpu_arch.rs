//! Do the installed builds hold code for the GPUs that are here?

use std::collections::BTreeSet;

use super::{Context, Installed, Stack, looked};
use crate::finding::{Basis, Evidence, Finding, Kind, Outcome, Severity};
use crate::rules::kernel::{Runs, code_runs};
use crate::rules::model::{Build, Code};
use crate::rules::obstacle::{Obstacle, code_obstacles};
use crate::rules::partner::loaded_code;
use crate::rules::requirement::is_runtime_wheel;
use crate::rules::target::gpu_words;
use crate::text;
use crate::version::{CodeTarget, ComputeCapability};

/// Judges the device code of every build that the rules know.
pub fn check(context: &Context<'_>) -> Outcome {
    let target = &context.target;
    if target.gpus.is_empty() {
        return match context.facts.gpus.value() {
            Some(gpus) if !gpus.is_empty() => Outcome::Skipped("the compute capability of the GPUs".to_owned()),
            None if !context.facts.gpus.is_absent() => Outcome::Skipped("the list of GPUs".to_owned()),
            _ => Outcome::NotApplicable("no NVIDIA GPU was found".to_owned()),
        };
    }
    let mut findings = Vec::new();
    let mut judged = 0;
    let mut unknown = Vec::new();
    for installed in &context.stack.installed {
        let Some((release, build)) = installed.row else {
            if Stack::is_gpu(installed.name(), context.db)
                && installed.package.is_some()
                && installed.cuda() != Some(None)
            {
                unknown.push(installed.title());
            }
            continue;
        };
        findings.extend(triton(context, installed, build));
        let Some(package) = installed.package else { continue };
        let version = &release.version;
        let torch = context.stack.torch_cuda().flatten();
        let Ok(code) = loaded_code(package, version, build, torch, context.db) else { continue };
        if code.is_empty() {
            if build.cuda.is_some() && !is_runtime_wheel(installed.name()) {
                unknown.push(installed.title());
            }
            continue;
        }
        judged += 1;
        findings.extend(judge(context, installed, build, &code));
    }
    if findings.is_empty() && judged == 0 {
        return match unknown.as_slice() {
            [] => Outcome::NotApplicable("nothing is installed that holds GPU code known to the rules".to_owned()),
            unknown => Outcome::Skipped(format!("the GPU code of {}", text::list(unknown))),
        };
    }
    looked(findings)
}

fn judge(context: &Context<'_>, installed: &Installed<'_>, build: &Build, code: &[&Code]) -> Vec<Finding> {
    let (target, db) = (&context.target, context.db);
    let cuda = build.cuda.or(code.iter().find_map(|code| code.for_cuda));
    let mut findings = Vec::new();
    let mut without: Vec<(usize, Vec<CodeTarget>)> = Vec::new();
    for obstacle in code_obstacles(code, cuda, target, db) {
        match obstacle {
            Obstacle::NoKernel { gpu, targets, .. } => without.push((gpu, targets)),
            Obstacle::Ptx { gpu, ref gap, ref driver, .. } => {
                let label = &target.gpus[gpu].label;
                findings.push(Finding {
                    id: format!("gpu-arch/{}", installed.name()),
                    kind: Kind::GpuArch,
                    severity: Severity::Fail,
                    title: format!("{} has only PTX for {label}, and driver {driver} is too old for it", installed.title()),
                    message: format!(
                        "PTX is compiled by the driver when it is loaded, and this PTX comes from CUDA {}: driver {} or \
                         newer understands it. CUDA reports an unsupported PTX version (error 222).",
                        gap.cuda, gap.needs
                    ),
                    packages: vec![installed.name().to_owned()],
                    gpus: target.gpus[gpu].index.into_iter().collect(),
                    evidence: vec![code_evidence(installed, build, code), driver_evidence(context, gap.needs.to_string())],
                    remedies: Vec::new(),
                    references: Vec::new(),
                });
            }
            _ => {}
        }
    }
    if let Some((_, targets)) = without.first() {
        findings.push(no_kernel(context, installed, build, code, &without, targets));
    }
    let capabilities: BTreeSet<_> = target.gpus.iter().map(|gpu| gpu.capability).collect();
    for capability in capabilities {
        let gpus: Vec<_> = target.gpus.iter().filter(|gpu| gpu.capability == capability).collect();
        let ways = code.iter().filter(|code| !code.optional).map(|code| code_runs(code, capability, cuda, db));
        let partly =
            ways.filter_map(|way| if let Runs::Partly(usable, all) = way { Some((usable, all)) } else { None });
        if let Some((usable, all)) = partly.max()
            && usable.saturating_mul(2) < best_served(code)
        {
            findings.push(Finding {
                id: format!("gpu-arch/{}", installed.name()),
                kind: Kind::GpuArch,
                severity: Severity::Info,
                title: format!(
                    "{} has kernels for {} in {usable} of {all} containers",
                    installed.title(),
                    gpu_words(&gpus)
                ),
                message:
                    "The functions in the other containers do not run on this GPU; the package may never call them \
                          there."
                        .to_owned(),
                packages: vec![installed.name().to_owned()],
                gpus: gpus.iter().filter_map(|gpu| gpu.index).collect(),
                evidence: vec![code_evidence(installed, build, code)],
                remedies: Vec::new(),
                references: Vec::new(),
            });
        }
    }
    findings
}

/// The number of containers for the target that most of them have. Libraries such as vLLM's hold other kernels for each sort
/// of GPU: what is a small share of all containers may be as many as any GPU has.
fn best_served(code: &[&Code]) -> u32 {
    let counts = code.iter().map(|code| match code.sass.is_empty() && code.ptx.is_empty() {
        true => code.special.iter().map(|(_, count)| *count).max().unwrap_or(0),
        false => code.containers.unwrap_or(0),
    });
    counts.max().unwrap_or(0)
}

fn no_kernel(
    context: &Context<'_>,
    installed: &Installed<'_>,
    build: &Build,
    code: &[&Code],
    without: &[(usize, Vec<CodeTarget>)],
    targets: &[CodeTarget],
) -> Finding {
    let target = &context.target;
    let gpus: Vec<_> = without.iter().map(|(gpu, _)| &target.gpus[*gpu]).collect();
    let mut capabilities: Vec<_> = gpus.iter().map(|gpu| gpu.capability).collect();
    capabilities.sort_unstable();
    capabilities.dedup();
    let words: Vec<_> = capabilities.iter().map(ToString::to_string).collect();
    let newest = targets.iter().filter(|target| !target.ptx).max();
    let variant = match (build.local.as_deref(), newest) {
        (Some(local), Some(newest)) => format!(
            " What decides is the build, not the release: {local} holds machine code up to {newest}, and other CUDA \
             variants of a release may hold other targets."
        ),
        _ => String::new(),
    };
    let mut evidence = vec![code_evidence(installed, build, code)];
    evidence[0].required = Some(needed(&capabilities));
    for capability in &capabilities {
        let first = gpus.iter().find(|gpu| gpu.capability == *capability);
        evidence.extend(first.map(|gpu| gpu_evidence(context, gpu.index, gpu.capability)));
    }
    Finding {
        id: format!("gpu-arch/{}", installed.name()),
        kind: Kind::GpuArch,
        severity: Severity::Fail,
        title: format!(
            "{} has no kernel for compute capability {} ({})",
            installed.title(),
            text::list(&words),
            gpu_words(&gpus)
        ),
        message: format!(
            "CUDA reports `no kernel image is available for execution on the device` (error 209).{variant}"
        ),
        packages: vec![installed.name().to_owned()],
        gpus: gpus.iter().filter_map(|gpu| gpu.index).collect(),
        evidence,
        remedies: Vec::new(),
        references: Vec::new(),
    }
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

fn code_evidence(installed: &Installed<'_>, build: &Build, code: &[&Code]) -> Evidence {
    let mut targets: Vec<_> = code.iter().flat_map(|code| code.sass.iter().chain(&code.ptx)).copied().collect();
    targets.sort_unstable();
    targets.dedup();
    let words: Vec<_> = targets.iter().map(ToString::to_string).collect();
    let words = if words.is_empty() { "no common target".to_owned() } else { words.join(" ") };
    let library = code.iter().find_map(|code| code.for_cuda);
    let of = library.map_or_else(String::new, |cuda| format!(" in its library for CUDA {cuda}"));
    Evidence {
        fact: format!("{} build", installed.name()),
        observed: format!("{}: {words}{of}", installed.distribution.full_version()),
        required: None,
        source: Basis::Rule,
        citation: Some(build.source.citation()),
    }
}

fn gpu_evidence(context: &Context<'_>, index: Option<u32>, capability: ComputeCapability) -> Evidence {
    let gpus = context.facts.gpus.value().map(Vec::as_slice).unwrap_or_default();
    let gpu = gpus.iter().find(|gpu| Some(gpu.index) == index);
    let source = gpu.and_then(|gpu| gpu.compute_capability.source());
    Evidence {
        fact: gpu.map_or_else(|| "GPU".to_owned(), crate::facts::Gpu::label),
        observed: format!("compute capability {capability}"),
        required: None,
        source: if matches!(source, Some(crate::facts::Source::Rule(_))) { Basis::Rule } else { Basis::Host },
        citation: source.map(|source| source.place().to_owned()),
    }
}

fn driver_evidence(context: &Context<'_>, needs: String) -> Evidence {
    Evidence {
        fact: "driver".to_owned(),
        observed: context.target.user_mode_driver().map(ToString::to_string).unwrap_or_default(),
        required: Some(format!("{needs} or newer")),
        source: Basis::Host,
        citation: context.facts.driver.version.source().map(|source| source.place().to_owned()),
    }
}

/// Triton compiles on the machine, with the ptxas in its wheel: can that assemble for these GPUs?
fn triton(context: &Context<'_>, installed: &Installed<'_>, build: &Build) -> Option<Finding> {
    let package = installed.package?;
    if build.assembles.is_empty() {
        return None;
    }
    // Only what some release was measured to assemble was measured at all.
    let measured = |capability: ComputeCapability| {
        package.releases.iter().flat_map(|release| &release.builds).any(|build| build.assembles.contains(&capability))
    };
    let gpus: Vec<_> = context
        .target
        .gpus
        .iter()
        .filter(|gpu| !build.assembles.contains(&gpu.capability) && measured(gpu.capability))
        .collect();
    let first = gpus.first()?;
    let known: Vec<_> = build.assembles.iter().map(|capability| format!("sm_{}", capability.sm())).collect();
    Some(Finding {
        id: format!("gpu-arch/{}", installed.name()),
        kind: Kind::GpuArch,
        severity: Severity::Warn,
        title: format!(
            "{}'s ptxas cannot assemble for sm_{} ({})",
            installed.title(),
            first.capability.sm(),
            gpu_words(&gpus)
        ),
        message:
            "`torch.compile` and Triton kernels fail on this GPU (`ptxas fatal: Value 'sm_…' is not defined`, or an \
                  assertion in the compiler); eager torch is not affected."
                .to_owned(),
        packages: vec![installed.name().to_owned()],
        gpus: gpus.iter().filter_map(|gpu| gpu.index).collect(),
        evidence: vec![
            Evidence {
                fact: format!("{} build", installed.name()),
                observed: format!("{} assembles for {}", installed.distribution.full_version(), known.join(" ")),
                required: Some(format!("sm_{}", first.capability.sm())),
                source: Basis::Rule,
                citation: Some(build.source.citation()),
            },
            gpu_evidence(context, first.index, first.capability),
        ],
        remedies: Vec::new(),
        references: Vec::new(),
    })
}
