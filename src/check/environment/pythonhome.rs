//! Does PYTHONHOME name this Python's standard library?

use super::{fail, seen};
use crate::facts::Place;
use crate::finding::{Change, Finding, Remedy, rule};
use crate::step::Step;

rule! {
    /// PYTHONHOME names a folder without this Python's standard library.
    ///
    /// The interpreter looks for its own modules there and does not start. Known from the variable and the folder.
    /// Unset it.
    pub PYTHONHOME = "environment/pythonhome": Environment, Fail, since "0.1.0", judged on [Python, Environment];
}

/// PYTHONHOME that names a folder without a standard library.
pub fn check(place: &Place) -> Option<Finding> {
    let home = place.home.as_ref()?;
    let finding = fail(
        &PYTHONHOME,
        format!("PYTHONHOME names `{home}`, which holds no standard library of this Python"),
        "The interpreter looks for its own modules there, and does not start.",
        seen("PYTHONHOME", home.clone(), None),
    );
    let remedy = Remedy {
        change: Some(Change::Unset("PYTHONHOME".to_owned())),
        ..Remedy::new("Unset PYTHONHOME", Step::unset("PYTHONHOME"))
    };
    Some(finding.remedies([remedy]))
}

#[cfg(test)]
mod tests {
    use crate::check::environment::made::told;

    #[test]
    fn a_folder_without_a_library_is_unset() {
        insta::assert_snapshot!(told(|python, _| python.place.home = Some("/opt/py".to_owned())), @"
        Fail environment/pythonhome: PYTHONHOME names `/opt/py`, which holds no standard library of this Python
        unset PYTHONHOME
        ");
    }

    #[test]
    fn a_folder_without_pyvenv_cfg_is_another_matter() {
        let other = told(|python, _| python.place.without_cfg = Some("/opt/py".to_owned()));
        assert!(other.starts_with("Fail environment/pyvenv-cfg") && !other.contains("PYTHONHOME"), "{other}");
    }
}
