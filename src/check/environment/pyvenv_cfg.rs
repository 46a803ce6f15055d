//! Has a virtual environment its pyvenv.cfg?

use super::{fail, renew, seen};
use crate::facts::Python;
use crate::finding::{Finding, rule};

rule! {
    /// A virtual environment has no pyvenv.cfg.
    ///
    /// Without it the interpreter looks where its link leads, and finds none of the environment's packages. Known from
    /// the folders. Make the environment again around its packages.
    pub PYVENV_CFG = "environment/pyvenv-cfg": Environment, Fail, since "0.1.0", judged on [Python];
}

/// A folder of packages with an interpreter and without the file that joins them.
pub fn check(python: &Python) -> Option<Finding> {
    let folder = python.place.without_cfg.as_ref()?;
    let finding = fail(
        &PYVENV_CFG,
        format!("`{folder}` has packages and an interpreter, but no pyvenv.cfg"),
        "Without it the interpreter looks for packages where its link leads, and finds none of the environment's own.",
        seen("pyvenv.cfg", "is missing", Some(format!("{folder}/pyvenv.cfg"))),
    );
    Some(finding.remedies(renew(python)))
}

#[cfg(test)]
mod tests {
    use crate::check::environment::made::told;
    use crate::facts::Place;

    #[test]
    fn a_folder_without_it_is_made_again() {
        insta::assert_snapshot!(told(|python, _| python.place.without_cfg = Some("/v".to_owned())), @"
        Fail environment/pyvenv-cfg: `/v` has packages and an interpreter, but no pyvenv.cfg
        rm -f /v/bin/python /v/bin/python3 /v/bin/python3.11
        /usr/bin/python3.11 -m venv --without-pip /v
        ");
        // Nothing to make it again with: words, and no command.
        let without = told(|python, _| {
            python.place = Place { without_cfg: Some("/v".to_owned()), ..Place::default() };
        });
        assert_eq!(without.lines().count(), 1, "{without}");
    }

    #[test]
    fn a_folder_of_another_version_has_one() {
        let other = told(|python, _| python.place.packages_of = Some("python3.11".to_owned()));
        assert!(other.starts_with("Fail environment/packages") && !other.contains("pyvenv-cfg"), "{other}");
    }
}
