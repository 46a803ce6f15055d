//! Do the installed builds hold code for the GPUs that are here?
//!
//! The installed files decide. A row of the rules stands in where nobody looked at the files: in a pasted report, or for
//! a build that a remedy would install.

modules!(check::gpu_arch);

use std::collections::BTreeMap;

use self::by_files::judge_files;
use self::by_row::judge_row;
use self::code::{InstalledCode, code_of};
pub use self::code::{chosen_libraries, torch_without_code};
use self::verdict::Verdict;
use crate::check::{Context, Installed, looked};
use crate::facts::{Gpu, Origin, Source};
use crate::finding::{Basis, Evidence, Finding, Outcome, Severity};
use crate::rules::model::Package;
use crate::rules::role::is_runtime_wheel;
use crate::rules::schema::CudaStop;
use crate::text;
use crate::version::ComputeCapability;

/// Judges the device code of every distribution that holds some.
pub fn check(context: &Context<'_>) -> Outcome {
    let target = &context.target;
    if target.gpus.is_empty() {
        return match context.facts.gpus.value() {
            Some(gpus) if !gpus.is_empty() => Outcome::Skipped("the compute capability of the GPUs".to_owned()),
            None if !context.facts.gpus.is_absent() => Outcome::Skipped("the list of GPUs".to_owned()),
            _ => Outcome::NotApplicable("no NVIDIA GPU was found".to_owned()),
        };
    }
    let mut findings = wheels_without_kernel::findings(context);
    let mut judged = 0;
    let mut unknown = Vec::new();
    for installed in &context.stack.installed {
        findings.extend(installed.row.and_then(|(_, build)| triton_ptxas::finding(context, installed, build)));
        match code_of(context, installed) {
            Some(code) => {
                judged += 1;
                findings.extend(judge(context, installed, &code));
                // What torch says of itself leaves out what only some of its kernels have.
                if context.facts.origin != Origin::Report {
                    findings.extend(other_code::finding(installed, &code));
                }
            }
            None if is_unknown(installed) => {
                unknown.push(installed.title());
                findings.extend(old_toolkit::finding(context, installed));
            }
            None => {}
        }
    }
    findings.extend(old_toolkit::of_conda(context));
    findings.extend(no_build::finding(context));
    if findings.is_empty() && judged == 0 {
        return match unknown.as_slice() {
            [] => Outcome::NotApplicable("nothing is installed that holds GPU code known to the rules".to_owned()),
            unknown => Outcome::Skipped(format!("the GPU code of {}", text::list(unknown))),
        };
    }
    looked(findings)
}

/// Whether a distribution should hold device code, but nobody knows which.
fn is_unknown(installed: &Installed<'_>) -> bool {
    let unknown = match installed.row {
        Some((_, build)) => build.cuda.is_some() && build.code.is_empty() && build.assembles.is_empty(),
        None => installed.package.is_some_and(Package::holds_code) && installed.cuda() != Some(None),
    };
    unknown && !is_runtime_wheel(installed.name())
}

fn judge(context: &Context<'_>, installed: &Installed<'_>, code: &InstalledCode<'_>) -> Vec<Finding> {
    let judged = match code {
        InstalledCode::Files(libraries) => judge_files(context, installed, libraries),
        InstalledCode::Row(build, code) => judge_row(context, installed, build, code),
    };
    let mut findings = Vec::new();
    let mut without = Vec::new();
    let mut elsewhere = Vec::new();
    let mut partly: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    for (gpu, verdict) in judged.verdicts.iter().enumerate() {
        match verdict {
            Verdict::Runs => {}
            Verdict::No => without.push(gpu),
            Verdict::OtherGpus => elsewhere.push(gpu),
            Verdict::PtxTooNew(gap, driver) => {
                findings.push(only_ptx::finding(context, installed, &judged, gpu, gap, driver));
            }
            Verdict::Partly(usable, all) => partly.entry((*usable, *all)).or_default().push(gpu),
        }
    }
    let required_by = no_kernel::required_by(context, installed);
    if !without.is_empty() {
        // What another package brought along, it may well do without on this GPU.
        let covered = installed.package.is_some_and(Package::holds_code);
        let severity = if required_by.is_some() && !covered { Severity::Warn } else { Severity::Fail };
        findings.push(no_kernel::finding(context, installed, &judged, &without, severity, required_by));
    }
    if !elsewhere.is_empty() {
        let severity = if required_by.is_some() { Severity::Info } else { Severity::Warn };
        findings.push(no_kernel::finding(context, installed, &judged, &elsewhere, severity, required_by));
    }
    for ((usable, all), gpus) in partly {
        findings.push(few_kernels::finding(context, installed, &judged, (usable, all), &gpus));
    }
    findings
}

/// What a program says whose library has no code for the GPU.
fn no_image(context: &Context<'_>) -> String {
    let error = context.db.tables().cuda_errors.number(CudaStop::NoKernel);
    format!("CUDA reports `no kernel image is available for execution on the device` (error {error}).")
}

fn gpu_evidence(context: &Context<'_>, index: Option<u32>, capability: ComputeCapability) -> Evidence {
    let gpus = context.facts.gpus.value().map(Vec::as_slice).unwrap_or_default();
    let gpu = gpus.iter().find(|gpu| Some(gpu.index) == index);
    let source = gpu.and_then(|gpu| gpu.compute_capability.source());
    Evidence::of(
        if matches!(source, Some(Source::Rule(_))) { Basis::Rule } else { Basis::Host },
        gpu.map_or_else(|| "GPU".to_owned(), Gpu::label),
        format!("compute capability {capability}"),
    )
    .cited(source.map(|source| source.place().to_owned()))
}
