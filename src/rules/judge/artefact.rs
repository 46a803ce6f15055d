//! The file that a row was read from: is it the one that a target gets?

use super::target::Target;
use crate::pep::Version;
use crate::python::wheel::WheelName;
use crate::rules::schema::python_tag::PythonTag;
use crate::rules::store::model::{Build, RowSource};

/// The SHA-256 of the file that an installer takes for a version of a build on a target; none where the row names the wheel
/// of another Python, platform or index.
///
/// A row has one wheel out of many, mostly the one for the newest Python of its day.
#[must_use]
pub fn sha256<'b>(build: &'b Build, version: &str, target: &Target) -> Option<&'b str> {
    let RowSource::Wheel { file, sha256, .. } = &build.source else { return None };
    if build.is_source() {
        return Some(sha256);
    }
    let wheel: WheelName = file.parse().ok()?;
    let python = target.python?;
    let accepts = |tag: &String| tag.parse::<PythonTag>().is_ok_and(|tag| tag.accepts(python, target.free_threaded));
    let platform = wheel.platform();
    let here = platform == "any" || Some(&platform) == target.platform.as_ref();
    let newest = target.glibc.zip(wheel.glibc()).is_none_or(|(has, needs)| needs <= has);
    let same = version.parse::<Version>().is_ok_and(|version| version == wheel.version);
    (here && newest && same && wheel.python_tags().iter().any(accepts)).then_some(sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::store::embedded;

    fn row(name: &str, file: &str) -> (&'static Build, String) {
        let package = embedded().package(name).expect("covered");
        let mut rows =
            package.releases.iter().flat_map(|release| release.builds.iter().map(move |build| (release, build)));
        let named =
            |build: &Build| matches!(&build.source, RowSource::Wheel { file: own, .. } if own.starts_with(file));
        let (release, build) = rows.find(|(_, build)| named(build)).expect("a row");
        (build, release.version.to_string())
    }

    fn target(python: &str) -> Target {
        Target { python: python.parse().ok(), platform: Some("linux_x86_64".to_owned()), ..Target::default() }
    }

    #[test]
    fn a_hash_is_that_of_the_wheel_for_this_python() {
        let (build, version) = row("triton", "triton-3.3.1-cp");
        let RowSource::Wheel { file, sha256: own, .. } = &build.source else { unreachable!("found by its wheel") };
        let digits = file.split("-cp3").nth(1).expect("a CPython tag");
        assert_eq!(sha256(build, &version, &target(&format!("3.{digits}"))), Some(own.as_str()));
        assert_eq!(sha256(build, &version, &target("3.9")), None, "{file}");
        assert_eq!(sha256(build, "3.3.1+cu128", &target(&format!("3.{digits}"))), None, "another index's file");
        assert_eq!(sha256(build, &version, &Target::default()), None, "Python is not known");
    }

    #[test]
    fn a_source_distribution_is_the_same_for_all() {
        let (build, version) = row("flash-attn", "flash_attn-2.8.3.tar.gz");
        assert!(build.is_source());
        let sha = "1e71dd64a9e0280e0447b8a0c2541bad4bf6ac65bdeaa2f90e51a9e57de0370d";
        assert_eq!(sha256(build, &version, &target("3.12")), Some(sha));
    }
}
