//! What keeps builds from a target, found out once for each build: solving asks the same of the same rules again and again.

use std::sync::Arc;

use super::db::RuleDb;
use super::judged::{Judged, Place};
use crate::rules::judge::obstacle::{Obstacle, obstacles};
use crate::rules::judge::target::Target;

impl RuleDb {
    /// What was judged for a target so far.
    #[must_use]
    pub fn judged(&self, target: &Target) -> &Judged {
        self.judged.get_or_put(|other: &Judged| other.target == *target, || Judged::new(target))
    }
}

impl Judged {
    /// What [`obstacles`] says of a build of a package that these rules cover; nothing of a place without a build.
    #[must_use]
    pub fn obstacles(&self, package: &str, place: Place, db: &RuleDb) -> Arc<[Obstacle]> {
        self.get_or_put(package, place, || {
            let package = db.package(package)?;
            let release = package.releases.get(place.0 as usize)?;
            Some(obstacles(package, release, release.builds.get(place.1 as usize)?, &self.target, db))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_judged_for_each_target_by_itself() {
        let db = crate::rules::store::embedded();
        let package = db.package("torch").unwrap();
        let release = package.releases.iter().position(|release| release.version.to_string() == "2.7.1").unwrap();
        let cpu = package.releases[release].builds.iter().position(|build| build.local.as_deref() == Some("cpu"));
        let place = (u32::try_from(release).unwrap(), u32::try_from(cpu.unwrap()).unwrap());
        let on = |cuda: Option<&str>| Target { cuda: cuda.map(|it| it.parse().unwrap()), ..Target::default() };
        let (any, other) = (db.judged(&on(None)), db.judged(&on(Some("12.8"))));
        assert_eq!(any.obstacles("torch", place, db).len(), 0);
        let wanted = other.obstacles("torch", place, db);
        assert_eq!(wanted.iter().map(ToString::to_string).collect::<Vec<_>>(), ["is not built for CUDA 12.8"]);
        assert_eq!(other.obstacles("torch", place, db), wanted, "asked again");
        assert!(std::ptr::eq(other, db.judged(&on(Some("12.8")))), "the same target, the same answers");
    }
}
