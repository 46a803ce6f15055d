//! Are the packages for the Python that is beside them?

use super::{fail, renew, seen};
use crate::facts::Python;
use crate::finding::{Finding, rule};

rule! {
    /// The interpreter and the folder of packages are of different Python versions.
    ///
    /// Python looks into the folder of its own version only. Known from the interpreter's version and the names of the
    /// folders. Make the environment again with the version that the packages are for.
    pub PACKAGES = "environment/packages": Environment, Fail, since "0.1.0", judged on [Python];
}

/// Packages for another Python than the interpreter.
pub fn check(python: &Python) -> Option<Finding> {
    let folder = python.place.packages_of.as_ref()?;
    let version = python.version.value().map(|version| format!("{}.{}", version.major, version.minor))?;
    let finding = fail(
        &PACKAGES,
        format!("the interpreter is Python {version}, but the packages are in lib/{folder}"),
        "Python looks into the folder of its own version only: nothing of what is installed there can be imported.",
        seen("interpreter", version, Some(folder.clone())),
    );
    Some(finding.remedies(renew(python)))
}

#[cfg(test)]
mod tests {
    use crate::check::environment::made::told;
    use crate::facts::Reading;

    #[test]
    fn packages_for_another_python_are_not_found() {
        insta::assert_snapshot!(told(|python, _| python.place.packages_of = Some("python3.11".to_owned())), @"
        Fail environment/packages: the interpreter is Python 3.12, but the packages are in lib/python3.11
        rm -f /v/bin/python /v/bin/python3 /v/bin/python3.11
        /usr/bin/python3.11 -m venv --without-pip /v
        ");
    }

    #[test]
    fn of_an_unknown_version_nothing_is_said() {
        let unknown = told(|python, _| {
            python.place.packages_of = Some("python3.11".to_owned());
            python.version = Reading::Unknown;
        });
        assert_eq!(unknown, "");
    }
}
