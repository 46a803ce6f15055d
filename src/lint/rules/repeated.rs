//! What must change in the commands before, which ask for the same packages?

use super::change::{Exchanged, Mend, Rewritten};
use super::nearest::worded;
use super::view::{View, on_pypi};
use crate::lint::Edit;
use crate::lint::project::{From, Line};
use crate::rules::Target;
use crate::rules::obstacle::obstacles;
use crate::rules::requirement::{satisfied, specifiers};
use crate::version::CudaVersion;

/// Writes the same where an earlier command asks for a package that a later one asks for again: what it installs would be
/// replaced at once.
pub fn rewrite<'p>(view: &View<'p>, target: &Target, pinned: bool, mend: &mut Mend<'p>) {
    let counts = |line: &Line| view.lines.iter().any(|other| std::ptr::eq(*other, line));
    for line in view.environment.lines.iter().filter(|line| !line.constraint && !line.elsewhere && !counts(line)) {
        if !mend.lines.iter().any(|one| one.line.name == line.name) || line.versions.is_none() {
            continue;
        }
        let pin = mend.pins.iter().find(|(name, _)| *name == line.name).map(|(_, version)| version.clone());
        let (Some(version), Some(range)) = (pin, specifiers(&line.requirement)) else { continue };
        if !satisfied(&range, &version) {
            mend.lines.push(Rewritten { line, versions: worded(&range, &version, pinned) });
        }
        let (From::Main(at) | From::Extra(at)) = &line.source else { continue };
        let Some(from) = view.db.index_at(&at.url).filter(|name| CudaVersion::from_variant(name).is_some()) else {
            continue;
        };
        if mend.indexes.iter().any(|one| one.at.url == at.url) {
            continue;
        }
        let Some(package) = view.db.package(&line.name) else { continue };
        let public = version.clone().without_local();
        let works = |index: &str| {
            let release = package.releases.iter().find(|release| release.version == public);
            let builds =
                release.into_iter().flat_map(|release| release.builds.iter().map(move |build| (release, build)));
            builds
                .filter(|(_, build)| build.index == index || on_pypi(build) && build.local.as_deref() == Some(index))
                .any(|(release, build)| obstacles(package, release, build, target, view.db).is_empty())
        };
        let label = version.local().first().map(ToString::to_string).filter(|label| works(label));
        if let (Some(to), false) = (label, works(&from)) {
            let written = view.project.written(at.at.file, &at.at.place);
            let Some(offset) = written.rfind(&from) else { continue };
            let start = at.at.place.span.start + offset;
            let file = view.project.path(at.at.file).to_owned();
            let edits = vec![Edit { file, start, end: start + from.len(), text: to.clone() }];
            mend.indexes.push(Exchanged { at, from, to, edits });
        }
    }
}
