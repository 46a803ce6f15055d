//! Is the driver new enough for the CUDA runtimes of what is installed?

use std::collections::BTreeMap;

use super::{Context, Installed, looked};
use crate::finding::{Basis, Change, Evidence, Finding, Kind, Outcome, Remedy, Severity};
use crate::rules::driver::{DriverGap, compat_offer, runtime_gap};
use crate::rules::raw_platform::CompatSupport;
use crate::rules::requirement::is_runtime_wheel;
use crate::text;

/// Compares the driver that a process gets with the CUDA runtime of every build.
pub fn check(context: &Context<'_>) -> Outcome {
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
