//! Is a cuda-compat library in front of the driver's own, and may it be?

modules!(check::forward_compat);

use crate::check::{Context, looked};
use crate::facts::{Facts, LibCuda};
use crate::finding::{Change, Evidence, Outcome, Remedy, Rule};
use crate::rules::driver::{CompatFault, compat_fault};
use crate::rules::schema::CudaStop;
use crate::step::Step;

/// What is wrong with the library, for the finding about it.
struct Fault {
    rule: &'static Rule,
    title: String,
    message: String,
    /// What would have to be in its place.
    required: String,
    /// Index of the GPU that it does not work on.
    gpu: Option<u32>,
    /// NVIDIA's matrix, if that decides.
    citation: Option<String>,
}

/// Judges the cuda-compat library that a process would load.
pub fn check(context: &Context<'_>) -> Outcome {
    let target = &context.target;
    if let Some(finding) = on_gpu::finding(context) {
        return looked(vec![finding]);
    }
    let Some(library) = context.facts.loader.libcuda.value().filter(|library| library.compat) else {
        return Outcome::NotApplicable("no cuda-compat library is in use".to_owned());
    };
    let Some(compat) = &target.compat else {
        return Outcome::Skipped(format!("the version of {}", library.path));
    };
    let Some(driver) = &target.driver else { return Outcome::Skipped("the kernel driver's version".to_owned()) };
    let Some(fault) = compat_fault(target, context.db) else { return looked(Vec::new()) };
    let errors = &context.db.tables().cuda_errors;
    let Fault { rule, title, message, required, gpu, citation } = match fault {
        CompatFault::OlderThanDriver => {
            older_than_driver::fault(compat, driver, errors.number(CudaStop::DriverMismatch))
        }
        CompatFault::WrongGpu(index, citation) => {
            let error = errors.number(CudaStop::CompatNotOnDevice);
            wrong_gpu::fault(compat, driver, &target.gpus[index], citation, error)
        }
        CompatFault::Refused(package, citation) => branch::fault(&package, driver, citation),
    };
    let fact = |fact: &str, observed: String, citation: Option<String>| {
        Evidence::host(fact.to_owned(), observed).cited(citation)
    };
    let place = context.facts.driver.version.source().map(|source| source.place().to_owned());
    let mut first = fact("libcuda", format!("{compat}, found by {}", library.found_by), Some(library.path.clone()));
    first.required = Some(required);
    let mut evidence = vec![first, fact("kernel module", driver.to_string(), place)];
    if let Some(citation) = citation {
        evidence.push(Evidence::rule("forward compatibility", "not for this GPU or branch").cited(citation));
    }
    let found = rule.found(&[], title).message(message).packages(["cuda-compat"]).gpus(gpu).evidence(evidence);
    looked(vec![found.remedies([out_of_path(library, context.facts)])])
}

/// What takes the folder of a `libcuda.so.1` out of the loader's path: LD_LIBRARY_PATH, or what ldconfig reads.
#[must_use]
pub fn out_of_path(library: &LibCuda, facts: &Facts) -> Remedy {
    let folder = library.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (place, steps) = if library.found_by == "LD_LIBRARY_PATH" {
        let value = facts.system.environment.get("LD_LIBRARY_PATH").map_or("", String::as_str);
        // In a pasted `export` the variable itself is no folder.
        let is_other =
            |entry: &&str| !entry.is_empty() && !entry.starts_with('$') && entry.trim_end_matches('/') != folder;
        let rest: Vec<_> = value.split(':').filter(is_other).collect();
        let step =
            if rest.is_empty() { Step::unset("LD_LIBRARY_PATH") } else { Step::set("LD_LIBRARY_PATH", rest.join(":")) };
        ("LD_LIBRARY_PATH", step.into_iter().collect())
    } else {
        ("what ldconfig reads", out_of_ldconfig(folder, facts))
    };
    Remedy { change: Some(Change::NoCompat), ..Remedy::new(format!("Take `{folder}` out of {place}"), steps) }
}

/// Turns the lines that name a folder into comments, and has the loader's cache made anew; in a container without sudo, which
/// images lack.
fn out_of_ldconfig(folder: &str, facts: &Facts) -> Vec<Step> {
    let plain = folder.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-.".contains(&byte));
    if !plain {
        return Step::run(["grep", "-rl", "--", folder, "/etc/ld.so.conf.d"]).into_iter().collect();
    }
    let lines = format!("s|^{}/*$|# &|", folder.replace('.', "\\."));
    let edit = ["find", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "-type", "f", "-exec", "sed", "-i", &lines, "{}", "+"];
    let sudo = if facts.system.container.value().is_some() { &[][..] } else { &["sudo"][..] };
    let call = |words: &[&str]| Step::run(sudo.iter().chain(words).copied());
    [call(&edit), call(&["ldconfig"])].into_iter().flatten().collect()
}
