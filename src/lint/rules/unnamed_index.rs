//! Does what a file asks for work from PyPI, if the file names no index?

use super::reason::without_build;
use super::solver::{Pins, Solver, whole};
use super::view::{PYPI, View, on_pypi};
use super::{finding, is_told, on};
use crate::finding::Severity;
use crate::lint::project::From;
use crate::lint::{Edit, Finding, Fix, Rule};
use crate::pep::Version;
use crate::rules::Target;
use crate::rules::model::Build;
use crate::rules::obstacle::obstacles;

/// What is asked for works from another index than PyPI only, and the file names none.
pub static INDEX_NOT_NAMED: Rule = Rule {
    id: "index-not-named",
    title: "What is asked for works from another index than PyPI only, and the file names none",
    help: "An installer that is told of no index takes PyPI's build, which is for one CUDA. Name the index in the file, \
           or ask for a release whose build at PyPI works.",
    judge: None,
};

/// Looks at a set that can be met from some index: can it from PyPI?
pub fn judge(view: &View<'_>, target: &Target, pins: &Pins, solver: &Solver<'_>, out: &mut Vec<Finding>) {
    let mut lines = view.applying(target).filter(|line| line.source == From::Unnamed && !line.elsewhere);
    let Some(first) = lines.next() else { return };
    if view.environment.locked || solver.is_possible(&whole(view.request_as_installed(target))) {
        return;
    }
    let Some(wrong) = pins.iter().find_map(|(name, version)| wrong_build(view, target, name, version)) else { return };
    let line = lines.find(|line| line.name == wrong.name).filter(|_| first.name != wrong.name).unwrap_or(first);
    let (file, place) = (line.at.file, &line.at.place);
    let url = view.db.index_url(&wrong.index);
    let Some(url) = url.filter(|_| !is_told(view, &INDEX_NOT_NAMED, file, place, out)) else { return };
    let message =
        format!("{} {} comes from PyPI, and its build there does not work {}", wrong.name, wrong.version, on(target));
    let mut found = finding(view, &INDEX_NOT_NAMED, Severity::Warn, file, place, message);
    found.notes = vec![wrong.reason, format!("the index {} has a build that works; the file names none", wrong.index)];
    let path = view.project.path(file).to_owned();
    if path.ends_with(".toml") {
        found.hint = Some(format!("name the index {url} for it (`[[tool.uv.index]]` and `[tool.uv.sources]`)"));
    } else {
        let text = format!("--extra-index-url {url}\n");
        found.hint = Some(format!("write `{}` above it, or name that index where the file is installed", text.trim()));
        let edits = vec![Edit { file: path, start: place.span.start, end: place.span.start, text }];
        found.fix = Some(Fix { summary: format!("name the index `{}`", wrong.index), edits });
    }
    out.push(found);
}

/// A release whose build at PyPI is taken, and should not be.
struct Wrong<'p> {
    name: &'p str,
    version: Version,
    /// The index that has the right build.
    index: String,
    /// Why PyPI's does not do.
    reason: String,
}

/// What is wrong with PyPI's builds of a chosen release, where the chosen one is another's.
fn wrong_build<'p>(view: &View<'p>, target: &Target, name: &str, version: &Version) -> Option<Wrong<'p>> {
    let package = view.db.package(name)?;
    let public = version.clone().without_local();
    let release = package.releases.iter().find(|release| release.version == public)?;
    let mut own = release.builds.iter().filter(|build| release.full_version(build) == version.to_string());
    let index = own.find(|build| !on_pypi(build))?.index.clone();
    let fails = |build: &Build| !obstacles(package, release, build, target, view.db).is_empty();
    if !release.builds.iter().any(on_pypi) || !release.builds.iter().filter(|build| on_pypi(build)).all(fails) {
        return None;
    }
    let reason = without_build(view, package, &[release], Some(PYPI), target)?;
    Some(Wrong { name: &package.name, version: public, index, reason })
}
