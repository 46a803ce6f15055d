//! Sets of releases and builds in words, as short as is still exact.

use std::collections::{BTreeMap, BTreeSet};

use pubgrub::Ranges;

use super::candidates::Candidates;
use super::need::admits_below;
use crate::pep::{Version, VersionSpecifiers, release_specifiers_to_ranges};
use crate::text::list;
use crate::version::CudaVersion;

/// Versions in words: `2.6.0`, `2.6.0 to 2.7.1`, `2.9.0 and newer`; `all releases` for every one.
pub(super) fn versions(candidates: &Candidates<'_>, releases: &BTreeSet<u32>) -> String {
    let all = candidates.releases();
    let shown = |number: u32| candidates.release(number).version.to_string();
    if releases.len() > 1 && all.clone().all(|number| releases.contains(&number)) {
        return "in any release".to_owned();
    }
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &number in releases {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == number => *end = number,
            _ => runs.push((number, number)),
        }
    }
    let mut pieces = Vec::new();
    for (start, end) in runs {
        match end - start {
            0 => pieces.push(shown(start)),
            _ if end + 1 == all.end && start > 1 => pieces.push(format!("{} and newer", shown(start))),
            1 => pieces.extend([shown(start), shown(end)]),
            _ => pieces.push(format!("{} to {}", shown(start), shown(end))),
        }
    }
    if pieces.len() > 4 {
        let (first, last) = (pieces.first().cloned().unwrap_or_default(), pieces.last().cloned().unwrap_or_default());
        return format!("{} releases between {first} and {last}", releases.len());
    }
    list(&pieces)
}

/// Why no release of the rules satisfies a range: `is older than what the rules know (torch from 1.13.0 on)`.
pub(super) fn beyond(candidates: &Candidates<'_>, specifiers: &VersionSpecifiers) -> String {
    let name = candidates.name;
    let releases = &candidates.package.releases;
    let (Some(first), Some(last)) = (releases.first(), releases.last()) else {
        return "and the rules know no release of it".to_owned();
    };
    let asked = release_specifiers_to_ranges(specifiers.clone());
    let reaches = |range: Ranges<Version>| !asked.is_disjoint(&range);
    if candidates.package.partial && admits_below(specifiers, &first.version) {
        format!("older than what the rules know ({name} from {} on)", first.version)
    } else if reaches(Ranges::strictly_higher_than(last.version.clone())) {
        format!("newer than what the rules know ({name} up to {}; `gpudoc rules update` may bring more)", last.version)
    } else {
        format!("and there is no such release; the newest is {}", last.version)
    }
}

/// A package with versions: `torch 2.6.0`, `torch in any release`.
pub(super) fn subject(candidates: &Candidates<'_>, releases: &BTreeSet<u32>) -> String {
    format!("{} {}", candidates.name, versions(candidates, releases))
}

/// What builds are for: `for CUDA 11.8 and 12.6`, `without CUDA`.
pub(super) fn cudas(cudas: &BTreeSet<Option<CudaVersion>>) -> String {
    let versions: Vec<_> = cudas.iter().flatten().map(ToString::to_string).collect();
    match (versions.is_empty(), cudas.contains(&None)) {
        (true, _) => "without CUDA".to_owned(),
        (false, false) => format!("for CUDA {}", list(&versions)),
        (false, true) => format!("for CUDA {}, or without,", list(&versions)),
    }
}

/// Builds as subjects of a singular verb, few phrases that together name all of them and none but those of which `also`
/// says that the same is true: `xformers 0.0.30`, `every build of torch 2.6.0`, `torch 2.7.1 for CUDA 11.8 and 12.6`.
pub(super) fn builds(candidates: &Candidates<'_>, builds: &BTreeSet<u32>, also: impl Fn(u32) -> bool) -> Vec<String> {
    let holds = |build: u32| builds.contains(&build) || also(build);
    let releases: BTreeSet<u32> = builds.iter().map(|build| candidates.build(*build).release + 1).collect();
    let whole: BTreeSet<u32> =
        releases.iter().copied().filter(|release| candidates.builds_of(*release).all(holds)).collect();
    let mut phrases = Vec::new();
    if !whole.is_empty() {
        let single = whole.iter().all(|release| candidates.builds_of(*release).len() == 1);
        let prefix = if single { "" } else { "every build of " };
        phrases.push(format!("{prefix}{}", subject(candidates, &whole)));
    }
    let rest: BTreeSet<u32> = releases.difference(&whole).copied().collect();
    if rest.is_empty() {
        return phrases;
    }
    let cuda_of = |build: u32| candidates.build(build).build.cuda;
    let of_rest = || rest.iter().flat_map(|release| candidates.builds_of(*release));
    let named: BTreeSet<_> = of_rest().filter(|build| builds.contains(build)).map(cuda_of).collect();
    if of_rest().filter(|build| named.contains(&cuda_of(*build))).all(holds) {
        phrases.push(some_builds(candidates, &rest, &named));
        return phrases;
    }
    let mut by_set: BTreeMap<BTreeSet<Option<CudaVersion>>, BTreeSet<u32>> = BTreeMap::new();
    for release in rest {
        let own = candidates.builds_of(release).filter(|build| builds.contains(build)).map(cuda_of);
        by_set.entry(own.collect()).or_default().insert(release);
    }
    let by_set = by_set.iter();
    phrases.extend(by_set.map(|(set, releases)| some_builds(candidates, releases, set)));
    phrases
}

fn some_builds(candidates: &Candidates<'_>, releases: &BTreeSet<u32>, set: &BTreeSet<Option<CudaVersion>>) -> String {
    let subject = subject(candidates, releases);
    if set.iter().all(Option::is_none) {
        return format!("every CPU build of {subject}");
    }
    format!("every build of {subject} {}", cudas(set))
}
