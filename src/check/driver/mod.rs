//! Is the driver new enough for the CUDA runtimes of what is installed?

modules!(check::driver);

use std::collections::BTreeMap;

use crate::check::{Context, Installed, looked, out_of_reach};
use crate::facts::Origin;
use crate::finding::{Change, Finding, Outcome, Remedy};
use crate::rules::driver::{Advice, DriverGap, advise, runtime_gap};
use crate::rules::machine;
use crate::rules::role::is_runtime_wheel;
use crate::step::Step;
use crate::text;
use crate::version::DriverVersion;

/// No commands: how a driver is installed depends on the distribution of Linux.
pub const NONE: [Step; 0] = [];

/// Compares the driver that a process gets with the CUDA runtime of every build.
pub fn check(context: &Context<'_>) -> Outcome {
    if let Some(finding) = of_the_newest(context) {
        return looked(vec![finding]);
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
    let assembles = old_for_assembler::finding(context, driver);
    if built.is_empty() && assembles.is_none() {
        return Outcome::NotApplicable("nothing is installed that was built for CUDA".to_owned());
    }
    let mut gaps: BTreeMap<_, (DriverGap, Vec<&Installed<'_>>)> = BTreeMap::new();
    for (installed, cuda) in built {
        if let Some(gap) = runtime_gap(cuda, driver, context.db) {
            gaps.entry(gap.cuda).or_insert_with(|| (gap, Vec::new())).1.push(installed);
        }
    }
    // Where torch does not start, nothing is assembled.
    let assembles = assembles.filter(|_| gaps.is_empty());
    let of_builds = gaps.into_values().map(|(gap, packages)| old_for_build::finding(context, &gap, &packages));
    looked(of_builds.chain(assembles).collect())
}

/// What is known beyond the driver's version: that CUDA works all the same, or which CUDA the driver supports; and what is to be
/// said where nothing tells which build it must run.
fn of_the_newest(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    let loads = context.stack.installed.iter().filter(|installed| !is_runtime_wheel(installed.name()));
    let newest =
        loads.filter_map(|installed| Some((installed.cuda().flatten()?, installed))).max_by_key(|(cuda, _)| *cuda);
    let driver = context.target.user_mode_driver();
    let needed = newest.as_ref().and_then(|(cuda, _)| runtime_gap(*cuda, driver?, context.db));
    if let (Some(gap), Some(driver), Some(true)) = (&needed, driver, facts.visibility.available.value()) {
        return Some(by_compat::finding(context, gap, driver));
    }
    let supported = facts.driver.cuda.value();
    match (newest, driver, supported) {
        (Some((cuda, installed)), None, Some(supported)) if supported.major < cuda.major => {
            Some(old_for_build_said::finding(context, installed, cuda, *supported))
        }
        // Nothing says which build is meant, as a machine would: what the driver can run at all is worth knowing.
        (None, Some(driver), _)
            if facts.origin == Origin::Report
                && context.stack.torch_cuda() != Some(None)
                && !facts.gpus.is_absent() =>
        {
            old_for_assembler::finding(context, driver).or_else(|| old::finding(context, driver))
        }
        _ => None,
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
