//! Packages that the rules do not cover, and on which several of the stack must agree.
//!
//! Their releases are not known, so versions stand in for them: each bound that somebody states, and one version between each
//! two. Whoever requires `tokenizers>=0.22,<=0.23.0` and whoever requires `tokenizers<0.22` then have none in common, as an
//! installer would find. What is chosen of them is never pinned: an installer knows the releases.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::request::Request;
use crate::pep::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use crate::rules::RuleDb;
use crate::rules::bytes::Bytes;
use crate::rules::model::{ANY, Build, Package, Release, RowSource};
use crate::rules::requirement::{self, name_of, normalise};
use crate::rules::role::is_runtime_wheel;

/// The stand-ins that matter among what these packages require and the user asks for.
pub(super) fn stand_ins<'a>(packages: &[&'a Package], request: &Request, db: &'a RuleDb) -> Vec<&'a Package> {
    let outside = |name: &str| db.package(name).is_none() && !is_runtime_wheel(name);
    let mut stated: BTreeMap<String, Vec<VersionSpecifiers>> = BTreeMap::new();
    for asked in request.requirements.iter().chain(&request.constraints) {
        let name = asked.requirement.name.to_string();
        let range = requirement::specifiers(&asked.requirement).filter(|range| !range.is_empty());
        if let Some(range) = range.filter(|_| outside(&name)) {
            stated.entry(name).or_default().push(range);
        }
    }
    let mut mentions: BTreeMap<String, usize> = BTreeMap::new();
    for package in packages {
        for name in db.mentioned_by(package).iter().filter(|name| outside(name)) {
            *mentions.entry(name.clone()).or_default() += 1;
        }
    }
    let is_wanted = |(name, count): &(String, usize)| {
        *count > 1 || stated.contains_key(name) || request.installed.contains_key(name)
    };
    let wanted: BTreeSet<String> = mentions.into_iter().filter(is_wanted).map(|(name, _)| name).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let ranges = ranges(packages, &wanted);
    let make = |name: &String| {
        let own = ranges.get(name).into_iter().flatten().chain(stated.get(name).into_iter().flatten());
        let own: Vec<&VersionSpecifier> = own.flat_map(|range| range.iter()).collect();
        let installed = request.installed.get(name);
        // Where all say only how old it may be, the newest suits all.
        let limits = own.iter().any(|it| !matches!(it.operator(), Operator::GreaterThan | Operator::GreaterThanEqual));
        if !limits && installed.is_none() {
            return None;
        }
        let bounds: BTreeSet<Version> = own.iter().flat_map(|it| bounds(it)).chain(installed.cloned()).collect();
        let versions = with_between(&bounds);
        Some(db.stand_in(name, &versions, || package(name, &versions)))
    };
    wanted.iter().filter_map(make).collect()
}

/// What releases of these packages state of some names, each line once.
fn ranges(packages: &[&Package], wanted: &BTreeSet<String>) -> BTreeMap<String, Vec<VersionSpecifiers>> {
    let mut names: HashMap<&str, Option<String>> = HashMap::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut found: BTreeMap<String, Vec<VersionSpecifiers>> = BTreeMap::new();
    for release in packages.iter().flat_map(|package| &package.releases) {
        for line in release.requires.iter().chain(release.builds.iter().flat_map(|build| &build.requires)) {
            let raw = name_of(line);
            let name = names.entry(raw).or_insert_with(|| Some(normalise(raw)).filter(|name| wanted.contains(name)));
            let Some(name) = name.as_ref().filter(|_| line.len() > raw.len() && seen.insert(line)) else { continue };
            let parsed = requirement::parse(line).ok().and_then(|parsed| requirement::specifiers(&parsed));
            found.entry(name.clone()).or_default().extend(parsed.filter(|range| !range.is_empty()));
        }
    }
    found
}

/// The versions at which a specifier may change its mind.
fn bounds(specifier: &VersionSpecifier) -> Vec<Version> {
    let version = specifier.version().clone().without_local();
    let next = |numbers: &[u64]| {
        let mut numbers = numbers.to_vec();
        numbers.last_mut().into_iter().for_each(|last| *last = last.saturating_add(1));
        Version::new(numbers)
    };
    let numbers = version.release().to_vec();
    match specifier.operator() {
        Operator::EqualStar | Operator::NotEqualStar => vec![next(&numbers), version],
        Operator::TildeEqual => vec![next(&numbers[..numbers.len().saturating_sub(1).max(1)]), version],
        _ => vec![version],
    }
}

/// Some versions, and one before, between and after them.
fn with_between(bounds: &BTreeSet<Version>) -> Vec<Version> {
    let zero = Version::new([0]);
    let mut versions = Vec::with_capacity(bounds.len() * 2 + 1);
    versions.extend(bounds.first().filter(|first| **first > zero).map(|_| zero));
    let mut next = bounds.iter().skip(1);
    for bound in bounds {
        versions.push(bound.clone());
        let mut numbers = bound.release().to_vec();
        let next = next.next();
        match next {
            // No release has so many numbers.
            Some(_) => {
                numbers.resize(numbers.len().max(4), 0);
                numbers.push(1);
            }
            None => numbers.iter_mut().take(1).for_each(|first| *first = first.saturating_add(1)),
        }
        let between = Version::new(numbers);
        if between > *bound && next.is_none_or(|next| between < *next) {
            versions.push(between);
        }
    }
    versions
}

fn package(name: &str, versions: &[Version]) -> Package {
    let release = |version: &Version| Release {
        version: version.clone(),
        date: String::new(),
        yanked: false,
        requires_python: None,
        requires: Vec::new(),
        stated: true,
        own_extras: None,
        shared_extras: None,
        builds: vec![Build {
            local: None,
            cuda: None,
            index: "pypi".to_owned(),
            platform: ANY.to_owned(),
            glibc: None,
            python: Vec::new(),
            cxx11_abi: None,
            requires: Vec::new(),
            code: Vec::new(),
            assembles: Vec::new(),
            source: RowSource::Page { page: String::new(), read: String::new() },
        }],
    };
    Package {
        name: name.to_owned(),
        walk: None,
        whole: false,
        library_choice: Vec::new(),
        built_for: Vec::new(),
        partners: Vec::new(),
        headline: None,
        partial: false,
        packed_extras: Bytes::default(),
        releases: versions.iter().map(release).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_and_what_lies_between_has_a_version() {
        let range: VersionSpecifiers = ">=0.21,<0.22".parse().expect("a range");
        let all: BTreeSet<Version> = range.iter().flat_map(bounds).collect();
        let texts: Vec<_> = with_between(&all).iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["0", "0.21", "0.21.0.0.1", "0.22", "1.22"]);
        let inside: Vec<_> =
            with_between(&all).into_iter().filter(|version| requirement::satisfied(&range, version)).collect();
        assert_eq!(inside.len(), 2);
        let wild: VersionSpecifiers = "==1.*".parse().expect("a range");
        assert_eq!(wild.iter().flat_map(bounds).map(|it| it.to_string()).collect::<Vec<_>>(), ["2", "1"]);
        let alike: VersionSpecifiers = "~=1.4.2".parse().expect("a range");
        assert_eq!(alike.iter().flat_map(bounds).map(|it| it.to_string()).collect::<Vec<_>>(), ["1.5", "1.4.2"]);
    }
}
