//! Is the driver new enough for the CUDA runtimes of what is installed?

use std::collections::BTreeMap;

use pep440_rs::Version;

use super::{Context, Installed, looked, out_of_reach};
use crate::facts::{Origin, Reading};
use crate::finding::{Basis, Change, Evidence, Finding, Kind, Outcome, Remedy, Severity};
use crate::rules::driver::{
    Advice, DriverGap, GpuBound, advise, compat_offer, gpu_bound, oldest_driver, ptx_gap, runtime_gap,
};
use crate::rules::machine;
use crate::rules::model::Package;
use crate::rules::raw_platform::CompatSupport;
use crate::rules::requirement::is_runtime_wheel;
use crate::step::Step;
use crate::text;
use crate::version::{CudaVersion, DriverVersion};

/// No commands: how a driver is installed depends on the distribution of Linux.
const NONE: [Step; 0] = [];

/// Compares the driver that a process gets with the CUDA runtime of every build.
pub fn check(context: &Context<'_>) -> Outcome {
    let mut unserved = unserved(context);
    match by_runtime(context) {
        outcome if unserved.is_empty() => outcome,
        Outcome::Findings(findings) => {
            unserved.extend(findings);
            Outcome::Findings(unserved)
        }
        _ => Outcome::Findings(unserved),
    }
}

fn by_runtime(context: &Context<'_>) -> Outcome {
    if let Some(outcome) = told(context) {
        return outcome;
    }
    let Some(driver) = context.target.user_mode_driver() else {
        return match &context.facts.driver.version {
            reading if reading.is_absent() => Outcome::NotApplicable("no NVIDIA driver is loaded".to_owned()),
            _ => Outcome::Skipped("the driver's version".to_owned()),
        };
    };
    // NVIDIA's runtime wheels do nothing of themselves: what loads them is judged.
    let loads = context.stack.installed.iter().filter(|installed| !is_runtime_wheel(installed.name()));
    let built: Vec<_> = loads.filter_map(|installed| Some((installed, installed.cuda().flatten()?))).collect();
    if built.is_empty() {
        return Outcome::NotApplicable("nothing is installed that was built for CUDA".to_owned());
    }
    let mut gaps: BTreeMap<_, (DriverGap, Vec<&Installed<'_>>)> = BTreeMap::new();
    for (installed, cuda) in built {
        if let Some(gap) = runtime_gap(cuda, driver, context.db) {
            gaps.entry(gap.cuda).or_insert_with(|| (gap, Vec::new())).1.push(installed);
        }
    }
    looked(gaps.into_values().map(|(gap, packages)| finding(context, &gap, &packages)).collect())
}

/// What a report tells beyond the driver's version: that CUDA works all the same, or which CUDA the driver supports.
fn told(context: &Context<'_>) -> Option<Outcome> {
    let pasted = context.facts.pasted.as_ref()?;
    let loads = context.stack.installed.iter().filter(|installed| !is_runtime_wheel(installed.name()));
    let newest =
        loads.filter_map(|installed| Some((installed.cuda().flatten()?, installed))).max_by_key(|(cuda, _)| *cuda);
    let driver = context.target.user_mode_driver();
    let needed = newest.as_ref().and_then(|(cuda, _)| runtime_gap(*cuda, driver?, context.db));
    if let (Some(gap), Some(driver), Some(true)) = (&needed, driver, pasted.cuda_available) {
        return Some(looked(vec![works_all_the_same(context, gap, driver)]));
    }
    let supported = context.facts.driver.cuda.value();
    match (newest, driver, supported) {
        (Some((cuda, installed)), None, Some(supported)) if supported.major < cuda.major => {
            Some(looked(vec![older_cuda(context, installed, cuda, *supported)]))
        }
        // Nothing says which build is meant: what the driver can run at all is worth knowing.
        (None, Some(driver), _) if context.stack.torch_cuda() != Some(None) && !context.facts.gpus.is_absent() => {
            runs_only(context, driver).map(|finding| looked(vec![finding]))
        }
        _ => None,
    }
}

/// torch says that CUDA is available beside a driver that is too old by itself.
fn works_all_the_same(context: &Context<'_>, gap: &DriverGap, driver: &DriverVersion) -> Finding {
    Finding {
        id: "driver/compat".to_owned(),
        kind: Kind::ForwardCompat,
        severity: Severity::Info,
        title: format!("CUDA {} works on driver {driver}: a cuda-compat libcuda must be in use", gap.cuda),
        message: format!(
            "By itself this driver is older than {}, which CUDA {} needs; but torch says that CUDA is available.",
            gap.needs, gap.cuda
        ),
        packages: vec!["cuda-compat".to_owned()],
        gpus: Vec::new(),
        evidence: vec![Evidence {
            fact: "driver".to_owned(),
            observed: driver.to_string(),
            required: Some(format!("{} or newer, or cuda-compat", gap.needs)),
            source: Basis::Host,
            citation: context.facts.driver.version.source().map(|source| source.place().to_owned()),
        }],
        remedies: Vec::new(),
        references: Vec::new(),
    }
}

/// The driver's version is not known, but the CUDA that it supports.
fn older_cuda(context: &Context<'_>, installed: &Installed<'_>, cuda: CudaVersion, supported: CudaVersion) -> Finding {
    let reading = &context.facts.driver.cuda;
    Finding {
        id: format!("driver/{}", installed.name()),
        kind: Kind::Driver,
        severity: Severity::Fail,
        title: format!(
            "{} is built for CUDA {cuda}, but the driver supports CUDA up to {supported}",
            installed.title()
        ),
        message: "CUDA reports that the driver is insufficient (error 35): `torch.cuda.is_available()` is False."
            .to_owned(),
        packages: vec![installed.name().to_owned(), "nvidia-driver".to_owned()],
        gpus: Vec::new(),
        evidence: vec![Evidence {
            fact: "driver".to_owned(),
            observed: format!("CUDA up to {supported}"),
            required: oldest_driver(cuda, context.db).map(|(needs, _)| format!("{needs} or newer, for CUDA {cuda}")),
            source: Basis::Host,
            citation: reading.source().map(|source| source.place().to_owned()),
        }],
        remedies: oldest_driver(cuda, context.db).map_or_else(Vec::new, |(needs, _)| {
            vec![update(context, &needs), Remedy::new(format!("Install a build for CUDA {supported} or older"), NONE)]
        }),
        references: Vec::new(),
    }
}

/// A driver that is too old for something that the report names without saying which build it is: for all builds of the release
/// that is named, or of the newest where no version is. Of a text that names nothing at all it is only remarked what today's
/// torch would need: an old driver is no fault.
fn runs_only(context: &Context<'_>, driver: &DriverVersion) -> Option<Finding> {
    let installed = &context.stack.installed;
    let named = installed.iter().filter(|installed| installed.cuda().is_none());
    let named =
        named.filter_map(|installed| needs_more(context, installed.package?, installed.version.as_ref(), driver));
    let pasted = context.facts.pasted.as_ref()?;
    let of_torch = || needs_more(context, context.db.package("torch")?, None, driver);
    let (severity, (title, gap)) = match named.into_iter().next() {
        Some(found) => (Severity::Warn, found),
        None if pasted.names_torch && context.stack.get("torch").is_none() => (Severity::Warn, of_torch()?),
        None => match pasted.named_cuda.and_then(|cuda| ptx_gap(cuda, driver, context.db)) {
            Some(gap) => (Severity::Warn, (format!("what CUDA {} writes as PTX", gap.cuda), gap)),
            None if installed.is_empty() => (Severity::Info, of_torch()?),
            None => return None,
        },
    };
    let torch = context.db.package("torch")?;
    let last = torch.releases.iter().rev().find(|release| {
        release.builds.iter().filter_map(|build| build.cuda).any(|cuda| runtime_gap(cuda, driver, context.db).is_none())
    });
    let reach = last.map_or_else(
        || "no torch that the rules know".to_owned(),
        |release| {
            format!("torch up to {}, in its builds for CUDA {} only", release.version, own_major(context, driver))
        },
    );
    Some(Finding {
        id: "driver/old".to_owned(),
        kind: Kind::Driver,
        severity,
        title: format!("driver {driver} is too old for {title}"),
        message: format!("CUDA {} needs driver {} or newer. This one runs {reach}.", gap.cuda, gap.needs),
        packages: vec!["nvidia-driver".to_owned(), "torch".to_owned(), "triton".to_owned()],
        gpus: Vec::new(),
        evidence: vec![
            Evidence {
                fact: "driver".to_owned(),
                observed: driver.to_string(),
                required: Some(format!("{} or newer, for CUDA {}", gap.needs, gap.cuda)),
                source: Basis::Host,
                citation: context.facts.driver.version.source().map(|source| source.place().to_owned()),
            },
            Evidence {
                fact: "oldest driver".to_owned(),
                observed: format!("{} for CUDA {}", gap.needs, gap.cuda),
                required: None,
                source: Basis::Rule,
                citation: Some(gap.citation.clone()),
            },
        ],
        remedies: vec![update(context, &gap.needs)],
        references: Vec::new(),
    })
}

/// What a driver lacks for what a release brings: for every build for CUDA of it, or for what its ptxas writes.
fn needs_more(
    context: &Context<'_>,
    package: &Package,
    version: Option<&Version>,
    driver: &DriverVersion,
) -> Option<(String, DriverGap)> {
    let release = match version {
        Some(version) => context.db.release(&package.name, version)?,
        None => package.releases.iter().rev().find(|release| !release.yanked)?,
    };
    // Triton's own ptxas writes what the driver has to take.
    if let Some((cuda, citation)) = context.db.assembler(&package.name, &release.version) {
        let gap = runtime_gap(cuda, driver, context.db)?;
        let title =
            format!("what the ptxas of {} {} writes, which is of CUDA {cuda} or newer", package.name, release.version);
        return Some((title, DriverGap { citation, ..gap }));
    }
    let oldest = release.builds.iter().filter_map(|build| build.cuda).min()?;
    let gap = runtime_gap(oldest, driver, context.db)?;
    Some((format!("every build of {} {}", package.name, release.version), gap))
}

/// `11` for a driver that runs builds of CUDA 11 but not of 12.
fn own_major(context: &Context<'_>, driver: &DriverVersion) -> String {
    let families = context.db.families().iter().filter(|family| family.linux_driver <= *driver);
    families
        .map(|family| family.cuda_major)
        .max()
        .map_or_else(|| "10 or older".to_owned(), |major| format!("{major}.x"))
}

fn finding(context: &Context<'_>, gap: &DriverGap, packages: &[&Installed<'_>]) -> Finding {
    let (target, db) = (&context.target, context.db);
    let main = packages.iter().find(|installed| installed.name() == "torch").unwrap_or(&packages[0]);
    let driver = target.user_mode_driver().map(ToString::to_string).unwrap_or_default();
    let place = context.facts.driver.version.source().map(|source| source.place().to_owned());
    let native = target.user_mode_driver().and_then(|driver| db.native_cuda(driver));
    let mut names: Vec<_> = packages.iter().map(|installed| installed.name().to_owned()).collect();
    names.sort();
    let mut remedies = vec![update(context, &gap.needs)];
    remedies.extend(compat_remedy(context, gap));
    Finding {
        id: format!("driver/{}", main.name()),
        kind: Kind::Driver,
        severity: Severity::Fail,
        title: format!("{} needs driver {} or newer, but {driver} is loaded", main.title(), gap.needs),
        message: format!(
            "It was built for CUDA {}{}, and CUDA reports that the driver is insufficient (error 35): \
             `torch.cuda.is_available()` is False.",
            gap.cuda,
            native.map_or_else(String::new, |native| format!("; this driver supports CUDA up to {native}")),
        ),
        packages: names,
        gpus: target.gpus.iter().filter_map(|gpu| gpu.index).collect(),
        evidence: vec![
            Evidence {
                fact: "CUDA runtime".to_owned(),
                observed: format!(
                    "{} in {}",
                    gap.cuda,
                    text::list(&packages.iter().map(|installed| installed.title()).collect::<Vec<_>>())
                ),
                required: None,
                source: Basis::Binary,
                citation: Some(main.cuda_place()),
            },
            Evidence {
                fact: "driver".to_owned(),
                observed: driver,
                required: Some(format!("{} or newer", gap.needs)),
                source: Basis::Host,
                citation: place,
            },
            Evidence {
                fact: "oldest driver".to_owned(),
                observed: format!("{} for CUDA {}", gap.needs, gap.cuda),
                required: None,
                source: Basis::Rule,
                citation: Some(gap.citation.clone()),
            },
        ],
        remedies,
        references: Vec::new(),
    }
}

/// Another driver, from a version on that something needs, as far as it serves the GPUs too.
pub(super) fn update(context: &Context<'_>, needs: &DriverVersion) -> Remedy {
    match advise(needs, &context.target, context.db) {
        Advice::Update(driver) => {
            let task = machine::driver(&driver, context.facts, context.db);
            let mut remedy = Remedy::new(text::sentence(&task.words), task.steps);
            remedy.change = Some(Change::Driver(driver));
            remedy
        }
        Advice::NoDriver(gpu, branch, toolkit) => {
            let gpu = context.target.gpus.get(gpu);
            let label = gpu.map_or("this GPU", |gpu| &gpu.label);
            let torch = gpu.and_then(|gpu| out_of_reach::older_torch(context, gpu.capability, toolkit));
            let (instead, steps) = torch.map_or_else(
                || (format!("Install builds for CUDA {toolkit} or older instead"), Vec::new()),
                |torch| (torch.summary, torch.steps),
            );
            Remedy::new(
                format!(
                    "No driver serves both: branch {branch} is the last for {label}, and {needs} is needed. {instead}"
                ),
                steps,
            )
        }
    }
}

/// GPUs that this driver does not know yet, or no longer.
fn unserved(context: &Context<'_>) -> Vec<Finding> {
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
        findings.push(Finding {
            id: "driver/gpu".to_owned(),
            title,
            message: "nvidia-smi and CUDA find no device then, although the GPU is on the bus.".to_owned(),
            packages: vec!["nvidia-driver".to_owned()],
            gpus: gpu.index.into_iter().collect(),
            evidence: vec![Evidence {
                fact: "driver".to_owned(),
                observed: driver.to_string(),
                required: Some(required),
                source: Basis::Rule,
                citation: Some(citation),
            }],
            remedies: vec![remedy],
            // A report may mix two machines.
            ..Finding::of(Kind::Driver, if refused { Severity::Fail } else { Severity::Warn })
        });
    }
    findings
}

/// Forward compatibility, where this GPU and this driver branch may use it.
fn compat_remedy(context: &Context<'_>, gap: &DriverGap) -> Option<Remedy> {
    let (package, support) = compat_offer(gap.cuda, &context.target, context.db)?;
    let (major, minor) = (package.cuda.major, package.cuda.minor);
    let hedge = match support {
        CompatSupport::Some => " (NVIDIA supports it on some workstation GPUs only: error 804 means not on this one)",
        _ => "",
    };
    Some(Remedy {
        summary: format!("Keep the driver and put {} first on the loader's path{hedge}", package.name),
        requirements: Vec::new(),
        steps: [
            Step::run(["sudo", "apt-get", "install", "-y", &package.name]),
            Step::prepend("LD_LIBRARY_PATH", format!("/usr/local/cuda-{major}.{minor}/compat")),
        ]
        .into_iter()
        .flatten()
        .collect(),
        change: context.db.toolkit(package.cuda).map(|toolkit| Change::Compat(toolkit.linux_driver.clone())),
        verified: false,
    })
}
