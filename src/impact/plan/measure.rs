//! How large a change is that was foreseen, by the measure of the design, so that of two the smaller is taken.

use crate::facts::Facts;
use crate::impact::outlook::{Fate, Outlook, Row};
use crate::rules::RuleDb;
use crate::rules::model::Fall;
use crate::rules::role::is_runtime_wheel;
use crate::rules::schema::Headline;

/// The size of a change; the smaller is the better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Measure {
    /// Packages that were installed by name and change release.
    requested: usize,
    /// Serving applications that do.
    serving: usize,
    /// Packages with a role in the stack that fall back far.
    set_back: usize,
    /// Frameworks that change release.
    frameworks: usize,
    /// Extensions that do.
    extensions: usize,
    /// Packages that do.
    releases: usize,
    /// Packages that change release or build.
    builds: usize,
    /// Packages that go back to an older release.
    back: usize,
    /// The minor releases that lie between, of all together.
    distance: usize,
}

impl Measure {
    /// The packages that were installed by name, and the serving applications, that change release.
    pub(super) fn anchors(&self) -> (usize, usize) {
        (self.requested, self.serving)
    }
}

/// How large what an outlook changes is. What is new costs nothing, nor do NVIDIA's runtime wheels, which follow what needs them.
pub(super) fn measure(outlook: &Outlook, facts: &Facts, db: &RuleDb) -> Measure {
    let changed = outlook.rows.iter().filter(|row| row.fate == Fate::Change && !is_runtime_wheel(&row.name));
    changed.fold(Measure::default(), |sum, row| of_row(sum, row, facts, db))
}

fn of_row(mut sum: Measure, row: &Row, facts: &Facts, db: &RuleDb) -> Measure {
    sum.builds += 1;
    let (before, after) = row.releases();
    if before == after {
        return sum;
    }
    let package = db.package(&row.name);
    let role = package.and_then(|package| package.headline);
    let is = |headline: Headline| usize::from(role == Some(headline));
    sum.requested += usize::from(facts.distribution(&row.name).is_some_and(|it| it.requested));
    sum.serving += is(Headline::Serving);
    sum.frameworks += is(Headline::Framework);
    sum.extensions += is(Headline::Extension);
    sum.releases += 1;
    if let (Some(before), Some(after)) = (before, after) {
        sum.back += usize::from(after < before);
        if let Some(package) = package {
            sum.set_back += usize::from(role.is_some() && package.fall(&before, &after) == Fall::Far);
            sum.distance += package.minors_between(&before, &after);
        }
    }
    sum
}
