//! What is not known that a check would have looked at, beside what it could judge?
//!
//! A check that has nothing at all to go by says so itself. One that judged the rest passes over what it lacks, and a pass
//! would then take *not known* for *yes*: here is told what each of them passed over.

use super::{Context, Installed, gpu_arch};
use crate::facts::{Origin, Reading, TORCH};
use crate::rules::model::{Agreement, Package};
use crate::text;

/// So many distributions are named.
const NAMED: usize = 3;

/// The facts that are missing, each with the check that needs it.
pub fn gaps(context: &Context<'_>) -> Vec<(&'static str, String)> {
    let facts = context.facts;
    let installed = &context.stack.installed;
    let report = facts.origin == Origin::Report;
    let mut gaps = Vec::new();
    let cuda: Vec<&Installed<'_>> = installed.iter().filter(|one| may_load_cuda(one)).collect();
    if !cuda.is_empty() {
        if is_open(&facts.driver.version) {
            gaps.push(("driver", "the driver's version".to_owned()));
        }
        // Nobody writes into a report which libcuda is loaded, unless it is another than the driver's.
        let libcuda = &facts.loader.libcuda;
        if matches!(libcuda, Reading::Unreadable { .. }) || !report && libcuda.is_unknown() {
            gaps.push(("forward-compat", "which libcuda is loaded".to_owned()));
        }
        // The toolkit's stub has no version, and cuda-compat's is another check's.
        let own = libcuda.value().filter(|library| !library.compat && !library.stub);
        let unread =
            |version: &Reading<_>| matches!(version, Reading::Unreadable { .. }) || !report && version.is_unknown();
        if let Some(library) = own.filter(|library| unread(&library.version)) {
            gaps.push(("driver-mismatch", format!("the version of {}", library.path)));
        }
        let without = facts.gpus.value().into_iter().flatten().filter(|gpu| gpu.compute_capability.value().is_none());
        gaps.extend(without.map(|gpu| ("gpu-arch", format!("the compute capability of {}", gpu.label()))));
    }
    // Where a report found no GPU, there may be one all the same: only torch's own answer says that there is none.
    let no_gpu = facts.gpus.is_absent() || facts.gpus.value().is_some_and(Vec::is_empty);
    if report && no_gpu && context.stack.torch_cuda().flatten().is_some() && is_open(&facts.visibility.available) {
        gaps.push(("gpu-visibility", "whether torch sees CUDA".to_owned()));
    }
    if report && cuda.is_empty() && !facts.lists_all() && context.stack.get(TORCH).is_none() {
        gaps.push(("requirement", "what is installed".to_owned()));
    }
    if let Some(torch) = context.stack.get(TORCH).filter(|torch| torch.cuda().is_none()) {
        gaps.push(("driver", format!("the CUDA that {} was built for", torch.title())));
    }
    if !context.target.gpus.is_empty()
        && let Some(torch) = gpu_arch::torch_without_code(context)
    {
        gaps.push(("gpu-arch", format!("the GPU code of {torch}")));
    }
    if !matches!(facts.python, Reading::Known { .. } | Reading::Absent { .. }) && !report {
        gaps.push(("requirement", "the Python environment".to_owned()));
    }
    if context.target.python.is_none() && !installed.is_empty() {
        gaps.push(("python", "the Python version".to_owned()));
    }
    if context.target.glibc.is_none() && !facts.system.glibc.is_absent() && installed.iter().any(needs_glibc) {
        gaps.push(("python", "the version of glibc".to_owned()));
    }
    if !report && is_open(&facts.loader.libstdcxx) && installed.iter().any(needs_libstdcxx) {
        gaps.push(("python", "the version of libstdc++".to_owned()));
    }
    let named = |check, what: &str, lacks: &dyn Fn(&Installed<'_>) -> bool| {
        let names: Vec<&str> = installed.iter().filter(|one| lacks(one)).map(Installed::name).collect();
        Some((check, format!("the {what} of {}", few(&names)?)))
    };
    gaps.extend(named("requirement", "version", &|one| one.distribution.full_version() == "?"));
    // A report names versions only: the rules say what they require, and what they do not cover is not judged there. On a
    // machine the rules stand in too, but a distribution may have been built or changed there.
    gaps.extend(named("requirement", "metadata", &|one| match report {
        true => one.requires().is_none() && one.package.is_some_and(Package::holds_code),
        false => is_open(&one.distribution.metadata),
    }));
    gaps.extend(named("abi", "files", &|one| !report && is_open(&one.distribution.libraries)));
    gaps.extend(unpaired(context));
    gaps
}

/// Nobody looked, or it could not be read.
fn is_open<T>(reading: &Reading<T>) -> bool {
    matches!(reading, Reading::Unknown | Reading::Unreadable { .. })
}

/// The first few, and how many more.
fn few(names: &[&str]) -> Option<String> {
    match names.len().checked_sub(NAMED) {
        _ if names.is_empty() => None,
        Some(more @ 1..) => Some(format!("{} and {more} more", names[..NAMED].join(", "))),
        _ => Some(text::list(names)),
    }
}

/// Built for CUDA, or perhaps so.
fn may_load_cuda(installed: &Installed<'_>) -> bool {
    match installed.cuda() {
        Some(cuda) => cuda.is_some(),
        None => installed.package.is_some_and(Package::holds_code),
    }
}

fn needs_glibc(installed: &Installed<'_>) -> bool {
    installed.row.is_some_and(|(_, build)| build.glibc.is_some()) || needs(installed, "GLIBC_")
}

fn needs_libstdcxx(installed: &Installed<'_>) -> bool {
    needs(installed, "GLIBCXX_")
}

fn needs(installed: &Installed<'_>, family: &str) -> bool {
    let libraries = installed.distribution.libraries.value().into_iter().flatten();
    libraries.flat_map(|library| &library.versions).any(|version| version.starts_with(family))
}

/// Builds that must fit each other, and of one of which nobody knows what it was built for.
fn unpaired(context: &Context<'_>) -> Vec<(&'static str, String)> {
    let mut gaps = Vec::new();
    for installed in &context.stack.installed {
        let (Some(package), Some(version)) = (installed.package, installed.version.as_ref()) else { continue };
        for rule in package.partners.iter().filter(|rule| rule.versions.contains(version)) {
            let Some(partner) = context.stack.get(&rule.with) else { continue };
            if matches!(rule.agreement, Agreement::Cuda(_)) && installed.cuda().is_none() && partner.cuda().is_some() {
                gaps.push(("pairing", format!("the CUDA that {} was built for", installed.title())));
            }
        }
    }
    gaps
}
