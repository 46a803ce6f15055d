//! Is a cuda-compat library in front of the driver's own, and may it be?

use super::driver::update;
use super::{Context, looked};
use crate::finding::{Change, Evidence, Finding, Outcome, Remedy, rule};
use crate::rules::driver::{CompatFault, compat_fault};
use crate::rules::schema::CompatSupport;
use crate::step::Step;

rule! {
    /// The cuda-compat library in use is older than the driver.
    ///
    /// `cuInit` fails with error 803. Forward compatibility puts a newer libcuda over an older kernel driver, never the
    /// reverse. Known from the versions of both. Take the folder out of the loader's path.
    pub OLDER_THAN_DRIVER = "forward-compat/older-than-driver": ForwardCompat, Fail, since "0.1.0", judged on [Loader, Driver];
}

rule! {
    /// A cuda-compat library is in use on a GPU that does not support it.
    ///
    /// `cuInit` fails with error 804: forward compatibility is for data-centre GPUs. Known from the GPU's class and
    /// NVIDIA's matrix in the rules. Take the folder out of the loader's path, and update the driver or use a build for
    /// an older CUDA.
    pub WRONG_GPU = "forward-compat/gpu": ForwardCompat, Fail, since "0.1.0", judged on [Loader, Gpus];
}

rule! {
    /// This cuda-compat package does not support the driver's branch.
    ///
    /// NVIDIA's matrix excludes the pair. Known from the package's CUDA and the branch of the kernel driver. Use the
    /// package for another CUDA, or another driver branch.
    pub BRANCH = "forward-compat/branch": ForwardCompat, Fail, since "0.1.0", judged on [Loader, Driver];
}

rule! {
    /// A report shows a cuda-compat library on a GPU that does not support it.
    ///
    /// The report names a newer CUDA than the driver has by itself, so a cuda-compat library answers. Known from the
    /// words of the report and NVIDIA's matrix in the rules. Update the driver, or use a build for an older CUDA.
    pub ON_GPU = "forward-compat/gpu": ForwardCompat, Warn, since "0.1.0", judged on [Driver, Gpus, Report];
}

/// Judges the cuda-compat library that a process would load.
pub fn check(context: &Context<'_>) -> Outcome {
    let target = &context.target;
    if let Some(finding) = told(context) {
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
    let mut gpus = Vec::new();
    let (rule, title, message, required, citation) = match &fault {
        CompatFault::OlderThanDriver => (
            &OLDER_THAN_DRIVER,
            format!("the cuda-compat libcuda {compat} is older than driver {driver}"),
            "`cuInit` fails with error 803. Forward compatibility puts a newer user-mode driver over an older kernel \
             driver; once the kernel driver is newer, the package must leave the loader's path."
                .to_owned(),
            format!("{driver}, the driver's own libcuda"),
            None,
        ),
        CompatFault::WrongGpu(index, citation) => {
            let gpu = &target.gpus[*index];
            gpus.extend(gpu.index);
            (
                &WRONG_GPU,
                format!("the cuda-compat libcuda {compat} does not work on {}", gpu.label),
                format!(
                    "`cuInit` fails with error 804: forward compatibility exists for data-centre GPUs only. Driver \
                     {driver} itself must be updated, or a build for an older CUDA be used."
                ),
                "a data-centre GPU".to_owned(),
                Some(citation.clone()),
            )
        }
        CompatFault::Refused(package, citation) => (
            &BRANCH,
            format!("{package} does not support driver branch {}", driver.branch()),
            "NVIDIA's matrix excludes this pair of user-mode and kernel driver.".to_owned(),
            "a pair of branches that the matrix allows".to_owned(),
            Some(citation.clone()),
        ),
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
    let folder = library.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    looked(vec![
        rule.found(&[], title).message(message).packages(["cuda-compat"]).gpus(gpus).evidence(evidence).remedies([
            Remedy {
                summary: format!("Take `{folder}` out of the loader's path"),
                requirements: Vec::new(),
                steps: remove_command(&library.found_by, folder, context),
                change: Some(Change::NoCompat),
                verified: false,
            },
        ]),
    ])
}

/// A report that names a newer CUDA for the driver than it has of itself: the libcuda of a cuda-compat package answers. Such
/// packages are for Linux. Of a CUDA without a toolkit, such as 12.7, the rules do not say which driver has it.
fn told(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    facts.pasted.as_ref()?;
    let (driver, cuda) = (facts.driver.version.value()?, facts.driver.cuda.value()?);
    let own = context.db.native_cuda(driver)?;
    let is_beyond = context.db.toolkits().iter().any(|row| own < row.version && row.version <= *cuda);
    if !is_beyond || facts.system.os.value().is_some_and(|os| os != "linux") {
        return None;
    }
    let (gpu, citation) = context.target.gpus.iter().find_map(|gpu| {
        let (support, citation) = context.db.compat_support(gpu.class?)?;
        (support == CompatSupport::No).then_some((gpu, citation))
    })?;
    let newer = context.db.toolkits().iter().find(|row| row.version >= *cuda).map(|row| row.linux_driver.clone());
    let place = facts.driver.cuda.source().map(|source| source.place().to_owned());
    Some(ON_GPU.found(&[], format!(
            "CUDA {cuda} on driver {driver} takes a cuda-compat libcuda, which does not work on {}",
            gpu.label
        )).message(format!(
            "This driver supports CUDA {own} by itself. Forward compatibility exists for data-centre GPUs only: elsewhere it ends in error              804."
        )).packages(["cuda-compat", "nvidia-driver"]).gpus(gpu.index).evidence([
            Evidence::host("driver", format!("{driver}, said to offer CUDA {cuda}")).required(format!("CUDA {own}")).cited(place),
            Evidence::rule("forward compatibility", "not for this GPU").cited(citation),
        ]).remedies([
            newer.map_or_else(|| Remedy::new("Update the driver", []), |needs| update(context, &needs)),
            Remedy::new("Take the compat folder off the loader's path", Step::fixed("ldconfig -p | grep libcuda")),
        ]))
}

/// How to get a folder out of LD_LIBRARY_PATH, or out of ldconfig's.
pub(super) fn remove_command(found_by: &str, folder: &str, context: &Context<'_>) -> Vec<Step> {
    if found_by != "LD_LIBRARY_PATH" {
        return Step::run(["grep", "-rl", "--", folder, "/etc/ld.so.conf.d"]).into_iter().collect();
    }
    let value = context.facts.system.environment.get("LD_LIBRARY_PATH").map_or("", String::as_str);
    let rest: Vec<_> =
        value.split(':').filter(|entry| !entry.is_empty() && entry.trim_end_matches('/') != folder).collect();
    if rest.is_empty() {
        return Step::fixed("unset LD_LIBRARY_PATH");
    }
    Step::set("LD_LIBRARY_PATH", rest.join(":")).into_iter().collect()
}
