//! Is the driver new enough for the CUDA runtimes of what is installed?

use std::collections::BTreeMap;

use pep440_rs::Version;

use super::{Context, Installed, looked, out_of_reach};
use crate::facts::{Origin, Reading};
use crate::finding::{Change, Evidence, Finding, Outcome, Remedy, Severity, rule};
use crate::rules::driver::{
    Advice, DriverGap, GpuBound, advise, compat_offer, gpu_bound, oldest_driver, ptx_gap, runtime_gap,
};
use crate::rules::machine;
use crate::rules::model::Package;
use crate::rules::requirement::is_runtime_wheel;
use crate::rules::schema::CompatSupport;
use crate::step::Step;
use crate::text;
use crate::version::{CudaVersion, DriverVersion};

rule! {
    /// This driver branch does not know the GPU.
    ///
    /// Each generation of GPUs has a first and a last driver branch; outside them nvidia-smi finds no device. Known
    /// from NVIDIA's lists of supported products in the rules. Install a driver of a branch that supports the GPU.
    pub OLD_FOR_GPU = "driver/gpu": Driver, Fail, since "0.1.0", judged on [Driver, Gpus];
}

rule! {
    /// CUDA works here only through a cuda-compat library.
    ///
    /// The kernel driver is older than the CUDA runtime needs, and a cuda-compat libcuda bridges the gap on data-centre
    /// GPUs. Known from NVIDIA's compatibility matrix in the rules. Keep that library first on the loader's path, or
    /// update the driver.
    pub BY_COMPAT = "driver/compat": ForwardCompat, Info, since "0.1.0", judged on [Driver, Loader, Builds];
}

rule! {
    /// A build is for a newer CUDA than the driver supports.
    ///
    /// The report tells the highest CUDA of the driver, and the build is for a newer one: CUDA reports that the driver
    /// is insufficient (error 35). Known from nvidia-smi's `CUDA Version` and the label of the build. Update the
    /// driver, or install a build for a CUDA that it supports.
    pub OLD_FOR_BUILD_SAID = "driver/{package}": Driver, Fail, since "0.1.0", judged on [Driver, Builds, Report];
}

rule! {
    /// The driver is older than something installed or named needs.
    ///
    /// Known from the driver's version and NVIDIA's release notes in the rules. Update the driver on the host; inside a
    /// container only the host's driver counts.
    pub OLD = "driver/old": Driver, Warn, since "0.1.0", judged on [Driver];
}

rule! {
    /// The driver is too old for a CUDA runtime.
    ///
    /// CUDA reports that the driver is insufficient (error 35), and `torch.cuda.is_available()` is False. Known from
    /// NVML or the kernel, the CUDA of the installed build, and NVIDIA's table of least drivers in the rules. Update
    /// the driver, use cuda-compat where the GPU allows it, or install a build for an older CUDA.
    pub OLD_FOR_BUILD = "driver/{package}": Driver, Fail, since "0.1.0", judged on [Driver, Builds];
}

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
    BY_COMPAT
        .found(&[], format!("CUDA {} works on driver {driver}: a cuda-compat libcuda must be in use", gap.cuda))
        .message(format!(
            "By itself this driver is older than {}, which CUDA {} needs; but torch says that CUDA is available.",
            gap.needs, gap.cuda
        ))
        .packages(["cuda-compat"])
        .evidence([Evidence::host("driver", driver.to_string())
            .required(format!("{} or newer, or cuda-compat", gap.needs))
            .cited(context.facts.driver.version.source().map(|source| source.place().to_owned()))])
}

/// The driver's version is not known, but the CUDA that it supports.
fn older_cuda(context: &Context<'_>, installed: &Installed<'_>, cuda: CudaVersion, supported: CudaVersion) -> Finding {
    let reading = &context.facts.driver.cuda;
    OLD_FOR_BUILD_SAID
        .found(
            &[installed.name()],
            format!("{} is built for CUDA {cuda}, but the driver supports CUDA up to {supported}", installed.title()),
        )
        .message("CUDA reports that the driver is insufficient (error 35): `torch.cuda.is_available()` is False.")
        .packages([installed.name(), "nvidia-driver"])
        .evidence([Evidence::host("driver", format!("CUDA up to {supported}"))
            .required(oldest_driver(cuda, context.db).map(|(needs, _)| format!("{needs} or newer, for CUDA {cuda}")))
            .cited(reading.source().map(|source| source.place().to_owned()))])
        .remedies(oldest_driver(cuda, context.db).map_or_else(Vec::new, |(needs, _)| {
            vec![update(context, &needs), Remedy::new(format!("Install a build for CUDA {supported} or older"), NONE)]
        }))
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
    Some(
        OLD.found(&[], format!("driver {driver} is too old for {title}"))
            .severity(severity)
            .message(format!("CUDA {} needs driver {} or newer. This one runs {reach}.", gap.cuda, gap.needs))
            .packages(["nvidia-driver", "torch", "triton"])
            .evidence([
                Evidence::host("driver", driver.to_string())
                    .required(format!("{} or newer, for CUDA {}", gap.needs, gap.cuda))
                    .cited(context.facts.driver.version.source().map(|source| source.place().to_owned())),
                Evidence::rule("oldest driver", format!("{} for CUDA {}", gap.needs, gap.cuda))
                    .cited(gap.citation.clone()),
            ])
            .remedies([update(context, &gap.needs)]),
    )
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
    OLD_FOR_BUILD
        .found(&[main.name()], format!("{} needs driver {} or newer, but {driver} is loaded", main.title(), gap.needs))
        .message(format!(
            "It was built for CUDA {}{}, and CUDA reports that the driver is insufficient (error 35): \
             `torch.cuda.is_available()` is False.",
            gap.cuda,
            native.map_or_else(String::new, |native| format!("; this driver supports CUDA up to {native}")),
        ))
        .packages(names)
        .gpus(target.gpus.iter().filter_map(|gpu| gpu.index))
        .evidence([
            Evidence::binary(
                "CUDA runtime",
                format!(
                    "{} in {}",
                    gap.cuda,
                    text::list(&packages.iter().map(|installed| installed.title()).collect::<Vec<_>>())
                ),
            )
            .cited(main.cuda_place()),
            Evidence::host("driver", driver).required(format!("{} or newer", gap.needs)).cited(place),
            Evidence::rule("oldest driver", format!("{} for CUDA {}", gap.needs, gap.cuda)).cited(gap.citation.clone()),
        ])
        .remedies(remedies)
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
