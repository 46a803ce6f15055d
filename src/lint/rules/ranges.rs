//! Ranges that admit releases which do not work: no build that the installer may take has code for the GPU, or runs on the
//! driver.

use std::collections::BTreeMap;

use super::beside::{Clash, clashes, decided};
use super::solver::{Solver, Verdict};
use super::view::View;
use super::{edit, finding, is_told, on};
use crate::finding::{Kind, Severity};
use crate::lint::project::{From, Line};
use crate::lint::{Finding, Fix, Rule};
use crate::pep::{Operator, Requirement, Version, VersionSpecifiers};
use crate::rules::Target;
use crate::rules::model::{Package, Release};
use crate::rules::obstacle::obstacles;
use crate::rules::requirement::{parse, satisfied, specifiers};
use crate::solve::AskedRequirement;

/// A version range admits a release that does not work on a declared target.
pub static RANGE_ADMITS_BAD: Rule = Rule {
    id: "range-admits-bad",
    title: "A version range admits a release that does not work on a declared target",
    help: "An installer knows nothing of GPUs and drivers: it takes what the range admits. The narrower range does \
           not.",
    judge: None,
};

/// Judges the ranges on a target.
pub fn judge(view: &View<'_>, target: &Target, solver: &Solver<'_>, out: &mut Vec<Finding>) {
    let decided = decided(view, target);
    for line in view.applying(target).filter(|line| line.versions.is_some()) {
        if !is_told(view, &RANGE_ADMITS_BAD, line.at.file, &line.at.place, out) {
            out.extend(range(view, line, target, &decided, solver));
        }
    }
}

fn verdict(view: &View<'_>, package: &Package, release: &Release, index: Option<&str>, target: &Target) -> Verdict {
    let mut reason = None;
    for build in release.builds.iter().filter(|build| index.is_none_or(|index| build.index == index)) {
        let all = obstacles(package, release, build, target, view.db);
        if all.is_empty() {
            return Verdict::Works;
        }
        if all.iter().any(|one| one.kind() == Kind::Python) {
            continue;
        }
        let version = release.full_version(build);
        reason = reason.or_else(|| all.first().map(|one| format!("{} {version} {one}", package.name)));
    }
    reason.map_or(Verdict::NotOffered, Verdict::Fails)
}

/// The releases that a range admits and that are offered for a target, ascending, with what comes of each.
fn judged<'v>(
    view: &View<'v>,
    line: &Line,
    target: &Target,
    decided: &BTreeMap<String, Version>,
    solver: &Solver<'_>,
) -> Option<Vec<(&'v Release, Verdict)>> {
    let package = view.db.package(&line.name)?;
    let range = specifiers(&line.requirement)?;
    let admitted = |release: &&Release| {
        !release.yanked && !release.version.any_prerelease() && satisfied(&range, &release.version)
    };
    let clashes = clashes(view, target, decided, &line.name);
    let index = match &line.source {
        From::Unknown | From::Unnamed | From::Extra(_) => None,
        From::Pypi => Some("pypi".to_owned()),
        From::Main(at) => view.db.index_at(&at.url),
    };
    let verdicts = solver.verdicts((line.name.clone(), index.clone(), target.clone()), || {
        let all = package.releases.iter();
        all.map(|release| verdict(view, package, release, index.as_deref(), target)).collect()
    });
    let judged = package
        .releases
        .iter()
        .zip(verdicts.iter())
        .filter(|(release, _)| admitted(release))
        .map(|(release, verdict)| (release, verdict.clone()))
        .filter(|(_, verdict)| !matches!(verdict, Verdict::NotOffered))
        .map(|(release, verdict)| match verdict {
            Verdict::Works => match Clash::of(&clashes, &release.version) {
                Some(clash) => (release, Verdict::Clashes(clash.beside.clone(), clash.why.clone())),
                None => (release, Verdict::Works),
            },
            other => (release, other),
        })
        .collect();
    Some(judged)
}

/// The range without the releases at its ends that do not work: `>=2.6,<2.8`. `low` is the release with which it is to begin, `high`
/// the first that it is to leave out.
fn narrowed(range: &VersionSpecifiers, low: Option<&Release>, high: Option<&Release>) -> String {
    let mut parts: Vec<String> = Vec::new();
    for one in range.iter() {
        let lower = matches!(one.operator(), Operator::GreaterThan | Operator::GreaterThanEqual | Operator::TildeEqual);
        let upper = matches!(one.operator(), Operator::LessThan | Operator::LessThanEqual);
        let tilde = *one.operator() == Operator::TildeEqual;
        if lower && low.is_some() && !tilde || upper && high.is_some() {
            continue;
        }
        parts.push(one.to_string());
    }
    if let Some(low) = low {
        parts.insert(0, format!(">={}", low.version));
    }
    parts.extend(high.map(|high| format!("<{}", high.version)));
    parts.join(",")
}

fn range(
    view: &View<'_>,
    line: &Line,
    target: &Target,
    decided: &BTreeMap<String, Version>,
    solver: &Solver<'_>,
) -> Option<Finding> {
    let range = specifiers(&line.requirement)?;
    let place = line.versions.as_ref()?;
    let judged = judged(view, line, target, decided, solver)?;
    if judged.len() < 2 {
        return None;
    }
    let works: Vec<bool> = judged.iter().map(|(_, verdict)| matches!(verdict, Verdict::Works)).collect();
    let last_good = works.iter().rposition(|works| *works)?;
    let newest_bad = last_good + 1 < judged.len();
    let lowest = range
        .iter()
        .any(|one| matches!(one.operator(), Operator::GreaterThan | Operator::GreaterThanEqual | Operator::TildeEqual));
    // The run of good releases that ends with the newest good one.
    let first_good = works.get(..last_good)?.iter().rposition(|works| !*works).map_or(0, |bad| bad + 1);
    let low_bad = lowest && first_good > 0;
    if !newest_bad && !low_bad {
        return None;
    }
    let bad = if newest_bad { judged.len() - 1 } else { first_good - 1 };
    let (place_of, reason) = match &judged.get(bad)?.1 {
        Verdict::Fails(reason) => (on(target), reason),
        Verdict::Clashes(beside, reason) => (format!("beside {beside}"), reason),
        Verdict::NotOffered | Verdict::Works => return None,
    };
    if newest_bad && !view.may_take(line, judged.get(bad)?.0, target) {
        return None;
    }
    let release = |wanted: bool, at: usize| judged.get(at).filter(|_| wanted).map(|(release, _)| *release);
    let narrower = narrowed(&range, release(low_bad, first_good), release(newest_bad, last_good + 1));
    // Which release is the newest depends on the Python, and nobody declares one.
    let clash = matches!(judged.get(bad)?.1, Verdict::Clashes(..));
    let sure = newest_bad && (target.python.is_some() || !clash);
    let severity = if sure { Severity::Fail } else { Severity::Warn };
    let what = if sure { "an installer takes" } else { "an installer may take" };
    let message = format!(
        "`{}` admits {} {}, which does not work {}",
        line.text.split(';').next().unwrap_or_default().trim(),
        line.name,
        judged.get(bad)?.0.version,
        place_of
    );
    let mut found = finding(view, &RANGE_ADMITS_BAD, severity, line.at.file, &line.at.place, message);
    found.notes = vec![format!("{what} it, and {reason}")];
    found.hint = Some(format!("write `{}{narrower}`", line.name));
    let narrow: Requirement = format!("{}{narrower}", line.name).parse().ok()?;
    // Narrower for this target must not be too narrow for another.
    let works = |target: &Target| {
        let mut request = view.request(target, None);
        request.requirements.push(AskedRequirement::new(narrow.clone(), "narrower"));
        solver.is_possible(&request)
    };
    if works(target) && view.targets.iter().all(works) {
        let edits = vec![edit(view, line.at.file, place, narrower.clone())];
        found.fix = Some(Fix { summary: format!("write `{}{narrower}`", line.name), edits });
    }
    Some(found)
}

impl View<'_> {
    /// Whether what packages declare of each other lets an installer take this release: it looks at nothing else.
    fn may_take(&self, line: &Line, release: &Release, target: &Target) -> bool {
        let others = self.applying(target).filter(|other| other.name != line.name);
        let ours = |requirement: &str| {
            let parsed = parse(requirement).ok();
            parsed.filter(|parsed| parsed.name.as_ref() == line.name).and_then(|parsed| specifiers(&parsed))
        };
        others.filter(|other| !other.constraint).all(|other| {
            let Some(package) = self.db.package(&other.name) else { return true };
            let Some(range) = specifiers(&other.requirement) else { return true };
            let mut admitted = package.releases.iter().filter(|one| satisfied(&range, &one.version)).peekable();
            admitted.peek().is_none()
                || admitted.any(|one| {
                    one.requires.iter().filter_map(|text| ours(text)).all(|needs| satisfied(&needs, &release.version))
                })
        })
    }
}
