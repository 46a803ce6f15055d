//! Is the driver older than something needs that a report names without its build?

use super::update;
use crate::check::Context;
use crate::facts::TORCH;
use crate::finding::{Evidence, Finding, Severity, rule};
use crate::pep::Version;
use crate::rules::driver::{DriverGap, ptx_gap, runtime_gap};
use crate::rules::model::{Package, Release};
use crate::version::DriverVersion;

rule! {
    /// The driver is older than something installed or named needs.
    ///
    /// Known from the driver's version and NVIDIA's release notes in the rules. Update the driver on the host; inside a
    /// container only the host's driver counts.
    pub OLD = "driver/old": Driver, Warn, since "0.1.0", judged on [Driver];
}

/// A driver that is too old for something that the report names without saying which build it is: for all builds of the release
/// that is named, or of the newest where no version is. Of a text that names nothing at all it is only remarked what today's
/// torch would need: an old driver is no fault.
pub fn finding(context: &Context<'_>, driver: &DriverVersion) -> Option<Finding> {
    let installed = &context.stack.installed;
    let named = installed.iter().filter(|installed| installed.cuda().is_none());
    let named = named.filter_map(|installed| {
        let found = needs_more(context, installed.package?, installed.version.as_ref(), driver)?;
        Some((installed.version.is_some(), found))
    });
    let spoken_of = context.facts.spoken_of.value().is_some_and(|names| names.iter().any(|name| name == TORCH));
    let of_torch = || needs_more(context, context.db.package(TORCH)?, None, driver);
    // Some torch runs on most drivers, and which one is meant nobody said.
    let last = last_for(context, driver);
    let unnamed = if last.is_some() { Severity::Info } else { Severity::Warn };
    let (severity, (title, gap)) = match named.into_iter().next() {
        Some((true, found)) => (Severity::Warn, found),
        Some((false, found)) => (unnamed, found),
        None if spoken_of && context.stack.get(TORCH).is_none() => (unnamed, of_torch()?),
        None => match context.facts.toolchain.named.value().and_then(|cuda| ptx_gap(*cuda, driver, context.db)) {
            Some(gap) => (Severity::Warn, (format!("what CUDA {} writes as PTX", gap.cuda), gap)),
            None if installed.is_empty() => (Severity::Info, of_torch()?),
            None => return None,
        },
    };
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
            .packages(["nvidia-driver", TORCH])
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

/// The newest torch that the rules know of which a build runs on a driver.
fn last_for<'c>(context: &'c Context<'_>, driver: &DriverVersion) -> Option<&'c Release> {
    let runs = |release: &&Release| {
        release.builds.iter().filter_map(|build| build.cuda).any(|cuda| runtime_gap(cuda, driver, context.db).is_none())
    };
    context.db.package(TORCH)?.releases.iter().rev().find(runs)
}

/// What a driver lacks for every build for CUDA of a release.
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
    let oldest = release.builds.iter().filter_map(|build| build.cuda).min()?;
    let gap = runtime_gap(oldest, driver, context.db)?;
    let title = match version {
        Some(_) => format!("every build of {} {}", package.name, release.version),
        None => format!("the newest {} ({})", package.name, release.version),
    };
    Some((title, gap))
}

/// `11` for a driver that runs builds of CUDA 11 but not of 12.
fn own_major(context: &Context<'_>, driver: &DriverVersion) -> String {
    let families = context.db.families().iter().filter(|family| family.linux_driver <= *driver);
    families
        .map(|family| family.cuda_major)
        .max()
        .map_or_else(|| "10 or older".to_owned(), |major| format!("{major}.x"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::{Case, read};

    #[test]
    fn a_driver_compiles_ptx_up_to_its_own_cuda() {
        let of = |driver| {
            let report = Case::report().driver(driver).with(|facts| facts.toolchain.named = read("12.8"));
            report.found(&OLD)
        };
        assert_eq!(of("535.54.03"), ["driver/old: driver 535.54.03 is too old for what CUDA 12.8 writes as PTX"]);
        assert!(of("615.10").is_empty());
    }
}
