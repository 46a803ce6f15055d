//! The packages of an older CUDA in the place of those that the driver or the GPU has no use for, where only their names say it.
//!
//! `jax-cuda13-plugin` on a V100 becomes `jax-cuda12-plugin` of the same release; with it goes all that is there for the same CUDA,
//! since one process loads one.

use pep440_rs::Version;

use crate::check;
use crate::facts::{Distribution, Facts};
use crate::finding::{Change, Finding, Kind, Remedy, Severity};
use crate::rules::RuleDb;
use crate::rules::model::Release;
use crate::rules::requirement::{name_of, normalise};
use crate::text;

/// A distribution that is in the way, and what comes in its place.
struct Twin<'f> {
    old: &'f Distribution,
    name: String,
    version: Version,
    extra: Option<String>,
    /// It comes along with the others.
    is_part: bool,
    /// The rules have this release.
    known: bool,
}

/// The exchange that findings about a driver or GPU call for, and whether the rules know all that comes; none where no finding names
/// such a package, or a release is not published for an older CUDA.
pub(super) fn older(facts: &Facts, db: &RuleDb, findings: &[Finding]) -> Option<(Remedy, bool)> {
    let failing =
        findings.iter().filter(|it| it.severity == Severity::Fail && matches!(it.kind, Kind::GpuArch | Kind::Driver));
    let major = failing.flat_map(|it| &it.packages).find_map(|name| Some(db.cuda_name(name)?.major))?;
    let there =
        facts.active_distributions().filter(|it| db.cuda_name(&it.name).is_some_and(|name| name.major == major));
    let twins: Vec<Twin<'_>> = there.map(|old| twin(old, db)).collect::<Option<_>>()?;
    let asked: Vec<&Twin<'_>> = twins.iter().filter(|twin| !twin.is_part).collect();
    let line = |twin: &&Twin<'_>, extra: bool| {
        let extra = twin.extra.as_ref().filter(|_| extra).map_or_else(String::new, |extra| format!("[{extra}]"));
        format!("{}{extra}=={}", twin.name, twin.version)
    };
    let lines: Vec<String> = asked.iter().map(|twin| line(twin, true)).collect();
    let gone: Vec<&str> = twins.iter().map(|twin| twin.old.name.as_str()).collect();
    let installer = check::Installer::of(facts);
    let removed =
        twins.iter().map(|twin| Change::Remove { name: twin.old.name.clone(), location: twin.old.location.clone() });
    let pins = asked.iter().map(|twin| line(twin, false)).collect();
    // What they ask for of that CUDA, `cuda-toolkit==13.*`, those in their place ask for of theirs.
    let lines_of = |twin: &Twin<'_>| twin.old.metadata.value().map(|it| it.requires.clone()).unwrap_or_default();
    let there = |name: &String| facts.distribution(name).is_some() && !gone.contains(&name.as_str());
    let of_major = twins.iter().flat_map(lines_of).filter(|line| line.contains(&major.to_string()));
    let follow: Vec<String> = of_major.map(|line| normalise(name_of(&line))).filter(there).collect();
    let remedy = Remedy {
        summary: format!("Install {} in the place of those for CUDA {major}", text::list(&lines)),
        steps: installer.uninstall(&gone).into_iter().chain(installer.install(&[], &lines)).collect(),
        change: Some(Change::All(removed.chain([Change::Install(pins), Change::Install(follow)]).collect())),
        requirements: lines,
        verified: false,
    };
    Some((remedy, asked.iter().all(|twin| twin.known)))
}

/// The twin of one distribution: the same release, for the next older CUDA.
fn twin<'f>(old: &'f Distribution, db: &RuleDb) -> Option<Twin<'f>> {
    let of_name = db.cuda_name(&old.name)?;
    let name = of_name.older?;
    let version: Version = old.version.value()?.parse().ok()?;
    let version = version.without_local();
    let release = match db.package(&name) {
        Some(package) => Some(package.releases.iter().find(|release| release.version == version)?),
        None => None,
    };
    let has = |extra: &&str| release.and_then(Release::extras).is_some_and(|extras| extras.contains_key(*extra));
    let extra = of_name.extra.filter(has).map(str::to_owned);
    Some(Twin { old, name, version, extra, is_part: of_name.is_part, known: release.is_some() })
}
