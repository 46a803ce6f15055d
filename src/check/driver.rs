//! Is the driver new enough for the CUDA runtimes of what is installed?

use std::collections::BTreeMap;

use super::{Context, Installed, looked};
use crate::finding::{Basis, Change, Evidence, Finding, Kind, Outcome, Remedy, Severity};
use crate::rules::driver::{DriverGap, compat_offer, oldest_driver, runtime_gap};
use crate::rules::model::Release;
use crate::rules::raw_platform::CompatSupport;
use crate::rules::requirement::is_runtime_wheel;
use crate::text;
use crate::version::{CudaVersion, DriverVersion};

/// Compares the driver that a process gets with the CUDA runtime of every build.
pub fn check(context: &Context<'_>) -> Outcome {
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
        remedies: vec![Remedy {
            summary: format!("Update the NVIDIA driver, or install a build for CUDA {supported} or older"),
            requirements: Vec::new(),
            commands: Vec::new(),
            change: None,
            verified: false,
        }],
        references: Vec::new(),
    }
}

/// A driver that runs none of the newer builds of torch, where the report does not say which build there is.
fn runs_only(context: &Context<'_>, driver: &DriverVersion) -> Option<Finding> {
    let torch = context.db.package("torch")?;
    let newest = torch.releases.last()?;
    let oldest_of = |release: &Release| {
        let cuda = release.builds.iter().filter_map(|build| build.cuda).min()?;
        runtime_gap(cuda, driver, context.db)
    };
    let gap = oldest_of(newest)?;
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
        severity: Severity::Warn,
        title: format!("driver {driver} is too old for what is installed by default today"),
        message: format!(
            "It runs {reach}. A plain `pip install torch`, and Triton's own ptxas, are for newer CUDA, which needs driver {} or newer.",
            gap.needs
        ),
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
        remedies: vec![Remedy {
            summary: format!("Update the NVIDIA driver to {} or newer", gap.needs),
            requirements: Vec::new(),
            commands: Vec::new(),
            change: None,
            verified: false,
        }],
        references: Vec::new(),
    })
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
    let mut remedies = vec![Remedy {
        summary: format!("Update the NVIDIA driver to {} or newer", gap.needs),
        requirements: Vec::new(),
        commands: Vec::new(),
        change: Some(Change::Driver(gap.needs.clone())),
        verified: false,
    }];
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
        commands: vec![
            format!("sudo apt-get install -y {}", package.name),
            format!("compat=/usr/local/cuda-{major}.{minor}/compat"),
            "export LD_LIBRARY_PATH=$compat${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}".to_owned(),
        ],
        change: context.db.toolkit(package.cuda).map(|toolkit| Change::Compat(toolkit.linux_driver.clone())),
        verified: false,
    })
}
