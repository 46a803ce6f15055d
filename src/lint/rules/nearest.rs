//! Which releases are nearest to what lines admit, and how is a range written that admits one?

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::lint::project::Line;
use crate::pep::{Operator, Version, VersionSpecifier, VersionSpecifiers, is_line};
use crate::rules::model::Package;
use crate::rules::requirement::{satisfied, specifiers};

/// The releases of a package, those first that are nearest to what its lines admit: by minor releases, newer before older, of
/// each the last patch first.
pub fn by_distance(package: &Package, lines: &[&Line]) -> Vec<Version> {
    let ranges: Vec<VersionSpecifiers> = lines.iter().filter_map(|line| specifiers(&line.requirement)).collect();
    let all = package.releases.iter().filter(|release| !release.yanked && !release.version.any_prerelease());
    let all: Vec<&Version> = all.map(|release| &release.version).collect();
    let minor = |version: &Version| {
        let part = |at: usize| version.release().get(at).copied().unwrap_or_default();
        (version.epoch(), part(0), part(1))
    };
    let minors: BTreeSet<_> = all.iter().map(|version| minor(version)).collect();
    let place = |version: &Version| minors.range(..minor(version)).count();
    let admitted = |version: &&&Version| ranges.iter().any(|range| satisfied(range, version));
    let named = ranges.iter().flat_map(|range| range.iter().map(VersionSpecifier::version)).max();
    let from = all.iter().filter(admitted).max().copied().or(named);
    let Some(from) = from else { return Vec::new() };
    let start = place(from);
    let mut sorted: Vec<Version> = all.into_iter().cloned().collect();
    sorted.sort_by_key(|version| (place(version).abs_diff(start), place(version) < start, Reverse(version.clone())));
    sorted
}

/// A range that admits a release, written like an old one: a pin stays a pin, and a range with an upper bound has one.
pub fn worded(range: &VersionSpecifiers, version: &Version, pinned: bool) -> String {
    use Operator::{
        EqualStar, GreaterThan, GreaterThanEqual, LessThan, LessThanEqual, NotEqual, NotEqualStar, TildeEqual,
    };
    let public = version.clone().without_local();
    let part = |at: usize| public.release().get(at).copied().unwrap_or_default();
    let find = |wanted: &[Operator]| range.iter().find(|one| wanted.contains(one.operator()));
    if let (Some(star), false) = (find(&[EqualStar]), pinned) {
        let parts: Vec<String> = (0..star.version().release().len()).map(|at| part(at).to_string()).collect();
        return format!("=={}.*", parts.join("."));
    }
    if pinned || range.iter().any(is_line) {
        // A label only where there was one: elsewhere the index says which build.
        let labelled = range.iter().any(|one| !one.version().local().is_empty());
        return format!("=={}", if labelled { version } else { &public });
    }
    if find(&[TildeEqual]).is_some() {
        return format!("~={public}");
    }
    let lower = find(&[GreaterThan, GreaterThanEqual]);
    let upper = find(&[LessThan, LessThanEqual]);
    let is_older = lower.is_some_and(|lower| public < *lower.version());
    let mut text = format!(">={public}");
    if upper.is_some() || is_older {
        let length = upper.map_or(2, |upper| upper.version().release().len()).clamp(2, 3);
        let next = [part(0).to_string(), (part(1) + 1).to_string(), "0".to_owned()];
        text.push_str(&format!(",<{}", next.get(..length).unwrap_or(&next).join(".")));
    }
    for other in range.iter().filter(|one| matches!(one.operator(), NotEqual | NotEqualStar)) {
        text.push_str(&format!(",{other}"));
    }
    text
}
