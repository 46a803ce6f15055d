//! What the rules add to a pasted report: the requirements of builds that it names, which an environment would hold itself.

use super::requirement::{is_about, name_of, parse, specifiers};
use super::role::{is_nvidias, is_runtime_wheel};
use super::target::{Target, complete_gpus};
use crate::facts::{Distribution, Facts, Metadata, Origin, Part, Reading, Source};
use crate::pep::{Version, pinned};
use crate::python::local_label::LocalLabel;
use crate::rules::RuleDb;
use crate::rules::schema::KnownHow;
use crate::rules::store::model::{Release, minor};
use crate::version::CudaVersion;

/// The torch that the local label of a version names, e.g. `2.6` of `2.7.4.post1+cu12torch2.6cxx11abiFALSE`.
#[must_use]
pub fn torch_of_label(version: &str) -> Option<String> {
    LocalLabel::of_version(version).torch
}

/// Which driver's user-mode part a cuda-compat folder holds, by the toolkit in its path: `/usr/local/cuda-12.8/compat`.
fn compat_version(facts: &mut Facts, db: &RuleDb) {
    let Reading::Known { value: library, .. } = &mut facts.loader.libcuda else { return };
    if !library.compat || library.version.value().is_some() {
        return;
    }
    let toolkit = library.path.split('/').find_map(|part| part.strip_prefix("cuda-")?.parse::<CudaVersion>().ok());
    if let Some(row) = toolkit.and_then(|cuda| db.toolkit(cuda)) {
        let source = Source::Rule(format!("CUDA {} in the rules", row.version));
        library.version = Reading::Known { value: row.linux_driver.clone(), source };
    }
}

/// Which machine type it is, by a GPU that comes in one piece with its CPU.
fn host_arch(facts: &mut Facts, db: &RuleDb) {
    if facts.system.arch.value().is_some() {
        return;
    }
    let names = facts.gpus.value().into_iter().flatten().filter_map(|gpu| gpu.name.value());
    if let Some((host, citation)) = names.filter_map(|name| db.host_of_gpu(name)).next() {
        facts.system.arch = Reading::Known { value: host.to_owned(), source: Source::Rule(citation) };
    }
}

/// Fills in compute capabilities and declared requirements of distributions that the rules have a row of.
pub fn complete_report(facts: &mut Facts, db: &RuleDb) {
    complete_gpus(facts, db);
    if facts.origin != Origin::Report {
        return;
    }
    // What a report calls compute capability is NVIDIA's word, also where the GPU is not (gfx1100: 11.0).
    if db.other_vendor(facts).is_some() {
        facts.gpus = Reading::Unknown;
    }
    compat_version(facts, db);
    host_arch(facts, db);
    facts.distributions.iter_mut().for_each(|distribution| release_line(distribution, db));
    let platform = Target::from_facts(facts, db).platform;
    let platforms = [platform.as_deref().unwrap_or("linux_x86_64"), "linux_x86_64"];
    for distribution in &mut facts.distributions {
        if distribution.metadata.is_unknown()
            && let Some((metadata, source)) = by_rule(distribution, &platforms, db)
        {
            distribution.metadata = Reading::Known { value: metadata, source: Source::Rule(source) };
        }
    }
}

/// Whoever says `2.5` of a package whose releases are 2.5.0 and 2.5.1 told a part of its version. Where there is one release only,
/// that is meant.
fn release_line(distribution: &mut Distribution, db: &RuleDb) {
    let Some(package) = db.package(&distribution.name) else { return };
    let is_line = |version: &Version| version.release().len() == 2 && !version.any_prerelease() && !version.is_post();
    // `2.2.x` says it in so many words.
    let said = distribution.version.value().map(|text| text.strip_suffix(".x").unwrap_or(text));
    let Some(line) = said.and_then(|text| text.parse::<Version>().ok()).filter(is_line) else { return };
    let label = distribution.local().map(str::to_owned);
    let is_of_line = |release: &&Release| minor(&release.version) == minor(&line) && !release.version.any_prerelease();
    let is_release = |release: &Release| release.version.release().len() == 2 && release.version == line;
    if package.releases.iter().any(is_release) {
        return;
    }
    // Of releases that have no build with this label, none is meant where others have one.
    let has_label = |release: &&&Release| release.builds.iter().any(|build| build.local == label);
    let all: Vec<&Release> = package.releases.iter().filter(is_of_line).collect();
    let labelled: Vec<&Release> = all.iter().filter(has_label).copied().collect();
    let meant = if labelled.is_empty() || label.is_none() { all } else { labelled };
    if meant.len() < 2 {
        return;
    }
    let members = |end: &str| meant.iter().map(|release| format!("{}{end}", release.version)).collect::<Vec<_>>();
    let end = label.map_or_else(String::new, |label| format!("+{label}"));
    for (reading, end) in [(&mut distribution.version, ""), (&mut distribution.build.version, end.as_str())] {
        if let Reading::Known { value, source } = reading
            && let Some(part) = Part::new(value.as_str(), members(end))
        {
            *reading = Reading::Partly { part, source: source.clone() };
        }
    }
}

/// What an alpha, beta or candidate (a nightly build pairs with those of its day) requires of the packages that the release after it pins: their minor release. What else it requires may
/// have changed until then.
fn before_release(name: &str, version: &Version, platforms: &[&str], db: &RuleDb) -> Option<(Metadata, String)> {
    let last = Version::new(version.release().to_vec());
    let (release, build) = platforms.iter().find_map(|platform| db.build(name, &last, platform))?;
    let line_of = |line: &String| {
        let wanted = parse(line).ok()?;
        let pin = pinned(&specifiers(&wanted)?)?.clone();
        let [major, minor, ..] = *pin.release() else { return None };
        let covered = db.package(wanted.name.as_ref()).filter(|package| !is_runtime_wheel(&package.name));
        covered.map(|package| format!("{}=={major}.{minor}.*", package.name))
    };
    let requires: Vec<String> = release.requires.iter().chain(&build.requires).filter_map(line_of).collect();
    let metadata = Metadata { requires, ..Metadata::default() };
    Some((metadata, format!("{name} {last} in the rules, of which {version} is a pre-release")))
}

/// What an installed release requires by its row, on the first of some platforms that has one, and where that is from; none
/// where nobody read or inferred it: that is not to require nothing.
#[must_use]
pub fn by_rule(distribution: &Distribution, platforms: &[&str], db: &RuleDb) -> Option<(Metadata, String)> {
    let version = distribution.build_version()?;
    let found = platforms.iter().find_map(|platform| db.build(&distribution.name, &version, platform));
    // A variant that the rules do not list requires what its release does.
    let public = version.clone().without_local();
    let found = found.or_else(|| {
        let (release, _) = platforms.iter().find_map(|platform| db.build(&distribution.name, &public, platform))?;
        Some((release, release.builds.first()?))
    });
    let Some((release, build)) = found else {
        if version.is_pre() && !version.is_dev() {
            // Whoever names a commit built it for a torch of the same source tree, not for the releases.
            if distribution.local().is_some_and(|label| LocalLabel::parse(label) == LocalLabel::default()) {
                return None;
            }
            return before_release(&distribution.name, &public, platforms, db);
        }
        let old = db.old_release(&distribution.name, &public)?;
        let metadata = Metadata { requires: old.requires.clone(), ..Metadata::default() };
        return Some((metadata, old.source.citation()));
    };
    let known = release.requires_known(build);
    if known == KnownHow::Unknown {
        return None;
    }
    // Libraries that each variant pins for itself are known for the build that the list names, not for its release.
    let own = build.local.as_deref() == distribution.local() || distribution.local().is_none();
    // PyPI's wheel is the one that was read: what it asks of CUDA's side a CPU build does not.
    let cpu = build.local.as_deref() == Some("cpu") || distribution.local() == Some("cpu");
    let asks = |line: &&String| !cpu || !is_nvidias(name_of(line)) && !is_about(line, "triton");
    let requires = release.requires.iter().chain(build.requires.iter().filter(|_| own)).filter(asks).cloned().collect();
    let metadata = Metadata {
        requires,
        requires_python: release.requires_python.as_ref().map(ToString::to_string),
        extras: Vec::new(),
    };
    Some((metadata, format!("{} {} in the rules", distribution.name, release.version)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::store::embedded;

    /// What is made of a version that somebody said of torch.
    fn torch(said: &str) -> Distribution {
        let mut torch = Distribution { name: "torch".to_owned(), ..Distribution::default() };
        torch.version = Reading::told(said.split('+').next().unwrap_or(said).to_owned(), "line 1");
        if said.contains('+') {
            torch.build.version = Reading::told(said.to_owned(), "line 1");
        }
        release_line(&mut torch, embedded());
        torch
    }

    #[test]
    fn a_line_of_two_releases_is_a_version_in_part() {
        let plain = torch("2.5");
        assert_eq!(plain.version.part().map(Part::among), Some(["2.5.0".to_owned(), "2.5.1".to_owned()].as_slice()));
        let labelled = torch("2.5+cu124");
        let among = labelled.build.version.part().map(Part::among);
        assert_eq!(among, Some(["2.5.0+cu124".to_owned(), "2.5.1+cu124".to_owned()].as_slice()));
        assert_eq!(labelled.full_version(), "2.5+cu124");
    }

    #[test]
    fn a_whole_version_and_a_line_of_one_release_stay() {
        for said in ["2.5.1", "2.5.1+cu124", "2.6", "99.1"] {
            assert_eq!((torch(said).version.part(), torch(said).full_version()), (None, said));
        }
    }
}
