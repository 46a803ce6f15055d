//! The packages of another CUDA in the place of those that the driver or the GPU has no use for, or that miss libraries which only
//! another CUDA has here, where only their names say it.
//!
//! `jax-cuda13-plugin` on a V100 becomes `jax-cuda12-plugin` of the same release, `cupy-cuda11x` beside a toolkit of CUDA 12
//! `cupy-cuda12x`; with it goes all that is there for the same CUDA, since one process loads one.

use super::super::serious;
use super::{is_certain, is_told};
use crate::check::{self, Stack};
use crate::facts::{Distribution, Facts};
use crate::finding::{Change, Finding, Id, Kind, Remedy, Severity};
use crate::pep::Version;
use crate::rules::driver::runtime_gap;
use crate::rules::model::Release;
use crate::rules::requirement::{name_of, normalise};
use crate::rules::role::is_nvidias_for;
use crate::rules::{RuleDb, Target};
use crate::text;
use crate::version::CudaVersion;

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
    let failing = failing.filter(|it| is_certain(it, db));
    let name = failing.flat_map(|it| &it.packages).find_map(|name| db.cuda_name(name))?;
    let (remedy, known) = exchange(facts, db, name.major, name.older()?)?;
    Some(Exchange { remedy, known, answers: Vec::new() })
}

/// The exchange for the CUDA of the torch beside them, where NVIDIA's wheels for both overwrite each other's files and each is
/// needed: jax-cuda12-plugin beside a torch for CUDA 13. With them go the wheels that nothing else needs then, and those of
/// torch's CUDA are installed again. None where the driver does not run torch's CUDA.
pub(super) fn of_torch(facts: &Facts, db: &RuleDb, findings: &[Finding]) -> Option<Exchange> {
    let target = Target::to_plan_for(facts, db);
    let stack = Stack::new(facts, db, &target);
    let cuda = stack.torch_cuda().flatten()?;
    let names = || facts.active_distributions().map(|it| it.name.as_str());
    let other = names().filter_map(|name| db.cuda_name(name)).map(|name| name.major).find(|it| *it != cuda.major)?;
    let both = |it: &Finding| {
        [other, cuda.major].iter().all(|major| it.packages.iter().any(|name| is_nvidias_for(name, *major)))
    };
    if !findings.iter().any(|it| serious(it) && it.kind == Kind::CudaLibs && both(it)) {
        return None;
    }
    let first = CudaVersion::new(cuda.major, 0);
    if target.user_mode_driver().is_none_or(|driver| runtime_gap(first, driver, db).is_some()) {
        return None;
    }
    let (mut remedy, known) = exchange(facts, db, other, cuda.major)?;
    let moves = |name: &str| db.cuda_name(name).is_some_and(|it| it.major == other);
    let is_needed = |name: &str| stack.needed_by(name, &target, db).iter().any(|other| !moves(other.name()));
    let wheels = || facts.active_distributions().filter(|it| is_nvidias_for(&it.name, other) && !is_needed(&it.name));
    let overwritten = facts.active_distributions().filter(|it| {
        is_nvidias_for(&it.name, cuda.major) && wheels().any(|wheel| db.shared_file(&it.name, &wheel.name).is_some())
    });
    let overwritten: Vec<&Distribution> = overwritten.collect();
    let pins =
        overwritten.iter().filter_map(|it| Some(format!("{}=={}", it.name, it.version.value()?))).collect::<Vec<_>>();
    let gone: Vec<&str> = wheels().map(|it| it.name.as_str()).collect();
    let installer = check::Installer::of(facts);
    remedy.steps.splice(0..0, installer.uninstall(&gone));
    remedy.steps.extend(installer.again(&pins));
    if !gone.is_empty() {
        remedy.summary = format!("{}, and torch's own wheels again", remedy.summary);
    }
    let removed = wheels().map(|it| Change::Remove { name: it.name.clone(), location: it.location.clone() });
    let again = overwritten.iter().map(|it| Change::Again { name: it.name.clone(), location: it.location.clone() });
    remedy.change = Some(Change::All(remedy.change.take().into_iter().chain(removed).chain(again).collect()));
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
        requirements: lines.clone(),
        change: Some(Change::All(removed.chain([Change::Install(pins), Change::Install(follow)]).collect())),
        ..Remedy::new(
            format!("Install {} in the place of those for CUDA {major}", text::list(&lines)),
            installer.uninstall(&gone).into_iter().chain(installer.install(&[], &lines)),
        )
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
