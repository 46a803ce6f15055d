//! Which release of one of NVIDIA's wheels goes with a release of another?
//!
//! Those that one package asks for together: each release of cuda-toolkit names the wheels of its CUDA.
//! `nvidia-cusparse-cu12` 12.3.1.170 says only that it needs `nvidia-nvjitlink-cu12`, and is of CUDA 12.4.1, whose nvjitlink is 12.4.127.

use super::requirement::{is_about, parse, specifiers};
use crate::pep::{Version, is_line};
use crate::rules::RuleDb;
use crate::rules::store::model::Release;

/// Who names them all.
const TOOLKIT: &str = "cuda-toolkit";

/// The release of `other` that goes with a release of `name`; none where no release of the toolkit has both.
#[must_use]
pub fn of(db: &RuleDb, name: &str, version: &Version, other: &str) -> Option<Version> {
    let releases = db.package(TOOLKIT)?.releases.iter().rev();
    releases.filter_map(Release::extras).find_map(|extras| {
        let lines = || extras.values().flat_map(|extra| &extra.requires);
        let pinned = |name: &str| lines().filter(|line| is_about(line, name)).find_map(|line| pin(line));
        pinned(name).filter(|pinned| pinned.release() == version.release()).and_then(|_| pinned(other))
    })
}

/// 12.4.127 of `nvidia-nvjitlink-cu12==12.4.127.*`.
fn pin(line: &str) -> Option<Version> {
    let range = specifiers(&parse(line).ok()?)?;
    range.iter().find(|it| is_line(it)).map(|it| it.version().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::store::embedded;

    #[test]
    fn wheels_of_one_cuda() {
        let of = |version: &str| {
            let version = version.parse().expect("a version");
            of(embedded(), "nvidia-cusparse-cu12", &version, "nvidia-nvjitlink-cu12").map(|it| it.to_string())
        };
        assert_eq!(of("12.3.1.170").as_deref(), Some("12.4.127"));
        assert_eq!(of("99.0"), None);
    }
}
