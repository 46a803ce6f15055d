//! The packages of another CUDA in the place of those that the driver or the GPU has no use for, or that miss libraries which only
//! another CUDA has here, where only their names say it.
//!
//! `jax-cuda13-plugin` on a V100 becomes `jax-cuda12-plugin` of the same release, `cupy-cuda11x` beside a toolkit of CUDA 12
//! `cupy-cuda12x`; with it goes all that is there for the same CUDA, since one process loads one.

use super::is_told;
use crate::check;
use crate::facts::{Distribution, Facts};
use crate::finding::{Change, Finding, Id, Kind, Remedy, Severity};
use crate::pep::Version;
use crate::rules::RuleDb;
use crate::rules::model::Release;
use crate::rules::requirement::{name_of, normalise};
use crate::rules::role::is_nvidias_for;
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

/// An exchange of all that is there for one CUDA, and what is known of it.
pub(super) struct Exchange {
    pub remedy: Remedy,
    /// The rules know all that comes.
    pub known: bool,
    /// Findings that only a message tells of, and that it answers: no check sees them end.
    pub answers: Vec<Id>,
}

/// The exchange that findings about a driver or GPU call for; none where no finding names such a package, or a release is not
/// published for an older CUDA.
pub(super) fn older(facts: &Facts, db: &RuleDb, findings: &[Finding]) -> Option<Exchange> {
    let failing =
        findings.iter().filter(|it| it.severity == Severity::Fail && matches!(it.kind, Kind::GpuArch | Kind::Driver));
    let name = failing.flat_map(|it| &it.packages).find_map(|name| db.cuda_name(name))?;
    let (remedy, known) = exchange(facts, db, name.major, name.older()?)?;
    Some(Exchange { remedy, known, answers: Vec::new() })
}

/// The exchange for the CUDA whose toolkit is there, where messages miss a library of another, and nothing of that other is there:
/// `libnvrtc.so.11.2` of cupy-cuda11x beside CUDA 12.4.
pub(super) fn of_the_toolkit(facts: &Facts, db: &RuleDb, findings: &[Finding]) -> Option<Exchange> {
    let major = facts.active_distributions().find_map(|it| db.cuda_name(&it.name)).map(|name| name.major)?;
    let of_major = |soname: &str| db.libraries_with(soname, None).iter().any(|(_, row)| row.cuda == Some(major));
    let misses = |text: &str| {
        let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.+".contains(letter)));
        words.filter(|word| word.contains(".so.")).any(|word| of_major(word.trim_end_matches('.')))
    };
    let told = findings.iter().filter(|it| is_told(&it.id) && it.kind == Kind::CudaLibs);
    let told = told.filter(|it| it.evidence.iter().any(|evidence| misses(&evidence.observed)));
    let answers: Vec<Id> = told.map(|it| it.id.clone()).collect();
    let nvcc = facts.toolchain.nvcc.value().into_iter().filter_map(|nvcc| nvcc.cuda);
    let toolkits: Vec<u32> = nvcc.map(|cuda| cuda.major).collect();
    let own_wheel = |name: &str| is_nvidias_for(name, major);
    let is_there = toolkits.contains(&major) || facts.active_distributions().any(|it| own_wheel(&it.name));
    if answers.is_empty() || is_there {
        return None;
    }
    let (remedy, known) = exchange(facts, db, major, *toolkits.first()?)?;
    Some(Exchange { remedy, known, answers })
}

/// Everything that is there for one CUDA major in exchange for the same for another, and whether the rules know all that comes.
fn exchange(facts: &Facts, db: &RuleDb, major: u32, other: u32) -> Option<(Remedy, bool)> {
    let there =
        facts.active_distributions().filter(|it| db.cuda_name(&it.name).is_some_and(|name| name.major == major));
    let twins: Vec<Twin<'_>> = there.map(|old| twin(old, other, db)).collect::<Option<_>>()?;
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

/// The twin of one distribution: the same release, for another CUDA.
fn twin<'f>(old: &'f Distribution, major: u32, db: &'f RuleDb) -> Option<Twin<'f>> {
    let of_name = db.cuda_name(&old.name)?;
    let name = of_name.named_for(major)?;
    let version = old.stated_version()?;
    let version = version.without_local();
    let release = match db.package(&name) {
        Some(package) => Some(package.releases.iter().find(|release| release.version == version)?),
        None => None,
    };
    let has = |extra: &&str| release.and_then(Release::extras).is_some_and(|extras| extras.contains_key(*extra));
    let extra = of_name.extra.filter(has).map(str::to_owned);
    Some(Twin { old, name, version, extra, is_part: of_name.is_part, known: release.is_some() })
}
