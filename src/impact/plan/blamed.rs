//! What findings blame: builds that cannot stay, packages that a report does not list, what may be taken out.

use std::collections::BTreeSet;

use super::super::serious;
use super::{Draft, is_certain, is_told};
use crate::check::registry;
use crate::facts::{Distribution, Origin, TORCH};
use crate::finding::{Change, Finding, Kind, Severity};
use crate::rules::requirement;
use crate::solve::AskedRequirement;

impl Draft<'_> {
    /// Packages whose installed build was seen not to work here: that counts more than what the rules say of it.
    pub(super) fn unfit(&self, findings: &[Finding]) -> BTreeSet<String> {
        // For which GPU, nobody says: any other build may be as unfit.
        let for_no_gpu = self.facts.gpus.value().is_none_or(Vec::is_empty);
        let of_build = |finding: &&Finding| {
            finding.severity == Severity::Fail
                && is_certain(finding, self.db)
                && match finding.kind {
                    Kind::GpuArch => !for_no_gpu,
                    // What somebody asks for is not what is there.
                    Kind::Python => !finding.id.is(&registry::NO_WHEEL),
                    kind => kind == Kind::CpuBuild,
                }
        };
        // An advisory is about releases, and says itself which one to install.
        let is_advisory = |finding: &Finding| finding.id.is(&registry::ADVISORY);
        // Which of its libraries a package loads, its partner decides.
        let alone = |name: &&String| self.db.package(name).is_none_or(|package| package.library_choice.is_empty());
        let single = findings.iter().filter(of_build).filter(|it| it.packages.len() == 1 && !is_advisory(it));
        let single = single.flat_map(|finding| &finding.packages).filter(alone);
        // Of a release that the rules do not have no solver knows that it does not go with its partner.
        let mismatched = findings.iter().filter(|it| {
            it.severity == Severity::Fail && matches!(it.kind, Kind::Requirement | Kind::Pairing) && !is_told(&it.id)
        });
        let unlisted = mismatched.filter_map(|it| it.id.subject()).filter(|name| self.is_unlisted(name));
        single.cloned().chain(unlisted.map(str::to_owned)).collect()
    }

    /// Whether a package that the rules cover is there in a release that they do not have.
    fn is_unlisted(&self, name: &str) -> bool {
        let version = self.facts.distribution(name).and_then(Distribution::stated_version);
        self.db.package(name).is_some() && version.is_some_and(|version| self.db.release(name, &version).is_none())
    }

    /// Packages that a message blames: they are there, though the report does not list them. What only comes along with others
    /// is theirs to bring.
    pub(super) fn blamed(&self, findings: &[Finding]) -> Vec<AskedRequirement> {
        let of_build = |it: &&Finding| matches!(it.kind, Kind::GpuArch | Kind::CpuBuild | Kind::Advisory);
        let told =
            findings.iter().filter(|it| self.facts.origin == Origin::Report && serious(it) && is_certain(it, self.db));
        let has_role = |name: &str| self.db.package(name).is_some_and(|package| package.headline.is_some());
        let absent = |name: &&String| self.facts.distribution(name).is_none() && has_role(name);
        // What brings the one that is blamed is asked for by its name alone.
        let lines =
            |it: &Finding| it.remedies.iter().flat_map(|remedy| remedy.requirements.clone()).collect::<Vec<_>>();
        let names = told.filter(of_build).flat_map(|it| [it.packages.clone(), lines(it)].concat());
        let names: BTreeSet<String> =
            names.flat_map(|name| [self.brought_by_torch(&name), Some(name)]).flatten().collect();
        let names = names.into_iter().filter(|name| absent(&name)).collect::<BTreeSet<_>>();
        let asked = |name: &String| Some(AskedRequirement::new(requirement::parse(name).ok()?, "the report"));
        names.iter().filter_map(asked).collect()
    }
}

impl Draft<'_> {
    /// torch, where it requires a package, as it pins triton: who has that has a torch for it, and moves both.
    fn brought_by_torch(&self, name: &str) -> Option<String> {
        let newest = self.db.package(TORCH)?.releases.last()?;
        let mut lines = newest.requires.iter().chain(newest.builds.iter().flat_map(|build| &build.requires));
        lines.any(|line| requirement::name_of(line) == name).then(|| TORCH.to_owned())
    }
}

/// What findings say may be taken out, since nothing needs it.
pub(super) fn dispensable(findings: &[Finding]) -> BTreeSet<String> {
    let removed = |change: &Change| match change {
        Change::Remove { name, .. } => Some(name.clone()),
        _ => None,
    };
    let told = |it: &Finding| it.id.is(&registry::ADVISORY) || it.id.is(&registry::NO_KERNEL);
    let changes = findings.iter().filter(|it| serious(it) && told(it)).flat_map(|it| &it.remedies);
    let changes = changes.filter_map(|remedy| match remedy.change.as_ref()? {
        Change::All(changes) => changes.iter().map(removed).collect::<Option<Vec<_>>>(),
        _ => None,
    });
    changes.flatten().collect()
}
