//! Do the installed builds hold code for the GPUs that are here?
//!
//! The installed files decide. A row of the rules stands in where nobody looked at the files: in a pasted report, or for
//! a build that a remedy would install.

use std::collections::BTreeMap;

use super::{Context, Installed, looked, out_of_reach, prebuilt};
use crate::facts::{CodeGroup, Library, Origin};
use crate::finding::{Basis, Evidence, Finding, Outcome, Remedy, Severity, rule};
use crate::rules::RuleDb;
use crate::rules::driver::{DriverGap, ptx_gap};
use crate::rules::kernel::{Runs, Share, Way, code_runs, is_nvidias, together};
use crate::rules::model::{Build, Code, Package, RowSource};
use crate::rules::obstacle::{Obstacle, code_obstacles};
use crate::rules::partner::{loaded_code, pick_library};
use crate::rules::requirement::{is_about, is_runtime_wheel, parse};
use crate::rules::schema::LibraryPick;
use crate::rules::target::gpu_words;
use crate::text;
use crate::version::{CodeTarget, ComputeCapability, CudaVersion, DriverVersion};

rule! {
    /// A build was compiled with a CUDA that makes no code for this GPU.
    ///
    /// The toolkit is older than the GPU's generation. Known from the CUDA of the build and the toolkits in the rules.
    /// Install a build for a newer CUDA.
    pub OLD_TOOLKIT = "gpu-arch/{package}": GpuArch, Warn, since "0.1.0", judged on [Builds, Gpus];
}

rule! {
    /// Only some of a library's kernels run on this GPU.
    ///
    /// The rest is for other GPUs, or not needed. Known from the headers of the fat binaries, container by container.
    /// Nothing to do while it works; if a function stops with `no kernel image is available`, install another build.
    pub FEW_KERNELS = "gpu-arch/{package}": GpuArch, Info, since "0.1.0", judged on [Libraries, Gpus];
}

rule! {
    /// An installed build holds other GPU code than the published wheel.
    ///
    /// It was built elsewhere or changed. Known by comparing the installed files with the rules. What is installed is
    /// what counts here.
    pub OTHER_CODE = "gpu-arch/{package}": GpuArch, Info, since "0.1.0", judged on [Libraries, Builds];
}

rule! {
    /// A build has only PTX for this GPU, and the driver is too old to compile it.
    ///
    /// The driver compiles PTX at load, if its CUDA is not older than the toolkit that wrote it; otherwise `the
    /// provided PTX was compiled with an unsupported toolchain` (error 222). Known from the fat binaries and the
    /// driver. Update the driver, or install a build with machine code for the GPU.
    pub ONLY_PTX = "gpu-arch/{package}": GpuArch, Fail, since "0.1.0", judged on [Libraries, Gpus, Driver];
}

rule! {
    /// A build has no kernel for this GPU.
    ///
    /// `no kernel image is available for execution on the device` (error 209). Machine code runs on its own major
    /// compute capability and not below its minor; PTX runs on what is newer. Known from the headers of the fat
    /// binaries in the installed files, or from the published wheels in the rules. Install the variant for a CUDA that
    /// supports the GPU: what decides is the variant, not only the release.
    pub NO_KERNEL = "gpu-arch/{package}": GpuArch, Warn, since "0.1.0", judged on [Libraries, Builds, Gpus];
}

rule! {
    /// Triton's ptxas cannot assemble for this GPU.
    ///
    /// `torch.compile` and Triton kernels stop with a ptxas error. Known from the ptxas that the wheel ships, read into
    /// the rules. Install the triton and torch that know the GPU.
    pub PTXAS = "gpu-arch/{package}": GpuArch, Warn, since "0.1.0", judged on [Builds, Gpus];
}

const TORCH: &str = "torch";
/// The CUDA runtime of conda packages for CUDA 11 and older.
const CONDA_TOOLKIT: &str = "cudatoolkit";
/// How many libraries are named as evidence.
const NAMED: usize = 3;

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
    let mut findings = prebuilt::code(context);
    let mut judged = 0;
    let mut unknown = Vec::new();
    for installed in &context.stack.installed {
        findings.extend(installed.row.and_then(|(_, build)| triton(context, installed, build)));
        match code_of(context, installed) {
            Some(code) => {
                judged += 1;
                findings.extend(judge(context, installed, &code));
                // What torch says of itself leaves out what only some of its kernels have.
                if context.facts.origin != Origin::Report {
                    findings.extend(disagreement(installed, &code));
                }
            }
            None if is_unknown(installed) => {
                unknown.push(installed.title());
                findings.extend(older_toolkit(context, installed));
            }
            None => {}
        }
    }
    findings.extend(conda_toolkit(context));
    if findings.is_empty() && judged == 0 {
        return match unknown.as_slice() {
            [] => Outcome::NotApplicable("nothing is installed that holds GPU code known to the rules".to_owned()),
            unknown => Outcome::Skipped(format!("the GPU code of {}", text::list(unknown))),
        };
    }
    looked(findings)
}

/// A torch of which nobody knows the code, but whose toolkit compiles none that this GPU runs. What goes with torch is of
/// the same toolkit, and would only say it again.
fn older_toolkit(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    too_old_for(context, installed, installed.cuda()?.filter(|_| installed.name() == TORCH)?)
}

fn too_old_for(context: &Context<'_>, installed: &Installed<'_>, cuda: CudaVersion) -> Option<Finding> {
    let firsts = context.target.gpus.iter().filter_map(|gpu| {
        let (first, citation) = context.db.first_toolkit_for(gpu.capability)?;
        (cuda < first).then_some((gpu, first, citation))
    });
    let firsts: Vec<_> = firsts.collect();
    let (gpu, first, citation) = firsts.first()?;
    let gpus: Vec<_> = firsts.iter().map(|(gpu, ..)| *gpu).collect();
    let words = gpu_words(&gpus);
    Some(OLD_TOOLKIT.found(&[installed.name()], format!("{} is compiled with CUDA {cuda}, which makes no machine code for {words}", installed.title())).message(format!(
            "Compute capability {} needs a build with CUDA {first} or newer. What this build holds as PTX the driver may \
             compile when it is loaded; the rest ends in `no kernel image is available`.",
            gpu.capability
        )).packages([installed.name()]).gpus(gpus.iter().filter_map(|gpu| gpu.index)).evidence([Evidence::rule(format!("{} build", installed.name()), format!("CUDA {cuda}")).required(format!("CUDA {first} or newer, for sm_{}", gpu.capability.sm())).cited(citation.clone())]).remedies([Remedy::new(format!("Install a build of {} for CUDA {first} or newer", installed.name()), [])]))
}

/// conda's CUDA runtime, where a report does not tell the torch that is for it.
fn conda_toolkit(context: &Context<'_>) -> Option<Finding> {
    if context.stack.get(TORCH).is_some() {
        return None;
    }
    let toolkit = context.stack.installed.iter().find(|installed| installed.name() == CONDA_TOOLKIT)?;
    let full = toolkit.distribution.full_version();
    let cuda = full.splitn(3, '.').take(2).collect::<Vec<_>>().join(".").parse().ok()?;
    too_old_for(context, toolkit, cuda)
}

/// Whether a distribution should hold device code, but nobody knows which.
fn is_unknown(installed: &Installed<'_>) -> bool {
    let unknown = match installed.row {
        Some((_, build)) => build.cuda.is_some() && build.code.is_empty() && build.assembles.is_empty(),
        None => installed.package.is_some_and(Package::holds_code) && installed.cuda() != Some(None),
    };
    unknown && !is_runtime_wheel(installed.name())
}

/// A torch of which nobody knows for which GPUs it holds code.
pub fn torch_without_code(context: &Context<'_>) -> Option<String> {
    let torch = context.stack.get(TORCH)?;
    (torch.cuda() != Some(None) && code_of(context, torch).is_none()).then(|| torch.title())
}

/// The device code that a distribution loads here.
enum InstalledCode<'a> {
    /// As the files say.
    Files(Vec<&'a Library>),
    /// As a row of the rules says of the build.
    Row(&'a Build, Vec<&'a Code>),
}

/// None: it holds none, loads none of it here, or nobody knows.
fn code_of<'a>(context: &Context<'a>, installed: &Installed<'a>) -> Option<InstalledCode<'a>> {
    let torch = context.stack.torch_cuda().flatten();
    if let Some(libraries) = installed.distribution.libraries.value() {
        // NVIDIA's own libraries hold code in other forms too: cuFFT shows one container, for sm_52.
        let is_nvidias = |library: &&Library| is_nvidias(installed.name(), &library.path);
        // What the package never calls where it does not run is no loss.
        if installed.package.is_some_and(Package::code_is_optional) {
            return None;
        }
        let with_code: Vec<_> =
            libraries.iter().filter(|library| !library.code.is_empty() && !is_nvidias(library)).collect();
        let chosen = chosen_libraries(context, installed, with_code, torch);
        // An error message tells of one symbol or another, not of all that there is.
        if !chosen.is_empty() || context.facts.origin != Origin::Report {
            return (!chosen.is_empty()).then_some(InstalledCode::Files(chosen));
        }
    }
    let ((release, build), package) = (installed.row?, installed.package?);
    let code = loaded_code(package, &release.version, build, torch, context.db).ok()?;
    (!code.is_empty()).then_some(InstalledCode::Row(build, code))
}

/// Of libraries that were made for one CUDA each only the one that is loaded beside torch's.
pub fn chosen_libraries<'a>(
    context: &Context<'_>,
    installed: &Installed<'_>,
    libraries: Vec<&'a Library>,
    torch: Option<CudaVersion>,
) -> Vec<&'a Library> {
    let shipped: Vec<CudaVersion> = libraries.iter().filter_map(|library| library.for_cuda).collect();
    if shipped.is_empty() {
        return libraries;
    }
    let rule = installed.package.zip(installed.version.as_ref());
    let pick = rule.and_then(|(package, version)| context.db.library_pick(package, version));
    let pick = pick.map_or(LibraryPick::TorchCudaMajor, |(pick, _)| pick);
    let chosen = torch.and_then(|torch| pick_library(pick, torch, &shipped));
    libraries.into_iter().filter(|library| library.for_cuda.is_none_or(|cuda| Some(cuda) == chosen)).collect()
}

/// How the code runs on one GPU of the target.
enum Verdict {
    Runs,
    No,
    /// It was made for other GPUs on purpose.
    OtherGpus,
    /// By PTX, which this driver cannot compile.
    PtxTooNew(DriverGap, DriverVersion),
    /// Usable containers, of all.
    Partly(u32, u32),
}

/// What is needed of the code for a finding.
struct Judged {
    /// One for each GPU of the target.
    verdicts: Vec<Verdict>,
    /// All that it is compiled for.
    targets: Vec<CodeTarget>,
    evidence: Vec<Evidence>,
    /// The local label of the build, e.g. `cu126`.
    local: Option<String>,
}

fn judge(context: &Context<'_>, installed: &Installed<'_>, code: &InstalledCode<'_>) -> Vec<Finding> {
    let judged = match code {
        InstalledCode::Files(libraries) => judge_files(context, installed, libraries),
        InstalledCode::Row(build, code) => judge_row(context, installed, build, code),
    };
    let target = &context.target;
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
                findings.push(ptx_too_new(context, installed, &judged, gpu, gap, driver));
            }
            Verdict::Partly(usable, all) => partly.entry((*usable, *all)).or_default().push(gpu),
        }
    }
    let required_by = required_by(context, installed);
    if !without.is_empty() {
        // What another package brought along, it may well do without on this GPU.
        let covered = installed.package.is_some_and(Package::holds_code);
        let severity = if required_by.is_some() && !covered { Severity::Warn } else { Severity::Fail };
        findings.push(no_kernel(context, installed, &judged, &without, severity, required_by));
    }
    if !elsewhere.is_empty() {
        let severity = if required_by.is_some() { Severity::Info } else { Severity::Warn };
        findings.push(no_kernel(context, installed, &judged, &elsewhere, severity, required_by));
    }
    for ((usable, all), gpus) in partly {
        let gpus: Vec<_> = gpus.iter().map(|gpu| &target.gpus[*gpu]).collect();
        findings.push(
            FEW_KERNELS
                .found(
                    &[installed.name()],
                    format!(
                        "{} has kernels for {} in {usable} of {all} containers",
                        installed.title(),
                        gpu_words(&gpus)
                    ),
                )
                .message(
                    "The functions in the other containers do not run on this GPU; the package may never call them \
                      there.",
                )
                .packages([installed.name()])
                .gpus(gpus.iter().filter_map(|gpu| gpu.index))
                .evidence(judged.evidence.clone()),
        );
    }
    findings
}

/// By the share of usable containers of each library.
fn judge_files(context: &Context<'_>, installed: &Installed<'_>, libraries: &[&Library]) -> Judged {
    let (target, db) = (&context.target, context.db);
    let cuda = installed.cuda().flatten().or(libraries.iter().find_map(|library| library.for_cuda));
    let whole = installed.package.is_some_and(|package| package.whole);
    let mut lacking: Vec<&Library> = Vec::new();
    let mut verdicts = Vec::new();
    for gpu in &target.gpus {
        let shares: Vec<_> =
            libraries.iter().map(|library| Share::of(&library.code, gpu.capability, cuda, db)).collect();
        let (way, sum) = together(&shares, whole);
        let gap =
            cuda.zip(target.user_mode_driver()).and_then(|(cuda, driver)| Some((ptx_gap(cuda, driver, db)?, driver)));
        verdicts.push(match (way, gap) {
            (Way::Native, _) | (Way::ThroughPtx, None) => Verdict::Runs,
            (Way::ThroughPtx, Some((gap, driver))) => Verdict::PtxTooNew(gap, driver.clone()),
            (Way::Partly, _) if sum.usable().saturating_mul(2) >= best_served(libraries, cuda, db) => Verdict::Runs,
            (Way::Partly, _) => Verdict::Partly(sum.usable(), sum.containers - sum.specific),
            (Way::OtherGpus, _) => Verdict::OtherGpus,
            (Way::No, _) => Verdict::No,
        });
        for (library, share) in libraries.iter().zip(&shares) {
            let lacks = matches!(share.way(), Way::No | Way::Partly) || share.native == 0 && way != Way::Partly;
            if lacks && !lacking.iter().any(|other| other.path == library.path) {
                lacking.push(library);
            }
        }
    }
    lacking.sort_by_key(|library| std::cmp::Reverse(containers(&library.code)));
    let evidence = lacking.iter().take(NAMED).map(|library| {
        Evidence::binary(library.path.clone(), code_in_words(&library.code))
            .cited(Some(installed.distribution.location.clone()).filter(|folder| !folder.is_empty()))
    });
    Judged {
        verdicts,
        targets: all_targets(libraries.iter().flat_map(|library| &library.code)),
        evidence: evidence.collect(),
        local: installed.distribution.local().map(str::to_owned),
    }
}

/// The most containers that any GPU can use. Libraries such as vLLM's hold other kernels for each sort of GPU: what is a
/// small share of all of them may be as many as any GPU has.
fn best_served(libraries: &[&Library], cuda: Option<CudaVersion>, db: &RuleDb) -> u32 {
    let usable = |gpu: ComputeCapability| {
        libraries.iter().map(|library| Share::of(&library.code, gpu, cuda, db).usable()).sum::<u32>()
    };
    db.capabilities().into_iter().map(|(gpu, _)| usable(gpu)).max().unwrap_or(0)
}

fn containers(code: &[CodeGroup]) -> u32 {
    code.iter().map(|group| group.containers).sum()
}

fn all_targets<'a>(code: impl Iterator<Item = &'a CodeGroup>) -> Vec<CodeTarget> {
    let mut targets: Vec<_> = code.flat_map(|group| &group.targets).copied().collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// `sm_80 sm_90, sm_90a in 3 of 378 containers`: the targets of most containers, and the others with their number.
fn code_in_words(code: &[CodeGroup]) -> String {
    let all = containers(code);
    let mut common = Vec::new();
    let mut special = Vec::new();
    for target in all_targets(code.iter()) {
        let holding =
            code.iter().filter(|group| group.targets.contains(&target)).map(|group| group.containers).sum::<u32>();
        if holding.saturating_mul(2) > all {
            common.push(target.to_string());
        } else {
            special.push(format!("{target} in {holding}"));
        }
    }
    let common = if common.is_empty() { "no common target".to_owned() } else { common.join(" ") };
    let word = if all == 1 { "container" } else { "containers" };
    match special.as_slice() {
        [] => format!("{common} in {all} {word}"),
        special => format!("{common}; {} of {all} {word}", special.join(", ")),
    }
}

/// By a row of the rules, as the solver does.
fn judge_row(context: &Context<'_>, installed: &Installed<'_>, build: &Build, code: &[&Code]) -> Judged {
    let (target, db) = (&context.target, context.db);
    let cuda = build.cuda.or(code.iter().find_map(|code| code.for_cuda));
    let mut verdicts: Vec<Verdict> = target
        .gpus
        .iter()
        .map(|gpu| {
            let ways = code.iter().filter(|code| !code.optional).map(|code| code_runs(code, gpu.capability, cuda, db));
            let partly =
                ways.filter_map(|way| if let Runs::Partly(usable, all) = way { Some((usable, all)) } else { None });
            let partly = partly.max().filter(|(usable, _)| usable.saturating_mul(2) < best_served_by_row(code));
            partly.map_or(Verdict::Runs, |(usable, all)| Verdict::Partly(usable, all))
        })
        .collect();
    for obstacle in code_obstacles(code, cuda, target, db) {
        match obstacle {
            Obstacle::NoKernel { gpu, .. } => verdicts[gpu] = Verdict::No,
            Obstacle::Ptx { gpu, gap, driver, .. } => verdicts[gpu] = Verdict::PtxTooNew(gap, driver),
            _ => {}
        }
    }
    let mut targets: Vec<_> = code.iter().flat_map(|code| code.sass.iter().chain(&code.ptx)).copied().collect();
    targets.sort_unstable();
    targets.dedup();
    let evidence = vec![code_evidence(installed, build, code, &targets)];
    Judged { verdicts, targets, evidence, local: build.local.clone() }
}

/// The same as [`best_served`] as far as a row tells: the number of containers for the target that most of them have.
fn best_served_by_row(code: &[&Code]) -> u32 {
    let counts = code.iter().map(|code| match code.sass.is_empty() && code.ptx.is_empty() {
        true => code.special.iter().map(|(_, count)| *count).max().unwrap_or(0),
        false => code.containers.unwrap_or(0),
    });
    counts.max().unwrap_or(0)
}

/// Where the files of a published build hold other code than the wheel that the rules were read from.
fn disagreement(installed: &Installed<'_>, code: &InstalledCode<'_>) -> Option<Finding> {
    let (InstalledCode::Files(libraries), Some((_, build))) = (code, installed.row) else { return None };
    let RowSource::Wheel { .. } = &build.source else { return None };
    let read = build.code.iter().filter(|code| {
        let shipped = libraries.iter().any(|library| library.for_cuda == code.for_cuda);
        code.for_cuda.is_none() || shipped
    });
    let mut row: Vec<CodeTarget> = read
        .flat_map(|code| {
            code.sass.iter().chain(&code.ptx).copied().chain(code.special.iter().map(|(target, _)| *target))
        })
        .collect();
    row.sort_unstable();
    row.dedup();
    let files = all_targets(libraries.iter().flat_map(|library| &library.code));
    if row.is_empty() || row == files {
        return None;
    }
    let words = |targets: &[CodeTarget]| targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    Some(
        OTHER_CODE
            .found(&[installed.name()], format!("{} holds other GPU code than the published wheel", installed.title()))
            .message(
                "It was built from source, or its files were changed. The files decide; what the rules say of this \
                  build was not used.",
            )
            .packages([installed.name()])
            .evidence([Evidence::binary("targets", words(&files))
                .required(format!("{} in the wheel", words(&row)))
                .cited(build.source.citation())]),
    )
}

fn ptx_too_new(
    context: &Context<'_>,
    installed: &Installed<'_>,
    judged: &Judged,
    gpu: usize,
    gap: &DriverGap,
    driver: &DriverVersion,
) -> Finding {
    let gpu = &context.target.gpus[gpu];
    let mut evidence = judged.evidence.clone();
    evidence.push(driver_evidence(context, gap.needs.to_string()));
    ONLY_PTX
        .found(
            &[installed.name()],
            format!("{} has only PTX for {}, and driver {driver} is too old for it", installed.title(), gpu.label),
        )
        .message(format!(
            "PTX is compiled by the driver when it is loaded, and this PTX comes from CUDA {}: driver {} or newer \
             understands it. CUDA reports an unsupported PTX version (error 222).",
            gap.cuda, gap.needs
        ))
        .packages([installed.name()])
        .gpus(gpu.index)
        .evidence(evidence)
}

/// The first other distribution that requires this one.
fn required_by<'a>(context: &'a Context<'_>, installed: &Installed<'_>) -> Option<&'a str> {
    let requires = |other: &&Installed<'_>| {
        let lines = other.requires().unwrap_or_default();
        other.name() != installed.name()
            && lines.iter().filter(|line| is_about(line, installed.name())).any(|line| parse(line).is_ok())
    };
    context.stack.installed.iter().find(requires).map(|other| other.distribution.name.as_str())
}

fn no_kernel(
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
            None => {
                format!("CUDA reports `no kernel image is available for execution on the device` (error 209).{variant}")
            }
        })
        .packages([installed.name()])
        .gpus(gpus.iter().filter_map(|gpu| gpu.index))
        .evidence(evidence)
        .remedies(installed.package.and_then(|package| out_of_reach::remedy(context, package, &capabilities)))
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

fn code_evidence(installed: &Installed<'_>, build: &Build, code: &[&Code], targets: &[CodeTarget]) -> Evidence {
    let words: Vec<_> = targets.iter().map(ToString::to_string).collect();
    let words = if words.is_empty() { "no common target".to_owned() } else { words.join(" ") };
    let library = code.iter().find_map(|code| code.for_cuda);
    let of = library.map_or_else(String::new, |cuda| format!(" in its library for CUDA {cuda}"));
    Evidence::rule(
        format!("{} build", installed.name()),
        format!("{}: {words}{of}", installed.distribution.full_version()),
    )
    .cited(build.source.citation())
}

fn gpu_evidence(context: &Context<'_>, index: Option<u32>, capability: ComputeCapability) -> Evidence {
    let gpus = context.facts.gpus.value().map(Vec::as_slice).unwrap_or_default();
    let gpu = gpus.iter().find(|gpu| Some(gpu.index) == index);
    let source = gpu.and_then(|gpu| gpu.compute_capability.source());
    Evidence::of(
        if matches!(source, Some(crate::facts::Source::Rule(_))) { Basis::Rule } else { Basis::Host },
        gpu.map_or_else(|| "GPU".to_owned(), crate::facts::Gpu::label),
        format!("compute capability {capability}"),
    )
    .cited(source.map(|source| source.place().to_owned()))
}

fn driver_evidence(context: &Context<'_>, needs: String) -> Evidence {
    Evidence::host("driver", context.target.user_mode_driver().map(ToString::to_string).unwrap_or_default())
        .required(format!("{needs} or newer"))
        .cited(context.facts.driver.version.source().map(|source| source.place().to_owned()))
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
        // A variable may name a ptxas that does.
        .filter(|gpu| super::toolchain::ptxas::knows(context, gpu.capability) != Some(true))
        .collect();
    let first = gpus.first()?;
    let known: Vec<_> = build.assembles.iter().map(|capability| format!("sm_{}", capability.sm())).collect();
    Some(PTXAS.found(&[installed.name()], format!(
            "{}'s ptxas cannot assemble for sm_{} ({})",
            installed.title(),
            first.capability.sm(),
            gpu_words(&gpus)
        )).message("`torch.compile` and Triton kernels fail on this GPU (`ptxas fatal: Value 'sm_…' is not defined`, or an \
                  assertion in the compiler); eager torch is not affected.").packages([installed.name()]).gpus(gpus.iter().filter_map(|gpu| gpu.index)).evidence([
            Evidence::rule(format!("{} build", installed.name()), format!("{} assembles for {}", installed.distribution.full_version(), known.join(" "))).required(format!("sm_{}", first.capability.sm())).cited(build.source.citation()),
            gpu_evidence(context, first.index, first.capability),
        ]))
}
